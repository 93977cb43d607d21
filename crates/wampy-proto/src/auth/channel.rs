//! Channel binding: what only the two ends of one TLS connection know becomes a part of what is
//! signed, so that nobody between them can pass proofs on.
//!
//! Deliberately absent: `tls-unique` and `tls-server-end-point`, which TLS 1.3 has replaced by
//! `tls-exporter` and which the TLS library does not give.

use std::fmt;

use zeroize::Zeroizing;

/// The name of the one type of channel binding, in HELLO and CHALLENGE (RFC 9266).
pub const TLS_EXPORTER: &str = "tls-exporter";
/// The label under which TLS gives the bytes; the context is empty.
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-Channel-Binding";

/// The 32 bytes that TLS 1.3 exports to both ends of a connection, and to nobody else.
#[derive(Clone, PartialEq, Eq)]
pub struct ChannelId(Zeroizing<[u8; 32]>);

impl ChannelId {
    /// The exported bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for ChannelId {
    fn from(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChannelId(…)")
    }
}

/// The channel that a peer asks to be bound to under the name `requested`, if there is one.
pub(super) fn requested<'a>(
    requested: Option<&str>,
    channel: Option<&'a ChannelId>,
) -> Result<Option<&'a ChannelId>, String> {
    match (requested, channel) {
        (None, _) => Ok(None),
        (Some(TLS_EXPORTER), Some(channel)) => Ok(Some(channel)),
        (Some(TLS_EXPORTER), None) => Err(format!(
            "the channel binding {TLS_EXPORTER} needs a connection by TLS 1.3"
        )),
        (Some(other), _) => Err(format!(
            "the channel binding {other:?} is not supported, {TLS_EXPORTER} is"
        )),
    }
}
