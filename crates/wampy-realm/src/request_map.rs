//! What is pending, by request id.
//!
//! Request ids are 1, 2, 3, …, and what is pending is nearly always among the last of them: so the
//! slots of these stand in a row, one for each id, and only what is much older than the rest, or out
//! of order, is in a tree.
//!
//! The row is at most four times as long as there are entries, and a few places more. It is a ring:
//! an id's place follows from its last bits.

use std::collections::BTreeMap;

use wampy_proto::RequestId;

use crate::slots::Slot;

/// How long a row may be whatever is in it.
const ROW_FREE_MAX: usize = 64;

/// For how many entries an empty row keeps its memory.
const ROW_KEPT_MAX: usize = 256;

/// How many places the smallest ring has.
const PLACES_MIN: usize = 4;

/// Slots by request id.
#[derive(Debug, Default)]
pub(crate) struct RequestMap {
    /// The ring: a power of two of places, or none. [`Slot::NOWHERE`] where there is nothing, and
    /// everywhere outside of the row.
    places: Box<[Slot]>,
    /// The row reaches from this id, which is in the map, to before `end`; it is empty if these are
    /// the same.
    first: u64,
    end: u64,
    others: BTreeMap<RequestId, Slot>,
    len: usize,
}

impl RequestMap {
    /// How many entries there are.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    const fn row_len(&self) -> usize {
        (self.end - self.first) as usize
    }

    #[inline]
    const fn is_in_row(&self, id: u64) -> bool {
        // An id before the first becomes a very large number.
        id.wrapping_sub(self.first) < self.end - self.first
    }

    /// Where an id's place in the ring is; beyond the ring, if that has none.
    #[inline]
    const fn place(&self, id: u64) -> usize {
        id as usize & self.places.len().wrapping_sub(1)
    }

    #[inline]
    pub(crate) fn get(&self, id: RequestId) -> Option<Slot> {
        let value = id.value();
        // The row may have grown over an id that was not put into it.
        if self.is_in_row(value)
            && let Some(&slot) = self.places.get(self.place(value))
            && slot != Slot::NOWHERE
        {
            return Some(slot);
        }
        if self.others.is_empty() {
            return None;
        }
        self.others.get(&id).copied()
    }

    /// Enters `slot`; the id must not be in the map.
    #[inline]
    pub(crate) fn insert(&mut self, id: RequestId, slot: Slot) {
        let value = id.value();
        self.len += 1;
        if self.first == self.end {
            (self.first, self.end) = (value, value);
        }
        if value == self.end && self.row_len() < self.places.len() {
            let place = self.place(value);
            self.places[place] = slot;
            self.end += 1;
        } else {
            self.insert_elsewhere(id, slot);
        }
        if self.row_len() > self.row_max() {
            self.shorten();
        }
    }

    /// Enters an id that does not come right after the last, or for which there is no room yet.
    #[cold]
    fn insert_elsewhere(&mut self, id: RequestId, slot: Slot) {
        let value = id.value();
        let reach = value.checked_sub(self.first);
        // Other requests may have had the ids between.
        let Some(reach) = reach.filter(|&reach| reach < self.row_max() as u64) else {
            if self.is_in_row(value) {
                let place = self.place(value);
                self.places[place] = slot;
            } else {
                self.others.insert(id, slot);
            }
            return;
        };
        self.make_room(reach as usize + 1);
        let place = self.place(value);
        self.places[place] = slot;
        self.end = self.end.max(value + 1);
    }

    /// Lets the ring have as many places, at least.
    fn make_room(&mut self, places: usize) {
        if places <= self.places.len() {
            return;
        }
        let more = places.next_power_of_two().max(PLACES_MIN);
        let old = std::mem::replace(&mut self.places, vec![Slot::NOWHERE; more].into());
        for id in self.first..self.end {
            let place = self.place(id);
            self.places[place] = old[id as usize & (old.len() - 1)];
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: RequestId) -> Option<Slot> {
        let value = id.value();
        let place = self.place(value);
        if self.is_in_row(value)
            && let Some(slot) = self.places.get_mut(place)
            && *slot != Slot::NOWHERE
        {
            let slot = std::mem::replace(slot, Slot::NOWHERE);
            self.len -= 1;
            if value == self.first {
                self.first += 1;
                let next = self.places.get(self.place(self.first));
                if self.first == self.end || next == Some(&Slot::NOWHERE) {
                    self.begin_with_entry();
                }
            }
            return Some(slot);
        }
        self.remove_elsewhere(id)
    }

    #[cold]
    fn remove_elsewhere(&mut self, id: RequestId) -> Option<Slot> {
        let slot = self.others.remove(&id)?;
        self.len -= 1;
        Some(slot)
    }

    /// Lets the row begin with an id that is in the map, or be empty.
    fn begin_with_entry(&mut self) {
        while self.first != self.end {
            match self.places.get(self.place(self.first)) {
                Some(&Slot::NOWHERE) => self.first += 1,
                _ => return,
            }
        }
        if self.places.len() > ROW_KEPT_MAX {
            self.places = Box::default();
        }
    }

    const fn row_max(&self) -> usize {
        ROW_FREE_MAX + 4 * self.len
    }

    /// Takes the oldest out of the row, until it is short enough.
    #[cold]
    fn shorten(&mut self) {
        while self.row_len() > self.row_max() / 2 {
            let place = self.place(self.first);
            let oldest = std::mem::replace(&mut self.places[place], Slot::NOWHERE);
            if oldest != Slot::NOWHERE
                && let Ok(id) = RequestId::try_from(self.first)
            {
                self.others.insert(id, oldest);
            }
            self.first += 1;
        }
        self.begin_with_entry();
    }

    /// All entries, in the order of their ids.
    pub(crate) fn sorted(&self) -> Vec<(RequestId, Slot)> {
        let in_row = (self.first..self.end).filter_map(|id| {
            let slot = self.places[self.place(id)];
            let id = RequestId::try_from(id).ok()?;
            (slot != Slot::NOWHERE).then_some((id, slot))
        });
        let others = self.others.iter().map(|(&id, &slot)| (id, slot));
        let mut all: Vec<_> = in_row.chain(others).collect();
        all.sort_unstable();
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::btree_map::Entry;

    use super::*;
    use crate::random::Random;
    use crate::slots::Slots;

    fn id(number: u64) -> RequestId {
        RequestId::try_from(number).unwrap()
    }

    #[test]
    fn it_does_what_a_map_does_and_its_row_stays_short() {
        for seed in 0..50 {
            let mut random = Random::new(seed);
            let mut slots = Slots::new();
            let mut map = RequestMap::default();
            let mut reference = BTreeMap::new();
            let mut next = 1;
            let mut most = 0;
            for _ in 0..5000 {
                match random.below(8) {
                    0..=2 => {
                        next += if random.below(20) == 0 {
                            random.below(500) as u64
                        } else {
                            1
                        };
                        // Rarely an id out of order.
                        let new = match random.below(30) {
                            0 => 1 + random.below(next as usize) as u64,
                            _ => next,
                        };
                        if let Entry::Vacant(free) = reference.entry(id(new)) {
                            let slot = slots.insert(());
                            map.insert(id(new), slot);
                            free.insert(slot);
                            most = most.max(map.len());
                            assert!(map.row_len() <= ROW_FREE_MAX + 4 * map.len());
                            assert!(map.places.len() <= 2 * (ROW_FREE_MAX + 4 * most));
                        }
                    }
                    3..=5 => {
                        // Mostly one of the last; the first stay for long.
                        let kept = if random.below(100) == 0 { 0 } else { 5 };
                        let len = reference.len().saturating_sub(kept);
                        if len > 0 {
                            let at = kept.min(reference.len() - 1) + random.below(len);
                            let known = reference.keys().nth(at.min(reference.len() - 1));
                            let known = *known.unwrap();
                            assert_eq!(map.remove(known), reference.remove(&known));
                        }
                    }
                    6 => assert_eq!(map.remove(id(next + 1000)), None),
                    _ => {
                        let any = id(1 + random.below(next as usize + 5) as u64);
                        assert_eq!(map.get(any), reference.get(&any).copied());
                    }
                }
                assert_eq!(map.len(), reference.len());
            }
            let all: Vec<_> = reference.iter().map(|(&id, &slot)| (id, slot)).collect();
            assert_eq!(map.sorted(), all);
            for (id, slot) in all {
                assert_eq!(map.remove(id), Some(slot));
            }
            assert!(map.row_len() == 0 && map.others.is_empty());
            assert!(map.places.iter().all(|&slot| slot == Slot::NOWHERE));
        }
    }

    #[test]
    fn one_that_is_never_answered_does_not_make_the_row_grow() {
        let mut slots = Slots::new();
        let mut map = RequestMap::default();
        let first = slots.insert(());
        map.insert(id(1), first);
        for number in 2..100_000 {
            let slot = slots.insert(());
            map.insert(id(number), slot);
            assert_eq!(map.remove(id(number)), Some(slot));
            slots.remove(slot);
        }
        assert!(map.row_len() <= 2 * ROW_FREE_MAX, "{}", map.row_len());
        assert_eq!(map.get(id(1)), Some(first));
        assert_eq!(map.sorted(), [(id(1), first)]);
    }
}
