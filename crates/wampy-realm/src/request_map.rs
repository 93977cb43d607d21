//! What is pending, by request id.
//!
//! Request ids are 1, 2, 3, …, and what is pending is nearly always among the last of them: so the
//! slots of these stand in a row, one for each id, and only what is much older than the rest, or out
//! of order, is in a tree.
//!
//! The row is at most four times as long as there are entries, and a few places more.

use std::collections::{BTreeMap, VecDeque};

use wampy_proto::RequestId;

use crate::slots::Slot;

/// How long a row may be whatever is in it.
const ROW_FREE_MAX: usize = 64;

/// For how many entries an empty row keeps its memory.
const ROW_KEPT_MAX: usize = 256;

/// Slots by request id.
#[derive(Debug, Default)]
pub(crate) struct RequestMap {
    /// The slots of the ids from `first` on; [`Slot::NOWHERE`] where there is none.
    row: VecDeque<Slot>,
    first: u64,
    others: BTreeMap<RequestId, Slot>,
    len: usize,
}

impl RequestMap {
    /// How many entries there are.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Where in the row an id is, if the row reaches that far.
    #[inline]
    fn place(&self, id: RequestId) -> Option<usize> {
        Some(id.value().checked_sub(self.first)? as usize)
    }

    #[inline]
    pub(crate) fn get(&self, id: RequestId) -> Option<Slot> {
        // The row may have grown over an id that was not put into it.
        match self.place(id).and_then(|place| self.row.get(place)) {
            Some(&slot) if slot != Slot::NOWHERE => Some(slot),
            _ if self.others.is_empty() => None,
            _ => self.others.get(&id).copied(),
        }
    }

    /// Enters `slot`; the id must not be in the map.
    #[inline]
    pub(crate) fn insert(&mut self, id: RequestId, slot: Slot) {
        self.len += 1;
        if self.row.is_empty() {
            self.first = id.value();
        }
        let behind = id.value().checked_sub(self.first + self.row.len() as u64);
        if behind == Some(0) {
            self.row.push_back(slot);
        } else {
            self.insert_elsewhere(id, slot);
        }
        if self.row.len() > self.row_max() {
            self.shorten();
        }
    }

    /// Enters an id that does not come right after the last.
    #[cold]
    fn insert_elsewhere(&mut self, id: RequestId, slot: Slot) {
        let place = self.place(id);
        if let Some(place) = place.and_then(|place| self.row.get_mut(place)) {
            *place = slot;
            return;
        }
        match id.value().checked_sub(self.first) {
            // Other requests had the ids between.
            Some(place) if place < self.row_max() as u64 => {
                self.row.resize(place as usize, Slot::NOWHERE);
                self.row.push_back(slot);
            }
            _ => _ = self.others.insert(id, slot),
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, id: RequestId) -> Option<Slot> {
        let slot = match self.place(id).and_then(|place| self.row.get_mut(place)) {
            Some(slot) if *slot != Slot::NOWHERE => std::mem::replace(slot, Slot::NOWHERE),
            _ if self.others.is_empty() => return None,
            _ => self.others.remove(&id)?,
        };
        self.len -= 1;
        while self.row.front() == Some(&Slot::NOWHERE) {
            self.row.pop_front();
            self.first += 1;
        }
        if self.row.is_empty() && self.row.capacity() > ROW_KEPT_MAX {
            self.row = VecDeque::new();
        }
        Some(slot)
    }

    const fn row_max(&self) -> usize {
        ROW_FREE_MAX + 4 * self.len
    }

    /// Takes the oldest out of the row, until it is short enough.
    #[cold]
    fn shorten(&mut self) {
        while self.row.len() > self.row_max() / 2 {
            let Some(oldest) = self.row.pop_front() else {
                return;
            };
            if oldest != Slot::NOWHERE
                && let Ok(id) = RequestId::try_from(self.first)
            {
                self.others.insert(id, oldest);
            }
            self.first += 1;
        }
    }

    /// All entries, in the order of their ids.
    pub(crate) fn sorted(&self) -> Vec<(RequestId, Slot)> {
        let in_row = self.row.iter().zip(self.first..).filter_map(|(&slot, id)| {
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
                            assert!(map.row.len() <= ROW_FREE_MAX + 4 * map.len());
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
            assert!(map.row.is_empty() && map.others.is_empty());
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
        assert!(map.row.len() <= 2 * ROW_FREE_MAX, "{}", map.row.len());
        assert_eq!(map.get(id(1)), Some(first));
        assert_eq!(map.sorted(), [(id(1), first)]);
    }
}
