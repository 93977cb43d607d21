//! Options whose values are a few words.

use crate::serializer::{DecodeError, OptionValue, Reader, Token, Writer};
use crate::uri::MatchPolicy;

/// The longest text that is compared with the words of an option, in bytes; it is quoted in errors.
const WORD_BYTES_MAX: usize = 64;

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
