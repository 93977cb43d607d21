//! Which walks are walked, and what must have happened in them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use wampy_proto::{Feature, Role};

use super::{model, walk};

/// The steps of a walk, and which walks there are unless `make nightly` says otherwise: 200 000 steps
/// in all, in which everything happens that should.
const STEPS: usize = 20_000;
const FIRST_SEED: u64 = 1;
const WALKS: u64 = 10;

/// How many walks of any seeds practically always show everything.
const WALKS_THAT_SHOW_ALL: u64 = 100;

/// A number from the environment, for `make nightly`.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is {text:?}, which is no number")),
        Err(_) => default,
    }
}

#[test]
fn every_feature_of_the_realm_is_foretold_by_the_model() {
    let announced = wampy_proto::Roles::announced(&Role::ROUTER);
    for feature in Feature::ALL {
        let is_announced = |&role: &Role| announced.supports(role, feature);
        let shown_by = model::FEATURES.iter().find(|it| it.0 == feature);
        let is_shown = shown_by.is_some_and(|(_, shown_by)| !shown_by.is_empty());
        assert!(
            is_shown || !Role::ROUTER.iter().any(is_announced),
            "{feature:?} is in no walk"
        );
    }
    let shown_by = model::FEATURES.iter().map(|it| it.1);
    let shown_by = shown_by.chain(model::BEYOND.iter().map(|it| it.1));
    for what in shown_by.flatten() {
        assert!(model::EVERYTHING.contains(what), "{what} need not happen");
    }
}

/// What several walks have shown.
#[derive(Default)]
struct Shown {
    /// In how many walks each thing happened.
    happened: BTreeMap<&'static str, u64>,
    /// The seeds of the walks that failed.
    failed: Vec<u64>,
}

impl Shown {
    /// Takes a walk, which says itself what is wrong if it fails.
    fn add(&mut self, seed: u64) {
        match catch_unwind(AssertUnwindSafe(|| walk(seed, STEPS))) {
            Ok(happened) => {
                for what in happened {
                    *self.happened.entry(what).or_default() += 1;
                }
            }
            Err(_) => self.failed.push(seed),
        }
    }

    fn join(mut self, other: Self) -> Self {
        for (what, walks) in other.happened {
            *self.happened.entry(what).or_default() += walks;
        }
        self.failed.extend(other.failed);
        self
    }

    /// In how many walks something happened.
    fn walks_with(&self, what: &str) -> u64 {
        self.happened.get(what).copied().unwrap_or(0)
    }
}

#[test]
fn random_walks_agree_with_the_model() {
    let first = setting("WALK_SEED", FIRST_SEED);
    let walks = setting("WALKS", WALKS);
    let taken = AtomicU64::new(0);
    let one_after_another = || {
        let mut shown = Shown::default();
        loop {
            let number = taken.fetch_add(1, Ordering::Relaxed);
            if number >= walks {
                return shown;
            }
            shown.add(first + number);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let shown = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(one_after_another))
            .collect();
        let shown = threads.into_iter().map(|thread| thread.join().unwrap());
        shown.fold(Shown::default(), Shown::join)
    });
    // What is rare may be missing in a few walks of other seeds, and proves little then.
    for what in model::EVERYTHING {
        let percent = 100 * shown.walks_with(what) / walks;
        if percent < 50 {
            println!("only in {percent} % of the walks: {what}");
        }
    }
    let failed = &shown.failed;
    assert!(
        failed.is_empty(),
        "{} of {walks} walks failed; each alone: make nightly SEED=… WALKS=1, of {failed:?}",
        failed.len()
    );
    // Walks that never get somewhere prove nothing about it; but a few of any seeds may not.
    let has_those_of_every_day = first == FIRST_SEED && walks >= WALKS;
    if has_those_of_every_day || walks >= WALKS_THAT_SHOW_ALL {
        let never = |what: &&str| shown.walks_with(what) == 0;
        let never: Vec<_> = model::EVERYTHING.into_iter().filter(never).collect();
        assert!(never.is_empty(), "never happened: {never:?}");
    }
}
