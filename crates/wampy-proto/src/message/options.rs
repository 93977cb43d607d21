//! The options that clients give: one typed struct for each kind of request.
//!
//! Deliberately absent: how they are read and written (`fields.rs`), and the words that some have as
//! values (`words.rs`).

use super::fields::options;
use super::words::{CancelMode, InvocationPolicy};
use crate::serializer::{self, DecodeError, Reader as _, Serializer};
use crate::uri::MatchPolicy;

options! {
    /// Options of PUBLISH.
    PublishOptions {
        /// Whether the publisher wants PUBLISHED or ERROR.
        acknowledge = "acknowledge": bool,
        /// Whether the publisher itself gets no event (default true).
        exclude_me = "exclude_me": Option<bool>,
        /// Whether subscribers learn who published.
        disclose_me = "disclose_me": bool,
        /// Whether the broker keeps the event for later subscribers.
        retain = "retain": bool,
        + RarePublishOptions {
            /// Sessions that get no event.
            exclude = "exclude": Option<Box<[u64]>>,
            /// Authids whose sessions get no event.
            exclude_authid = "exclude_authid": Option<Box<[Box<str>]>>,
            /// Authroles whose sessions get no event.
            exclude_authrole = "exclude_authrole": Option<Box<[Box<str>]>>,
            /// The only sessions that get the event.
            eligible = "eligible": Option<Box<[u64]>>,
            /// The only authids whose sessions get the event.
            eligible_authid = "eligible_authid": Option<Box<[Box<str>]>>,
            /// The only authroles whose sessions get the event.
            eligible_authrole = "eligible_authrole": Option<Box<[Box<str>]>>,
            /// The key that selects a partition of the subscribers.
            rkey = "rkey": Option<Box<str>>,
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
    /// Options of SUBSCRIBE.
    SubscribeOptions {
        /// How the topic is matched.
        match_policy = "match": MatchPolicy,
        /// Whether the subscriber wants the retained event.
        get_retained = "get_retained": bool,
        /// The key of the subscriber's partition.
        nkey = "nkey": Option<Box<str>>,
    }
    /// Options of CALL.
    CallOptions {
        /// Whether the caller takes the result in parts.
        receive_progress = "receive_progress": bool,
        /// Whether more parts of this call follow.
        progress = "progress": bool,
        /// Time limit in milliseconds; 0 for none.
        timeout_ms = "timeout": u64,
        /// Whether the callee learns who calls.
        disclose_me = "disclose_me": bool,
        + RareCallOptions {
            /// How a callee is chosen; `partition`.
            runmode = "runmode": Option<Box<str>>,
            /// The key that selects a partition of the callees.
            rkey = "rkey": Option<Box<str>>,
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
    /// Options of CANCEL.
    CancelOptions {
        /// What becomes of the callee's work.
        mode = "mode": Option<CancelMode>,
    }
    /// Options of REGISTER.
    RegisterOptions {
        /// How calls are matched with the procedure.
        match_policy = "match": MatchPolicy,
        /// Which of several callees gets a call (default `single`).
        invoke = "invoke": Option<InvocationPolicy>,
        /// Whether the callee wants to know its callers.
        disclose_caller = "disclose_caller": bool,
        /// Whether the callee minds the time limit itself.
        forward_timeout = "forward_timeout": bool,
        /// How many invocations the callee takes at once.
        concurrency = "concurrency": Option<u64>,
        /// Whether those who have registered the procedure lose it.
        force_reregister = "force_reregister": bool,
        /// The key of the callee's partition.
        nkey = "nkey": Option<Box<str>>,
    }
    /// Options of YIELD.
    YieldOptions {
        /// Whether more parts of the result follow.
        progress = "progress": bool,
        + RareYieldOptions {
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
    /// The `Extra` of AUTHENTICATE.
    AuthenticateExtra {
        /// Nonce (wamp-scram).
        nonce = "nonce": Option<Box<str>>,
        /// Channel binding (wamp-scram, cryptosign).
        channel_binding = "channel_binding": Option<Box<str>>,
        /// Channel binding data (wamp-scram).
        cbind_data = "cbind_data": Option<Box<str>>,
    }
}

impl PublishOptions {
    /// Decodes options that did not come in a PUBLISH, such as those of a testament: all of `bytes`.
    /// Null stands for no options.
    ///
    /// # Errors
    /// The bytes are malformed or no map, or a known key has a value of another type.
    pub fn decode(serializer: Serializer, bytes: &[u8]) -> Result<Self, DecodeError> {
        serializer::with_reader!(serializer, bytes, |reader| {
            let options = match reader.skip_null() {
                true => Self::default(),
                false => Self::read(&mut reader)?,
            };
            reader.finish()?;
            Ok(options)
        })
    }
}
