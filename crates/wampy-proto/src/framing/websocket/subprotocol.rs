//! The WebSocket subprotocols of WAMP: a serializer, and whether messages come in batches.

use crate::serializer::{SERIALIZERS, Serializer};

/// What a WebSocket subprotocol selects.
///
/// ```
/// use wampy_proto::Serializer;
/// use wampy_proto::framing::websocket::Subprotocol;
///
/// let batched = Subprotocol::from_name("wamp.2.cbor.batched");
/// let expected = Subprotocol { serializer: Serializer::Cbor, batched: true };
/// assert_eq!(batched, Some(expected));
/// assert_eq!(expected.name(), "wamp.2.cbor.batched");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subprotocol {
    /// The serializer.
    pub serializer: Serializer,
    /// Whether each WebSocket message is a batch of WAMP messages.
    pub batched: bool,
}

impl Subprotocol {
    /// The subprotocol called `name`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        SERIALIZERS.iter().find_map(|row| {
            let batched = match name {
                name if name == row.subprotocol => false,
                name if name == row.batched_subprotocol => true,
                _ => return None,
            };
            let serializer = row.serializer;
            Some(Self {
                serializer,
                batched,
            })
        })
    }

    /// Its name in the handshake.
    #[must_use]
    pub fn name(self) -> &'static str {
        let row = self.serializer.row();
        match self.batched {
            false => row.subprotocol,
            true => row.batched_subprotocol,
        }
    }
}
