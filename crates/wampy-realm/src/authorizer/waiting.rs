//! What a session has asked for while an authorizer is asked about it: it waits, so that order is
//! kept.
//!
//! Requests wait as the bytes that they would be on the wire, which says exactly how much memory they
//! take. YIELD and ERROR do not wait: they answer somebody else, who may be the authorizer.
//!
//! That a call in parts has ended is noted when its turn comes, and not before, because the ids of
//! earlier calls that still wait would then count as past: so an entry may say what to note behind it.

use std::collections::VecDeque;

use wampy_proto::error_uri;
use wampy_proto::{Message, MessageType, RegistrationId, RequestId, Serializer, SubscriptionId};

use super::gate::Answered;
use crate::config::RealmConfig;
use crate::refusal::Refusal;

/// A session about which an authorizer is asked.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The question: a call of the realm's own.
    pub(super) question: RequestId,
    /// Which requirement of the first item the question is about.
    pub(super) place: usize,
    /// What was answered about that item before.
    pub(super) answered: Answered,
    pub(super) queue: Queue,
}

/// What waits, the first to be decided first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// How many bytes the messages have, and how many messages there are.
    bytes: usize,
    messages: usize,
}

/// Something that waits, and what is noted when it is done with.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) item: Item,
    /// The latest call in parts that was given up and came behind this.
    pub(super) then_ended: Option<RequestId>,
}

impl Entry {
    const fn new(item: Item) -> Self {
        Self {
            item,
            then_ended: None,
        }
    }

    fn is_of_call(&self, request: RequestId) -> bool {
        matches!(&self.item, Item::Message(kept) if kept.is_call(request))
    }
}

/// Something that waits to be decided.
#[derive(Debug)]
pub(super) enum Item {
    Message(Kept),
    /// What the session holds, which has to be allowed anew.
    Registration(RegistrationId),
    Subscription(SubscriptionId),
    /// It was given up.
    Nothing,
}

/// Which waiting call was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The one about which an authorizer is asked; and whether, as one in parts, it is to be noted.
    First {
        ended: Option<RequestId>,
    },
    Later,
}

/// A message that waits.
#[derive(Debug)]
pub(super) struct Kept {
    message_type: MessageType,
    request: RequestId,
    /// Whether it is a call of which further parts follow.
    in_parts: bool,
    serializer: Serializer,
    bytes: Box<[u8]>,
}

impl Kept {
    /// Keeps a message, if it is one that waits.
    pub(super) fn new(message: &Message<'_>) -> Option<Self> {
        let (request, serializer) = match message {
            Message::Call(call) => (call.request, call.payload.serializer()),
            Message::Publish(publish) => (publish.request, publish.payload.serializer()),
            Message::Register(register) => (register.request, Serializer::MsgPack),
            Message::Unregister(unregister) => (unregister.request, Serializer::MsgPack),
            Message::Subscribe(subscribe) => (subscribe.request, Serializer::MsgPack),
            Message::Unsubscribe(unsubscribe) => (unsubscribe.request, Serializer::MsgPack),
            _ => return None,
        };
        let mut bytes = Vec::new();
        // In the serializer in which it came it has a form.
        message.encode(serializer, &mut bytes).ok()?;
        Some(Self {
            message_type: message.message_type(),
            request,
            in_parts: matches!(message, Message::Call(call) if call.options.progress),
            serializer,
            bytes: bytes.into(),
        })
    }

    /// The message; what was written here can be read.
    pub(super) fn message(&self) -> Option<Message<'_>> {
        Message::decode(self.serializer, &self.bytes).ok()
    }

    fn is_call(&self, request: RequestId) -> bool {
        self.message_type == MessageType::Call && self.request == request
    }
}

impl Waiting {
    pub(super) const fn new(
        question: RequestId,
        place: usize,
        answered: Answered,
        queue: Queue,
    ) -> Self {
        Self {
            question,
            place,
            answered,
            queue,
        }
    }
}

impl Queue {
    /// Adds a message at the end. One is always taken, however long it is.
    pub(super) fn push(&mut self, kept: Kept, config: &RealmConfig) -> Result<(), Refusal> {
        let (messages_max, bytes_max) = (
            config.waiting_messages_per_session_max,
            config.waiting_bytes_per_session_max,
        );
        if self.messages > 0 {
            if self.messages >= messages_max {
                let what = "requests that wait for an authorizer";
                return Err(Refusal::limit(error_uri::UNAVAILABLE, what, messages_max));
            }
            if self.bytes + kept.bytes.len() > bytes_max {
                let why = format!(
                    "the requests of this session that wait for an authorizer would have more than \
                     {bytes_max} bytes"
                );
                return Err(Refusal::explained(error_uri::UNAVAILABLE, why));
            }
        }
        self.count_in(&kept);
        self.entries.push_back(Entry::new(Item::Message(kept)));
        Ok(())
    }

    /// Puts an entry back at the front.
    pub(super) fn push_front(&mut self, entry: Entry) {
        if let Item::Message(kept) = &entry.item {
            self.count_in(kept);
        }
        self.entries.push_front(entry);
    }

    /// The item that is decided next.
    pub(super) fn first(&self) -> Option<&Item> {
        self.entries.front().map(|entry| &entry.item)
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_front()?;
        if let Item::Message(kept) = &entry.item {
            self.bytes -= kept.bytes.len();
            self.messages -= 1;
        }
        Some(entry)
    }

    fn count_in(&mut self, kept: &Kept) {
        self.bytes += kept.bytes.len();
        self.messages += 1;
    }

    /// Lets what a session holds be decided before all else. What was to be rechecked before is
    /// among it, if it is still held.
    pub(super) fn recheck(&mut self, held: impl Iterator<Item = Item>) {
        let before = std::mem::take(&mut self.entries);
        self.entries = held.map(Entry::new).collect();
        self.entries
            .extend(before.into_iter().filter_map(|entry| match entry.item {
                Item::Message(_) => Some(entry),
                _ => entry.then_ended.map(|_| Entry {
                    item: Item::Nothing,
                    ..entry
                }),
            }));
    }

    /// Whether the call `request` waits.
    pub(super) fn has_call(&self, request: RequestId) -> bool {
        self.entries.iter().any(|entry| entry.is_of_call(request))
    }

    /// Whether the call `request`, which does not wait, was in parts and has ended while others wait.
    pub(super) fn has_ended(&self, request: RequestId) -> bool {
        let mut ended = self.entries.iter().filter_map(|entry| entry.then_ended);
        ended.any(|last| request <= last)
    }

    /// Notes that a call in parts, which came after all that waits, has ended.
    pub(super) fn note_ended(&mut self, request: RequestId) {
        if let Some(last) = self.entries.back_mut() {
            last.then_ended = Some(request);
        }
    }

    /// Gives up the call `request`, if it waits, with all its parts.
    pub(super) fn give_up_call(&mut self, request: RequestId) -> Option<GivenUp> {
        let first = self.entries.iter().position(|it| it.is_of_call(request))?;
        let mut given_up = match first {
            0 => GivenUp::First { ended: None },
            _ => GivenUp::Later,
        };
        for entry in std::mem::take(&mut self.entries) {
            let of_call = entry.is_of_call(request);
            let ended = match entry.item {
                Item::Message(ref kept) if of_call => {
                    self.bytes -= kept.bytes.len();
                    self.messages -= 1;
                    entry.then_ended.max(kept.in_parts.then_some(request))
                }
                _ => {
                    self.entries.push_back(entry);
                    continue;
                }
            };
            match (self.entries.back_mut(), &mut given_up) {
                (Some(earlier), _) => earlier.then_ended = ended.max(earlier.then_ended),
                (None, GivenUp::First { ended: noted }) => *noted = ended.max(*noted),
                (None, GivenUp::Later) => {}
            }
        }
        Some(given_up)
    }

    /// Checks that what is counted is there. More may wait than the limits allow: they may have been
    /// lowered since.
    pub(super) fn check(&self) -> Result<(), String> {
        let lengths = self.entries.iter().filter_map(|entry| match &entry.item {
            Item::Message(kept) => Some(kept.bytes.len()),
            _ => None,
        });
        let lengths: Vec<usize> = lengths.collect();
        let bytes: usize = lengths.iter().sum();
        if (bytes, lengths.len()) != (self.bytes, self.messages) {
            return Err(format!("{self:?} has {bytes} bytes"));
        }
        match self.entries.is_empty() {
            true => Err("nothing waits".to_owned()),
            false => Ok(()),
        }
    }
}
