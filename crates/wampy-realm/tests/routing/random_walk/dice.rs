//! What the walk chooses by chance, and among what.

/// Topics and procedures; the walk also uses them as prefixes.
pub const URIS: [&str; 20] = [
    "a",
    "a.b",
    "a.b.c",
    "a.bc",
    "a.b.d",
    "b.b.c",
    "b",
    "A.b",
    "c.a.b.c",
    "u.joe",
    "u.ann",
    "u.joe.a",
    "u.e.v",
    "s.1",
    "s.2",
    "a.auth",
    "b.auth",
    "wamp.session.x",
    "no uri",
    "a.b.which.is.longer.than.any.uri.may.be.here",
];
pub const WILDCARDS: [&str; 8] = ["", ".b", "a.", "a..c", ".b.c", "..c", "a.b.c", "c..b."];
pub const META_TOPICS: [&str; 9] = [
    "wamp.session.on_join",
    "wamp.session.on_leave",
    "wamp.subscription.on_create",
    "wamp.subscription.on_unsubscribe",
    "wamp.registration.on_register",
    "wamp.registration.on_delete",
    "wamp.registration",
    "wamp.reflect",
    "wamp.",
];
pub const INVOKES: [&str; 5] = ["single", "roundrobin", "random", "first", "last"];

/// A small generator of its own, so that a seed means the same walk for ever.
pub struct Dice(u64);

impl Dice {
    /// Seeds that are near each other begin far apart.
    pub fn new(seed: u64) -> Self {
        let bits = seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self((bits ^ (bits >> 29)).max(1))
    }

    pub fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % sides
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    pub fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}
