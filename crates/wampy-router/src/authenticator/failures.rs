//! Who has failed to authenticate lately, and how long the next attempt has to wait for it.
//!
//! Failures are counted for the client's address and for the authid that it claims. What an attempt
//! waits is the same whether it will succeed or fail, or the wait would tell. Attempts from one address
//! wait for each other, so that many connections guess no faster than one. Attempts for one authid do
//! not, and wait for a bounded time only: else anybody could shut out its owner.
//!
//! Deliberately absent: anything that outlives the router, and a memory of successes: a client with an
//! account of its own must not be able to wipe out its guesses at another.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::time::Instant;

use parking_lot::Mutex;

use crate::limits::Limits;
use crate::network::{Network, is_loopback};

/// The delay after the first failure that is not free.
const DELAY_MS_FIRST: u64 = 100;

/// How many of the longest delays an attempt from a busy address waits at most.
const PATIENCE_IN_DELAYS: u64 = 4;

/// The failures of a router's clients. Addresses and authids are kept as hashes: a client cannot make
/// them long.
#[derive(Debug)]
pub(crate) struct Failures {
    free: u32,
    delay_ms_max: u64,
    /// The longest that an attempt from a busy address waits.
    wait_ms_max: u64,
    forgotten_ms: u64,
    generation_max: usize,
    hash: RandomState,
    start: Instant,
    records: Mutex<Records>,
}

/// Two generations: when the younger is full, it becomes the older one, which is forgotten.
#[derive(Debug, Default)]
struct Records {
    young: HashMap<u64, Record>,
    old: HashMap<u64, Record>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Record {
    failures: u32,
    /// When the last failure was counted or forgotten.
    since_ms: u64,
    /// Until when attempts wait that came before.
    busy_until_ms: u64,
}

/// Whose failures count for an attempt.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    address: u64,
    /// Whether attempts of this address wait for each other.
    is_exclusive: bool,
    authid: u64,
}

/// An attempt would have to wait too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Failures {
    pub(crate) fn new(limits: &Limits) -> Self {
        // Whoever waits must have time left to be let in.
        let wait_ms_max = limits.handshake_timeout_ms / 2;
        let delay_ms_max = limits.authentication_delay_ms_max.min(wait_ms_max);
        Self {
            free: limits.authentication_failures_free,
            delay_ms_max,
            wait_ms_max: delay_ms_max
                .saturating_mul(PATIENCE_IN_DELAYS)
                .min(wait_ms_max),
            forgotten_ms: limits.authentication_failure_forgotten_ms,
            generation_max: (limits.authentication_failures_remembered_max / 2).max(1),
            hash: RandomState::new(),
            start: Instant::now(),
            records: Mutex::default(),
        }
    }

    /// An attempt of a client at `address` (`None` for a Unix socket) to be `authid` in `realm`.
    pub(crate) fn attempt(&self, address: Option<IpAddr>, realm: &str, authid: &str) -> Attempt {
        let network = address.map(Network::of);
        Attempt {
            address: self.hash.hash_one(("address", network)),
            is_exclusive: address.is_some_and(|address| !is_loopback(address)),
            authid: self.hash.hash_one(("authid", realm, authid)),
        }
    }

    fn now_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }

    /// How many milliseconds `attempt` has to wait.
    pub(crate) fn wait_ms(&self, attempt: Attempt) -> Result<u64, TooMany> {
        self.wait_ms_at(attempt, self.now_ms())
    }

    /// `attempt` has failed.
    pub(crate) fn count(&self, attempt: Attempt) {
        self.count_at(attempt, self.now_ms());
    }

    fn wait_ms_at(&self, attempt: Attempt, now_ms: u64) -> Result<u64, TooMany> {
        let mut records = self.records.lock();
        let authid_ms = self.delay_ms(records.get(attempt.authid), now_ms);
        let mut record = records.get(attempt.address);
        let address_ms = self.delay_ms(record, now_ms);
        if !attempt.is_exclusive || address_ms == 0 {
            return Ok(authid_ms.max(address_ms));
        }
        let until_ms = record.busy_until_ms.max(now_ms) + address_ms;
        let wait_ms = until_ms - now_ms;
        if wait_ms > self.wait_ms_max {
            return Err(TooMany);
        }
        record.busy_until_ms = until_ms;
        records.put(attempt.address, record, self.generation_max);
        Ok(authid_ms.max(wait_ms))
    }

    fn count_at(&self, attempt: Attempt, now_ms: u64) {
        let mut records = self.records.lock();
        for key in [attempt.address, attempt.authid] {
            let record = records.get(key);
            let left = self.failures(record, now_ms);
            let record = Record {
                failures: left.saturating_add(1),
                since_ms: if left == 0 {
                    now_ms
                } else {
                    self.since_ms(record, now_ms)
                },
                busy_until_ms: record.busy_until_ms,
            };
            records.put(key, record, self.generation_max);
        }
    }

    /// The failures that are not forgotten.
    fn failures(&self, record: Record, now_ms: u64) -> u32 {
        let forgotten = now_ms.saturating_sub(record.since_ms) / self.forgotten_ms;
        record
            .failures
            .saturating_sub(forgotten.try_into().unwrap_or(u32::MAX))
    }

    /// When the last failure was forgotten.
    fn since_ms(&self, record: Record, now_ms: u64) -> u64 {
        let passed_ms = now_ms.saturating_sub(record.since_ms);
        now_ms - passed_ms % self.forgotten_ms
    }

    fn delay_ms(&self, record: Record, now_ms: u64) -> u64 {
        let counted = self.failures(record, now_ms).saturating_sub(self.free);
        match counted.checked_sub(1) {
            None => 0,
            Some(doublings) => {
                let factor = 1_u64.checked_shl(doublings).unwrap_or(u64::MAX);
                DELAY_MS_FIRST.saturating_mul(factor).min(self.delay_ms_max)
            }
        }
    }
}

impl Records {
    fn get(&self, key: u64) -> Record {
        let found = self.young.get(&key).or_else(|| self.old.get(&key));
        found.copied().unwrap_or_default()
    }

    fn put(&mut self, key: u64, record: Record, generation_max: usize) {
        if self.young.len() >= generation_max && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, record);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(change: impl FnOnce(&mut Limits)) -> Failures {
        let mut limits = Limits::default();
        change(&mut limits);
        Failures::new(&limits)
    }

    const FAR: [u8; 4] = [192, 0, 2, 1];
    const FURTHER: [u8; 4] = [192, 0, 2, 2];

    fn fail(failures: &Failures, times: u32, attempt: Attempt) {
        for _ in 0..times {
            failures.count_at(attempt, 0);
        }
    }

    #[test]
    fn each_failure_beyond_the_free_ones_doubles_the_delay_up_to_its_limit() {
        let failures = failures(|_| {});
        let attempt = failures.attempt(None, "realm1", "joe");
        let mut seen = Vec::new();
        for _ in 0..12 {
            seen.push(failures.wait_ms_at(attempt, 0).unwrap());
            failures.count_at(attempt, 0);
        }
        assert_eq!(seen, [0, 0, 0, 0, 0, 0, 100, 200, 400, 800, 1000, 1000]);
    }

    #[test]
    fn failures_are_forgotten_one_by_one() {
        let failures = failures(|_| {});
        let attempt = failures.attempt(None, "realm1", "joe");
        fail(&failures, 7, attempt);
        assert_eq!(failures.wait_ms_at(attempt, 59_999), Ok(200));
        assert_eq!(failures.wait_ms_at(attempt, 60_000), Ok(100));
        failures.count_at(attempt, 90_000);
        assert_eq!(failures.wait_ms_at(attempt, 119_999), Ok(200));
        assert_eq!(failures.wait_ms_at(attempt, 120_000), Ok(100));
        assert_eq!(failures.wait_ms_at(attempt, u64::MAX / 2), Ok(0));
    }

    #[test]
    fn attempts_from_one_address_wait_for_each_other_and_those_for_one_authid_do_not() {
        let failures = failures(|_| {});
        let guess = failures.attempt(Some(FAR.into()), "realm1", "joe");
        fail(&failures, 20, guess);
        let waits: Vec<_> = (0..6).map(|_| failures.wait_ms_at(guess, 0)).collect();
        let queue = [
            Ok(1000),
            Ok(2000),
            Ok(3000),
            Ok(4000),
            Err(TooMany),
            Err(TooMany),
        ];
        assert_eq!(waits, queue);
        // The owner of the authid, elsewhere, waits once, however many guess.
        let owner = failures.attempt(Some(FURTHER.into()), "realm1", "joe");
        assert_eq!(failures.wait_ms_at(owner, 0), Ok(1000));
        assert_eq!(failures.wait_ms_at(owner, 0), Ok(1000));
        // Others elsewhere, and the same authid in another realm, do not wait at all.
        for (realm, authid) in [("realm1", "jane"), ("realm2", "joe")] {
            let other = failures.attempt(Some(FURTHER.into()), realm, authid);
            assert_eq!(failures.wait_ms_at(other, 0), Ok(0));
        }
    }

    #[test]
    fn an_address_behind_which_everybody_may_be_is_never_refused() {
        for address in ["127.0.0.1", "::1", "::ffff:127.0.0.1"] {
            let failures = failures(|_| {});
            let attempt = failures.attempt(address.parse().ok(), "realm1", "joe");
            fail(&failures, 30, attempt);
            for _ in 0..20 {
                assert_eq!(failures.wait_ms_at(attempt, 0), Ok(1000));
            }
        }
    }

    #[test]
    fn ipv6_clients_are_told_apart_by_their_network() {
        let failures = failures(|_| {});
        let of = |address: &str| failures.attempt(address.parse().ok(), "r", "a").address;
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }

    #[test]
    fn no_more_is_remembered_than_the_limit_says() {
        let failures = failures(|limits| limits.authentication_failures_remembered_max = 10);
        for number in 0..1000 {
            let attempt = failures.attempt(None, "realm1", &number.to_string());
            failures.count_at(attempt, 0);
            let records = failures.records.lock();
            assert!(records.young.len() + records.old.len() <= 10);
        }
    }

    #[test]
    fn without_a_longest_delay_there_is_none() {
        let failures = failures(|limits| limits.authentication_delay_ms_max = 0);
        let attempt = failures.attempt(Some(FAR.into()), "realm1", "joe");
        fail(&failures, 100, attempt);
        assert_eq!(failures.wait_ms_at(attempt, 0), Ok(0));
    }
}
