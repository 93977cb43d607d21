//! Sharded Registration: a call with `runmode: "partition"` goes to the callee that its `rkey` belongs
//! to.
//!
//! The specification's chapter is a sketch that breaks off; here this is decided:
//!
//! - The call goes to one callee, whatever the registration's policy: the one to whose partition the
//!   key belongs by rendezvous hashing, so that few keys move when a callee comes or goes, and all
//!   routers agree, also after a restart.
//! - A callee's partition is called by its `nkey` in REGISTER (as in SUBSCRIBE), or else by its
//!   authid. Callees with the same name share a partition, and so its keys.
//! - A busy or unavailable callee has no substitute: the call waits, or fails.
//! - `runmode: "partition"` without `rkey` is `wamp.error.invalid_argument`; any other `runmode` (the
//!   chapter names "all" calls without saying what they are) is `wamp.error.option_not_allowed`.
//!   `rkey` without `runmode` is ignored.
//!
//! Deliberately absent: calls of all callees at once.

use wampy_proto::error_uri;
use wampy_proto::message::{CallOptions, RareCallOptions};

use super::shared_registration::Callee;
use crate::refusal::Refusal;
use crate::rendezvous;

/// The word that asks for one partition.
const PARTITION: &str = "partition";

/// The key of a call, as a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard(u64);

impl Shard {
    /// The key by which a call goes to its callee, if it has one.
    #[inline]
    pub(super) fn of(options: &CallOptions) -> Result<Option<Self>, Refusal> {
        match options.rare.present() {
            Some(rare) => Self::of_rare(rare),
            None => Ok(None),
        }
    }

    #[cold]
    fn of_rare(rare: &RareCallOptions) -> Result<Option<Self>, Refusal> {
        match (rare.runmode.as_deref(), &rare.rkey) {
            (None, _) => Ok(None),
            (Some(PARTITION), Some(rkey)) => Ok(Some(Self(rendezvous::hash(rkey)))),
            (Some(PARTITION), None) => Err(Refusal::explained(
                error_uri::INVALID_ARGUMENT,
                "runmode is \"partition\", but there is no rkey",
            )),
            (Some(_), _) => Err(Refusal::explained(
                error_uri::OPTION_NOT_ALLOWED,
                "the only runmode is \"partition\"",
            )),
        }
    }

    /// The place of the callee to whom the key belongs. Among callees of one name it is the session
    /// that decides: no worse than any, and the same until one of them goes.
    pub(super) fn owner(self, callees: &[Callee]) -> Option<usize> {
        let weight = |callee: &Callee| {
            let session = callee.session.number();
            let by_session = rendezvous::weight(self.0, callee.node ^ session);
            (rendezvous::weight(self.0, callee.node), by_session)
        };
        (0..callees.len()).max_by_key(|&at| weight(&callees[at]))
    }
}
