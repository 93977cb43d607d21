//! The publications of one publisher that have not reached every subscriber yet.

/// Publications in flight of one publisher.
#[derive(Debug)]
pub struct Window {
    subscribers: u32,
    /// The sequence number of the next publication.
    next: u64,
    /// The oldest publication that is in flight; equal to `next` if none is.
    oldest: u64,
    /// For each publication in flight, at `sequence % slots.len()`.
    slots: Vec<Slot>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// Subscribers that have not received it.
    missing: u32,
    sent_at_ns: u64,
}

impl Window {
    pub fn new(size: usize, subscribers: usize, first: u64) -> Self {
        let slots = vec![Slot::default(); size];
        Self {
            subscribers: subscribers as u32,
            next: first,
            oldest: first,
            slots,
        }
    }

    /// The sequence number of the next publication.
    pub fn next(&self) -> u64 {
        self.next
    }

    pub fn in_flight(&self) -> u64 {
        self.next - self.oldest
    }

    /// Takes the next place, if there is one: its sequence number.
    pub fn publish(&mut self, now_ns: u64) -> Option<u64> {
        if self.in_flight() == self.slots.len() as u64 {
            return None;
        }
        let sequence = self.next;
        self.next += 1;
        *self.slot(sequence) = Slot {
            missing: self.subscribers,
            sent_at_ns: now_ns,
        };
        Some(sequence)
    }

    /// One subscriber that waited for `expected` has received `sequence`, and so will not receive
    /// what lies between. Returns when `sequence` was sent; `None` if it never was.
    pub fn receive(&mut self, expected: u64, sequence: u64) -> Option<u64> {
        if sequence >= self.next || expected > sequence {
            return None;
        }
        let sent_at_ns = self.slot(sequence).sent_at_ns;
        for passed in expected.max(self.oldest)..=sequence {
            let slot = self.slot(passed);
            slot.missing = slot.missing.saturating_sub(1);
        }
        while self.oldest < self.next && self.slot(self.oldest).missing == 0 {
            self.oldest += 1;
        }
        Some(sent_at_ns)
    }

    /// Gives up on everything in flight.
    pub fn write_off(&mut self) {
        self.oldest = self.next;
    }

    fn slot(&mut self, sequence: u64) -> &mut Slot {
        let at = (sequence % self.slots.len() as u64) as usize;
        &mut self.slots[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_every_subscriber_has_received() {
        let mut window = Window::new(2, 2, 1);
        assert_eq!(window.publish(10), Some(1));
        assert_eq!(window.publish(20), Some(2));
        assert_eq!(window.publish(30), None);
        assert_eq!(window.receive(1, 1), Some(10));
        assert_eq!(window.receive(2, 2), Some(20));
        assert_eq!(
            window.publish(30),
            None,
            "one subscriber has received nothing yet"
        );
        assert_eq!(window.receive(1, 1), Some(10));
        assert_eq!(window.publish(30), Some(3));
        assert_eq!(window.publish(40), None);
    }

    #[test]
    fn a_skipped_event_does_not_block_the_window() {
        let mut window = Window::new(3, 1, 1);
        for _ in 0..3 {
            window.publish(0);
        }
        assert_eq!(window.receive(1, 3), Some(0));
        assert_eq!(window.in_flight(), 0);
    }

    #[test]
    fn what_was_never_sent_is_not_received() {
        let mut window = Window::new(3, 1, 5);
        assert_eq!(window.receive(5, 5), None);
        window.publish(7);
        assert_eq!(window.receive(6, 5), None);
        assert_eq!(window.receive(5, 5), Some(7));
    }

    #[test]
    fn written_off_publications_free_their_places() {
        let mut window = Window::new(2, 3, 1);
        window.publish(0);
        window.publish(0);
        window.write_off();
        assert_eq!((window.in_flight(), window.next()), (0, 3));
        assert_eq!(window.publish(9), Some(3));
        assert_eq!(window.receive(3, 3), Some(9));
        assert_eq!(window.in_flight(), 1);
    }
}
