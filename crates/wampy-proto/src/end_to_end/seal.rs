//! Sealing a payload, and opening it again.

use std::borrow::Cow;
use std::str::FromStr;

use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, KeyInit, generic_array::GenericArray};
use crypto_secretbox::XSalsa20Poly1305;

use super::DataKey;
use crate::message::Passthru;
use crate::payload::Payload;
use crate::serializer::cbor::{CborReader, CborWriter};
use crate::serializer::{
    self, DecodeError, EncodeError, Reader, Serializer, Token, Writer, with_reader, with_writer,
};

/// The `ppt_scheme` of end-to-end encryption.
pub const SCHEME: &str = "wamp";

/// The only `ppt_serializer` of a sealed payload that is spoken here.
const SERIALIZER: &str = "cbor";

/// The most bytes that a cipher needs for a nonce.
pub const NONCE_BYTES_MAX: usize = 24;

/// How a payload is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cipher {
    /// NaCl's secret box. Its nonces are long enough to be drawn at random without end.
    #[default]
    XSalsa20Poly1305,
    /// AES in Galois counter mode. Its nonces are short: draw a new key after four thousand million
    /// messages at the latest.
    Aes256Gcm,
}

impl Cipher {
    /// Every cipher.
    pub const ALL: [Self; 2] = [Self::XSalsa20Poly1305, Self::Aes256Gcm];

    /// The cipher's name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::XSalsa20Poly1305 => "xsalsa20poly1305",
            Self::Aes256Gcm => "aes256gcm",
        }
    }

    const fn nonce_bytes(self) -> usize {
        match self {
            Self::XSalsa20Poly1305 => NONCE_BYTES_MAX,
            Self::Aes256Gcm => 12,
        }
    }

    /// The ciphertext with its tag; `None` if the plaintext is beyond what the cipher can take.
    fn encrypt(self, key: &DataKey, nonce: &[u8], plain: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::XSalsa20Poly1305 => XSalsa20Poly1305::new_from_slice(key.bytes())
                .ok()?
                .encrypt(GenericArray::from_slice(nonce), plain),
            Self::Aes256Gcm => Aes256Gcm::new_from_slice(key.bytes())
                .ok()?
                .encrypt(GenericArray::from_slice(nonce), plain),
        }
        .ok()
    }

    /// The plaintext; `None` if the ciphertext is not what was sealed with this key.
    fn decrypt(self, key: &DataKey, nonce: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::XSalsa20Poly1305 => XSalsa20Poly1305::new_from_slice(key.bytes())
                .ok()?
                .decrypt(GenericArray::from_slice(nonce), sealed),
            Self::Aes256Gcm => Aes256Gcm::new_from_slice(key.bytes())
                .ok()?
                .decrypt(GenericArray::from_slice(nonce), sealed),
        }
        .ok()
    }
}

impl FromStr for Cipher {
    type Err = OpenError;

    fn from_str(name: &str) -> Result<Self, OpenError> {
        Self::ALL
            .into_iter()
            .find(|cipher| cipher.as_str() == name)
            .ok_or_else(|| OpenError::UnknownCipher(name.to_owned()))
    }
}

/// Why a sealed payload could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The payload is passed through by a scheme that is not end-to-end encryption.
    #[error("the payload's scheme is {0:?}, not \"wamp\"")]
    UnknownScheme(String),
    /// The payload was serialized by what is not spoken here.
    #[error("the payload's serializer is {0:?}, not \"cbor\"")]
    UnknownSerializer(String),
    /// There is no such cipher.
    #[error("the cipher {0:?} is not known: there are \"xsalsa20poly1305\" and \"aes256gcm\"")]
    UnknownCipher(String),
    /// The payload names no cipher: it was not encrypted at all, so anybody can have written it.
    #[error("the payload is not encrypted: it names no ppt_cipher")]
    NotEncrypted,
    /// The payload does not say which key it needs, and there is not just one.
    #[error("the payload names no ppt_keyid, and there are {keys} keys")]
    NoKeyId {
        /// How many keys there are.
        keys: usize,
    },
    /// The key is not there.
    #[error("there is no key {0:?}")]
    UnknownKey(String),
    /// The payload is not one binary.
    #[error("a sealed payload is one binary in args, and no kwargs")]
    NotOneBinary,
    /// The key is not the one that the payload was sealed with, or the payload was changed.
    #[error(
        "the key {0:?} does not open the payload: it is another key, or the payload was changed"
    )]
    WrongKey(String),
    /// What was sealed is no payload.
    #[error("what was sealed is no payload: {0}")]
    Malformed(#[from] DecodeError),
}

impl DataKey {
    /// Seals a payload, to be sent by a session that speaks `serializer`. `nonce` must be random; no two
    /// payloads may be sealed with the same key and nonce.
    ///
    /// ```
    /// use wampy_proto::end_to_end::{Cipher, DataKey, Keyring};
    /// use wampy_proto::{Payload, Serializer};
    ///
    /// let key = DataKey::with_id("2026", [7; 32]);
    /// let payload = Payload::encode(Serializer::Json, &("for your eyes only",), &())?;
    /// let (passthru, sealed) = key.seal(Cipher::default(), [9; 24], Serializer::Json, &payload)?;
    ///
    /// let opened = Keyring::from([key]).open(&passthru, &sealed)?;
    /// assert_eq!(opened.args::<(String,)>()?.0, "for your eyes only");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The payload has no form in CBOR, or is beyond what the cipher can take.
    pub fn seal(
        &self,
        cipher: Cipher,
        nonce: [u8; NONCE_BYTES_MAX],
        serializer: Serializer,
        payload: &Payload<'_>,
    ) -> Result<(Passthru, Payload<'static>), EncodeError> {
        let plain = zeroize::Zeroizing::new(plaintext(payload)?);
        let nonce = &nonce[..cipher.nonce_bytes()];
        let sealed = cipher
            .encrypt(self, nonce, &plain)
            .ok_or_else(|| EncodeError("the payload is too large to be encrypted".into()))?;
        let sealed = [nonce, &sealed].concat();
        let mut args = Vec::with_capacity(sealed.len() + 16);
        with_writer!(serializer, &mut args, |writer| {
            writer.begin_list(1);
            writer.bytes(&sealed);
            writer.end_list();
        });
        let passthru = Passthru {
            scheme: SCHEME.into(),
            serializer: Some(SERIALIZER.into()),
            cipher: Some(cipher.as_str().into()),
            keyid: Some(self.id().into()),
        };
        Ok((
            passthru,
            Payload::from_encoded(serializer, args, Vec::new()),
        ))
    }
}

/// The CBOR of `{args, kwargs}`.
fn plaintext(payload: &Payload<'_>) -> Result<Vec<u8>, EncodeError> {
    let parts = [
        ("args", payload.encoded_args()),
        ("kwargs", payload.encoded_kwargs()),
    ];
    let present = parts.iter().filter(|(_, encoded)| !encoded.is_empty());
    let mut plain = Vec::with_capacity(payload.encoded_len() + 16);
    let mut writer = CborWriter::new(&mut plain);
    writer.begin_map(present.clone().count());
    for (name, encoded) in present {
        writer.key(name);
        serializer::transcode(payload.serializer(), encoded, &mut writer)
            .map_err(|error| EncodeError(error.to_string().into()))?;
    }
    writer.end_map();
    Ok(plain)
}

/// The keys that an end has.
#[derive(Debug, Clone, Default)]
pub struct Keyring {
    keys: Vec<DataKey>,
}

impl<const N: usize> From<[DataKey; N]> for Keyring {
    fn from(keys: [DataKey; N]) -> Self {
        Self { keys: keys.into() }
    }
}

impl FromIterator<DataKey> for Keyring {
    fn from_iter<I: IntoIterator<Item = DataKey>>(keys: I) -> Self {
        let keys = keys.into_iter().collect();
        Self { keys }
    }
}

impl Keyring {
    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key called `id`.
    ///
    /// # Errors
    /// There is none.
    pub fn key(&self, id: &str) -> Result<&DataKey, OpenError> {
        self.keys
            .iter()
            .find(|key| key.id() == id)
            .ok_or_else(|| OpenError::UnknownKey(id.to_owned()))
    }

    /// The key that a payload was sealed with, as its attributes say.
    ///
    /// # Errors
    /// It is not here, or it is not named and there is not just one.
    pub fn key_for(&self, passthru: &Passthru) -> Result<&DataKey, OpenError> {
        match (passthru.keyid.as_deref(), &*self.keys) {
            (Some(id), _) => self.key(id),
            (None, [only]) => Ok(only),
            (None, keys) => Err(OpenError::NoKeyId { keys: keys.len() }),
        }
    }

    /// Opens a payload that was sealed with one of the keys; what comes out is CBOR.
    ///
    /// # Errors
    /// It cannot be opened; the error says why.
    pub fn open(
        &self,
        passthru: &Passthru,
        payload: &Payload<'_>,
    ) -> Result<Payload<'static>, OpenError> {
        if &*passthru.scheme != SCHEME {
            return Err(OpenError::UnknownScheme(passthru.scheme.to_string()));
        }
        let serializer = passthru.serializer.as_deref().unwrap_or_default();
        if serializer != SERIALIZER {
            return Err(OpenError::UnknownSerializer(serializer.to_owned()));
        }
        let cipher: Cipher = match passthru.cipher.as_deref() {
            Some(name) => name.parse()?,
            None => return Err(OpenError::NotEncrypted),
        };
        let key = self.key_for(passthru)?;
        let sealed = only_binary(payload)?;
        let plain = sealed
            .split_at_checked(cipher.nonce_bytes())
            .and_then(|(nonce, sealed)| cipher.decrypt(key, nonce, sealed))
            .ok_or_else(|| OpenError::WrongKey(key.id().to_owned()))?;
        Ok(payload_of(&plain)?)
    }
}

/// The one binary of a sealed payload.
fn only_binary<'p>(payload: &'p Payload<'_>) -> Result<Cow<'p, [u8]>, OpenError> {
    let args = payload.encoded_args();
    let binary = with_reader!(payload.serializer(), args, |reader| {
        let mut read = || {
            let mut seq = reader.list().ok()?;
            reader.more(&mut seq).ok()?.then_some(())?;
            let Token::Bytes(bytes) = reader.token().ok()? else {
                return None;
            };
            (!reader.more(&mut seq).ok()?).then_some(bytes)
        };
        read()
    });
    let without_kwargs = {
        let kwargs = payload.encoded_kwargs();
        kwargs.is_empty()
            || with_reader!(payload.serializer(), kwargs, |reader| {
                reader
                    .map()
                    .is_ok_and(|mut seq| reader.more(&mut seq) == Ok(false))
            })
    };
    binary
        .filter(|_| without_kwargs)
        .ok_or(OpenError::NotOneBinary)
}

/// The payload whose CBOR `{args, kwargs}` was sealed.
fn payload_of(plain: &[u8]) -> Result<Payload<'static>, DecodeError> {
    let mut reader = CborReader::new(plain);
    let mut map = reader.map()?;
    let (mut args, mut kwargs) = (&[][..], &[][..]);
    while reader.more(&mut map)? {
        let key = reader.key()?;
        let value = reader.skip()?;
        match &*key {
            "args" => args = of_kind(value, false)?,
            "kwargs" => kwargs = of_kind(value, true)?,
            _ => {}
        }
    }
    reader.finish()?;
    Ok(Payload::from_encoded(
        Serializer::Cbor,
        args.to_vec(),
        kwargs.to_vec(),
    ))
}

/// An encoded list or map; null counts as absent.
fn of_kind(encoded: &[u8], map: bool) -> Result<&[u8], DecodeError> {
    let mut reader = CborReader::new(encoded);
    match (reader.token()?, map) {
        (Token::Null, _) => Ok(&[]),
        (Token::List(_), false) | (Token::Map(_), true) => Ok(encoded),
        (found, true) => Err(reader.expected("kwargs, a map", &found)),
        (found, false) => Err(reader.expected("args, a list", &found)),
    }
}
