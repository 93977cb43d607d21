//! Writing WebSocket frames. Every message is one frame: fragmenting serves streaming, and WAMP
//! messages are complete before they are sent.

use super::close::CloseCode;
use super::deflate::Deflate;
use super::frame::{
    CONTROL_BYTES_MAX, HEADER_BYTES_MAX, Opcode, frame_header, header_bytes, put_short_header,
};
use super::mask;
use crate::framing::{FrameFormat, Mark, TooLong};

/// Writes WebSocket frames after the handshake.
#[derive(Debug, Clone, Copy)]
pub struct WebSocketEncoder {
    kind: Kind,
    deflate: Option<Deflate>,
    mask_key: Option<fn() -> u32>,
}

/// What messages look like.
// Odd numbers are binary, and those above 1 batches: cheap to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// One in a text message.
    Text = 0,
    /// One in a binary message.
    Binary = 1,
    /// Several in a text message, each followed by 0x1e.
    TextBatch = 2,
    /// Several in a binary message, each behind its length.
    BinaryBatch = 3,
    /// Several in a text message, each followed by 0x18.
    OctalTextBatch = 4,
}

impl Kind {
    const fn of(binary: bool) -> Self {
        match binary {
            true => Self::Binary,
            false => Self::Text,
        }
    }
}

impl WebSocketEncoder {
    /// The server's encoder: frames are not masked. `binary` says what kind the subprotocol's
    /// messages are.
    #[must_use]
    pub fn server(binary: bool) -> Self {
        Self {
            kind: Kind::of(binary),
            deflate: None,
            mask_key: None,
        }
    }

    /// The client's encoder: each frame is masked with a new key from `mask_key`, which must be
    /// unpredictable for whoever chose the payload (RFC 6455, 10.3), such as a thread's
    /// cryptographic random generator.
    #[must_use]
    pub fn client(binary: bool, mask_key: fn() -> u32) -> Self {
        Self {
            kind: Kind::of(binary),
            deflate: None,
            mask_key: Some(mask_key),
        }
    }

    /// The same encoder, which compresses if that was agreed upon: messages of at least
    /// [`super::COMPRESSED_BYTES_MIN`] bytes that become smaller by it.
    #[must_use]
    pub fn compressing(self, deflate: Option<Deflate>) -> Self {
        // Who may not compress any message is one who does not compress.
        let deflate = deflate.filter(|it| it.window_bits().is_some());
        Self { deflate, ..self }
    }

    /// Whether the subprotocol's messages are binary.
    #[must_use]
    #[inline]
    pub fn is_binary(&self) -> bool {
        self.kind as u8 & 1 != 0
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    pub(super) fn of_kind(self, kind: Kind) -> Self {
        Self { kind, ..self }
    }

    /// Whether messages come in batches, which are the matter of [`super::batched`].
    #[must_use]
    #[inline]
    pub fn is_batched(&self) -> bool {
        self.kind as u8 > Kind::Binary as u8
    }

    /// Whether frames are masked, as a client's are.
    pub(super) fn is_masking(&self) -> bool {
        self.mask_key.is_some()
    }

    /// Whether payloads are sent as they are.
    pub(super) fn is_plain(&self) -> bool {
        self.deflate.is_none() && self.mask_key.is_none()
    }

    /// The format of the frames if every receiver may get the same: only a server's are, and
    /// compressed ones only for receivers without wishes of their own.
    #[must_use]
    pub fn format(&self) -> Option<FrameFormat> {
        match (self.mask_key, self.deflate, self.is_binary()) {
            (None, None, true) => Some(FrameFormat::WebSocketBinary),
            (None, None, false) => Some(FrameFormat::WebSocketText),
            (None, Some(deflate), true) if deflate.is_common() => {
                Some(FrameFormat::WebSocketBinaryDeflate)
            }
            (None, Some(deflate), false) if deflate.is_common() => {
                Some(FrameFormat::WebSocketTextDeflate)
            }
            _ => None,
        }
    }

    /// Reserves a header at the end of `out` that fits a payload of `payload_bytes_hint`.
    #[inline]
    pub fn begin(&self, out: &mut Vec<u8>, payload_bytes_hint: usize) -> Mark {
        let header_bytes = header_bytes(payload_bytes_hint, self.mask_key.is_some());
        let start = out.len();
        // All of it, because a copy of a fixed size is a few instructions.
        out.extend_from_slice(&[0; HEADER_BYTES_MAX]);
        out.truncate(start + header_bytes);
        Mark {
            start,
            header_bytes,
        }
    }

    /// Compresses if that is agreed upon, patches the header reserved at `mark`, moving the payload
    /// if the hint was wrong, and masks.
    #[inline]
    pub fn finish(&self, mark: Mark, out: &mut Vec<u8>) {
        // What nearly every frame of a router is: as it stands there, behind a short header.
        if self.is_plain()
            && let Some(frame) = out.get_mut(mark.start..)
            && put_short_header(self.message_opcode(), mark.header_bytes, frame)
        {
            return;
        }
        self.finish_any(mark, out);
    }

    fn finish_any(&self, mark: Mark, out: &mut Vec<u8>) {
        let compressed = match self.deflate {
            Some(deflate) => deflate.compress(mark.start + mark.header_bytes, out),
            None => false,
        };
        let payload_bytes = mark.payload_bytes(out);
        let key = self.mask_key.map(|mask_key| mask_key().to_ne_bytes());
        let mut header = frame_header(self.message_opcode(), payload_bytes, key);
        if compressed {
            header = header.of_compressed();
        }
        let header = header.as_bytes();
        if header.len() != mark.header_bytes {
            move_payload(mark, header.len(), payload_bytes, out);
        }
        let payload_start = mark.start + header.len();
        if let Some(reserved) = out.get_mut(mark.start..payload_start) {
            reserved.copy_from_slice(header);
        }
        if let (Some(key), Some(payload)) = (key, out.get_mut(payload_start..)) {
            mask::apply(payload, key, 0);
        }
    }

    /// Patches the header reserved at `mark` of a frame of whose payload `left_out_bytes` are not in
    /// `out`, where the header reserved is as long as it has to be. Else, or if the payload is to be
    /// compressed or masked, nothing is done, and false returned.
    pub fn finish_around(&self, mark: Mark, left_out_bytes: usize, out: &mut [u8]) -> bool {
        let payload_bytes = mark.payload_bytes(out) + left_out_bytes;
        let header = frame_header(self.message_opcode(), payload_bytes, None);
        let header = header.as_bytes();
        let reserved = out.get_mut(mark.start..mark.start + mark.header_bytes);
        match reserved {
            Some(reserved) if self.is_plain() && reserved.len() == header.len() => {
                reserved.copy_from_slice(header);
                true
            }
            _ => false,
        }
    }

    /// Appends a message.
    pub fn write_message(&self, payload: &[u8], out: &mut Vec<u8>) {
        if self.deflate.is_some() {
            let mark = self.begin(out, payload.len());
            out.extend_from_slice(payload);
            self.finish(mark, out);
        } else {
            self.write(self.message_opcode(), payload, out);
        }
    }

    /// Appends a ping.
    ///
    /// # Errors
    /// [`TooLong`] above 125 bytes; nothing is appended.
    pub fn write_ping(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.write_control(Opcode::Ping, payload, out)
    }

    /// Appends a pong.
    ///
    /// # Errors
    /// [`TooLong`] above 125 bytes; nothing is appended.
    pub fn write_pong(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        self.write_control(Opcode::Pong, payload, out)
    }

    /// Appends a close frame; see [`crate::framing::Encoder::write_close`].
    pub fn write_close(&self, code: Option<CloseCode>, reason: &str, out: &mut Vec<u8>) {
        let mut body = [0; CONTROL_BYTES_MAX];
        let mut body_bytes = 0;
        if let Some(code) = code {
            let reason = &reason[..reason.floor_char_boundary(CONTROL_BYTES_MAX - 2)];
            body_bytes = 2 + reason.len();
            body[..2].copy_from_slice(&code.number().to_be_bytes());
            body[2..body_bytes].copy_from_slice(reason.as_bytes());
        }
        self.write(Opcode::Close, &body[..body_bytes], out);
    }

    fn write_control(
        &self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), TooLong> {
        if payload.len() > CONTROL_BYTES_MAX {
            return Err(TooLong {
                bytes: payload.len(),
                bytes_max: CONTROL_BYTES_MAX,
            });
        }
        self.write(opcode, payload, out);
        Ok(())
    }

    fn write(&self, opcode: Opcode, payload: &[u8], out: &mut Vec<u8>) {
        let key = self.mask_key.map(|mask_key| mask_key().to_ne_bytes());
        out.reserve(HEADER_BYTES_MAX + payload.len());
        out.extend_from_slice(frame_header(opcode, payload.len(), key).as_bytes());
        let payload_start = out.len();
        out.extend_from_slice(payload);
        if let (Some(key), Some(payload)) = (key, out.get_mut(payload_start..)) {
            mask::apply(payload, key, 0);
        }
    }

    pub(super) fn message_opcode(&self) -> Opcode {
        if self.is_binary() {
            Opcode::Binary
        } else {
            Opcode::Text
        }
    }
}

/// Makes room for, or takes room from, a header that turned out to be of another size.
#[cold]
fn move_payload(mark: Mark, header_bytes: usize, payload_bytes: usize, out: &mut Vec<u8>) {
    let from = mark.start + mark.header_bytes;
    let to = mark.start + header_bytes;
    if from + payload_bytes > out.len() {
        return; // Somebody cut the buffer off before the mark; there is no payload to move.
    }
    out.resize(out.len().max(to + payload_bytes), 0);
    out.copy_within(from..from + payload_bytes, to);
    out.truncate(to + payload_bytes);
}
