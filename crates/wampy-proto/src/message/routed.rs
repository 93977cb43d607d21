//! The messages of broker and dealer.

use std::borrow::Cow;

use super::MessageType;
use super::details::{
    ErrorDetails, EventDetails, InterruptOptions, InvocationDetails, ResultDetails,
    RevocationDetails,
};
use super::options::{
    CallOptions, CancelOptions, PublishOptions, RegisterOptions, SubscribeOptions, YieldOptions,
};
use crate::id::{PublicationId, RegistrationId, RequestId, SubscriptionId};
use crate::payload::Payload;

/// `[ERROR, REQUEST.Type|int, REQUEST.Request|id, Details|dict, Error|uri]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Error<'a> {
    /// The type of the request that failed.
    pub request_type: MessageType,
    /// The request that failed.
    pub request: RequestId,
    /// More about it.
    pub details: ErrorDetails,
    /// What went wrong.
    pub error: Cow<'a, str>,
    /// Values of the error.
    pub payload: Payload<'a>,
}

/// `[PUBLISH, Request|id, Options|dict, Topic|uri]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Publish<'a> {
    /// The request.
    pub request: RequestId,
    /// How to publish.
    pub options: PublishOptions,
    /// Where to publish.
    pub topic: Cow<'a, str>,
    /// What to publish.
    pub payload: Payload<'a>,
}

/// `[PUBLISHED, PUBLISH.Request|id, Publication|id]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The request answered.
    pub request: RequestId,
    /// The new publication.
    pub publication: PublicationId,
}

/// `[SUBSCRIBE, Request|id, Options|dict, Topic|uri]`
#[derive(Debug, Clone, PartialEq)]
pub struct Subscribe<'a> {
    /// The request.
    pub request: RequestId,
    /// How to subscribe.
    pub options: SubscribeOptions,
    /// The topic or pattern.
    pub topic: Cow<'a, str>,
}

/// `[SUBSCRIBED, SUBSCRIBE.Request|id, Subscription|id]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribed {
    /// The request answered.
    pub request: RequestId,
    /// The subscription.
    pub subscription: SubscriptionId,
}

/// `[UNSUBSCRIBE, Request|id, SUBSCRIBED.Subscription|id]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The request.
    pub request: RequestId,
    /// The subscription to end.
    pub subscription: SubscriptionId,
}

/// `[UNSUBSCRIBED, UNSUBSCRIBE.Request|id]`, or unasked `[UNSUBSCRIBED, 0, Details|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Unsubscribed {
    /// The request answered, or `None` if the router ended the subscription.
    pub request: Option<RequestId>,
    /// Which subscription the router ended.
    pub details: Option<RevocationDetails>,
}

/// `[EVENT, SUBSCRIBED.Subscription|id, PUBLISHED.Publication|id, Details|dict]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Event<'a> {
    /// The subscription by which the event comes.
    pub subscription: SubscriptionId,
    /// The publication.
    pub publication: PublicationId,
    /// More about it.
    pub details: EventDetails,
    /// What was published.
    pub payload: Payload<'a>,
}

/// `[CALL, Request|id, Options|dict, Procedure|uri]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Call<'a> {
    /// The request.
    pub request: RequestId,
    /// How to call.
    pub options: CallOptions,
    /// The procedure.
    pub procedure: Cow<'a, str>,
    /// Its arguments.
    pub payload: Payload<'a>,
}

/// `[CANCEL, CALL.Request|id, Options|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Cancel {
    /// The call to give up.
    pub request: RequestId,
    /// How.
    pub options: CancelOptions,
}

/// `[RESULT, CALL.Request|id, Details|dict]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Result<'a> {
    /// The call answered.
    pub request: RequestId,
    /// More about it.
    pub details: ResultDetails,
    /// The result.
    pub payload: Payload<'a>,
}

/// `[REGISTER, Request|id, Options|dict, Procedure|uri]`
#[derive(Debug, Clone, PartialEq)]
pub struct Register<'a> {
    /// The request.
    pub request: RequestId,
    /// How to register.
    pub options: RegisterOptions,
    /// The procedure or pattern.
    pub procedure: Cow<'a, str>,
}

/// `[REGISTERED, REGISTER.Request|id, Registration|id]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registered {
    /// The request answered.
    pub request: RequestId,
    /// The registration.
    pub registration: RegistrationId,
}

/// `[UNREGISTER, Request|id, REGISTERED.Registration|id]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unregister {
    /// The request.
    pub request: RequestId,
    /// The registration to end.
    pub registration: RegistrationId,
}

/// `[UNREGISTERED, UNREGISTER.Request|id]`, or unasked `[UNREGISTERED, 0, Details|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Unregistered {
    /// The request answered, or `None` if the router ended the registration.
    pub request: Option<RequestId>,
    /// Which registration the router ended.
    pub details: Option<RevocationDetails>,
}

/// `[INVOCATION, Request|id, REGISTERED.Registration|id, Details|dict]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Invocation<'a> {
    /// The request.
    pub request: RequestId,
    /// The registration by which the call comes.
    pub registration: RegistrationId,
    /// More about it.
    pub details: InvocationDetails,
    /// The arguments.
    pub payload: Payload<'a>,
}

/// `[INTERRUPT, INVOCATION.Request|id, Options|dict]`
#[derive(Debug, Clone, PartialEq)]
pub struct Interrupt {
    /// The invocation to end.
    pub request: RequestId,
    /// How and why.
    pub options: InterruptOptions,
}

/// `[YIELD, INVOCATION.Request|id, Options|dict]` and a payload
#[derive(Debug, Clone, PartialEq)]
pub struct Yield<'a> {
    /// The invocation answered.
    pub request: RequestId,
    /// How.
    pub options: YieldOptions,
    /// The result.
    pub payload: Payload<'a>,
}

impl<'a> Error<'a> {
    /// An ERROR about `request`, without details and payload.
    pub fn new(
        request_type: MessageType,
        request: RequestId,
        error: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self {
            request_type,
            request,
            details: ErrorDetails::default(),
            error: error.into(),
            payload: Payload::EMPTY,
        }
    }
}
