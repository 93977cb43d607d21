//! Hashing of ids and of URIs, which peers choose.
//!
//! Maps are never iterated in an order that anybody could see, so the seed changes no behavior.

use std::sync::OnceLock;

use foldhash::SharedSeed;
pub(crate) use foldhash::fast::SeedableRandomState as RandomState;

/// The part of the seed that foldhash wants to live as long as the process: that of the first realm.
static SHARED: OnceLock<SharedSeed> = OnceLock::new();

/// The hashing of a realm with the random seed `seed`. Both parts of the seed are unknown to peers,
/// so that they cannot choose URIs that collide.
pub(crate) fn seeded(seed: u64) -> RandomState {
    let shared = SHARED.get_or_init(|| SharedSeed::from_u64(seed));
    RandomState::with_seed(seed, shared)
}
