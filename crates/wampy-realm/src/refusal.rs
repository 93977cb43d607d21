//! Requests that the realm refuses: the error's URI, and why in words.

use std::borrow::Cow;

use wampy_proto::message::Error;
use wampy_proto::{
    MatchPolicy, Message, MessageType, Payload, RequestId, Serializer, error_uri, uri,
};

use crate::config::RealmConfig;
use crate::outbox::{Outbox, SendError};
use crate::pattern::WILDCARD_COMPONENTS_MAX;
use crate::session::SessionKey;

/// Why a request gets ERROR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    uri: &'static str,
    /// Why, in words: the only argument of the ERROR. Client libraries show arguments to their
    /// users and hide details, or even (wampy 1.x) fail on details that are not empty.
    message: Option<Cow<'static, str>>,
}

impl Refusal {
    pub(crate) const fn new(uri: &'static str) -> Self {
        Self { uri, message: None }
    }

    pub(crate) fn explained(uri: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            uri,
            message: Some(message.into()),
        }
    }

    /// The session has reached a limit.
    #[cold]
    pub(crate) fn limit(uri: &'static str, what: &str, max: usize) -> Self {
        Self::explained(
            uri,
            format!("this session has {max} {what}, the most that are allowed"),
        )
    }

    /// Answers a request with this refusal.
    #[cold]
    pub(crate) fn send(
        self,
        to: SessionKey,
        request_type: MessageType,
        request: RequestId,
        outbox: &mut impl Outbox,
    ) {
        let bare = Error::new(request_type, request, self.uri);
        if let Some(message) = self.message {
            let payload = Payload::encode(Serializer::MsgPack, &(message,), &());
            let payload = payload.unwrap_or(Payload::EMPTY);
            let explained = Error {
                payload,
                ..bare.clone()
            };
            if outbox.send(to, &Message::Error(explained)).is_ok() {
                return;
            }
        }
        // A receiver too small for an ERROR without payload can be told nothing at all.
        _ = outbox.send(to, &Message::Error(bare));
    }
}

/// The payload does not fit the receiver: the sender is told.
impl From<SendError> for Refusal {
    #[cold]
    fn from(error: SendError) -> Self {
        let uri = match &error {
            SendError::Unencodable(_) => error_uri::INVALID_ARGUMENT,
            SendError::TooLong => error_uri::PAYLOAD_SIZE_EXCEEDED,
        };
        Self::explained(uri, error.to_string())
    }
}

impl RealmConfig {
    /// Checks the URI of a call or publication.
    pub(crate) fn check_uri(&self, uri: &str) -> Result<(), Refusal> {
        self.check_pattern(uri, MatchPolicy::Exact)
    }

    /// Checks the URI of a registration or subscription.
    pub(crate) fn check_pattern(&self, uri: &str, policy: MatchPolicy) -> Result<(), Refusal> {
        if uri.len() > self.uri_bytes_max {
            let message = format!("the URI is longer than {} bytes", self.uri_bytes_max);
            return Err(Refusal::explained(error_uri::INVALID_URI, message));
        }
        if !self.uri_grammar.accepts_pattern(uri, policy) {
            let policy = policy.as_str();
            let message = format!("{uri:?} is no well-formed URI (match policy: {policy})");
            return Err(Refusal::explained(error_uri::INVALID_URI, message));
        }
        if policy == MatchPolicy::Wildcard && uri.split('.').count() > WILDCARD_COMPONENTS_MAX {
            let message = format!("the pattern has more than {WILDCARD_COMPONENTS_MAX} components");
            return Err(Refusal::explained(error_uri::INVALID_URI, message));
        }
        Ok(())
    }
}

/// Refuses the URIs that belong to the protocol, where applications may not go.
#[inline]
pub(crate) fn check_not_reserved(uri: &str) -> Result<(), Refusal> {
    match uri::is_reserved(uri) {
        true => Err(reserved(uri)),
        false => Ok(()),
    }
}

#[cold]
fn reserved(uri: &str) -> Refusal {
    let message = format!("{uri:?} begins with \"wamp\", which belongs to the protocol");
    Refusal::explained(error_uri::INVALID_URI, message)
}
