//! What a session has asked for while an authorizer is asked about it: it waits, so that order is
//! kept.
//!
//! Requests wait as the bytes that they would be on the wire, which says exactly how much memory they
//! take. YIELD and ERROR do not wait: they answer somebody else, who may be the authorizer.

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
    items: VecDeque<Item>,
    /// How many bytes the messages have, and how many messages there are.
    bytes: usize,
    messages: usize,
}

/// Something that waits to be decided.
#[derive(Debug)]
pub(super) enum Item {
    Message(Kept),
    /// What the session holds, which has to be allowed anew.
    Registration(RegistrationId),
    Subscription(SubscriptionId),
    /// Nothing any more: it was given up while an authorizer was asked about it.
    GivenUp,
}

/// A message that waits.
#[derive(Debug)]
pub(super) struct Kept {
    message_type: MessageType,
    request: RequestId,
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
    pub(super) fn new(question: RequestId, place: usize, answered: Answered, queue: Queue) -> Self {
        Self {
            question,
            place,
            answered,
            queue,
        }
    }

    /// Gives up the call `request`, if it waits.
    pub(super) fn give_up_call(&mut self, request: RequestId) -> Option<GivenUp> {
        let of_call = |item: &Item| matches!(item, Item::Message(kept) if kept.is_call(request));
        let found = self.queue.items.iter().position(of_call)?;
        let mut kept = VecDeque::with_capacity(self.queue.items.len());
        for (at, item) in self.queue.items.drain(..).enumerate() {
            match item {
                Item::Message(message) if message.is_call(request) => {
                    self.queue.bytes -= message.bytes.len();
                    self.queue.messages -= 1;
                    if at == 0 {
                        kept.push_back(Item::GivenUp);
                    }
                }
                item => kept.push_back(item),
            }
        }
        self.queue.items = kept;
        Some(match found {
            0 => GivenUp::First,
            _ => GivenUp::Later,
        })
    }
}

/// Which waiting call was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The one about which an authorizer is asked.
    First,
    Later,
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
        self.bytes += kept.bytes.len();
        self.messages += 1;
        self.items.push_back(Item::Message(kept));
        Ok(())
    }

    /// Lets what a session holds be decided before all else. What was to be rechecked before is
    /// among it, if it is still held.
    pub(super) fn recheck(&mut self, held: impl Iterator<Item = Item>) {
        let messages = std::mem::take(&mut self.items);
        let is_message = |item: &Item| matches!(item, Item::Message(_));
        self.items = held
            .chain(messages.into_iter().filter(is_message))
            .collect();
    }

    /// Puts an item back at the front.
    pub(super) fn push_front(&mut self, item: Item) {
        if let Item::Message(kept) = &item {
            self.bytes += kept.bytes.len();
            self.messages += 1;
        }
        self.items.push_front(item);
    }

    /// The item that is decided next.
    pub(super) fn first(&self) -> Option<&Item> {
        self.items.front()
    }

    pub(super) fn pop(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        if let Item::Message(kept) = &item {
            self.bytes -= kept.bytes.len();
            self.messages -= 1;
        }
        Some(item)
    }

    /// Checks that what is counted is there, and within the limits.
    pub(super) fn check(&self, config: &RealmConfig) -> Result<(), String> {
        let lengths = self.items.iter().filter_map(|item| match item {
            Item::Message(kept) => Some(kept.bytes.len()),
            _ => None,
        });
        let lengths: Vec<usize> = lengths.collect();
        let bytes: usize = lengths.iter().sum();
        if (bytes, lengths.len()) != (self.bytes, self.messages) {
            return Err(format!("{self:?} has {bytes} bytes"));
        }
        let alone = self.messages <= 1;
        if self.items.is_empty()
            || !alone && self.messages > config.waiting_messages_per_session_max
        {
            return Err(format!("{self:?} is empty or too long"));
        }
        Ok(())
    }
}
