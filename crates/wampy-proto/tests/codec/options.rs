//! Options and details with any of their keys.

use proptest::option;
use proptest::prelude::*;
use wampy_proto::message::*;
use wampy_proto::{Feature, FeatureSet, MatchPolicy, Role, Roles, Value};

use super::values::{text, unsigned, value};

/// A strategy for a struct of options: a default one whose fields are then filled in.
macro_rules! filled {
    ($type:ident { $($field:ident: $strategy:expr),* $(,)? }) => {{
        let options = Just($type::default()).boxed();
        $(let options = (options, $strategy)
            .prop_map(|(mut options, value)| {
                options.$field = value;
                options
            })
            .boxed();)*
        let with_extra = |(mut options, extra): ($type, Vec<(String, Value)>)| {
            options.extra = extra;
            options
        };
        (options, extra()).prop_map(with_extra).boxed()
    }};
}

fn word() -> impl Strategy<Value = Option<Box<str>>> {
    option::of(text().prop_map(Into::into))
}

fn number() -> impl Strategy<Value = Option<u64>> {
    option::of(unsigned())
}

fn numbers() -> impl Strategy<Value = Option<Box<[u64]>>> {
    option::of(prop::collection::vec(unsigned(), 0..20).prop_map(Into::into))
}

fn words() -> impl Strategy<Value = Option<Box<[Box<str>]>>> {
    option::of(prop::collection::vec(text().prop_map(Into::into), 0..4).prop_map(Into::into))
}

fn extra() -> impl Strategy<Value = Vec<(String, Value)>> {
    prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(("_[a-z0-9_]{3,20}", value()), 1..3),
    ]
}

/// A value that is not null, which as an option counts as absent.
fn some_value() -> impl Strategy<Value = Option<Value>> {
    option::of(value().prop_filter("counts as absent", |value| *value != Value::Null))
}

fn match_policy() -> impl Strategy<Value = MatchPolicy> {
    prop::sample::select(MatchPolicy::ALL.to_vec())
}

fn cancel_mode() -> impl Strategy<Value = Option<CancelMode>> {
    option::of(prop::sample::select(CancelMode::ALL.to_vec()))
}

pub fn roles() -> impl Strategy<Value = Roles> {
    let features = prop::sample::subsequence(Feature::ALL.to_vec(), 0..=Feature::ALL.len());
    let role = (prop::sample::select(Role::ALL.to_vec()), features);
    prop::collection::vec(role, 0..4).prop_map(|list| {
        let mut roles = Roles::default();
        for (role, features) in list {
            let mut set = FeatureSet::EMPTY;
            features.into_iter().for_each(|feature| set.insert(feature));
            roles.set(role, set);
        }
        roles
    })
}

pub fn hello() -> BoxedStrategy<HelloDetails> {
    filled!(HelloDetails {
        roles: roles(),
        agent: word(),
        authmethods: words(),
        authid: word(),
        authrole: word(),
        authextra: some_value(),
    })
}

pub fn welcome() -> BoxedStrategy<WelcomeDetails> {
    filled!(WelcomeDetails {
        roles: roles(),
        agent: word(),
        realm: word(),
        authid: word(),
        authrole: word(),
        authmethod: word(),
        authprovider: word(),
        authextra: some_value(),
    })
}

pub fn abort() -> BoxedStrategy<AbortDetails> {
    filled!(AbortDetails { message: word() })
}

pub fn goodbye() -> BoxedStrategy<GoodbyeDetails> {
    filled!(GoodbyeDetails { message: word() })
}

pub fn challenge() -> BoxedStrategy<ChallengeExtra> {
    filled!(ChallengeExtra {
        challenge: word(),
        salt: word(),
        keylen: number(),
        iterations: number(),
        nonce: word(),
        kdf: word(),
        memory: number(),
        channel_binding: word(),
        pubkey: word(),
        signature: word(),
    })
}

pub fn authenticate() -> BoxedStrategy<AuthenticateExtra> {
    filled!(AuthenticateExtra {
        nonce: word(),
        channel_binding: word(),
        cbind_data: word(),
    })
}

pub fn error() -> BoxedStrategy<ErrorDetails> {
    filled!(ErrorDetails {
        message: word(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn publish() -> BoxedStrategy<PublishOptions> {
    filled!(PublishOptions {
        acknowledge: any::<bool>(),
        exclude_me: any::<Option<bool>>(),
        disclose_me: any::<bool>(),
        exclude: numbers(),
        exclude_authid: words(),
        exclude_authrole: words(),
        eligible: numbers(),
        eligible_authid: words(),
        eligible_authrole: words(),
        retain: any::<bool>(),
        rkey: word(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn subscribe() -> BoxedStrategy<SubscribeOptions> {
    filled!(SubscribeOptions {
        match_policy: match_policy(),
        get_retained: any::<bool>(),
        nkey: word(),
    })
}

pub fn event() -> BoxedStrategy<EventDetails> {
    filled!(EventDetails {
        publisher: number(),
        publisher_authid: word(),
        publisher_authrole: word(),
        topic: word(),
        trustlevel: number(),
        retained: any::<bool>(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn call() -> BoxedStrategy<CallOptions> {
    filled!(CallOptions {
        receive_progress: any::<bool>(),
        progress: any::<bool>(),
        timeout_ms: unsigned(),
        disclose_me: any::<bool>(),
        runmode: word(),
        rkey: word(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn cancel() -> BoxedStrategy<CancelOptions> {
    filled!(CancelOptions {
        mode: cancel_mode(),
    })
}

pub fn result() -> BoxedStrategy<ResultDetails> {
    filled!(ResultDetails {
        progress: any::<bool>(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn register() -> BoxedStrategy<RegisterOptions> {
    filled!(RegisterOptions {
        match_policy: match_policy(),
        invoke: option::of(prop::sample::select(InvocationPolicy::ALL.to_vec())),
        disclose_caller: any::<bool>(),
        forward_timeout: any::<bool>(),
        concurrency: number(),
        force_reregister: any::<bool>(),
        nkey: word(),
    })
}

pub fn invocation() -> BoxedStrategy<InvocationDetails> {
    filled!(InvocationDetails {
        receive_progress: any::<bool>(),
        progress: any::<bool>(),
        timeout_ms: unsigned(),
        caller: number(),
        caller_authid: word(),
        caller_authrole: word(),
        procedure: word(),
        trustlevel: number(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn interrupt() -> BoxedStrategy<InterruptOptions> {
    filled!(InterruptOptions {
        mode: cancel_mode(),
        reason: word(),
    })
}

pub fn yield_options() -> BoxedStrategy<YieldOptions> {
    filled!(YieldOptions {
        progress: any::<bool>(),
        ppt_scheme: word(),
        ppt_serializer: word(),
        ppt_cipher: word(),
        ppt_keyid: word(),
    })
}

pub fn revocation() -> BoxedStrategy<RevocationDetails> {
    filled!(RevocationDetails {
        registration: number(),
        subscription: number(),
        reason: word(),
    })
}
