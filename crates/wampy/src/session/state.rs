//! What the lock of a client guards.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

use hashbrown::HashMap;
use tokio::sync::oneshot;
use wampy_proto::framing::Encoder;
use wampy_proto::framing::websocket::batched::OpenBatch;
use wampy_proto::message::Welcome;
use wampy_proto::{
    Feature, Message, MessageType, PublicationId, RegistrationId, RequestId, Role, Serializer,
    SubscriptionId,
};

use super::invocations::{Active, InWork};
use super::join::Joined;
use super::lost::Cause;
use super::records::{RegistrationRecord, SubscriptionRecord};
use super::testaments::Left;
use crate::call_result::CallResult;
use crate::error::Error;
use crate::queue::Queue;
use crate::told_call::Told;

/// How many calls that were given up are remembered; the oldest are forgotten.
const GIVEN_UP_CALLS_MAX: usize = 1024;

/// Who gets the answer to a request.
pub(crate) type Done<T> = oneshot::Sender<Result<T, Error>>;

/// A client's state.
pub(super) struct State {
    pub(super) serializer: Serializer,
    pub(super) welcome: Arc<Welcome>,
    pub(super) phase: Phase,
    /// The program has asked for the end.
    pub(super) closing: bool,
    /// The reason of the goodbye that the owner has to send.
    pub(super) goodbye: Option<String>,
    /// The registrations to restore in the next session, by address.
    pub(super) registrations: HashMap<usize, Arc<RegistrationRecord>>,
    /// The subscriptions to restore in the next session, by address.
    pub(super) subscriptions: HashMap<usize, Arc<SubscriptionRecord>>,
    /// The testaments to leave in the next session, in their order.
    pub(super) testaments: Vec<Left>,
    /// The owner, if it waits for something to send.
    pub(super) owner: Option<Waker>,
}

/// Whether there is a session.
pub(super) enum Phase {
    Online(Box<Online>),
    Offline(Cause),
    Closed(Cause),
}

/// A session.
pub(super) struct Online {
    /// Which session of the client, so that late answers do not get into the next one.
    pub(super) epoch: u64,
    pub(super) serializer: Serializer,
    pub(super) encoder: Encoder,
    /// Frames that wait for the owner.
    pub(super) outbox: Vec<u8>,
    /// The last of them, while further messages may join it.
    pub(super) batch: OpenBatch,
    pub(super) next_request: RequestId,
    pub(super) pending: HashMap<RequestId, Pending>,
    /// Calls that were given up, whose answers may still come and belong to nobody.
    given_up: VecDeque<RequestId>,
    pub(super) registrations: HashMap<RegistrationId, Active>,
    pub(super) subscriptions: HashMap<SubscriptionId, Vec<Arc<SubscriptionRecord>>>,
    pub(super) invocations: HashMap<RequestId, InWork>,
    /// The latest invocation, if the router may send parts of invocations that have ended.
    pub(super) past_invocations: Option<Past>,
}

/// Which invocations the session has had: their ids count up from 1.
#[derive(Debug, Default)]
pub(super) struct Past {
    latest: u64,
}

impl Past {
    /// Whether an invocation that is not in work has ended; else it is the latest from now on.
    pub(super) fn has_ended(&mut self, request: RequestId) -> bool {
        let has_ended = request.value() <= self.latest;
        self.latest = self.latest.max(request.value());
        has_ended
    }
}

/// Where the result of a call goes.
#[derive(Debug)]
pub(crate) enum CallSink {
    /// The whole result.
    Once(Done<CallResult>),
    /// The whole result, to where those of other calls go, too.
    Told(Told),
    /// Each part.
    Parts(Queue<Result<CallResult, Error>>),
}

impl CallSink {
    pub(super) fn finish(self, result: Result<CallResult, Error>) {
        match self {
            // Whoever has dropped the receiver wants no answer.
            Self::Once(done) => _ = done.send(result),
            Self::Told(told) => told.finish(result),
            Self::Parts(queue) => queue.push_last(result),
        }
    }
}

/// Who waits for the answer to a request.
pub(crate) enum Pending {
    Call {
        sink: CallSink,
        /// Whether the arguments were, so that the result has to be, too.
        sealed: bool,
    },
    Publish {
        done: Done<PublicationId>,
    },
    Register {
        record: Arc<RegistrationRecord>,
        done: Done<()>,
    },
    Unregister {
        registration: RegistrationId,
        done: Done<()>,
    },
    Subscribe {
        record: Arc<SubscriptionRecord>,
        done: Done<()>,
    },
    Unsubscribe {
        done: Option<Done<()>>,
    },
    /// The answer to a cleaning up that nobody waits for.
    Unasked(MessageType),
}

impl Pending {
    /// The type of the request.
    pub(super) fn request_type(&self) -> MessageType {
        match self {
            Self::Call { .. } => MessageType::Call,
            Self::Publish { .. } => MessageType::Publish,
            Self::Register { .. } => MessageType::Register,
            Self::Unregister { .. } => MessageType::Unregister,
            Self::Subscribe { .. } => MessageType::Subscribe,
            Self::Unsubscribe { .. } => MessageType::Unsubscribe,
            Self::Unasked(request_type) => *request_type,
        }
    }

    pub(crate) fn fail(self, error: Error) {
        match self {
            Self::Call { sink, .. } => sink.finish(Err(error)),
            Self::Publish { done } => _ = done.send(Err(error)),
            Self::Register { done, .. }
            | Self::Unregister { done, .. }
            | Self::Subscribe { done, .. }
            | Self::Unsubscribe { done: Some(done) } => _ = done.send(Err(error)),
            Self::Unsubscribe { done: None } | Self::Unasked(_) => {}
        }
    }
}

impl State {
    pub(super) fn new(joined: &Joined) -> Self {
        Self {
            serializer: joined.serializer,
            welcome: Arc::clone(&joined.welcome),
            phase: Phase::Online(Box::new(Online::new(0, joined))),
            closing: false,
            goodbye: None,
            registrations: HashMap::new(),
            subscriptions: HashMap::new(),
            testaments: Vec::new(),
            owner: None,
        }
    }

    /// The session, for a new request of the program.
    pub(super) fn online(&mut self, url: &str) -> Result<&mut Online, Error> {
        if self.closing {
            return Err(Error::Closed);
        }
        match &mut self.phase {
            Phase::Online(online) => Ok(online),
            Phase::Offline(cause) | Phase::Closed(cause) => Err(cause.error(url)),
        }
    }

    /// The session number `epoch`, if it stands and nobody has said goodbye yet.
    pub(super) fn session(&mut self, epoch: u64) -> Option<&mut Online> {
        match &mut self.phase {
            Phase::Online(online) if online.epoch == epoch && !self.closing => Some(online),
            _ => None,
        }
    }
}

impl Online {
    pub(super) fn new(epoch: u64, joined: &Joined) -> Self {
        let roles = &joined.welcome.details.roles;
        let sends_parts = roles.supports(Role::Dealer, Feature::ProgressiveCallInvocations);
        Self {
            epoch,
            serializer: joined.serializer,
            encoder: joined.wire.encoder,
            outbox: Vec::new(),
            batch: OpenBatch::default(),
            next_request: RequestId::FIRST,
            pending: HashMap::new(),
            given_up: VecDeque::new(),
            registrations: HashMap::new(),
            subscriptions: HashMap::new(),
            invocations: HashMap::new(),
            past_invocations: sends_parts.then(Past::default),
        }
    }

    /// Forgets who waits for a call, but not the call: some routers answer it, others never do.
    pub(super) fn give_up(&mut self, call: RequestId) -> Option<Pending> {
        let pending = self.pending.remove(&call)?;
        if self.given_up.len() == GIVEN_UP_CALLS_MAX {
            self.given_up.pop_front();
        }
        self.given_up.push_back(call);
        Some(pending)
    }

    /// Whether the message answers a call that was given up.
    pub(super) fn is_too_late(&mut self, message: &Message<'_>) -> bool {
        let (call, is_last) = match message {
            Message::Result(result) => (result.request, !result.details.progress),
            Message::Error(error) if error.request_type == MessageType::Call => {
                (error.request, true)
            }
            _ => return false,
        };
        let Some(position) = self.given_up.iter().position(|given_up| *given_up == call) else {
            return false;
        };
        if is_last {
            self.given_up.remove(position);
        }
        true
    }
}
