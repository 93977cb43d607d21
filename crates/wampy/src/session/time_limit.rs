//! Call Timeout, by the callee's side: a router that forwards a call's time limit leaves it to the
//! callee to keep it.
//!
//! The time runs from the INVOCATION, also while that waits for its turn, to the first part of the
//! result, and from each part to the next.

use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};
use wampy_proto::{RequestId, error_uri};

use super::Shared;
use super::invocations::Answer;
use super::state::Online;
use crate::invocation::InvocationKey;
use crate::wamp_error::{WampError, text_payload};

/// The time limit of an invocation that is not answered yet.
pub(super) struct TimeLimit {
    after: Duration,
    deadline: Instant,
    watch: AbortHandle,
}

impl TimeLimit {
    /// The limit of an invocation that has just come; `None` if it has none.
    pub(super) fn begin(key: &InvocationKey, timeout_ms: u64) -> Option<Self> {
        if timeout_ms == 0 {
            return None;
        }
        let after = Duration::from_millis(timeout_ms);
        // A limit that no clock reaches is none.
        let deadline = Instant::now().checked_add(after)?;
        let watch = key.shared.runtime.spawn(watch(key.clone(), deadline));
        Some(Self {
            after,
            deadline,
            watch: watch.abort_handle(),
        })
    }
}

impl Drop for TimeLimit {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

/// Waits until an invocation's time is out, however often it is restarted.
async fn watch(key: InvocationKey, first: Instant) {
    let mut deadline = Some(first);
    while let Some(at) = deadline {
        sleep_until(at).await;
        deadline = key.shared.end_if_overdue(&key);
    }
}

impl Online {
    /// A part of the result was sent, so the time begins anew.
    pub(super) fn restart_time(&mut self, request: RequestId) {
        let in_work = self.invocations.get_mut(&request);
        if let Some(limit) = in_work.and_then(|in_work| in_work.limit.as_mut()) {
            limit.deadline = Instant::now() + limit.after;
        }
    }
}

impl Shared {
    /// Ends an invocation whose time is out; else returns when it will be, if there is still a limit.
    fn end_if_overdue(&self, key: &InvocationKey) -> Option<Instant> {
        let mut state = self.lock();
        let online = state.session(key.epoch)?;
        let limit = online.invocations.get(&key.request)?.limit.as_ref()?;
        if limit.deadline > Instant::now() {
            return Some(limit.deadline);
        }
        let problem = format!("the call took longer than {} ms", limit.after.as_millis());
        let error = WampError::new(error_uri::TIMEOUT).with_payload(text_payload(&problem));
        self.end_invocation(state, key.request, Answer::Error(error));
        None
    }
}
