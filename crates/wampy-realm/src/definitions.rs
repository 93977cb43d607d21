//! What sessions say about procedures, topics and errors: the definitions of interface reflection.
//!
//! A definition belongs to the session that made it and goes with it. Several sessions may define the
//! same, as several callees share a registration; the oldest definition counts, so that nobody can
//! speak over one that is there, and the next oldest takes its place when it goes.
//!
//! Deliberately absent: what a definition means. It is kept as bytes and handed out as it came;
//! `meta/reflection.rs` checks its well-known keys. A definition does not depend on a registration or
//! subscription: one can describe a topic that nobody has subscribed to yet.

use wampy_proto::MatchPolicy;

use crate::hash::RandomState;
use crate::records::{Record, RecordId, Records};
use crate::session::{Session, SessionKey};
use crate::slots::Slot;

/// What a definition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Procedure,
    Topic,
    Error,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Procedure, Self::Topic, Self::Error];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Procedure => "procedure",
            Self::Topic => "topic",
            Self::Error => "error",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// What can be described: one URI or pattern of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) kind: Kind,
    pub(crate) uri: Box<str>,
    pub(crate) match_policy: MatchPolicy,
}

/// Where the definitions of one subject are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DefinitionId(Slot);

impl RecordId for DefinitionId {
    fn from_slot(slot: Slot) -> Self {
        Self(slot)
    }

    fn slot(self) -> Slot {
        self.0
    }

    fn number(self) -> u64 {
        self.0.number()
    }

    fn from_number(number: u64) -> Option<Self> {
        Some(Self(Slot::from_number(number)))
    }
}

/// A definition of one subject by one session.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) session: SessionKey,
    /// The map that the session gave, in MessagePack, without what the [`Subject`] says.
    pub(crate) encoded: Box<[u8]>,
}

/// The definitions that a session made.
#[derive(Debug, Default)]
pub(crate) struct OwnDefinitions {
    /// The oldest first.
    pub(crate) list: Vec<(Kind, DefinitionId)>,
    /// What they take, in bytes: URIs and definitions.
    pub(crate) bytes: usize,
}

/// How a change of definitions changed what is said of a subject.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nobody would notice.
    Same,
    /// Another definition counts now, perhaps the first.
    Defined,
    /// There is no definition any more.
    Undefined,
}

/// The definitions of a realm.
#[derive(Debug)]
pub(crate) struct Definitions {
    /// By kind; the members of a record are the definitions of its subject, the oldest first.
    kinds: [Records<DefinitionId, Vec<Definition>>; Kind::ALL.len()],
}

impl Definitions {
    pub(crate) fn new(hash: &RandomState) -> Self {
        Self {
            kinds: Kind::ALL.map(|_| Records::new(hash.clone())),
        }
    }

    pub(crate) const fn of(&self, kind: Kind) -> &Records<DefinitionId, Vec<Definition>> {
        &self.kinds[kind as usize]
    }

    const fn of_mut(&mut self, kind: Kind) -> &mut Records<DefinitionId, Vec<Definition>> {
        &mut self.kinds[kind as usize]
    }

    /// The definition that counts.
    pub(crate) fn current(&self, subject: &Subject) -> Option<&Definition> {
        let records = self.of(subject.kind);
        let id = records.lookup(&subject.uri, subject.match_policy)?;
        records.get(id)?.members.first()
    }

    /// The bytes that a session's definition of a subject takes, if it has made one.
    pub(crate) fn bytes_of(&self, subject: &Subject, session: SessionKey) -> Option<usize> {
        let records = self.of(subject.kind);
        let id = records.lookup(&subject.uri, subject.match_policy)?;
        let mut members = records.get(id)?.members.iter();
        let own = members.find(|definition| definition.session == session)?;
        Some(subject.uri.len() + own.encoded.len())
    }

    /// Adds a session's definition, or puts it in the place of its earlier one.
    pub(crate) fn define(
        &mut self,
        subject: &Subject,
        key: SessionKey,
        encoded: Box<[u8]>,
        session: &mut Session,
    ) -> Outcome {
        let own = &mut session.rare.get_or_insert_default().definitions;
        own.bytes += subject.uri.len() + encoded.len();
        let records = self.of_mut(subject.kind);
        let known = records.lookup(&subject.uri, subject.match_policy);
        let id = known.unwrap_or_else(|| {
            records.insert(Record {
                uri: subject.uri.clone(),
                match_policy: subject.match_policy,
                // Nothing tells it.
                created_unix_ms: 0,
                members: Vec::new(),
            })
        });
        let Some(record) = records.get_mut(id) else {
            return Outcome::Same;
        };
        let members = &mut record.members;
        let position = members
            .iter()
            .position(|definition| definition.session == key);
        let position = position.unwrap_or(members.len());
        if let Some(earlier) = members.get_mut(position) {
            own.bytes -= subject.uri.len() + earlier.encoded.len();
            let same = earlier.encoded == encoded || position > 0;
            earlier.encoded = encoded;
            return if same {
                Outcome::Same
            } else {
                Outcome::Defined
            };
        }
        own.list.push((subject.kind, id));
        members.push(Definition {
            session: key,
            encoded,
        });
        match position {
            0 => Outcome::Defined,
            _ => Outcome::Same,
        }
    }

    /// Takes a session's definition away, if it has made it, and says what it was about.
    pub(crate) fn undefine(
        &mut self,
        (kind, id): (Kind, DefinitionId),
        key: SessionKey,
        own: &mut OwnDefinitions,
    ) -> Option<(Subject, Outcome)> {
        let records = self.of_mut(kind);
        let record = records.get_mut(id)?;
        let members = &mut record.members;
        let position = members
            .iter()
            .position(|definition| definition.session == key)?;
        let removed = members.remove(position);
        let subject = Subject {
            kind,
            uri: record.uri.clone(),
            match_policy: record.match_policy,
        };
        let outcome = match members.first() {
            None => Outcome::Undefined,
            Some(next) if position == 0 && next.encoded != removed.encoded => Outcome::Defined,
            Some(_) => Outcome::Same,
        };
        if outcome == Outcome::Undefined {
            records.remove(id);
        }
        own.bytes -= subject.uri.len() + removed.encoded.len();
        // From the end, where a session that is gone begins: its newest definition goes first.
        if let Some(at) = own.list.iter().rposition(|&listed| listed == (kind, id)) {
            own.list.remove(at);
        }
        Some((subject, outcome))
    }
}
