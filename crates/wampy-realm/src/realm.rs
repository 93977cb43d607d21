//! A realm: its sessions, and the one entry for each thing that can happen to it.
//!
//! The handlers are with their chapters in `broker`, `dealer` and `meta`; the first step of
//! [`Realm::handle`] is the gate of `authorizer`.

use std::borrow::Cow;

use wampy_proto::{Feature, Message, Role, Roles};

use crate::authorizer::Authorizer;
use crate::broker::{Broker, KeptEvent};
use crate::config::RealmConfig;
use crate::dealer::Dealer;
use crate::definitions::Definitions;
use crate::hash;
use crate::outbox::{Outbox, Shelf, StoreChange};
use crate::random::Random;
use crate::session::{SessionDetails, SessionKey, Sessions};

/// A routing domain: the sessions that have joined it and what they registered and subscribed to.
#[derive(Debug)]
pub struct Realm {
    pub(crate) name: Box<str>,
    pub(crate) config: RealmConfig,
    pub(crate) authorizer: Authorizer,
    pub(crate) random: Random,
    pub(crate) sessions: Sessions,
    pub(crate) broker: Broker,
    pub(crate) dealer: Dealer,
    pub(crate) definitions: Definitions,
}

/// The time, as the caller reads it. The realm reads no clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds of a clock that never goes back; for the time limits of calls.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970 (UTC); for the dates that the meta API tells.
    pub unix_ms: u64,
}

/// The peer broke the protocol. Take its session from the realm ([`Realm::leave`]), send ABORT
/// `wamp.error.protocol_violation` with the text as `Details.message`, and close.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Violation {
    /// What the peer did wrong, in words.
    pub text: Cow<'static, str>,
}

impl Violation {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into() }
    }
}

/// Why a session could not join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinRefused {
    /// The realm has as many sessions as `sessions_max` allows.
    #[error("the realm has as many sessions as it may have")]
    TooManySessions,
    /// Another session of the realm has this id: draw another.
    #[error("the session id is in use")]
    SessionIdInUse,
}

/// How much a realm holds at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Sessions.
    pub sessions: usize,
    /// Registrations; one that several callees share counts once.
    pub registrations: usize,
    /// Subscriptions; one that several subscribers share counts once.
    pub subscriptions: usize,
    /// Calls that have not ended.
    pub pending_calls: usize,
    /// Calls with a time limit among them.
    pub call_timers: usize,
    /// Calls among them that wait for a callee.
    pub waiting_calls: usize,
    /// What the calls that are kept count, in bytes: those that wait or may be rerouted.
    pub kept_call_bytes: usize,
    /// Retained events.
    pub retained_events: usize,
    /// Events of the history.
    pub history_events: usize,
}

impl Realm {
    /// An empty realm. `seed` must be random: publication ids, the `random` invocation policy and
    /// the hashing of URIs follow from it.
    pub fn new(name: &str, config: RealmConfig, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let hash = hash::seeded(random.bits());
        let mut realm = Self {
            name: name.into(),
            authorizer: Authorizer::new(&config, hash.clone()),
            random,
            sessions: Sessions::new(hash.clone()),
            broker: Broker::new(&config, hash.clone()),
            config,
            definitions: Definitions::new(&hash),
            dealer: Dealer::new(hash),
        };
        realm.prepare_asking();
        realm
    }

    /// The realm's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The realm's policies and limits.
    pub const fn config(&self) -> &RealmConfig {
        &self.config
    }

    /// The roles and features that WELCOME announces: those of this implementation, without what
    /// the configuration of the realm leaves out.
    pub fn welcome_roles(&self) -> Roles {
        let mut roles = Roles::announced(&Role::ROUTER);
        let kept = [
            (Feature::EventRetention, &self.broker.retained),
            (Feature::EventHistory, &self.broker.history),
        ];
        if let Some(mut features) = roles.get(Role::Broker) {
            for (feature, _) in kept.iter().filter(|(_, kept)| kept.is_none()) {
                features.remove(*feature);
            }
            roles.set(Role::Broker, features);
        }
        roles
    }

    /// Takes in an event that a store had kept for a realm of this name, before any session joins.
    /// The events of a shelf come in the order of their numbers. What the rules of this realm do not
    /// keep, `outbox` is told to forget.
    pub fn restore(
        &mut self,
        now: Now,
        shelf: Shelf,
        number: u64,
        event: KeptEvent,
        outbox: &mut impl Outbox,
    ) {
        let kept = match shelf {
            Shelf::Retained => &mut self.broker.retained,
            Shelf::History => &mut self.broker.history,
        };
        match kept {
            Some(kept) => kept.restore(now, number, event, outbox),
            None => _ = outbox.store(StoreChange::Forget { shelf, number }),
        }
    }

    /// Takes a session in. WELCOME is the caller's to send, before anything else to this session;
    /// the realm sends it nothing until it makes its first request.
    ///
    /// # Errors
    /// The realm is full, or has a session of this id.
    pub fn join(
        &mut self,
        _now: Now,
        details: SessionDetails,
        outbox: &mut impl Outbox,
    ) -> Result<SessionKey, JoinRefused> {
        if self.sessions.len() >= self.config.sessions_max {
            return Err(JoinRefused::TooManySessions);
        }
        if self.sessions.key_of(details.id).is_some() {
            return Err(JoinRefused::SessionIdInUse);
        }
        let authority = self.authorizer.authority(&details);
        let key = self.sessions.insert(details, self.config.silent_cancel);
        if let Some(session) = self.sessions.get_mut(key) {
            session.authority = authority;
        }
        self.announce_join(key, outbox);
        Ok(key)
    }

    /// Takes in a session of the router itself, which calls procedures for the router's own purposes.
    /// It may do everything, counts for no limit of sessions, and no client finds it, kills it or
    /// hears of it.
    pub fn join_internal(&mut self, details: SessionDetails) -> SessionKey {
        self.sessions.insert_internal(details)
    }

    /// Handles a message of an established session. A session that is gone is ignored. Parts of the
    /// message that are passed on as they are may be taken out of it.
    ///
    /// # Errors
    /// The peer broke the protocol; nothing of the message was done. The session is still in the
    /// realm: [`leave`](Self::leave) takes it out.
    pub fn handle(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        if self.sessions.get(from).is_none() {
            return Ok(());
        }
        if self.authorizer.is_on() {
            return match self.sessions.is_internal(from) {
                false => self.handle_with_roles(now, from, message, outbox),
                true => self.handle_of_router(now, from, message, outbox),
            };
        }
        self.route(now, from, message, outbox)
    }

    /// Handles a message that is allowed.
    pub(crate) fn route(
        &mut self,
        now: Now,
        from: SessionKey,
        message: &mut Message<'_>,
        outbox: &mut impl Outbox,
    ) -> Result<(), Violation> {
        match message {
            Message::Call(call) => self.handle_call(now, from, call, outbox)?,
            Message::Yield(result) => self.handle_yield(now, from, result, outbox)?,
            Message::Publish(publish) => self.handle_publish(now, from, publish, outbox)?,
            Message::Error(error) => self.handle_error(now, from, error, outbox)?,
            Message::Cancel(cancel) => self.handle_cancel(from, cancel, outbox),
            Message::Subscribe(subscribe) => self.handle_subscribe(now, from, subscribe, outbox),
            Message::Unsubscribe(unsubscribe) => self.handle_unsubscribe(from, unsubscribe, outbox),
            Message::Register(register) => self.handle_register(now, from, register, outbox),
            Message::Unregister(unregister) => self.handle_unregister(from, unregister, outbox),
            other => {
                let name = other.message_type().as_str();
                return Err(Violation::new(format!(
                    "{name} received, which a client does not send here"
                )));
            }
        }
        self.settle(now, outbox);
        Ok(())
    }

    /// Takes a session out, with all that it holds: its calls end, its callers get ERROR
    /// `wamp.error.canceled`, its registrations, subscriptions and definitions go, and its
    /// testaments are published. Nothing is sent to the session itself. A session that is gone
    /// already is ignored.
    pub fn leave(&mut self, now: Now, session: SessionKey, outbox: &mut impl Outbox) {
        if self.authorizer.asks() {
            self.listening(now, outbox, |realm, outbox| {
                realm.take_out(now, session, MetaEvents::Published, outbox);
            });
        } else {
            self.take_out(now, session, MetaEvents::Published, outbox);
            self.settle(now, outbox);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called, on the clock of
    /// [`Now::monotonic_ms`]; `None` if nothing waits.
    pub fn next_timeout_ms(&self) -> Option<u64> {
        let sweeps = [&self.broker.retained, &self.broker.history];
        let sweeps = sweeps
            .into_iter()
            .flatten()
            .filter_map(|kept| kept.sweep_ms());
        let calls_ms = self.dealer.timers.next_ms();
        let questions_ms = self.authorizer.next_timeout_ms();
        sweeps.chain(calls_ms).chain(questions_ms).min()
    }

    /// Ends the calls, and the questions to authorizers, whose time has run out, and forgets kept
    /// events that are too old.
    pub fn handle_timeout(&mut self, now: Now, outbox: &mut impl Outbox) {
        if self.authorizer.asks() {
            self.listening(now, outbox, |realm, outbox| {
                realm.end_overdue_calls(now, outbox);
                realm.end_overdue_questions(now, outbox);
            });
        } else {
            self.end_overdue_calls(now, outbox);
            self.settle(now, outbox);
        }
        let Broker {
            retained, history, ..
        } = &mut self.broker;
        for kept in [retained, history].into_iter().flatten() {
            kept.sweep(now, outbox);
        }
    }

    /// How much the realm holds.
    pub fn stats(&self) -> Stats {
        Stats {
            sessions: self.sessions.len(),
            registrations: self.dealer.registrations.len(),
            subscriptions: self.broker.subscriptions.len(),
            pending_calls: self.dealer.calls.len(),
            call_timers: self.dealer.timers.len(),
            waiting_calls: self.dealer.waiting_calls,
            kept_call_bytes: self.dealer.kept_call_bytes,
            retained_events: self.broker.retained.as_ref().map_or(0, |kept| kept.len()),
            history_events: self.broker.history.as_ref().map_or(0, |kept| kept.len()),
        }
    }
}

/// Whether a session that is taken out is announced on the meta topics and leaves its testaments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MetaEvents {
    Published,
    Suppressed,
}

impl Realm {
    /// Takes a session out of every table. Returns whether it was there.
    pub(crate) fn take_out(
        &mut self,
        now: Now,
        key: SessionKey,
        meta_events: MetaEvents,
        outbox: &mut impl Outbox,
    ) -> bool {
        let is_internal = self.sessions.is_internal(key);
        let Some(mut session) = self.sessions.remove(key) else {
            return false;
        };
        if let Some(question) = session.authority.question() {
            self.withdraw(question, outbox);
        }
        self.end_calls_of(&session, outbox);
        // Everything is removed before anything is announced: no event goes to the session itself,
        // and none tells what is not yet so.
        let unsubscribed = self.remove_subscriptions_of(&session);
        let unregistered = self.remove_registrations_of(key, &session);
        let undefined = self.remove_definitions_of(key, &mut session);
        if meta_events == MetaEvents::Published {
            let id = session.details.id;
            for (registration, deleted) in unregistered {
                self.announce_unregistered(id, registration, deleted, outbox);
            }
            for (subscription, deleted) in unsubscribed {
                self.announce_unsubscribed(id, subscription, deleted, outbox);
            }
            for (subject, outcome) in undefined {
                self.announce_definition(id.value(), &subject, &outcome, outbox);
            }
            if let Some(rare) = session.rare.take() {
                self.publish_testaments(now, rare.testaments, &session, outbox);
            }
            if !is_internal {
                self.announce_leave(&session.details, outbox);
            }
        }
        true
    }
}
