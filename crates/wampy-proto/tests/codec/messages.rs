//! Any message, with any options and any payload.

use proptest::option;
use proptest::prelude::*;
use wampy_proto::message::*;
use wampy_proto::{ID_MAX, IdOutOfRange, Payload, Serializer, Value};

use super::options;
use super::values::{list, map, serializer, text, value};

fn id<T: TryFrom<u64, Error = IdOutOfRange> + std::fmt::Debug>() -> impl Strategy<Value = T> {
    prop_oneof![1..300u64, 1..=ID_MAX, Just(ID_MAX)].prop_map(|id| T::try_from(id).unwrap())
}

pub fn payload() -> impl Strategy<Value = Payload<'static>> {
    let args = option::of(list(value()).prop_map(Value::List));
    let kwargs = option::of(map(value()).prop_map(Value::Map));
    (serializer(), args, kwargs)
        .prop_map(|(serializer, args, kwargs)| Payload::encode(serializer, &args, &kwargs).unwrap())
}

fn request_type() -> impl Strategy<Value = MessageType> {
    prop::sample::select(vec![
        MessageType::Publish,
        MessageType::Subscribe,
        MessageType::Unsubscribe,
        MessageType::Call,
        MessageType::Cancel,
        MessageType::Register,
        MessageType::Unregister,
        MessageType::Invocation,
    ])
}

/// A strategy for a message: a struct whose fields each have a strategy (at most 12).
macro_rules! message {
    ($name:ident { $($field:ident: $strategy:expr),* $(,)? }) => {
        ($($strategy,)*).prop_map(|($($field,)*)| Message::from($name { $($field),* })).boxed()
    };
}

fn uri() -> impl Strategy<Value = std::borrow::Cow<'static, str>> {
    text().prop_map(Into::into)
}

fn of_session() -> Vec<BoxedStrategy<Message<'static>>> {
    vec![
        message!(Hello {
            realm: uri(),
            details: options::hello()
        }),
        message!(Welcome {
            session: id(),
            details: options::welcome()
        }),
        message!(Abort {
            details: options::abort(),
            reason: uri()
        }),
        message!(Challenge {
            authmethod: uri(),
            extra: options::challenge()
        }),
        message!(Authenticate {
            signature: uri(),
            extra: options::authenticate()
        }),
        message!(Goodbye {
            details: options::goodbye(),
            reason: uri()
        }),
        message!(Error {
            request_type: request_type(),
            request: id(),
            details: options::error(),
            error: uri(),
            payload: payload(),
        }),
    ]
}

fn of_broker() -> Vec<BoxedStrategy<Message<'static>>> {
    vec![
        message!(Publish {
            request: id(),
            options: options::publish(),
            topic: uri(),
            payload: payload(),
        }),
        message!(Published {
            request: id(),
            publication: id()
        }),
        message!(Subscribe {
            request: id(),
            options: options::subscribe(),
            topic: uri()
        }),
        message!(Subscribed {
            request: id(),
            subscription: id()
        }),
        message!(Unsubscribe {
            request: id(),
            subscription: id()
        }),
        message!(Unsubscribed {
            request: option::of(id()),
            details: option::of(options::revocation()),
        }),
        message!(Event {
            subscription: id(),
            publication: id(),
            details: options::event(),
            payload: payload(),
        }),
    ]
}

fn of_dealer() -> Vec<BoxedStrategy<Message<'static>>> {
    vec![
        message!(Call {
            request: id(),
            options: options::call(),
            procedure: uri(),
            payload: payload(),
        }),
        message!(Cancel {
            request: id(),
            options: options::cancel()
        }),
        message!(Result {
            request: id(),
            details: options::result(),
            payload: payload()
        }),
        message!(Register {
            request: id(),
            options: options::register(),
            procedure: uri()
        }),
        message!(Registered {
            request: id(),
            registration: id()
        }),
        message!(Unregister {
            request: id(),
            registration: id()
        }),
        message!(Unregistered {
            request: option::of(id()),
            details: option::of(options::revocation()),
        }),
        message!(Invocation {
            request: id(),
            registration: id(),
            details: options::invocation(),
            payload: payload(),
        }),
        message!(Interrupt {
            request: id(),
            options: options::interrupt()
        }),
        message!(Yield {
            request: id(),
            options: options::yield_options(),
            payload: payload()
        }),
    ]
}

/// Any message, each of the 24 types as likely as the others.
pub fn message() -> impl Strategy<Value = Message<'static>> {
    proptest::strategy::Union::new([of_session(), of_broker(), of_dealer()].concat())
}

/// A message without its payload, and the values of that: what must be the same in each serializer.
#[derive(Debug, PartialEq)]
pub struct Meaning<'a> {
    message: Message<'a>,
    args: Value,
    kwargs: Value,
}

pub fn meaning<'a>(mut message: Message<'a>) -> Meaning<'a> {
    let payload = payload_of(&mut message).map_or(Payload::EMPTY, |payload| {
        std::mem::replace(payload, Payload::EMPTY)
    });
    let (args, kwargs) = (payload.args().unwrap(), payload.kwargs().unwrap());
    Meaning {
        message,
        args,
        kwargs,
    }
}

pub fn payload_of<'m, 'a>(message: &'m mut Message<'a>) -> Option<&'m mut Payload<'a>> {
    match message {
        Message::Error(Error { payload, .. })
        | Message::Publish(Publish { payload, .. })
        | Message::Event(Event { payload, .. })
        | Message::Call(Call { payload, .. })
        | Message::Result(Result { payload, .. })
        | Message::Invocation(Invocation { payload, .. })
        | Message::Yield(Yield { payload, .. }) => Some(payload),
        _ => None,
    }
}

pub fn encode(serializer: Serializer, message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(serializer, &mut out).unwrap();
    out
}
