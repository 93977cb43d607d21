//! The options that clients give: one typed struct for each kind of request.

use crate::serializer::{self, DecodeError, OptionValue, Reader, Serializer, Token, Writer};
use crate::uri::MatchPolicy;
use crate::value::Value;

/// The most private keys that the options of one message may have.
pub const PRIVATE_KEYS_MAX: usize = 64;
/// The longest text that is compared with the words of an option, in bytes; it is quoted in errors.
const WORD_BYTES_MAX: usize = 64;

/// The private keys (`_custom`) of options or details, in the order in which they came.
pub type Extra = Vec<(String, Value)>;

/// Declares structs of options: each row is a field, its key on the wire and its type. Rows behind
/// `+` make a struct of their own, to which the first one dereferences.
macro_rules! options {
    () => {};
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident = $key:literal: $type:ty,)*
        }
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// Private keys (`_custom`).
            pub extra: $crate::message::options::Extra,
        }

        impl $name {
            $crate::message::options::read!($($field = $key,)*);

            /// Writes the options, one map.
            pub fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                #[allow(unused_imports)]
                use $crate::serializer::OptionValue;
                let present = 0 $(+ usize::from(self.$field.is_present()))* + self.extra.len();
                writer.begin_map(present);
                $crate::message::options::write_present!(self, writer, $($field = $key,)*);
                $crate::message::options::write_extra(&self.extra, writer);
                writer.end_map();
            }
        }
        $crate::message::options::options!($($rest)*);
    };
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$field_doc:meta])* $field:ident = $key:literal: $type:ty,)*
            + $rare:ident {
                $($(#[$rare_doc:meta])* $rare_field:ident = $rare_key:literal: $rare_type:ty,)*
            }
        }
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        ///
        /// What few messages have is in a struct of its own, and read and written as if it were here.
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            /// What few messages have.
            pub rare: $crate::message::rare::Rare<$rare>,
        }

        #[doc = concat!("What few [`", stringify!($name), "`] have.")]
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $rare {
            $($(#[$rare_doc])* pub $rare_field: $rare_type,)*
            /// Private keys (`_custom`).
            pub extra: $crate::message::options::Extra,
        }

        impl $crate::message::rare::Absent for $rare {
            fn absent() -> &'static Self {
                static ABSENT: $rare = $rare {
                    $($rare_field: None,)*
                    extra: Vec::new(),
                };
                &ABSENT
            }
        }

        impl std::ops::Deref for $name {
            type Target = $rare;

            #[inline]
            fn deref(&self) -> &$rare {
                &self.rare
            }
        }

        impl std::ops::DerefMut for $name {
            fn deref_mut(&mut self) -> &mut $rare {
                &mut self.rare
            }
        }

        impl $name {
            $crate::message::options::read!($($field = $key,)* $($rare_field = $rare_key,)*);

            /// Writes the options, one map.
            #[inline]
            pub fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                #[allow(unused_imports)]
                use $crate::serializer::OptionValue;
                let present = 0 $(+ usize::from(self.$field.is_present()))*;
                let rare = self.rare.present();
                if present == 0 && rare.is_none() {
                    return writer.empty_map();
                }
                writer.begin_map(present + rare.map_or(0, $rare::present));
                if present > 0 {
                    $crate::message::options::write_present!(self, writer, $($field = $key,)*);
                }
                if let Some(rare) = rare {
                    rare.write(writer);
                }
                writer.end_map();
            }
        }

        impl $rare {
            /// How many keys have a value.
            fn present(&self) -> usize {
                use $crate::serializer::OptionValue;
                0 $(+ usize::from(self.$rare_field.is_present()))* + self.extra.len()
            }

            fn write<W: $crate::serializer::Writer>(&self, writer: &mut W) {
                use $crate::serializer::OptionValue;
                $crate::message::options::write_present!(self, writer, $($rare_field = $rare_key,)*);
                $crate::message::options::write_extra(&self.extra, writer);
            }
        }
        $crate::message::options::options!($($rest)*);
    };
}
pub(super) use options;

/// The function that reads options.
macro_rules! read {
    ($($field:ident = $key:literal,)*) => {
        /// The keys that are known, but for private ones.
        pub const KEYS: &'static [&'static str] = &[$($key,)*];

        /// Reads the options, one map. A key whose value is null counts as absent.
        ///
        /// # Errors
        /// The bytes are malformed, or a known key has a value of another type.
        #[inline]
        pub fn read<'a, R: $crate::serializer::Reader<'a>>(
            reader: &mut R,
        ) -> Result<Self, $crate::serializer::DecodeError> {
            let mut options = Self::default();
            let mut map = reader.map()?;
            while reader.more(&mut map)? {
                options.read_key(reader)?;
            }
            Ok(options)
        }

        fn read_key<'a, R: $crate::serializer::Reader<'a>>(
            &mut self,
            reader: &mut R,
        ) -> Result<(), $crate::serializer::DecodeError> {
            let key = reader.key()?;
            match &*key {
                // Clients in JavaScript send the keys that their caller left undefined.
                $($key => if !reader.skip_null() {
                    self.$field = $crate::serializer::OptionValue::read(reader)
                        .map_err(|error| $crate::message::options::at_key($key, error))?;
                })*
                _ => {
                    let kept = self.extra.len();
                    let other = $crate::message::options::read_other(&key, kept, reader)?;
                    if let Some(private) = other {
                        self.extra.push(private);
                    }
                }
            }
            Ok(())
        }
    };
}
pub(super) use read;

/// Writes each field that has a value.
macro_rules! write_present {
    ($self:ident, $writer:ident, $($field:ident = $key:literal,)*) => {
        $(if $self.$field.is_present() {
            $writer.key($key);
            $self.$field.write($writer);
        })*
    };
}
pub(super) use write_present;

/// Writes private keys.
pub(super) fn write_extra<W: Writer>(extra: &Extra, writer: &mut W) {
    for (key, value) in extra {
        writer.key(key);
        value.write_to(writer);
    }
}

/// Names the key whose value was wrong.
#[cold]
pub(super) fn at_key(key: &str, error: DecodeError) -> DecodeError {
    DecodeError {
        problem: format!("{key}: {}", error.problem).into(),
        offset: error.offset,
    }
}

/// Reads the value of a private key, of which `kept` are known already, or steps over that of an
/// unknown one.
pub(super) fn read_other<'a, R: Reader<'a>>(
    key: &str,
    kept: usize,
    reader: &mut R,
) -> Result<Option<(String, Value)>, DecodeError> {
    if !is_private(key) {
        reader.skip()?;
        return Ok(None);
    }
    if kept == PRIVATE_KEYS_MAX {
        return Err(reader.error("more than 64 private keys"));
    }
    let value = OptionValue::read(reader).map_err(|error| at_key("a private key", error))?;
    Ok(Some((key.to_owned(), value)))
}

/// Whether `key` is a private key: `_[a-z0-9_]{3,}`.
fn is_private(key: &str) -> bool {
    key.strip_prefix('_').is_some_and(|rest| {
        rest.len() >= 3
            && rest
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// Declares an enum whose variants are words on the wire.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Every variant.
            pub const ALL: [Self; [$($word),*].len()] = [$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(format!("expected one of {:?}, found {word:?}", [$($word),*])),
                }
            }
        }

        impl<'a> OptionValue<'a> for Option<$name> {
            fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
                read_word(reader).map(Some)
            }

            fn is_present(&self) -> bool {
                self.is_some()
            }

            fn write<W: Writer>(&self, writer: &mut W) {
                if let Some(value) = self {
                    writer.text(value.as_str());
                }
            }
        }
    )*};
}

fn read_word<'a, R: Reader<'a>, T: std::str::FromStr<Err = String>>(
    reader: &mut R,
) -> Result<T, DecodeError> {
    match reader.token()? {
        Token::Text(word) if word.len() > WORD_BYTES_MAX => {
            Err(reader.error("expected one of a few words, found long text"))
        }
        Token::Text(word) => word
            .parse()
            .map_err(|problem: String| reader.error(problem)),
        other => Err(reader.expected("text", &other)),
    }
}

words! {
    /// Which of several callees of one registration gets a call.
    InvocationPolicy {
        /// There is only one callee.
        Single = "single",
        /// Each in turn, in the order of registration.
        RoundRobin = "roundrobin",
        /// Any, by chance.
        Random = "random",
        /// The one that registered first.
        First = "first",
        /// The one that registered last.
        Last = "last",
    }
    /// What becomes of the callee's work when its call is canceled.
    CancelMode {
        /// The callee is not told; the caller gets its error at once.
        Skip = "skip",
        /// The callee is told, and the caller waits for its answer.
        Kill = "kill",
        /// The callee is told; the caller gets its error at once.
        KillNoWait = "killnowait",
    }
}

impl std::str::FromStr for MatchPolicy {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == word)
            .ok_or_else(|| format!("expected exact, prefix or wildcard, found {word:?}"))
    }
}

impl<'a> OptionValue<'a> for MatchPolicy {
    fn read<R: Reader<'a>>(reader: &mut R) -> Result<Self, DecodeError> {
        read_word(reader)
    }

    fn is_present(&self) -> bool {
        *self != Self::Exact
    }

    fn write<W: Writer>(&self, writer: &mut W) {
        writer.text(self.as_str());
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
