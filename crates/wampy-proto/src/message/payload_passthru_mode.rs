//! Payload Passthru Mode: the `ppt_*` attributes, which say of a message's payload how it is to be
//! read.
//!
//! Routers pass them on as they are. Deliberately absent: what a scheme, a serializer or a cipher
//! means, and whether they go together; that is between the peers.

use super::{
    CallOptions, ErrorDetails, EventDetails, InvocationDetails, PublishOptions, ResultDetails,
    YieldOptions,
};

/// The attributes of a payload that is passed through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passthru {
    /// What the payload is, such as `wamp` (end-to-end encryption) or `mqtt`; not empty.
    pub scheme: Box<str>,
    /// How the payload was serialized.
    pub serializer: Option<Box<str>>,
    /// How the payload was encrypted.
    pub cipher: Option<Box<str>>,
    /// With which key.
    pub keyid: Option<Box<str>>,
}

macro_rules! passthru {
    ($($options:ident)*) => {$(
        impl $options {
            /// Whether the payload is passed through: whether there is a `ppt_scheme`, not empty.
            #[inline]
            pub fn is_passed_through(&self) -> bool {
                self.rare.present().is_some_and(|rare| {
                    rare.ppt_scheme.as_ref().is_some_and(|scheme| !scheme.is_empty())
                })
            }

            /// The attributes of the payload, if it is passed through. Few are: ask
            /// [`is_passed_through`](Self::is_passed_through) first where every message comes by.
            #[cold]
            pub fn passthru(&self) -> Option<Passthru> {
                let rare = self.rare.present()?;
                let scheme = rare.ppt_scheme.clone().filter(|scheme| !scheme.is_empty())?;
                Some(Passthru {
                    scheme,
                    serializer: rare.ppt_serializer.clone(),
                    cipher: rare.ppt_cipher.clone(),
                    keyid: rare.ppt_keyid.clone(),
                })
            }

            /// Says that the payload is passed through.
            pub fn set_passthru(&mut self, passthru: Passthru) {
                let rare = &mut *self.rare;
                rare.ppt_scheme = Some(passthru.scheme);
                rare.ppt_serializer = passthru.serializer;
                rare.ppt_cipher = passthru.cipher;
                rare.ppt_keyid = passthru.keyid;
            }
        }
    )*};
}

passthru! {
    CallOptions InvocationDetails YieldOptions ResultDetails ErrorDetails PublishOptions EventDetails
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_scheme_nothing_is_passed_through() {
        let mut options = CallOptions::default();
        assert_eq!(options.passthru(), None);
        options.rare.ppt_serializer = Some("cbor".into());
        assert_eq!(options.passthru(), None);
        options.rare.ppt_scheme = Some("".into());
        assert_eq!(options.passthru(), None);
        assert!(!options.is_passed_through());
        options.rare.ppt_scheme = Some("wamp".into());
        assert!(options.is_passed_through());
        let passthru = options.passthru().unwrap();
        assert_eq!(&*passthru.scheme, "wamp");
        let mut details = InvocationDetails::default();
        details.set_passthru(passthru.clone());
        assert_eq!(details.passthru(), Some(passthru));
        assert_eq!(details.ppt_serializer.as_deref(), Some("cbor"));
    }
}
