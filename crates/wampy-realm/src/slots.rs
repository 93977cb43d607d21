//! Values in a vector whose places are reused: sessions, pending calls, registrations,
//! subscriptions.
//!
//! A key holds a generation besides the place, so that the key of a value that is gone never finds
//! the value that took its place.

/// How many generations a place has before they begin anew: few enough for [`Slot::number`].
const GENERATIONS: u32 = 1 << 21;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    generation: u32,
}

impl Slot {
    /// A slot that no value ever has.
    pub(crate) const NOWHERE: Self = Self {
        index: u32::MAX,
        generation: u32::MAX,
    };

    /// The slot as a number below 2^53, the range of WAMP's ids.
    pub(crate) const fn number(self) -> u64 {
        (self.generation as u64) << 32 | self.index as u64
    }

    /// The slot with that number. There need be no value there.
    pub(crate) const fn from_number(number: u64) -> Self {
        Self {
            index: number as u32,
            generation: (number >> 32) as u32,
        }
    }
}

/// Values with keys.
#[derive(Debug)]
pub(crate) struct Slots<T> {
    places: Vec<Place<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Place<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) const fn new() -> Self {
        Self {
            places: Vec::new(),
            free: Vec::new(),
        }
    }

    /// How many values there are.
    pub(crate) const fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Adds a value.
    #[inline]
    pub(crate) fn insert(&mut self, value: T) -> Slot {
        let index = self.free.pop().unwrap_or_else(|| self.add_place());
        let place = &mut self.places[index as usize];
        let slot = Slot {
            index,
            generation: place.generation,
        };
        place.value = Some(value);
        slot
    }

    #[cold]
    fn add_place(&mut self) -> u32 {
        self.places.push(Place {
            generation: 0,
            value: None,
        });
        (self.places.len() - 1) as u32
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        let place = self.places.get(slot.index as usize)?;
        if place.generation == slot.generation {
            place.value.as_ref()
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let place = self.places.get_mut(slot.index as usize)?;
        if place.generation == slot.generation {
            place.value.as_mut()
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let place = self.places.get_mut(slot.index as usize)?;
        if place.generation != slot.generation {
            return None;
        }
        let value = place.value.take()?;
        place.generation = (place.generation + 1) % GENERATIONS;
        self.free.push(slot.index);
        Some(value)
    }

    /// All values with their keys, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            let slot = Slot {
                index: index as u32,
                generation: place.generation,
            };
            Some((slot, place.value.as_ref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_their_slot_and_stay_in_the_range_of_ids() {
        let last = Slot {
            index: u32::MAX,
            generation: GENERATIONS - 1,
        };
        assert_eq!(Slot::from_number(last.number()), last);
        assert_eq!(last.number(), (1 << 53) - 1);
        let mut slots = Slots::new();
        for _ in 0..GENERATIONS + 5 {
            let slot = slots.insert(());
            assert!(slot.number() < 1 << 53);
            assert_eq!(slots.remove(slot), Some(()));
        }
    }

    #[test]
    fn a_key_finds_only_its_own_value() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(second.index, first.index, "the place is reused");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(Slot::NOWHERE), None);
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!(slots.len(), 1);
    }
}
