//! The router as a caller in a realm of its own: how an authenticator that is a procedure is asked.
//!
//! A realm gets one internal session when it is first needed. It may call everything, and no client
//! sees, counts or kills it. Each call has a time limit, which the realm's dealer keeps; a call whose
//! future is dropped is canceled. Deliberately absent: registering, subscribing and publishing.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wampy_proto::message::{Call, CallOptions, Cancel, CancelMode, CancelOptions};
use wampy_proto::{Message, Payload, RequestId, Roles, SessionId, error_uri};
use wampy_realm::{SessionDetails, SessionKey};

use crate::hosted_realm::HostedRealm;

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

/// A call under way. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct InternalCall {
    realm: Arc<HostedRealm>,
    request: RequestId,
    answer: Option<oneshot::Receiver<Answer>>,
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
    fn begin(&mut self) -> (RequestId, oneshot::Receiver<Answer>) {
        let request = self.next;
        self.next = request.next();
        let (sender, answer) = oneshot::channel();
        self.waiting.insert(request, sender);
        (request, answer)
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
    let args: Vec<wampy_proto::Value> = payload.args().ok()?;
    args.first()?.as_str().map(Into::into)
}

impl HostedRealm {
    /// Calls `procedure` as the router, for at most `timeout_ms` milliseconds.
    pub(crate) fn call(
        self: &Arc<Self>,
        procedure: &str,
        payload: Payload<'_>,
        timeout_ms: u64,
    ) -> InternalCall {
        let (request, answer) = self.with_realm(|realm, delivery, now| {
            let (key, (request, answer)) =
                delivery.internal(realm, |internal| (internal.key(), internal.begin()));
            let options = CallOptions {
                timeout_ms: timeout_ms.max(1),
                ..CallOptions::default()
            };
            let call = Call {
                request,
                options,
                procedure: procedure.into(),
                payload,
            };
            // A refusal comes as ERROR; nothing in this call breaks the protocol.
            let _ = realm.handle(now, key, &mut call.into(), delivery);
            (request, answer)
        });
        InternalCall {
            realm: Arc::clone(self),
            request,
            answer: Some(answer),
        }
    }

    fn cancel_internal(&self, request: RequestId) {
        self.with_realm(|realm, delivery, now| {
            let key = delivery.internal(realm, |internal| {
                internal.waiting.remove(&request);
                internal.key()
            });
            let options = CancelOptions {
                mode: Some(CancelMode::KillNoWait),
                ..CancelOptions::default()
            };
            let cancel = Cancel { request, options };
            let _ = realm.handle(now, key, &mut cancel.into(), delivery);
        });
    }
}

impl Future for InternalCall {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let Some(answer) = &mut self.answer else {
            return Poll::Pending;
        };
        let received = std::task::ready!(Pin::new(answer).poll(cx));
        self.answer = None;
        Poll::Ready(received.unwrap_or_else(|_| {
            // The realm is gone, and with it everybody who could answer.
            Err(CallFailed {
                uri: error_uri::CANCELED.into(),
                message: None,
            })
        }))
    }
}

impl Drop for InternalCall {
    fn drop(&mut self) {
        if self.answer.is_some() {
            self.realm.cancel_internal(self.request);
        }
    }
}
