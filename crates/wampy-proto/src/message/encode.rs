//! Message → tokens of any writer.

use super::{Message, MessageType, RevocationDetails};
use crate::id::RequestId;
use crate::payload::GapFinder;
use crate::serializer::{EncodeError, Writer};

/// Writes a message. What is sent again and again comes first.
#[inline]
pub(super) fn message<'m, W: Writer>(
    message: &'m Message<'_>,
    w: &mut W,
    gap: &mut GapFinder<'m>,
) -> Result<(), EncodeError> {
    let payload = match message {
        Message::Event(m) => {
            let ids = [m.subscription.value(), m.publication.value()];
            begin(w, MessageType::Event, ids, 1 + m.payload.fields());
            m.details.write(w);
            &m.payload
        }
        Message::Invocation(m) => {
            let ids = [m.request.value(), m.registration.value()];
            begin(w, MessageType::Invocation, ids, 1 + m.payload.fields());
            m.details.write(w);
            &m.payload
        }
        Message::Result(m) => {
            let ids = [m.request.value()];
            begin(w, MessageType::Result, ids, 1 + m.payload.fields());
            m.details.write(w);
            &m.payload
        }
        Message::Publish(m) => {
            let ids = [m.request.value()];
            begin(w, MessageType::Publish, ids, 2 + m.payload.fields());
            m.options.write(w);
            w.text(&m.topic);
            &m.payload
        }
        Message::Call(m) => {
            let ids = [m.request.value()];
            begin(w, MessageType::Call, ids, 2 + m.payload.fields());
            m.options.write(w);
            w.text(&m.procedure);
            &m.payload
        }
        Message::Yield(m) => {
            let ids = [m.request.value()];
            begin(w, MessageType::Yield, ids, 1 + m.payload.fields());
            m.options.write(w);
            &m.payload
        }
        other => return session_message(other, w, gap),
    };
    payload.write_to(w, gap)?;
    w.end_list();
    Ok(())
}

/// Messages about a session, and ERROR.
fn session_message<'m, W: Writer>(
    message: &'m Message<'_>,
    w: &mut W,
    gap: &mut GapFinder<'m>,
) -> Result<(), EncodeError> {
    match message {
        Message::Hello(m) => {
            begin(w, MessageType::Hello, [], 2);
            w.text(&m.realm);
            m.details.write(w);
        }
        Message::Welcome(m) => {
            begin(w, MessageType::Welcome, [m.session.value()], 1);
            m.details.write(w);
        }
        Message::Abort(m) => {
            begin(w, MessageType::Abort, [], 2);
            m.details.write(w);
            w.text(&m.reason);
        }
        Message::Challenge(m) => {
            begin(w, MessageType::Challenge, [], 2);
            w.text(&m.authmethod);
            m.extra.write(w);
        }
        Message::Authenticate(m) => {
            begin(w, MessageType::Authenticate, [], 2);
            w.text(&m.signature);
            m.extra.write(w);
        }
        Message::Goodbye(m) => {
            begin(w, MessageType::Goodbye, [], 2);
            m.details.write(w);
            w.text(&m.reason);
        }
        Message::Error(m) => {
            let ids = [m.request_type.code(), m.request.value()];
            begin(w, MessageType::Error, ids, 2 + m.payload.fields());
            m.details.write(w);
            w.text(&m.error);
            m.payload.write_to(w, gap)?;
        }
        other => return record_message(other, w),
    }
    w.end_list();
    Ok(())
}

/// Messages about subscriptions, registrations and what is under way.
fn record_message<W: Writer>(message: &Message<'_>, w: &mut W) -> Result<(), EncodeError> {
    let message_type = message.message_type();
    match message {
        Message::Published(m) => answer(w, message_type, m.request, m.publication.value()),
        Message::Subscribed(m) => answer(w, message_type, m.request, m.subscription.value()),
        Message::Unsubscribe(m) => answer(w, message_type, m.request, m.subscription.value()),
        Message::Registered(m) => answer(w, message_type, m.request, m.registration.value()),
        Message::Unregister(m) => answer(w, message_type, m.request, m.registration.value()),
        Message::Subscribe(m) => {
            begin(w, message_type, [m.request.value()], 2);
            m.options.write(w);
            w.text(&m.topic);
        }
        Message::Register(m) => {
            begin(w, message_type, [m.request.value()], 2);
            m.options.write(w);
            w.text(&m.procedure);
        }
        Message::Unsubscribed(m) => {
            end_of_record(w, message_type, m.request, m.details.as_ref());
        }
        Message::Unregistered(m) => {
            end_of_record(w, message_type, m.request, m.details.as_ref());
        }
        Message::Cancel(m) => {
            begin(w, message_type, [m.request.value()], 1);
            m.options.write(w);
        }
        Message::Interrupt(m) => {
            begin(w, message_type, [m.request.value()], 1);
            m.options.write(w);
        }
        // The functions above have written all others.
        _ => {
            return Err(EncodeError(
                "a message of another part of the protocol".into(),
            ));
        }
    }
    w.end_list();
    Ok(())
}

/// Begins a message of a type, with ids and `rest` more elements.
#[inline]
fn begin<W: Writer, const N: usize>(
    w: &mut W,
    message_type: MessageType,
    ids: [u64; N],
    rest: usize,
) {
    w.begin_message(message_type as u8, ids, rest);
}

/// A message that is nothing but two ids, mostly an answer.
fn answer<W: Writer>(w: &mut W, message_type: MessageType, request: RequestId, id: u64) {
    begin(w, message_type, [request.value(), id], 0);
}

/// UNSUBSCRIBED and UNREGISTERED: an answer, or the router's own word.
fn end_of_record<W: Writer>(
    w: &mut W,
    message_type: MessageType,
    request: Option<RequestId>,
    details: Option<&RevocationDetails>,
) {
    let ids = [request.map_or(0, RequestId::value)];
    begin(w, message_type, ids, usize::from(details.is_some()));
    if let Some(details) = details {
        details.write(w);
    }
}
