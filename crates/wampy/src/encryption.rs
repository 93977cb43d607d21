//! End-to-end encryption: sealing what this client sends, and opening what it gets.
//!
//! The arithmetic is [`wampy_proto::end_to_end`]'s. Deliberately absent: how peers come to have the
//! same keys, and deciding by itself what to encrypt: who calls or publishes says so.

use wampy_proto::end_to_end::{Cipher, Keyring, NONCE_BYTES_MAX, OpenError, SCHEME};
use wampy_proto::message::Passthru;
use wampy_proto::{EncodeError, Payload, Serializer};

/// With which key something is to be sealed, and how.
#[derive(Debug, Clone)]
pub(crate) struct Seal {
    pub(crate) keyid: Box<str>,
    pub(crate) cipher: Cipher,
}

/// A payload with what is to be said of it.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    pub(crate) passthru: Passthru,
    pub(crate) payload: Payload<'static>,
}

impl Seal {
    /// Seals a payload for a session that speaks `serializer`.
    pub(crate) fn apply(
        &self,
        keys: &Keyring,
        serializer: Serializer,
        payload: &Payload<'_>,
    ) -> Result<Sealed, EncodeError> {
        let key = keys
            .key(&self.keyid)
            .map_err(|problem| EncodeError(problem.to_string().into()))?;
        let mut nonce = [0; NONCE_BYTES_MAX];
        rand::fill(&mut nonce);
        let (passthru, payload) = key.seal(self.cipher, nonce, serializer, payload)?;
        Ok(Sealed { passthru, payload })
    }

    /// The seal of a payload that has been opened, for the answer to it.
    fn of(keys: &Keyring, passthru: &Passthru) -> Result<Self, OpenError> {
        let cipher = passthru.cipher.as_deref().unwrap_or_default();
        Ok(Self {
            keyid: keys.key_for(passthru)?.id().into(),
            cipher: cipher.parse()?,
        })
    }
}

/// Whether a payload with these attributes is encrypted from end to end. One that has come and is
/// handed to the program was opened.
pub(crate) fn is_sealed(scheme: Option<&str>) -> bool {
    scheme == Some(SCHEME)
}

/// Opens a payload that has come, if it is a sealed one; returns how it was sealed.
pub(crate) fn open(
    keys: &Keyring,
    passthru: Option<Passthru>,
    payload: &mut Payload<'_>,
) -> Result<Option<Seal>, OpenError> {
    let Some(passthru) = passthru.filter(|passthru| is_sealed(Some(&passthru.scheme))) else {
        return Ok(None);
    };
    *payload = keys.open(&passthru, payload)?;
    Seal::of(keys, &passthru).map(Some)
}
