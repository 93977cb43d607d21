//! Definitions of what this client has registered and subscribed to, at the router.
//!
//! They are for people. That one is refused is logged, and changes nothing else.

use tokio::sync::oneshot;
use wampy_proto::message::{self, CallOptions};
use wampy_proto::{Feature, Payload, RequestId, Role};

use super::Shared;
use super::state::{CallSink, Pending, Phase, State};
use crate::description::{DEFINE, Description, Interface};
use crate::error::Error;

impl Shared {
    /// Makes a definition, or takes it back; waits for the answer.
    pub(crate) async fn define(&self, it: Interface<'_>, description: Option<&Description>) {
        if !self.router_has(Role::Dealer, Feature::Reflection) {
            return tracing::warn!(uri = it.uri, "the router takes no descriptions");
        }
        if let Err(error) = self.ask_to_define(it, description).await {
            tracing::warn!(%error, uri = it.uri, "the router refuses the description");
        }
    }

    async fn ask_to_define(
        &self,
        it: Interface<'_>,
        description: Option<&Description>,
    ) -> Result<(), Error> {
        let call = call(it.arguments(self.serializer(), description)?);
        let (done, answer) = oneshot::channel();
        let sink = CallSink::Once(done);
        let sealed = false;
        self.request(call.into(), Some(Pending::Call { sink, sealed }))
            .await?;
        let answer = answer.await.unwrap_or_else(|_| Err(self.over()));
        answer.map(drop)
    }
}

impl State {
    /// Takes a definition back, without waiting for the answer.
    pub(super) fn undefine(&mut self, it: Interface<'_>) {
        let roles = &self.welcome.details.roles;
        let Phase::Online(online) = &mut self.phase else {
            return;
        };
        if self.closing || !roles.supports(Role::Dealer, Feature::Reflection) {
            return;
        }
        let Ok(arguments) = it.arguments(online.serializer, None) else {
            return;
        };
        let (done, _) = oneshot::channel();
        let sink = CallSink::Once(done);
        let sealed = false;
        // What is too long for the router was not defined either.
        _ = online.encode_request(
            &mut call(arguments).into(),
            Some(Pending::Call { sink, sealed }),
        );
    }
}

fn call(payload: Payload<'static>) -> message::Call<'static> {
    message::Call {
        request: RequestId::FIRST,
        options: CallOptions::default(),
        procedure: DEFINE.into(),
        payload,
    }
}
