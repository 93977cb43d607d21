//! Tokens of any reader → message.

use std::borrow::Cow;

use super::{
    Abort, AbortDetails, Authenticate, AuthenticateExtra, Call, CallOptions, Cancel, CancelOptions,
    Challenge, ChallengeExtra, Error, ErrorDetails, Event, EventDetails, Goodbye, GoodbyeDetails,
    Hello, HelloDetails, Interrupt, InterruptOptions, Invocation, InvocationDetails, Message,
    MessageType, Publish, PublishOptions, Published, Register, RegisterOptions, Registered,
    ResultDetails, RevocationDetails, Subscribe, SubscribeOptions, Subscribed, Unregister,
    Unregistered, Unsubscribe, Unsubscribed, Welcome, WelcomeDetails, Yield, YieldOptions,
};
use crate::id::{IdOutOfRange, RequestId};
use crate::payload::Payload;
use crate::serializer::{DecodeError, Reader, Seq, Token};

/// Reads one message, all of the reader's bytes, which must end with it.
pub(super) fn message<'a, R: Reader<'a>>(reader: &mut R) -> Result<Message<'a>, DecodeError> {
    let seq = reader.list()?;
    let mut fields = Fields { reader, seq };
    fields.expect("the message's type")?;
    let code = match fields.reader.short_unsigned() {
        Some(code) => code,
        None => fields.unusual_code()?,
    };
    let Some(message_type) = MessageType::from_code(code) else {
        return Err(fields
            .reader
            .error(format!("no message has the code {code}")));
    };
    let mut message = fields.message(message_type);
    if message.is_ok()
        && let Err(error) = fields.finish()
    {
        message = Err(error);
    }
    message.map_err(|error| in_message(message_type, error))
}

#[cold]
fn in_message(message_type: MessageType, error: DecodeError) -> DecodeError {
    let problem = format!("{}: {}", message_type.as_str(), error.problem).into();
    DecodeError {
        problem,
        offset: error.offset,
    }
}

/// The elements of a message's list, one after the other.
struct Fields<'r, R> {
    reader: &'r mut R,
    seq: Seq,
}

impl<'a, R: Reader<'a>> Fields<'_, R> {
    fn message(&mut self, message_type: MessageType) -> Result<Message<'a>, DecodeError> {
        Ok(match message_type {
            MessageType::Hello => Hello {
                realm: self.uri("realm")?,
                details: self.options("details", HelloDetails::read)?,
            }
            .into(),
            MessageType::Welcome => Welcome {
                session: self.id("session")?,
                details: self.options("details", WelcomeDetails::read)?,
            }
            .into(),
            MessageType::Abort => Message::Abort(self.abort()?),
            MessageType::Challenge => Challenge {
                authmethod: self.text("authmethod")?,
                extra: self.options("extra", ChallengeExtra::read)?,
            }
            .into(),
            MessageType::Authenticate => Authenticate {
                signature: self.text("signature")?,
                extra: self.options("extra", AuthenticateExtra::read)?,
            }
            .into(),
            MessageType::Goodbye => Message::Goodbye(Goodbye {
                details: self.options("details", GoodbyeDetails::read)?,
                reason: self.uri("reason")?,
            }),
            MessageType::Error => Message::Error(self.error_message()?),
            MessageType::Publish
            | MessageType::Published
            | MessageType::Subscribe
            | MessageType::Subscribed
            | MessageType::Unsubscribe
            | MessageType::Unsubscribed
            | MessageType::Event => return self.pubsub_message(message_type),
            _ => return self.rpc_message(message_type),
        })
    }

    fn pubsub_message(&mut self, message_type: MessageType) -> Result<Message<'a>, DecodeError> {
        Ok(match message_type {
            MessageType::Publish => Message::Publish(Publish {
                request: self.id("request")?,
                options: self.options("options", PublishOptions::read)?,
                topic: self.uri("topic")?,
                payload: self.payload()?,
            }),
            MessageType::Published => Message::Published(Published {
                request: self.id("request")?,
                publication: self.id("publication")?,
            }),
            MessageType::Subscribe => Message::Subscribe(Subscribe {
                request: self.id("request")?,
                options: self.options("options", SubscribeOptions::read)?,
                topic: self.uri("topic")?,
            }),
            MessageType::Subscribed => Message::Subscribed(Subscribed {
                request: self.id("request")?,
                subscription: self.id("subscription")?,
            }),
            MessageType::Unsubscribe => Message::Unsubscribe(Unsubscribe {
                request: self.id("request")?,
                subscription: self.id("subscription")?,
            }),
            MessageType::Unsubscribed => {
                let (request, details) = self.end_of_record()?;
                Message::Unsubscribed(Unsubscribed { request, details })
            }
            _ => Message::Event(Event {
                subscription: self.id("subscription")?,
                publication: self.id("publication")?,
                details: self.options("details", EventDetails::read)?,
                payload: self.payload()?,
            }),
        })
    }

    fn rpc_message(&mut self, message_type: MessageType) -> Result<Message<'a>, DecodeError> {
        let request = match message_type {
            MessageType::Unregistered => {
                let (request, details) = self.end_of_record()?;
                return Ok(Message::Unregistered(Unregistered { request, details }));
            }
            _ => self.id::<RequestId>("request")?,
        };
        Ok(match message_type {
            MessageType::Call => Message::Call(Call {
                request,
                options: self.options("options", CallOptions::read)?,
                procedure: self.uri("procedure")?,
                payload: self.payload()?,
            }),
            MessageType::Cancel => Message::Cancel(Cancel {
                request,
                options: self.options("options", CancelOptions::read)?,
            }),
            MessageType::Result => Message::Result(super::Result {
                request,
                details: self.options("details", ResultDetails::read)?,
                payload: self.payload()?,
            }),
            MessageType::Register => Message::Register(Register {
                request,
                options: self.options("options", RegisterOptions::read)?,
                procedure: self.uri("procedure")?,
            }),
            MessageType::Registered => Message::Registered(Registered {
                request,
                registration: self.id("registration")?,
            }),
            MessageType::Unregister => Message::Unregister(Unregister {
                request,
                registration: self.id("registration")?,
            }),
            MessageType::Invocation => Message::Invocation(Invocation {
                request,
                registration: self.id("registration")?,
                details: self.options("details", InvocationDetails::read)?,
                payload: self.payload()?,
            }),
            MessageType::Interrupt => Message::Interrupt(Interrupt {
                request,
                options: self.options("options", InterruptOptions::read)?,
            }),
            _ => Message::Yield(Yield {
                request,
                options: self.options("options", YieldOptions::read)?,
                payload: self.payload()?,
            }),
        })
    }

    fn abort(&mut self) -> Result<Abort<'a>, DecodeError> {
        let abort = Abort {
            details: self.options("details", AbortDetails::read)?,
            reason: self.uri("reason")?,
        };
        self.payload()?;
        Ok(abort)
    }

    fn error_message(&mut self) -> Result<Error<'a>, DecodeError> {
        Ok(Error {
            request_type: self.request_type()?,
            request: self.id("request")?,
            details: self.options("details", ErrorDetails::read)?,
            error: self.uri("error")?,
            payload: self.payload()?,
        })
    }

    fn request_type(&mut self) -> Result<MessageType, DecodeError> {
        let code = self.unsigned("request type")?;
        match MessageType::from_code(code) {
            Some(
                request_type @ (MessageType::Publish
                | MessageType::Subscribe
                | MessageType::Unsubscribe
                | MessageType::Call
                | MessageType::Cancel
                | MessageType::Register
                | MessageType::Unregister
                | MessageType::Invocation),
            ) => Ok(request_type),
            _ => Err(self.reader.error(format!("{code} is no type of request"))),
        }
    }

    fn end_of_record(
        &mut self,
    ) -> Result<(Option<RequestId>, Option<RevocationDetails>), DecodeError> {
        let request = match self.unsigned("request")? {
            0 => None,
            id => Some(self.checked_id(id)?),
        };
        let details = match self.reader.more(&mut self.seq)? {
            true => Some(RevocationDetails::read(self.reader)?),
            false => None,
        };
        Ok((request, details))
    }

    #[cold]
    fn unusual_code(&mut self) -> Result<u64, DecodeError> {
        match self.reader.token()? {
            Token::Unsigned(code) => Ok(code),
            other => Err(self
                .reader
                .error(format!("a message begins with {}", other.kind()))),
        }
    }

    /// Checks that nothing follows, neither in the message nor behind it.
    fn finish(&mut self) -> Result<(), DecodeError> {
        if self.reader.more(&mut self.seq)? {
            return Err(self.reader.error("too many elements"));
        }
        self.reader.finish()
    }

    /// Checks that another element follows.
    #[inline(always)]
    fn expect(&mut self, name: &str) -> Result<(), DecodeError> {
        match self.reader.more(&mut self.seq)? {
            true => Ok(()),
            false => Err(self.missing(name)),
        }
    }

    #[cold]
    fn missing(&self, name: &str) -> DecodeError {
        self.reader.error(format!("{name} is missing"))
    }

    #[inline(always)]
    fn unsigned(&mut self, name: &str) -> Result<u64, DecodeError> {
        self.expect(name)?;
        match self.reader.short_unsigned() {
            Some(number) => Ok(number),
            None => self.unusual_unsigned(name),
        }
    }

    #[cold]
    fn unusual_unsigned(&mut self, name: &str) -> Result<u64, DecodeError> {
        match self.reader.token()? {
            Token::Unsigned(number) => Ok(number),
            // MessagePack libraries of some dynamic languages write large ids as floats.
            Token::Float(number)
                if number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number) =>
            {
                Ok(number as u64)
            }
            Token::Signed(_) => Err(self.reader.error(format!("{name} is negative"))),
            other => Err(self
                .reader
                .error(format!("{name} is {}, not an integer", other.kind()))),
        }
    }

    #[inline(always)]
    fn id<T: TryFrom<u64, Error = IdOutOfRange>>(&mut self, name: &str) -> Result<T, DecodeError> {
        let number = self.unsigned(name)?;
        self.checked_id(number)
    }

    #[inline(always)]
    fn checked_id<T: TryFrom<u64, Error = IdOutOfRange>>(
        &self,
        number: u64,
    ) -> Result<T, DecodeError> {
        match T::try_from(number) {
            Ok(id) => Ok(id),
            Err(error) => Err(self.out_of_range(&error)),
        }
    }

    #[cold]
    fn out_of_range(&self, error: &IdOutOfRange) -> DecodeError {
        self.reader.error(error.to_string())
    }

    #[inline(always)]
    fn text(&mut self, name: &str) -> Result<Cow<'a, str>, DecodeError> {
        self.expect(name)?;
        match self.reader.short_text() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.unusual_text(name),
        }
    }

    #[cold]
    fn unusual_text(&mut self, name: &str) -> Result<Cow<'a, str>, DecodeError> {
        match self.reader.token()? {
            Token::Text(text) => Ok(text),
            other => Err(self
                .reader
                .error(format!("{name} is {}, not text", other.kind()))),
        }
    }

    /// A URI; its grammar is checked where the request can still be answered.
    #[inline(always)]
    fn uri(&mut self, name: &str) -> Result<Cow<'a, str>, DecodeError> {
        self.text(name)
    }

    #[inline(always)]
    fn options<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut R) -> Result<T, DecodeError>,
    ) -> Result<T, DecodeError> {
        self.expect(name)?;
        read(self.reader)
    }

    #[inline(always)]
    fn payload(&mut self) -> Result<Payload<'a>, DecodeError> {
        let args = self.payload_part(false)?;
        let kwargs = match args.is_empty() {
            true => args,
            false => self.payload_part(true)?,
        };
        Ok(Payload::from_encoded(R::SERIALIZER, args, kwargs))
    }

    /// The bytes of `args`, a list, or of `kwargs`, a map; or an empty slice.
    #[inline]
    fn payload_part(&mut self, map: bool) -> Result<&'a [u8], DecodeError> {
        if !self.reader.more(&mut self.seq)? {
            return Ok(&[]);
        }
        let encoded = self.reader.skip()?;
        if R::new(encoded).begin_short(map).is_none() {
            self.check_payload_part(encoded, map)?;
        }
        Ok(encoded)
    }

    /// Checks what does not begin as a short list or map does.
    #[cold]
    fn check_payload_part(&self, encoded: &'a [u8], map: bool) -> Result<(), DecodeError> {
        let mut part = R::new(encoded);
        let (name, begun) = match map {
            true => ("kwargs", part.map()),
            false => ("args", part.list()),
        };
        match begun {
            Ok(_) => Ok(()),
            Err(error) => Err(self.reader.error(format!("{name}: {}", error.problem))),
        }
    }
}
