//! WebSocket (RFC 6455) for both roles: the opening [`handshake`], frames, and messages assembled
//! from fragments.
//!
//! The common case is a message in one frame that is complete in the caller's buffer: it is unmasked
//! in place, text is validated, and a slice of the buffer is handed out. Only a message that is
//! fragmented or compressed makes a connection allocate, and only for its own duration.
//!
//! Compression (RFC 7692, permessage-deflate) is used if both sides want it: a [`Deflate`] that the
//! handshake agreed upon goes to [`WebSocketEncoder::compressing`] and
//! [`WebSocketDecoder::decompressing`].
//!
//! The subprotocols that end in `.batched` put several messages into one WebSocket message
//! ([`batched`]).
//!
//! Deliberately absent: other extensions, and compression with context takeover, for which each
//! connection would have to hold a compressor.

mod assembly;
pub mod batched;
mod close;
mod decoder;
mod deflate;
mod encoder;
mod frame;
pub mod handshake;
mod inflate;
mod mask;
mod subprotocol;
mod utf8;

pub use close::CloseCode;
pub use decoder::{WebSocketDecoder, WebSocketLimits};
pub use deflate::{COMPRESSED_BYTES_MIN, Deflate};
pub use encoder::WebSocketEncoder;
pub use frame::{EncodedHeader, Opcode, frame_header};
pub use subprotocol::Subprotocol;
