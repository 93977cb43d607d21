//! Keys that encrypt payloads, and how they are called on the wire.

use sha2::Sha256;
use sha3::{Digest, Keccak256};
use x25519_dalek::{PublicKey, StaticSecret};

use crate::auth::Secret;

/// How many bytes of a hash a key's id shows.
const ID_BYTES: usize = 20;

/// A key of 32 bytes that both ends of an encrypted payload have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKey {
    id: Box<str>,
    secret: Secret,
}

impl DataKey {
    /// A key that is called as the specification calls it: by the last 20 bytes of the SHA-256 of the
    /// X25519 public key that belongs to it, in hex with the checksum of EIP-55.
    ///
    /// ```
    /// use wampy_proto::end_to_end::DataKey;
    ///
    /// assert_eq!(DataKey::new([7; 32]).id().len(), 42);
    /// assert!(DataKey::new([7; 32]).id().starts_with("0x"));
    /// ```
    pub fn new(secret: [u8; 32]) -> Self {
        Self::with_id(id_of(secret), secret)
    }

    /// A key that both ends call `id`: any text.
    pub fn with_id(id: impl Into<Box<str>>, secret: [u8; 32]) -> Self {
        Self {
            id: id.into(),
            secret: secret.into(),
        }
    }

    /// What the key is called on the wire, as `ppt_keyid`.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.secret.expose()
    }
}

fn id_of(secret: [u8; 32]) -> String {
    let public = PublicKey::from(&StaticSecret::from(secret));
    let hash = Sha256::digest(public.as_bytes());
    checksummed(&hash[hash.len() - ID_BYTES..])
}

/// Hex whose upper and lower case is a checksum (EIP-55).
fn checksummed(bytes: &[u8]) -> String {
    let digits = hex::encode(bytes);
    let hash = Keccak256::digest(digits.as_bytes());
    let nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let checked = digits
        .chars()
        .zip(nibbles)
        .map(|(digit, nibble)| match nibble {
            8.. => digit.to_ascii_uppercase(),
            _ => digit,
        });
    "0x".chars().chain(checked).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_eip_55() {
        for address in [
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
            "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
            "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        ] {
            let bytes = hex::decode(&address[2..]).unwrap();
            assert_eq!(checksummed(&bytes), address);
        }
    }

    #[test]
    fn a_key_is_called_by_the_hash_of_its_public_key() {
        // Made with libsodium and eth_utils.
        let secret = std::array::from_fn(|n| n as u8);
        let id = "0xE583fB770fa27DbbeD209C20404E075E68c4F0c9";
        assert_eq!(DataKey::new(secret).id(), id);
    }

    #[test]
    fn a_key_does_not_show_itself() {
        let shown = format!("{:?}", DataKey::with_id("blue", [0x61; 32]));
        assert_eq!(shown, r#"DataKey { id: "blue", secret: Secret(…) }"#);
    }
}
