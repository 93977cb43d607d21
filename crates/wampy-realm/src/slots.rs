//! Values in a vector whose places are reused: sessions, pending calls, registrations,
//! subscriptions.
//!
//! A key holds a generation besides the place, so that the key of a value that is gone never finds
//! the value that took its place.

use std::cmp::Ordering;
use std::fmt;

/// How many generations a place has before they begin anew: few enough for [`Slot::number`].
const GENERATIONS: u32 = 1 << 21;

/// Where a value is: the place in the low 32 bits, its generation above. One number, so that it is
/// moved and compared as one. Slots are ordered by their places.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Slot(u64);

impl Slot {
    /// A slot that no value ever has.
    pub(crate) const NOWHERE: Self = Self(u64::MAX);

    const fn new(index: u32, generation: u32) -> Self {
        Self((generation as u64) << 32 | index as u64)
    }

    /// The place.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as u32 as usize
    }

    const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The slot as a number below 2^53, the range of WAMP's ids.
    #[inline]
    pub(crate) const fn number(self) -> u64 {
        self.0
    }

    /// The slot with that number. There need be no value there.
    #[inline]
    pub(crate) const fn from_number(number: u64) -> Self {
        Self(number)
    }
}

impl Ord for Slot {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.rotate_left(32).cmp(&other.0.rotate_left(32))
    }
}

impl PartialOrd for Slot {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (index, generation) = (self.index(), self.generation());
        f.debug_tuple("Slot")
            .field(&index)
            .field(&generation)
            .finish()
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
    /// The key of the value, or of the next one.
    slot: Slot,
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
        let index = match self.free.pop() {
            Some(index) => index as usize,
            None => self.add_place(),
        };
        let place = &mut self.places[index];
        place.value = Some(value);
        place.slot
    }

    #[cold]
    fn add_place(&mut self) -> usize {
        let index = self.places.len();
        self.places.push(Place {
            slot: Slot::new(index as u32, 0),
            value: None,
        });
        index
    }

    #[inline]
    pub(crate) fn get(&self, slot: Slot) -> Option<&T> {
        let place = self.places.get(slot.index())?;
        if place.slot == slot {
            place.value.as_ref()
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let place = self.places.get_mut(slot.index())?;
        if place.slot == slot {
            place.value.as_mut()
        } else {
            None
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, slot: Slot) -> Option<T> {
        let place = self.places.get_mut(slot.index())?;
        if place.slot != slot {
            return None;
        }
        let value = place.value.take()?;
        let index = slot.index() as u32;
        place.slot = Slot::new(index, (slot.generation() + 1) % GENERATIONS);
        self.free.push(index);
        Some(value)
    }

    /// All values with their keys, in the order of their places.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Slot, &T)> {
        self.places
            .iter()
            .filter_map(|place| Some((place.slot, place.value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_name_their_slot_and_stay_in_the_range_of_ids() {
        let last = Slot::new(u32::MAX, GENERATIONS - 1);
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
    fn slots_are_ordered_by_place_and_then_by_generation() {
        let ordered = [(0, 5), (1, 0), (1, 2), (7, 1), (u32::MAX, 0)];
        let ordered = ordered.map(|(index, generation)| Slot::new(index, generation));
        assert!(ordered.is_sorted());
        assert!(ordered.iter().all(|&slot| slot < Slot::NOWHERE));
    }

    #[test]
    fn a_key_finds_only_its_own_value() {
        let mut slots = Slots::new();
        let first = slots.insert("first");
        assert_eq!(slots.remove(first), Some("first"));
        let second = slots.insert("second");
        assert_eq!(second.index(), first.index(), "the place is reused");
        assert_eq!(slots.get(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get(Slot::NOWHERE), None);
        assert_eq!(slots.get(second), Some(&"second"));
        assert_eq!(slots.len(), 1);
    }
}
