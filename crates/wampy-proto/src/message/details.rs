//! The details that messages about a session, and messages from the router, carry.

use super::fields::options;
use super::words::CancelMode;
use crate::feature::Roles;
use crate::value::Value;

options! {
    /// Details of HELLO.
    HelloDetails {
        /// The client's roles and their features.
        roles = "roles": Roles,
        /// The client's software.
        agent = "agent": Option<Box<str>>,
        /// The authentication methods that the client can do, the preferred first.
        authmethods = "authmethods": Option<Box<[Box<str>]>>,
        /// Whom the client claims to be.
        authid = "authid": Option<Box<str>>,
        /// The role that the client asks for.
        authrole = "authrole": Option<Box<str>>,
        /// What the authentication method needs.
        authextra = "authextra": Option<Value>,
    }
    /// Details of WELCOME.
    WelcomeDetails {
        /// The router's roles and their features.
        roles = "roles": Roles,
        /// The router's software.
        agent = "agent": Option<Box<str>>,
        /// The realm joined.
        realm = "realm": Option<Box<str>>,
        /// Who the client is now.
        authid = "authid": Option<Box<str>>,
        /// The client's role in the realm.
        authrole = "authrole": Option<Box<str>>,
        /// How the client was authenticated.
        authmethod = "authmethod": Option<Box<str>>,
        /// Who authenticated the client.
        authprovider = "authprovider": Option<Box<str>>,
        /// What the authentication method adds.
        authextra = "authextra": Option<Value>,
    }
    /// Details of ABORT.
    AbortDetails {
        /// Why, in words.
        message = "message": Option<Box<str>>,
        /// Why, in a word of SCRAM's (wamp-scram).
        scram = "scram": Option<Box<str>>,
    }
    /// Details of GOODBYE.
    GoodbyeDetails {
        /// Why, in words.
        message = "message": Option<Box<str>>,
    }
    /// The `Extra` of CHALLENGE.
    ChallengeExtra {
        /// The challenge (wampcra, cryptosign).
        challenge = "challenge": Option<Box<str>>,
        /// Salt (wampcra, wamp-scram).
        salt = "salt": Option<Box<str>>,
        /// Key length in bytes (wampcra).
        keylen = "keylen": Option<u64>,
        /// Iterations (wampcra, wamp-scram).
        iterations = "iterations": Option<u64>,
        /// Nonce (wamp-scram).
        nonce = "nonce": Option<Box<str>>,
        /// Key derivation function (wamp-scram).
        kdf = "kdf": Option<Box<str>>,
        /// Memory in KiB (wamp-scram).
        memory = "memory": Option<u64>,
        /// Channel binding (cryptosign).
        channel_binding = "channel_binding": Option<Box<str>>,
        /// The router's public key (cryptosign).
        pubkey = "pubkey": Option<Box<str>>,
        /// The router's signature (cryptosign).
        signature = "signature": Option<Box<str>>,
    }
    /// Details of ERROR.
    ErrorDetails {
        + RareErrorDetails {
            /// Why, in words.
            message = "message": Option<Box<str>>,
            /// Scheme of a payload passed through.
            ppt_scheme = "ppt_scheme": Option<Box<str>>,
            /// Serializer of a payload passed through.
            ppt_serializer = "ppt_serializer": Option<Box<str>>,
            /// Cipher of a payload passed through.
            ppt_cipher = "ppt_cipher": Option<Box<str>>,
            /// Key of a payload passed through.
            ppt_keyid = "ppt_keyid": Option<Box<str>>,
        }
    }
    /// Details of EVENT.
    EventDetails {
        /// The topic published to, for a pattern subscription.
        topic = "topic": Option<Box<str>>,
        /// Whether the event was retained before the subscription.
        retained = "retained": bool,
        + RareEventDetails {
            /// The session that published, if disclosed.
            publisher = "publisher": Option<u64>,
            /// The authid that published, if disclosed.
            publisher_authid = "publisher_authid": Option<Box<str>>,
            /// The authrole that published, if disclosed.
            publisher_authrole = "publisher_authrole": Option<Box<str>>,
            /// How far the publisher is trusted.
            trustlevel = "trustlevel": Option<u64>,
            /// Scheme of a payload passed through.
            ppt_scheme = "ppt_scheme": Option<Box<str>>,
            /// Serializer of a payload passed through.
            ppt_serializer = "ppt_serializer": Option<Box<str>>,
            /// Cipher of a payload passed through.
            ppt_cipher = "ppt_cipher": Option<Box<str>>,
            /// Key of a payload passed through.
            ppt_keyid = "ppt_keyid": Option<Box<str>>,
        }
    }
    /// Details of INVOCATION.
    InvocationDetails {
        /// Whether the caller takes the result in parts.
        receive_progress = "receive_progress": bool,
        /// Whether more parts of this call follow.
        progress = "progress": bool,
        /// Time limit in milliseconds, if the callee minds it.
        timeout_ms = "timeout": u64,
        /// The procedure called, for a pattern registration.
        procedure = "procedure": Option<Box<str>>,
        + RareInvocationDetails {
            /// The session that calls, if disclosed.
            caller = "caller": Option<u64>,
            /// The authid that calls, if disclosed.
            caller_authid = "caller_authid": Option<Box<str>>,
            /// The authrole that calls, if disclosed.
            caller_authrole = "caller_authrole": Option<Box<str>>,
            /// How far the caller is trusted.
            trustlevel = "trustlevel": Option<u64>,
            /// Scheme of a payload passed through.
            ppt_scheme = "ppt_scheme": Option<Box<str>>,
            /// Serializer of a payload passed through.
            ppt_serializer = "ppt_serializer": Option<Box<str>>,
            /// Cipher of a payload passed through.
            ppt_cipher = "ppt_cipher": Option<Box<str>>,
            /// Key of a payload passed through.
            ppt_keyid = "ppt_keyid": Option<Box<str>>,
        }
    }
    /// Details of RESULT.
    ResultDetails {
        /// Whether more parts of the result follow.
        progress = "progress": bool,
        + RareResultDetails {
            /// Scheme of a payload passed through.
            ppt_scheme = "ppt_scheme": Option<Box<str>>,
            /// Serializer of a payload passed through.
            ppt_serializer = "ppt_serializer": Option<Box<str>>,
            /// Cipher of a payload passed through.
            ppt_cipher = "ppt_cipher": Option<Box<str>>,
            /// Key of a payload passed through.
            ppt_keyid = "ppt_keyid": Option<Box<str>>,
        }
    }
    /// Options of INTERRUPT.
    InterruptOptions {
        /// Why the invocation ends.
        mode = "mode": Option<CancelMode>,
        /// The error that the caller gets.
        reason = "reason": Option<Box<str>>,
    }
    /// Details of UNREGISTERED and UNSUBSCRIBED that a router sends unasked.
    RevocationDetails {
        /// The registration that the router ended.
        registration = "registration": Option<u64>,
        /// The subscription that the router ended.
        subscription = "subscription": Option<u64>,
        /// Why.
        reason = "reason": Option<Box<str>>,
    }
}
