//! Random numbers from the realm's seed: publication ids and the `random` invocation policy.
//!
//! SplitMix64: uniform and repeatable. Nothing secret hangs on it; session ids and everything else
//! that must not be guessed come from outside.

/// A sequence of random numbers.
#[derive(Debug)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 random bits.
    pub(crate) const fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `bound`, or 0 if there is none.
    pub(crate) const fn below(&mut self, bound: usize) -> usize {
        ((self.bits() as u128 * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_a_bound_cover_all_of_it() {
        let mut random = Random::new(7);
        let mut seen = [0_u32; 5];
        for _ in 0..5000 {
            seen[random.below(5)] += 1;
        }
        assert!(
            seen.iter().all(|&count| (850..1150).contains(&count)),
            "{seen:?}"
        );
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (mut one, mut other) = (Random::new(1), Random::new(1));
        assert!((0..100).all(|_| one.bits() == other.bits()));
        assert_ne!(Random::new(1).bits(), Random::new(2).bits());
    }
}
