//! The router's own session in a realm, by which it calls procedures.
//!
//! A realm gets one when it is first needed. It may call everything, and no client sees, counts or
//! kills it. Deliberately absent: registering, subscribing and publishing.

use std::collections::HashMap;

use tokio::sync::oneshot;
use wampy_proto::{Message, Payload, RequestId, Roles, SessionId, Value};
use wampy_realm::{SessionDetails, SessionKey};

/// How the internal session is called where its identity shows, such as in a callee's details.
const NAME: &str = "wampy.router";

/// The router's session in a realm, and its calls that have not ended. Their number is limited by
/// [`Limits::pending_calls_per_session_max`](crate::Limits::pending_calls_per_session_max).
#[derive(Debug)]
pub(crate) struct InternalSession {
    key: SessionKey,
    next: RequestId,
    waiting: HashMap<RequestId, oneshot::Sender<Answer>>,
}

/// What a call came to.
pub(crate) type Answer = Result<Payload<'static>, CallFailed>;

/// A call has failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{uri}{}", .message.as_deref().map(|text| format!(": {text}")).unwrap_or_default())]
pub(crate) struct CallFailed {
    pub(crate) uri: Box<str>,
    /// The first argument of the ERROR, if that is text.
    pub(crate) message: Option<Box<str>>,
}

impl InternalSession {
    pub(crate) fn new(key: SessionKey) -> Self {
        Self {
            key,
            next: RequestId::FIRST,
            waiting: HashMap::new(),
        }
    }

    /// Who the internal session is. Its id is in no table, so it stands for nobody.
    pub(crate) fn details(id: SessionId) -> SessionDetails {
        SessionDetails {
            id,
            authid: NAME.into(),
            authrole: NAME.into(),
            authmethod: "internal".into(),
            authprovider: "internal".into(),
            trust_level: None,
            authextra: None,
            roles: Roles::default(),
            transport: None,
        }
    }

    pub(crate) fn key(&self) -> SessionKey {
        self.key
    }

    /// The next request, and where its answer will come.
    pub(crate) fn begin(&mut self) -> (RequestId, oneshot::Receiver<Answer>) {
        let request = self.next;
        self.next = request.next();
        let (sender, answer) = oneshot::channel();
        self.waiting.insert(request, sender);
        (request, answer)
    }

    /// Nobody waits for the answer to `request` any more.
    pub(crate) fn forget(&mut self, request: RequestId) {
        self.waiting.remove(&request);
    }

    /// Takes a message that the realm sends to this session.
    pub(crate) fn take(&mut self, message: &Message<'_>) {
        let (request, answer) = match message {
            Message::Result(result) => (result.request, Ok(result.payload.borrowed().into_owned())),
            Message::Error(error) => {
                let failed = CallFailed {
                    uri: (*error.error).into(),
                    message: first_text(&error.payload),
                };
                (error.request, Err(failed))
            }
            _ => return,
        };
        if let Some(waiting) = self.waiting.remove(&request) {
            // Nobody may be waiting any more.
            let _ = waiting.send(answer);
        }
    }
}

fn first_text(payload: &Payload<'_>) -> Option<Box<str>> {
    let args: Vec<Value> = payload.args().ok()?;
    args.first()?.as_str().map(Into::into)
}
