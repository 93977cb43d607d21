//! WebSocket (RFC 6455) for both roles: the opening [`handshake`], frames, and messages assembled
//! from fragments.
//!
//! The common case is a message in one frame that is complete in the caller's buffer: it is unmasked
//! in place, text is validated, and a slice of the buffer is handed out. Only a fragmented message
//! makes a connection allocate, and only for its own duration.
//!
//! Deliberately absent: extensions. None is negotiated, so reserved bits are refused, in one place:
//! `FrameHeader::parse`. Compression (RFC 7692) would accept RSV1 there.

mod close;
mod decoder;
mod encoder;
mod frame;
pub mod handshake;
mod mask;
mod utf8;

pub use close::CloseCode;
pub use decoder::{WebSocketDecoder, WebSocketLimits};
pub use encoder::WebSocketEncoder;
pub use frame::{EncodedHeader, Opcode, frame_header};
