//! Testaments: events that the router publishes when a session is gone, and that the next session of a
//! client that reconnects has, too.
//!
//! One is kept from the moment when the router has taken it until the program takes it back or closes
//! the client. They are left again in the order in which the program has left them, because the router
//! publishes them in theirs.
//!
//! Deliberately absent: a limit of their number, which is the router's.

use std::sync::Arc;

use tokio::sync::oneshot;
use wampy_proto::message::{self, CallOptions};
use wampy_proto::{Payload, RequestId};

use super::Shared;
use super::state::{CallSink, Pending, Phase};
use crate::call_result::CallResult;
use crate::error::Error;
use crate::meta::{ADD_TESTAMENT, TestamentScope};

/// How many of a session that is restored are on their way at a time.
const RESTORED_AT_ONCE: usize = 64;

/// A testament, as the router is asked to take it.
pub(crate) struct TestamentRecord {
    pub(crate) topic: String,
    pub(crate) scope: TestamentScope,
    /// The arguments of [`ADD_TESTAMENT`].
    pub(crate) arguments: Payload<'static>,
}

/// A testament that a session has.
pub(super) struct Left {
    record: Arc<TestamentRecord>,
    /// Which session of the client; a later one lacks it.
    epoch: u64,
}

/// The answer that the router will give.
type Answer = oneshot::Receiver<Result<CallResult, Error>>;

impl Shared {
    /// Leaves a testament with the router, and remembers it if the client reconnects.
    pub(crate) async fn leave_testament(&self, record: TestamentRecord) -> Result<(), Error> {
        let record = Arc::new(record);
        loop {
            let epoch = self.epoch()?;
            let asked = self.ask_for_testament(epoch, &record).await?;
            self.testament_answer(asked).await?;
            if self.keep_testament(epoch, &record) {
                return Ok(());
            }
        }
    }

    /// Forgets the testaments that the router has forgotten.
    pub(crate) fn forget_testaments(&self, scope: TestamentScope) {
        let mut state = self.lock();
        state.testaments.retain(|left| left.record.scope != scope);
    }

    /// Leaves those that session number `epoch` lacks; returns how many were refused.
    pub(super) async fn restore_testaments(&self, epoch: u64) -> usize {
        let mut refused = 0;
        for some in self.lost_testaments(epoch).chunks(RESTORED_AT_ONCE) {
            let mut asked = Vec::with_capacity(some.len());
            for record in some.iter().filter(|record| self.keeps(record)) {
                asked.push((record, self.ask_for_testament(epoch, record).await));
            }
            for (record, asked) in asked {
                let outcome = match asked {
                    Ok(asked) => self.testament_answer(asked).await,
                    Err(error) => Err(error),
                };
                match outcome {
                    Ok(()) => self.note_testament(epoch, record),
                    Err(error) => {
                        refused += 1;
                        tracing::warn!(%error, topic = &*record.topic, "the testament is not restored");
                    }
                }
            }
        }
        refused
    }

    /// Sends a testament in session number `epoch`, and does not wait for the answer.
    async fn ask_for_testament(
        &self,
        epoch: u64,
        record: &TestamentRecord,
    ) -> Result<Answer, Error> {
        let call = message::Call {
            request: RequestId::FIRST,
            options: CallOptions::default(),
            procedure: ADD_TESTAMENT.into(),
            payload: record.arguments.borrowed(),
        };
        let (done, answer) = oneshot::channel();
        let pending = Pending::Call {
            sink: CallSink::Once(done),
            sealed: false,
        };
        self.request_in(epoch, call.into(), pending).await?;
        Ok(answer)
    }

    async fn testament_answer(&self, asked: Answer) -> Result<(), Error> {
        let answer = asked.await.unwrap_or_else(|_| Err(self.over()));
        answer.map(drop)
    }

    /// The number of the session.
    fn epoch(&self) -> Result<u64, Error> {
        let mut state = self.lock();
        let online = state.online(self.options.url.as_str())?;
        Ok(online.epoch)
    }

    /// Remembers what session number `epoch` has. False if another has begun meanwhile, without it.
    fn keep_testament(&self, epoch: u64, record: &Arc<TestamentRecord>) -> bool {
        let mut state = self.lock();
        match &state.phase {
            Phase::Online(online) if online.epoch != epoch => return false,
            Phase::Closed(_) => {}
            _ if self.options.reconnect.is_none() => {}
            _ => state.testaments.push(Left {
                record: Arc::clone(record),
                epoch,
            }),
        }
        true
    }

    /// What session number `epoch` lacks.
    fn lost_testaments(&self, epoch: u64) -> Vec<Arc<TestamentRecord>> {
        let state = self.lock();
        let lost = state.testaments.iter().filter(|left| left.epoch != epoch);
        lost.map(|left| Arc::clone(&left.record)).collect()
    }

    /// Whether the program has not taken a testament back.
    fn keeps(&self, record: &Arc<TestamentRecord>) -> bool {
        let state = self.lock();
        let mut kept = state.testaments.iter();
        kept.any(|left| Arc::ptr_eq(&left.record, record))
    }

    /// Notes that session number `epoch` has a testament again.
    fn note_testament(&self, epoch: u64, record: &Arc<TestamentRecord>) {
        let mut state = self.lock();
        let mut kept = state.testaments.iter_mut();
        if let Some(left) = kept.find(|left| Arc::ptr_eq(&left.record, record)) {
            left.epoch = epoch;
        }
    }
}
