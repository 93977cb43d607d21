//! Calls that are kept whole, because they may be sent later or once more: those that wait
//! (`registration_concurrency`) and those that may be rerouted (`call_rerouting`).
//!
//! Their payload stays as the bytes in which it came and is transcoded when it is sent. All that is
//! kept counts for [`RealmConfig::kept_call_bytes_max`](crate::RealmConfig::kept_call_bytes_max).
//!
//! Deliberately absent: the private options of a call, which no callee gets.

use wampy_proto::RegistrationId;
use wampy_proto::message::{Call, RareCallOptions};

use super::Dealer;
use super::call_timeout::Limit;
use super::pending::PendingCall;
use super::progressive_call_invocations::OpenInput;
use crate::config::RealmConfig;
use crate::realm::Now;
use crate::session::SessionKey;

/// What is known of a call whose callee limits its concurrency or may hand the call back, or which
/// comes in parts.
#[derive(Debug)]
pub(crate) struct RareCall {
    pub(crate) registration: RegistrationId,
    /// Whether the call counts for its callee's `concurrency`.
    pub(crate) counted: bool,
    /// Whether another callee may take the call if its own is unavailable.
    pub(super) reroutable: bool,
    /// The call's number among those that wait, if it waits.
    pub(crate) waiting: Option<u64>,
    /// The call itself, where it may have to be sent.
    pub(crate) kept: Option<KeptCall>,
    /// The callees that were unavailable.
    pub(super) tried: Vec<SessionKey>,
    /// What further parts of the call are sent with, if there may be any.
    pub(super) input: Option<Box<OpenInput>>,
}

/// A call without the buffer in which it came.
#[derive(Debug)]
pub(crate) struct KeptCall {
    pub(super) call: Call<'static>,
    /// What it counts.
    pub(crate) bytes: usize,
    /// Its time limit, if it has one.
    pub(super) limit: Option<Limit>,
}

impl RareCall {
    /// A call that was kept and has no callee yet.
    pub(super) const fn new(registration: RegistrationId, kept: Option<KeptCall>) -> Self {
        Self {
            registration,
            counted: false,
            reroutable: false,
            waiting: None,
            kept,
            tried: Vec::new(),
            input: None,
        }
    }

    /// Whether every callee of the registration suits the call.
    pub(super) fn is_plain(&self) -> bool {
        self.tried.is_empty() && !self.is_sharded()
    }

    /// Whether the call, which is kept, is one of a partition.
    pub(super) fn is_sharded(&self) -> bool {
        let kept = self.kept.as_ref();
        kept.is_some_and(|kept| kept.call.options.runmode.is_some())
    }

    /// What keeping the call counts.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept.as_ref().map_or(0, |kept| kept.bytes)
    }

    /// Lets go of the call that was kept; `sum` is what all count together.
    pub(super) fn forget_kept(&mut self, sum: &mut usize) {
        *sum -= self.kept.take().map_or(0, |kept| kept.bytes);
    }
}

/// What keeping a call counts, in bytes.
pub(super) fn bytes_of(call: &Call<'_>) -> usize {
    let fixed = size_of::<PendingCall>() + size_of::<RareCall>();
    let rare = call.options.rare.present().map_or(0, bytes_of_options);
    fixed + call.procedure.len() + call.payload.encoded_len() + rare
}

fn bytes_of_options(options: &RareCallOptions) -> usize {
    let texts = [
        &options.runmode,
        &options.rkey,
        &options.ppt_scheme,
        &options.ppt_serializer,
        &options.ppt_cipher,
        &options.ppt_keyid,
    ];
    let texts: usize = texts.into_iter().flatten().map(|text| text.len()).sum();
    size_of::<RareCallOptions>() + texts
}

impl Dealer {
    /// Keeps a call that was made just now, unless all that is kept would be too much.
    pub(super) fn keep(
        &mut self,
        call: &Call<'_>,
        config: &RealmConfig,
        now: Now,
    ) -> Option<KeptCall> {
        let bytes = bytes_of(call);
        if self.kept_call_bytes.saturating_add(bytes) > config.kept_call_bytes_max {
            return None;
        }
        self.kept_call_bytes += bytes;
        let mut options = call.options.clone();
        if options.rare.present().is_some() {
            options.extra = Vec::new();
        }
        let call = Call {
            request: call.request,
            options,
            procedure: call.procedure.clone().into_owned().into(),
            payload: call.payload.clone().into_owned(),
        };
        let limit = Limit::of(&call.options, config, now);
        Some(KeptCall { call, bytes, limit })
    }

    /// The call has ended: it neither waits nor runs nor is kept any more.
    #[cold]
    pub(super) fn release(&mut self, callee: SessionKey, rare: &mut RareCall) {
        self.leave_line(rare);
        if rare.counted {
            self.vacate(rare.registration, callee);
        }
        rare.forget_kept(&mut self.kept_call_bytes);
    }
}
