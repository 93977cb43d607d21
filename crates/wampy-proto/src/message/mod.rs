//! The 24 messages of WAMP v2, each with typed options or details.
//!
//! A decoded [`Message`] borrows from the bytes it came in: URIs and payload are slices of the
//! frame, so that routing a message copies nothing but its outgoing bytes. Keys that the protocol
//! does not know are ignored; private keys (`_custom`) are kept in `extra`.
//!
//! To add an option: one row in `options.rs` or `details.rs`, behind the `+` if few messages have it.

mod decode;
mod details;
mod encode;
mod fields;
mod options;
mod payload_passthru_mode;
mod rare;
mod routed;
mod session;
mod usual;
mod words;

pub use details::{
    AbortDetails, ChallengeExtra, ErrorDetails, EventDetails, GoodbyeDetails, HelloDetails,
    InterruptOptions, InvocationDetails, RareErrorDetails, RareEventDetails, RareInvocationDetails,
    RareResultDetails, ResultDetails, RevocationDetails, WelcomeDetails,
};
pub use fields::PRIVATE_KEYS_MAX;
pub use options::{
    AuthenticateExtra, CallOptions, CancelOptions, PublishOptions, RareCallOptions,
    RarePublishOptions, RareYieldOptions, RegisterOptions, SubscribeOptions, YieldOptions,
};
pub use payload_passthru_mode::Passthru;
pub use rare::{Absent, Rare};
pub use routed::{
    Call, Cancel, Error, Event, Interrupt, Invocation, Publish, Published, Register, Registered,
    Result, Subscribe, Subscribed, Unregister, Unregistered, Unsubscribe, Unsubscribed, Yield,
};
pub use session::{Abort, Authenticate, Challenge, Goodbye, Hello, Welcome};
pub use words::{CancelMode, InvocationPolicy};

use crate::payload::{Gap, GapFinder, Payload};
use crate::serializer::{self, DecodeError, EncodeError, Serializer};

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident($content:ty) = $code:literal, $wire:literal;)*) => {
        /// A message's type: the first element of its list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum MessageType {
            $($(#[$doc])* $name = $code,)*
        }

        impl MessageType {
            /// Every message type.
            pub const ALL: [Self; 24] = [$(Self::$name),*];

            /// The type with the number `code` on the wire.
            pub const fn from_code(code: u64) -> Option<Self> {
                match code {
                    $($code => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// The type's name in the specification, such as `CALL`.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $wire,)*
                }
            }
        }

        /// A WAMP message.
        ///
        /// ```
        /// use wampy_proto::message::{Call, CallOptions};
        /// use wampy_proto::{Message, Payload, RequestId, Serializer};
        ///
        /// let call = Message::from(Call {
        ///     request: RequestId::FIRST,
        ///     options: CallOptions { timeout_ms: 500, ..CallOptions::default() },
        ///     procedure: "com.example.add".into(),
        ///     payload: Payload::encode(Serializer::Json, &(2, 3), &())?,
        /// });
        /// let mut frame = Vec::new();
        /// call.encode(Serializer::Json, &mut frame)?;
        /// assert_eq!(frame, br#"[48,1,{"timeout":500},"com.example.add",[2,3]]"#);
        ///
        /// let Message::Call(decoded) = Message::decode(Serializer::Json, &frame)? else {
        ///     return Err("another message".into());
        /// };
        /// assert_eq!(decoded.procedure, "com.example.add");
        /// assert_eq!(decoded.payload.args::<(u32, u32)>()?, (2, 3));
        /// # Ok::<(), Box<dyn std::error::Error>>(())
        /// ```
        #[derive(Debug, Clone, PartialEq)]
        pub enum Message<'a> {
            $($(#[$doc])* $name($content),)*
        }

        impl<'a> Message<'a> {
            /// The message's type.
            pub const fn message_type(&self) -> MessageType {
                match self {
                    $(Self::$name(_) => MessageType::$name,)*
                }
            }
        }

        $(impl<'a> From<$content> for Message<'a> {
            fn from(message: $content) -> Self {
                Self::$name(message)
            }
        })*
    };
}

messages! {
    /// A client asks to join a realm.
    Hello(Box<Hello<'a>>) = 1, "HELLO";
    /// The router takes the client in.
    Welcome(Box<Welcome>) = 2, "WELCOME";
    /// A session ends at once.
    Abort(Abort<'a>) = 3, "ABORT";
    /// The router asks for a proof of identity.
    Challenge(Box<Challenge<'a>>) = 4, "CHALLENGE";
    /// The client proves its identity.
    Authenticate(Box<Authenticate<'a>>) = 5, "AUTHENTICATE";
    /// A session ends in order.
    Goodbye(Goodbye<'a>) = 6, "GOODBYE";
    /// A request failed.
    Error(Error<'a>) = 8, "ERROR";
    /// A client publishes an event.
    Publish(Publish<'a>) = 16, "PUBLISH";
    /// The broker has taken a publication.
    Published(Published) = 17, "PUBLISHED";
    /// A client wants the events of a topic.
    Subscribe(Subscribe<'a>) = 32, "SUBSCRIBE";
    /// The subscription stands.
    Subscribed(Subscribed) = 33, "SUBSCRIBED";
    /// A client wants no more events.
    Unsubscribe(Unsubscribe) = 34, "UNSUBSCRIBE";
    /// The subscription has ended.
    Unsubscribed(Unsubscribed) = 35, "UNSUBSCRIBED";
    /// An event for a subscriber.
    Event(Event<'a>) = 36, "EVENT";
    /// A client calls a procedure.
    Call(Call<'a>) = 48, "CALL";
    /// A client gives up a call.
    Cancel(Cancel) = 49, "CANCEL";
    /// The result of a call, or a part of it.
    Result(Result<'a>) = 50, "RESULT";
    /// A client offers a procedure.
    Register(Register<'a>) = 64, "REGISTER";
    /// The registration stands.
    Registered(Registered) = 65, "REGISTERED";
    /// A client takes back a procedure.
    Unregister(Unregister) = 66, "UNREGISTER";
    /// The registration has ended.
    Unregistered(Unregistered) = 67, "UNREGISTERED";
    /// A call for a callee.
    Invocation(Invocation<'a>) = 68, "INVOCATION";
    /// The call behind an invocation was given up.
    Interrupt(Interrupt) = 69, "INTERRUPT";
    /// The result of an invocation, or a part of it.
    Yield(Yield<'a>) = 70, "YIELD";
}

/// Messages that are large and rare are boxed, so that the others stay small.
macro_rules! boxed {
    ($($name:ident($content:ty)),*) => {$(
        impl<'a> From<$content> for Message<'a> {
            fn from(message: $content) -> Self {
                Self::$name(Box::new(message))
            }
        }
    )*};
}
boxed!(
    Hello(Hello<'a>),
    Welcome(Welcome),
    Challenge(Challenge<'a>),
    Authenticate(Authenticate<'a>)
);

impl MessageType {
    /// The number on the wire.
    pub const fn code(self) -> u64 {
        self as u64
    }
}

impl<'a> Message<'a> {
    /// Decodes one message, all of `bytes`.
    ///
    /// # Errors
    /// The bytes are malformed, or no WAMP message: another code, another number of elements, an
    /// element or a known option of another type. A router answers with ABORT
    /// `wamp.error.protocol_violation`.
    pub fn decode(
        serializer: Serializer,
        bytes: &'a [u8],
    ) -> std::result::Result<Self, DecodeError> {
        serializer::with_reader!(serializer, bytes, |reader| {
            match usual::message(&mut reader.clone()) {
                Some(message) => Ok(message),
                None => decode::message(&mut reader),
            }
        })
    }

    /// Appends the message's bytes to `out`; on an error `out` is as it was.
    ///
    /// # Errors
    /// The payload came in another serializer and has no form in this one.
    pub fn encode(
        &self,
        serializer: Serializer,
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), EncodeError> {
        let mut nothing = GapFinder {
            bytes_min: usize::MAX,
            found: None,
        };
        self.encode_with(serializer, out, &mut nothing)
    }

    /// Appends the message's bytes to `out`, but for the first part of the payload (`args` or
    /// `kwargs`) that has at least `bytes_min` bytes and needs no other form: so that a large payload
    /// need not be copied. On an error `out` is as it was.
    ///
    /// # Errors
    /// The payload came in another serializer and has no form in this one.
    pub fn encode_around<'m>(
        &'m self,
        serializer: Serializer,
        out: &mut Vec<u8>,
        bytes_min: usize,
    ) -> std::result::Result<Option<Gap<'m>>, EncodeError> {
        let mut gap = GapFinder {
            bytes_min,
            found: None,
        };
        self.encode_with(serializer, out, &mut gap)?;
        Ok(gap.found)
    }

    #[inline]
    fn encode_with<'m>(
        &'m self,
        serializer: Serializer,
        out: &mut Vec<u8>,
        gap: &mut GapFinder<'m>,
    ) -> std::result::Result<(), EncodeError> {
        let start = out.len();
        let result = serializer::with_writer!(serializer, &mut *out, |writer| encode::message(
            self,
            &mut writer,
            gap
        ));
        if result.is_err() {
            out.truncate(start);
        }
        result
    }

    /// The message's payload, if its type has one.
    pub const fn payload(&self) -> Option<&Payload<'a>> {
        match self {
            Self::Publish(m) => Some(&m.payload),
            Self::Event(m) => Some(&m.payload),
            Self::Call(m) => Some(&m.payload),
            Self::Result(m) => Some(&m.payload),
            Self::Invocation(m) => Some(&m.payload),
            Self::Yield(m) => Some(&m.payload),
            Self::Error(m) => Some(&m.payload),
            _ => None,
        }
    }
}
