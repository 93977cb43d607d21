//! The opening handshake of a WebSocket (RFC 6455, 4): one HTTP/1.1 request and its answer.
//!
//! A router reads a [`RequestHead`] and either accepts it, answers something else on the same port,
//! or sends a [`Refusal`]; a client writes a [`ClientRequest`] and reads the answer with the
//! [`PendingUpgrade`] it got. Both may be called with what has arrived so far, again and again.
//!
//! Deliberately absent: extensions other than compression, redirects, HTTP authentication and checks
//! of `Origin`: the head hands out all headers for whoever wants to judge them.

mod client;
mod extension;
mod head;
mod server;

pub use client::{
    ClientRequest, HandshakeError, PendingUpgrade, RequestError, Upgraded, set_cookies,
};
pub use head::Headers;
pub use server::{Accepted, Refusal, RequestHead};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// The only version of the WebSocket protocol there is.
const VERSION: &str = "13";

/// Size of a `Sec-WebSocket-Accept` value: 20 bytes in Base64.
const ACCEPT_BYTES: usize = 28;

/// How much HTTP a peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandshakeLimits {
    /// Largest request or response head: first line, headers and the empty line. Default 16 KiB.
    pub head_bytes_max: usize,
    /// Most headers. Default 100.
    pub headers_max: usize,
}

impl Default for HandshakeLimits {
    fn default() -> Self {
        Self {
            head_bytes_max: 16 << 10,
            headers_max: 100,
        }
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (RFC 6455, 4.2.2).
fn accept_value(key: &[u8]) -> [u8; ACCEPT_BYTES] {
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    let mut accept = [0; ACCEPT_BYTES];
    // 20 bytes always encode to exactly 28 characters, so there is no error to report.
    let _ = STANDARD.encode_slice(digest, &mut accept);
    accept
}
