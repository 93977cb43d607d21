//! The router as a caller in its own realms: how an authenticator that is a procedure is asked.
//!
//! Each call has a time limit, which the realm's dealer keeps. A call whose future is dropped is
//! canceled.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;
use wampy_proto::message::{Call, CallOptions, Cancel, CancelMode, CancelOptions};
use wampy_proto::{Payload, RequestId, error_uri};

use crate::hosted_realm::HostedRealm;
use crate::internal_session::{Answer, CallFailed};

/// A call under way. Dropping it cancels the call.
#[derive(Debug)]
pub(crate) struct InternalCall {
    realm: Arc<HostedRealm>,
    request: RequestId,
    answer: Option<oneshot::Receiver<Answer>>,
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
                internal.forget(request);
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
