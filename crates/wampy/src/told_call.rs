//! Calls for a program that has an event loop of its own: made at once or not at all, and answered in
//! one place, so that a call needs no future and no task.
//!
//! Deliberately absent: waiting for room or for a session, time limits on this side, encryption and
//! parts of results; [`Call`](crate::Call) has them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use wampy_proto::message::{self, CallOptions, CancelMode};
use wampy_proto::{Payload, RequestId, Serializer};

use crate::call_result::CallResult;
use crate::client::Client;
use crate::error::Error;
use crate::pending_call;
use crate::session::{CallSink, Pending, Sent};

/// Where the answers of [`ToldCalls`] go.
pub trait Answers: Send + Sync {
    /// The call with this number has been answered, or its session is over. Runs on the task that
    /// reads the socket, so it must not wait.
    fn answered(&self, number: u64, answer: Result<CallResult, Error>);
}

/// One call among others, as its answer finds whoever wants it.
pub(crate) struct Told {
    answers: Arc<dyn Answers>,
    number: u64,
}

impl Told {
    pub(crate) fn finish(self, answer: Result<CallResult, Error>) {
        self.answers.answered(self.number, answer);
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Told").field(&self.number).finish()
    }
}

/// When a call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sending {
    /// At once.
    AtOnce,
    /// With what is sent next, at the latest with [`ToldCalls::flush`].
    WithNext,
}

/// A call that was made.
#[derive(Debug, Clone, Copy)]
pub struct Made(Sent);

/// Calls of one client whose answers go to one [`Answers`]; made by [`Client::told_calls`].
///
/// ```
/// use std::sync::{Arc, mpsc};
///
/// use wampy::proto::Payload;
/// use wampy::proto::message::CallOptions;
/// use wampy::{Answers, CallResult, Error, Sending};
///
/// struct Queue(mpsc::Sender<(u64, Result<CallResult, Error>)>);
///
/// impl Answers for Queue {
///     fn answered(&self, number: u64, answer: Result<CallResult, Error>) {
///         _ = self.0.send((number, answer));
///     }
/// }
///
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// let (sender, answers) = mpsc::channel();
/// let calls = client.told_calls(Arc::new(Queue(sender)));
/// let options = CallOptions::default();
/// let made = calls.make(7, "wamp.session.count", &options, Payload::EMPTY, Sending::AtOnce);
/// assert!(made.is_some());
/// let (number, answer) = tokio::task::spawn_blocking(move || answers.recv().unwrap()).await.unwrap();
/// assert_eq!(number, 7);
/// assert_eq!(answer?.value::<u64>()?, 1);
/// # client.close().await });
/// ```
pub struct ToldCalls {
    client: Client,
    answers: Arc<dyn Answers>,
}

impl fmt::Debug for ToldCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ToldCalls").field(&self.client).finish()
    }
}

impl ToldCalls {
    pub(crate) fn new(client: Client, answers: Arc<dyn Answers>) -> Self {
        Self { client, answers }
    }

    /// The client whose calls these are.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The serializer in which arguments need no second form.
    #[must_use]
    pub fn serializer(&self) -> Serializer {
        self.client.serializer()
    }

    /// Makes a call, whose answer is told with `number`. `None` if it has to wait or cannot be made:
    /// there is no session, too much waits to be sent or to be answered, or the values do not fit into
    /// a message. [`Call`](crate::Call) waits, or says why.
    ///
    /// The options are sent as they are; parts of a result are left out.
    #[must_use]
    pub fn make(
        &self,
        number: u64,
        procedure: &str,
        options: &CallOptions,
        payload: Payload<'_>,
        sending: Sending,
    ) -> Option<Made> {
        let call = message::Call {
            request: RequestId::FIRST,
            options: options.clone(),
            procedure: procedure.into(),
            payload,
        };
        let told = Told {
            answers: Arc::clone(&self.answers),
            number,
        };
        let pending = Pending::Call {
            sink: CallSink::Told(told),
            sealed: false,
        };
        let wakes = matches!(sending, Sending::AtOnce);
        let shared = self.client.shared();
        shared.request_now(call.into(), pending, wakes).map(Made)
    }

    /// Sends the calls that were made and are not sent yet.
    pub fn flush(&self) {
        self.client.shared().flush();
    }

    /// Cancels a call, unless it is over; its answer is told no more.
    pub fn cancel(&self, call: Made, mode: CancelMode) {
        drop(self.client.shared().cancel(call.0, mode));
    }

    /// The error of an answer as [`Call`](crate::Call) would give it: with the procedure in it.
    #[must_use]
    pub fn explained(error: Error, procedure: &str, limit: Option<Duration>) -> Error {
        pending_call::about(error, procedure, limit)
    }

    /// The error of a call whose time is out.
    #[must_use]
    pub fn timed_out(procedure: &str, limit: Duration) -> Error {
        pending_call::timed_out(procedure, limit)
    }
}
