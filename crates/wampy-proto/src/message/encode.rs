//! Message → tokens of any writer.

use super::{Message, MessageType, RevocationDetails};
use crate::id::RequestId;
use crate::payload::GapFinder;
use crate::serializer::{EncodeError, Writer};

pub(super) fn message<'m, W: Writer>(
    message: &'m Message<'_>,
    w: &mut W,
    gap: &mut GapFinder<'m>,
) -> Result<(), EncodeError> {
    match message {
        Message::Hello(m) => {
            begin(w, MessageType::Hello, 2);
            w.text(&m.realm);
            m.details.write(w);
        }
        Message::Welcome(m) => {
            begin(w, MessageType::Welcome, 2);
            w.unsigned(m.session.value());
            m.details.write(w);
        }
        Message::Abort(m) => {
            begin(w, MessageType::Abort, 2);
            m.details.write(w);
            w.text(&m.reason);
        }
        Message::Challenge(m) => {
            begin(w, MessageType::Challenge, 2);
            w.text(&m.authmethod);
            m.extra.write(w);
        }
        Message::Authenticate(m) => {
            begin(w, MessageType::Authenticate, 2);
            w.text(&m.signature);
            m.extra.write(w);
        }
        Message::Goodbye(m) => {
            begin(w, MessageType::Goodbye, 2);
            m.details.write(w);
            w.text(&m.reason);
        }
        Message::Error(m) => {
            begin(w, MessageType::Error, 4 + m.payload.fields());
            w.unsigned(m.request_type.code());
            w.unsigned(m.request.value());
            m.details.write(w);
            w.text(&m.error);
            m.payload.write_to(w, gap)?;
        }
        other => return pubsub_message(other, w, gap),
    }
    w.end_list();
    Ok(())
}

fn pubsub_message<'m, W: Writer>(
    message: &'m Message<'_>,
    w: &mut W,
    gap: &mut GapFinder<'m>,
) -> Result<(), EncodeError> {
    match message {
        Message::Publish(m) => {
            begin_request(w, MessageType::Publish, m.request, 2 + m.payload.fields());
            m.options.write(w);
            w.text(&m.topic);
            m.payload.write_to(w, gap)?;
        }
        Message::Published(m) => {
            begin_request(w, MessageType::Published, m.request, 1);
            w.unsigned(m.publication.value());
        }
        Message::Subscribe(m) => {
            begin_request(w, MessageType::Subscribe, m.request, 2);
            m.options.write(w);
            w.text(&m.topic);
        }
        Message::Subscribed(m) => {
            begin_request(w, MessageType::Subscribed, m.request, 1);
            w.unsigned(m.subscription.value());
        }
        Message::Unsubscribe(m) => {
            begin_request(w, MessageType::Unsubscribe, m.request, 1);
            w.unsigned(m.subscription.value());
        }
        Message::Unsubscribed(m) => {
            end_of_record(w, MessageType::Unsubscribed, m.request, m.details.as_ref());
        }
        Message::Event(m) => {
            begin(w, MessageType::Event, 3 + m.payload.fields());
            w.unsigned(m.subscription.value());
            w.unsigned(m.publication.value());
            m.details.write(w);
            m.payload.write_to(w, gap)?;
        }
        other => return rpc_message(other, w, gap),
    }
    w.end_list();
    Ok(())
}

fn rpc_message<'m, W: Writer>(
    message: &'m Message<'_>,
    w: &mut W,
    gap: &mut GapFinder<'m>,
) -> Result<(), EncodeError> {
    match message {
        Message::Call(m) => {
            begin_request(w, MessageType::Call, m.request, 2 + m.payload.fields());
            m.options.write(w);
            w.text(&m.procedure);
            m.payload.write_to(w, gap)?;
        }
        Message::Cancel(m) => {
            begin_request(w, MessageType::Cancel, m.request, 1);
            m.options.write(w);
        }
        Message::Result(m) => {
            begin_request(w, MessageType::Result, m.request, 1 + m.payload.fields());
            m.details.write(w);
            m.payload.write_to(w, gap)?;
        }
        Message::Register(m) => {
            begin_request(w, MessageType::Register, m.request, 2);
            m.options.write(w);
            w.text(&m.procedure);
        }
        Message::Registered(m) => {
            begin_request(w, MessageType::Registered, m.request, 1);
            w.unsigned(m.registration.value());
        }
        Message::Unregister(m) => {
            begin_request(w, MessageType::Unregister, m.request, 1);
            w.unsigned(m.registration.value());
        }
        Message::Unregistered(m) => {
            end_of_record(w, MessageType::Unregistered, m.request, m.details.as_ref());
        }
        Message::Invocation(m) => {
            begin_request(
                w,
                MessageType::Invocation,
                m.request,
                2 + m.payload.fields(),
            );
            w.unsigned(m.registration.value());
            m.details.write(w);
            m.payload.write_to(w, gap)?;
        }
        Message::Interrupt(m) => {
            begin_request(w, MessageType::Interrupt, m.request, 1);
            m.options.write(w);
        }
        Message::Yield(m) => {
            begin_request(w, MessageType::Yield, m.request, 1 + m.payload.fields());
            m.options.write(w);
            m.payload.write_to(w, gap)?;
        }
        // `message` has written the messages of the session, `pubsub_message` those of the broker.
        _ => {
            return Err(EncodeError(
                "a message of another part of the protocol".into(),
            ));
        }
    }
    w.end_list();
    Ok(())
}

/// Begins a message of a type and `fields` more elements.
fn begin<W: Writer>(w: &mut W, message_type: MessageType, fields: usize) {
    w.begin_list(1 + fields);
    w.unsigned(message_type.code());
}

/// Begins a message of a type, a request and `fields` more elements.
fn begin_request<W: Writer>(
    w: &mut W,
    message_type: MessageType,
    request: RequestId,
    fields: usize,
) {
    begin(w, message_type, 1 + fields);
    w.unsigned(request.value());
}

/// UNSUBSCRIBED and UNREGISTERED: an answer, or the router's own word.
fn end_of_record<W: Writer>(
    w: &mut W,
    message_type: MessageType,
    request: Option<RequestId>,
    details: Option<&RevocationDetails>,
) {
    begin(w, message_type, 1 + usize::from(details.is_some()));
    w.unsigned(request.map_or(0, RequestId::value));
    if let Some(details) = details {
        details.write(w);
    }
}
