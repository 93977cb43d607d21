//! The sessions of a realm: who they are and what each of them holds.

use hashbrown::{HashMap, HashSet};
use wampy_proto::{
    Feature, RegistrationId, RequestId, Role, Roles, SessionId, SubscriptionId, Value,
};

use crate::authorizer::Authority;
use crate::definitions::OwnDefinitions;
use crate::hash::RandomState;
use crate::meta::Testaments;
use crate::request_map::RequestMap;
use crate::slots::{Slot, Slots};

/// A session's key within its realm: a dense index and a generation, so that the key of a session
/// that is gone never means the one that took its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey(Slot);

impl SessionKey {
    /// The key of no session there ever is, so that looking it up finds nothing.
    pub(crate) const NOBODY: Self = Self(Slot::NOWHERE);

    /// The session's index: below the most sessions that the realm had at once, and reused after
    /// the session left.
    pub const fn index(self) -> usize {
        self.0.index()
    }

    /// The key as a number.
    pub(crate) const fn number(self) -> u64 {
        self.0.number()
    }
}

/// Who a session is, as its authentication found.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionDetails {
    /// The session's id, drawn at random by the router.
    pub id: SessionId,
    /// Who the client is.
    pub authid: Box<str>,
    /// The client's role in the realm.
    pub authrole: Box<str>,
    /// How the client was authenticated.
    pub authmethod: Box<str>,
    /// Who authenticated the client.
    pub authprovider: Box<str>,
    /// How far the client is trusted, as callees and subscribers learn it: 0 is the lowest level,
    /// and what the others mean is up to the applications. `None` tells them nothing.
    pub trust_level: Option<u64>,
    /// What the authenticator tells about the client besides, for whoever may call
    /// `wamp.session.get`. Boxed, because few sessions have it.
    pub authextra: Option<Box<Value>>,
    /// The roles and features that the client announced.
    pub roles: Roles,
    /// What the session meta API tells about the transport; `None` for nothing.
    pub transport: Option<Transport>,
}

/// A session's transport, as everybody may know it. The peer's address is not among it: other
/// sessions have no need to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// `websocket` or `rawsocket`.
    pub kind: &'static str,
    /// The serializer's name.
    pub serializer: &'static str,
}

/// A session with all that it holds in the realm's tables.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) details: SessionDetails,
    /// What decides about the session's requests.
    pub(crate) authority: Authority,
    /// Whether the session's canceled calls end without ERROR (`silent_cancel`).
    pub(crate) silent_cancel: bool,
    /// The session's calls that have not ended.
    pub(crate) calls: RequestMap,
    /// The session's invocations that it has not answered.
    pub(crate) invocations: RequestMap,
    /// The id of the last invocation that the session got.
    pub(crate) last_invocation: Option<RequestId>,
    /// The id of the last call that the session began to make in parts.
    pub(crate) last_progressive_call: Option<RequestId>,
    pub(crate) registrations: HashSet<RegistrationId, RandomState>,
    /// The session's subscriptions, each with the session's place among its subscribers.
    pub(crate) subscriptions: HashMap<SubscriptionId, usize, RandomState>,
    /// What few sessions have.
    pub(crate) rare: Option<Box<RareState>>,
}

/// What few sessions have in the realm.
#[derive(Debug, Default)]
pub(crate) struct RareState {
    pub(crate) testaments: Testaments,
    pub(crate) definitions: OwnDefinitions,
}

impl Session {
    fn new(details: SessionDetails, silent_cancel: bool, hash: &RandomState) -> Self {
        Self {
            silent_cancel: silent_cancel && cancels_silently(&details.roles),
            details,
            authority: Authority::default(),
            calls: RequestMap::default(),
            invocations: RequestMap::default(),
            last_invocation: None,
            last_progressive_call: None,
            registrations: HashSet::with_hasher(hash.clone()),
            subscriptions: HashMap::with_hasher(hash.clone()),
            rare: None,
        }
    }

    /// The id of the next invocation that the session gets.
    #[inline]
    pub(crate) fn next_invocation(&self) -> RequestId {
        self.last_invocation
            .map_or(RequestId::FIRST, RequestId::next)
    }

    /// Whether the session, as callee, may answer that it is unavailable.
    pub(crate) fn may_be_unavailable(&self) -> bool {
        self.details
            .roles
            .supports(Role::Callee, Feature::CallReroute)
    }

    /// Whether the session, as callee, takes INTERRUPT.
    pub(crate) fn takes_interrupt(&self) -> bool {
        self.details
            .roles
            .supports(Role::Callee, Feature::CallCanceling)
    }
}

/// Whether a client is of the kind that `silent_cancel` is for.
fn cancels_silently(roles: &Roles) -> bool {
    let mut announced = Role::ALL
        .into_iter()
        .filter_map(|role| roles.get(role))
        .peekable();
    announced.peek().is_some()
        && announced.all(|features| {
            features.contains(Feature::CallTimeout) && !features.contains(Feature::CallCanceling)
        })
}

/// The sessions of a realm.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: Slots<Session>,
    by_id: HashMap<SessionId, SessionKey, RandomState>,
    /// Sessions of the router itself: they have a key like others, but nobody else counts, lists or
    /// finds them.
    internal: Vec<SessionKey>,
    hash: RandomState,
}

impl Sessions {
    pub(crate) fn new(hash: RandomState) -> Self {
        Self {
            slots: Slots::new(),
            by_id: HashMap::with_hasher(hash.clone()),
            internal: Vec::new(),
            hash,
        }
    }

    /// How many clients' sessions there are.
    pub(crate) const fn len(&self) -> usize {
        self.slots.len() - self.internal.len()
    }

    /// Whether `key` is a session of the router itself, which may do everything.
    pub(crate) fn is_internal(&self, key: SessionKey) -> bool {
        self.internal.contains(&key)
    }

    pub(crate) fn key_of(&self, id: SessionId) -> Option<SessionKey> {
        self.by_id.get(&id).copied()
    }

    pub(crate) fn insert(&mut self, details: SessionDetails, silent_cancel: bool) -> SessionKey {
        let id = details.id;
        let session = Session::new(details, silent_cancel, &self.hash);
        let key = SessionKey(self.slots.insert(session));
        self.by_id.insert(id, key);
        key
    }

    /// Takes in a session of the router itself.
    pub(crate) fn insert_internal(&mut self, details: SessionDetails) -> SessionKey {
        let mut session = Session::new(details, false, &self.hash);
        session.authority = Authority::TRUSTED;
        let key = SessionKey(self.slots.insert(session));
        self.internal.push(key);
        key
    }

    #[inline]
    pub(crate) fn get(&self, key: SessionKey) -> Option<&Session> {
        self.slots.get(key.0)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: SessionKey) -> Option<&mut Session> {
        self.slots.get_mut(key.0)
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Session> {
        let session = self.slots.remove(key.0)?;
        if self.is_internal(key) {
            self.internal.retain(|&internal| internal != key);
        } else {
            self.by_id.remove(&session.details.id);
        }
        Some(session)
    }

    /// Whether as many sessions are found by their ids as there are.
    pub(crate) fn all_have_ids(&self) -> bool {
        self.by_id.len() == self.len()
    }

    /// All clients' sessions, each with its key.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SessionKey, &Session)> {
        self.slots
            .iter()
            .map(|(slot, session)| (SessionKey(slot), session))
            .filter(|&(key, _)| !self.is_internal(key))
    }
}
