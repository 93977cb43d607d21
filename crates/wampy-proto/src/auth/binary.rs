//! Bytes as the text that authmethods and configuration files hold: base64 and hex.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Reads canonical base64 with padding, and nothing else (RFC 4648).
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Reads 32 bytes in hex.
pub(super) fn from_hex_32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// Reads bytes of a configuration file: base64 as wampy writes it, or hex as Crossbar.io has it. Text
/// that could be both is hex: base64 of random bytes has other letters.
pub(super) fn from_base64_or_hex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().or_else(|| from_base64(text))
}

/// The bytes of both, each with each.
pub(super) fn xor(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|i| a[i] ^ b[i])
}
