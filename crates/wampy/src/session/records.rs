//! The registrations and subscriptions of a client, which outlive a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use wampy_proto::message::{self, RegisterOptions, SubscribeOptions};
use wampy_proto::{MessageType, RegistrationId, RequestId, SubscriptionId};

use super::Shared;
use super::invocations::Active;
use super::send::wake_owner;
use super::state::{Done, Online, Pending, Phase};
use crate::description::{Description, Interface, Kind};
use crate::event::Event;
use crate::invocation::Invocation;
use crate::queue::Queue;
use crate::responder::Responder;

/// Starts the work on an invocation; must not wait.
pub(crate) type Handler = Arc<dyn Fn(Invocation, Responder) -> HandlerTask + Send + Sync>;

/// The task that works on an invocation, if it is one that can be stopped.
pub(crate) type HandlerTask = Option<Stop>;

/// How the work on an invocation is stopped.
pub(crate) enum Stop {
    /// By dropping its task.
    Abort(tokio::task::AbortHandle),
    /// By telling whoever does it.
    Tell(Box<dyn FnOnce() + Send>),
}

impl Stop {
    /// Not to be called under the lock: what is dropped or called here is code of the program.
    pub(super) fn stop(self) {
        match self {
            Self::Abort(task) => task.abort(),
            Self::Tell(tell) => tell(),
        }
    }
}

/// A procedure that this client offers.
pub(crate) struct RegistrationRecord {
    pub(crate) procedure: Arc<str>,
    pub(crate) options: RegisterOptions,
    pub(crate) handler: Handler,
    /// How many invocations run at once; the others wait in their order.
    pub(crate) concurrency: usize,
    pub(crate) description: Option<Description>,
    id: AtomicU64,
    /// It is not wanted any more. Changes under the lock.
    has_ended: AtomicBool,
}

impl RegistrationRecord {
    pub(crate) fn new(
        procedure: Arc<str>,
        options: RegisterOptions,
        handler: Handler,
        concurrency: usize,
        description: Option<Description>,
    ) -> Self {
        Self {
            procedure,
            options,
            handler,
            concurrency,
            description,
            id: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
        }
    }

    /// What its description is of.
    pub(crate) fn interface(&self) -> Interface<'_> {
        Interface {
            uri: &self.procedure,
            kind: Kind::Procedure,
            match_policy: self.options.match_policy,
        }
    }

    /// The registration's id in the current session, if it stands there.
    pub(crate) fn id(&self) -> Option<RegistrationId> {
        RegistrationId::try_from(self.id.load(Ordering::Acquire)).ok()
    }

    /// Whether it is not wanted any more; a REGISTER may be on its way still.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    pub(super) fn set_id(&self, id: Option<RegistrationId>) {
        self.id
            .store(id.map_or(0, RegistrationId::value), Ordering::Release);
    }
}

/// Where the events of a subscription go.
pub(crate) enum EventSink {
    /// Into the queue of a stream.
    Queue(Queue<Event>),
    /// To a function, which must not wait.
    Callback(Box<dyn Fn(Event) + Send + Sync>),
}

impl EventSink {
    pub(super) fn deliver(&self, event: Event) {
        match self {
            Self::Queue(queue) => {
                let bytes = event.payload().encoded_len();
                queue.push_dropping_oldest(event, bytes);
            }
            Self::Callback(callback) => callback(event),
        }
    }

    pub(super) fn end(&self) {
        if let Self::Queue(queue) = self {
            queue.end();
        }
    }
}

/// A topic that this client listens to, for one [`Subscription`](crate::Subscription).
pub(crate) struct SubscriptionRecord {
    pub(crate) topic: Arc<str>,
    pub(crate) options: SubscribeOptions,
    pub(crate) description: Option<Description>,
    pub(crate) sink: EventSink,
    /// How many events could not be decrypted.
    pub(crate) undecryptable: AtomicU64,
    id: AtomicU64,
    /// It is not wanted any more. Changes under the lock.
    has_ended: AtomicBool,
}

impl SubscriptionRecord {
    pub(crate) fn new(
        topic: Arc<str>,
        options: SubscribeOptions,
        description: Option<Description>,
        sink: EventSink,
    ) -> Self {
        Self {
            topic,
            options,
            description,
            sink,
            undecryptable: AtomicU64::new(0),
            id: AtomicU64::new(0),
            has_ended: AtomicBool::new(false),
        }
    }

    /// What its description is of.
    pub(crate) fn interface(&self) -> Interface<'_> {
        Interface {
            uri: &self.topic,
            kind: Kind::Topic,
            match_policy: self.options.match_policy,
        }
    }

    /// Whether both would be described at the router by one definition.
    fn is_described_with(&self, other: &Self) -> bool {
        self.description.is_some()
            && other.description.is_some()
            && self.topic == other.topic
            && self.options.match_policy == other.options.match_policy
    }

    /// The subscription's id in the current session, if it stands there.
    pub(crate) fn id(&self) -> Option<SubscriptionId> {
        SubscriptionId::try_from(self.id.load(Ordering::Acquire)).ok()
    }

    /// Whether it is not wanted any more; a SUBSCRIBE may be on its way still.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    pub(super) fn set_id(&self, id: Option<SubscriptionId>) {
        self.id
            .store(id.map_or(0, SubscriptionId::value), Ordering::Release);
    }

    /// Whether the router keeps one subscription for both.
    pub(super) fn shares_with(&self, other: &Self) -> bool {
        self.topic == other.topic
            && self.options.match_policy == other.options.match_policy
            && self.options.nkey == other.options.nkey
    }
}

impl Shared {
    /// No invocation will come by this registration any more.
    pub(super) fn end_registration(&self, id: RegistrationId) -> Option<Arc<RegistrationRecord>> {
        let mut state = self.lock();
        let Phase::Online(online) = &mut state.phase else {
            return None;
        };
        let active = online.registrations.remove(&id)?;
        active.record.set_id(None);
        Some(active.record)
    }

    /// The registration is not restored in the next session. One that is on its way is taken back when
    /// it stands.
    pub(crate) fn forget_registration(&self, record: &Arc<RegistrationRecord>) {
        let mut state = self.lock();
        record.has_ended.store(true, Ordering::Release);
        let forgotten = state.registrations.remove(&(Arc::as_ptr(record) as usize));
        drop(state);
        // Its handler is code of the program, which is not to be dropped under the lock.
        drop(forgotten);
    }

    /// Takes back a registration whose maker has stopped waiting for it.
    pub(super) fn abandon_registration(&self, record: &Arc<RegistrationRecord>) {
        self.forget_registration(record);
        let Some(registration) = record.id() else {
            return;
        };
        let mut state = self.lock();
        let Phase::Online(online) = &mut state.phase else {
            return;
        };
        online.take_back(registration);
        wake_owner(state);
        self.end_registration(registration);
    }

    /// A registration stands. False if it is not wanted any more; then it is taken back.
    pub(super) fn begin_registration(
        &self,
        id: RegistrationId,
        record: &Arc<RegistrationRecord>,
    ) -> bool {
        let mut state = self.lock();
        let is_wanted = !record.has_ended();
        if is_wanted {
            state
                .registrations
                .insert(Arc::as_ptr(record) as usize, Arc::clone(record));
        }
        if let Phase::Online(online) = &mut state.phase {
            if is_wanted {
                record.set_id(Some(id));
                online
                    .registrations
                    .insert(id, Active::new(Arc::clone(record)));
            } else {
                online.take_back(id);
            }
        }
        wake_owner(state);
        is_wanted
    }

    /// A subscription stands. False if it is not wanted any more; then it is taken back, unless others
    /// share it.
    pub(super) fn begin_subscription(
        &self,
        id: SubscriptionId,
        record: &Arc<SubscriptionRecord>,
    ) -> bool {
        let mut state = self.lock();
        let is_wanted = !record.has_ended();
        if is_wanted {
            state
                .subscriptions
                .insert(Arc::as_ptr(record) as usize, Arc::clone(record));
        }
        if let Phase::Online(online) = &mut state.phase {
            let records = online.subscriptions.entry(id).or_default();
            records.push(Arc::clone(record));
            if is_wanted {
                record.set_id(Some(id));
            } else {
                online.end_subscription(id, record, None);
            }
        }
        wake_owner(state);
        is_wanted
    }

    /// Ends a local subscription; with the last of those that share it, the one at the router.
    /// False if there is nothing at the router to wait for.
    pub(crate) fn unsubscribe(
        &self,
        record: &Arc<SubscriptionRecord>,
        done: Option<Done<()>>,
    ) -> bool {
        let mut state = self.lock();
        record.has_ended.store(true, Ordering::Release);
        let forgotten = state.subscriptions.remove(&(Arc::as_ptr(record) as usize));
        let mut others = state.subscriptions.values();
        let undefines =
            record.description.is_some() && !others.any(|other| other.is_described_with(record));
        if undefines {
            state.undefine(record.interface());
        }
        let asks = match (record.id(), &mut state.phase) {
            (Some(id), Phase::Online(online)) => online.end_subscription(id, record, done),
            _ => false,
        };
        wake_owner(state);
        record.set_id(None);
        record.sink.end();
        drop(forgotten);
        asks
    }
}

impl Online {
    /// Takes back a registration without waiting for the answer.
    fn take_back(&mut self, registration: RegistrationId) {
        let mut unregister = message::Unregister {
            request: RequestId::FIRST,
            registration,
        }
        .into();
        let pending = Pending::Unasked(MessageType::Unregister);
        // An UNREGISTER always has a form and is short.
        _ = self.encode_request(&mut unregister, Some(pending));
    }

    fn end_subscription(
        &mut self,
        id: SubscriptionId,
        record: &Arc<SubscriptionRecord>,
        done: Option<Done<()>>,
    ) -> bool {
        let Some(records) = self.subscriptions.get_mut(&id) else {
            return false;
        };
        records.retain(|other| !Arc::ptr_eq(other, record));
        if !records.is_empty() {
            return false;
        }
        // Another SUBSCRIBE that is on its way would share the subscription, and lose it.
        let is_asked_for = |pending: &Pending| matches!(pending, Pending::Subscribe { record: other, .. } if other.shares_with(record));
        if self.pending.values().any(is_asked_for) {
            return false;
        }
        self.subscriptions.remove(&id);
        let mut unsubscribe = message::Unsubscribe {
            request: RequestId::FIRST,
            subscription: id,
        }
        .into();
        // An UNSUBSCRIBE always has a form and is short.
        self.encode_request(&mut unsubscribe, Some(Pending::Unsubscribe { done }))
            .is_ok()
    }
}
