//! WAMP ids: whole numbers from 1 to 2^53, one newtype for each thing that they name.
//!
//! Drawing ids is not done here: global ids need randomness, request ids belong to a session.

use std::fmt;
use std::num::NonZeroU64;

/// The largest id that WAMP allows, 2^53: the largest whole number that every JSON parser keeps.
pub const ID_MAX: u64 = 1 << 53;

/// A number that is no WAMP id: 0, or beyond 2^53.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not an id: ids are 1 to 2^53")]
pub struct IdOutOfRange(pub u64);

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// The first id of a sequence: 1.
            pub const FIRST: Self = Self(NonZeroU64::MIN);

            /// The id as a number, 1 to 2^53.
            pub const fn value(self) -> u64 {
                self.0.get()
            }

            /// The id after this one; 2^53 is followed by 1.
            pub const fn next(self) -> Self {
                match NonZeroU64::new(self.0.get() % ID_MAX + 1) {
                    Some(id) => Self(id),
                    None => Self::FIRST,
                }
            }

            /// An id from 64 random bits: uniform over the whole range of ids.
            pub const fn from_random_bits(bits: u64) -> Self {
                match NonZeroU64::new((bits & (ID_MAX - 1)) + 1) {
                    Some(id) => Self(id),
                    None => Self::FIRST,
                }
            }
        }

        impl TryFrom<u64> for $name {
            type Error = IdOutOfRange;

            fn try_from(id: u64) -> Result<Self, IdOutOfRange> {
                match NonZeroU64::new(id) {
                    Some(nonzero) if id <= ID_MAX => Ok(Self(nonzero)),
                    _ => Err(IdOutOfRange(id)),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A session, drawn at random by the router (global scope).
    SessionId;
    /// A request within one session and direction: 1, 2, 3, … (session scope).
    RequestId;
    /// A registration (router scope).
    RegistrationId;
    /// A subscription (router scope).
    SubscriptionId;
    /// A publication, drawn at random by the router (global scope).
    PublicationId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_end_at_2_to_the_53_and_wrap_to_1() {
        let last = RequestId::try_from(ID_MAX).unwrap();
        assert_eq!(last.next(), RequestId::FIRST);
        assert_eq!(RequestId::FIRST.next().value(), 2);
        assert_eq!(RequestId::try_from(0), Err(IdOutOfRange(0)));
        assert!(RequestId::try_from(ID_MAX + 1).is_err());
    }

    #[test]
    fn random_bits_cover_exactly_the_range() {
        assert_eq!(SessionId::from_random_bits(0).value(), 1);
        assert_eq!(SessionId::from_random_bits(u64::MAX).value(), ID_MAX);
    }
}
