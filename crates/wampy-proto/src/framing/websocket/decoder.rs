//! Reading WebSocket frames: which may come, and what each is.
//!
//! Deliberately absent: what becomes of messages in fragments ([`super::assembly`]).

use super::assembly::Assembly;
use super::close;
use super::frame::{self, FrameHeader, Opcode, Parsed};
use super::inflate;
use super::mask;
use super::utf8::Utf8Validator;
use crate::framing::{FramingError, Next, Step};
use std::ops::Range;

/// What a WebSocket peer may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebSocketLimits {
    /// Largest message, fragmented or not, after decompression. Default 16 MiB.
    pub message_bytes_max: usize,
    /// Most fragments of one message. Default 131072: 16 MiB in pieces of 128 bytes.
    pub fragments_max: u32,
}

impl Default for WebSocketLimits {
    fn default() -> Self {
        Self {
            message_bytes_max: 16 << 20,
            fragments_max: 1 << 17,
        }
    }
}

/// Reads WebSocket frames after the handshake.
#[derive(Debug)]
pub struct WebSocketDecoder {
    limits: WebSocketLimits,
    from_client: bool,
    may_compress: bool,
    text_is_checked_later: bool,
    ended: bool,
    /// Bytes of the payload at the front of the buffer that were unmasked, and validated if text,
    /// before it was complete.
    prepared_bytes: usize,
    /// State of the text message that is being received.
    text: Utf8Validator,
    assembly: Option<Box<Assembly>>,
}

/// A step without its borrowed parts: ranges are relative to the frame's buffer.
pub(super) enum Found {
    NeedMore(usize),
    Fragment,
    Assembled,
    Message { payload: Range<usize>, binary: bool },
    Control(Opcode, Range<usize>),
}

impl WebSocketDecoder {
    /// The server's decoder: it reads what a client sends, and every frame must be masked.
    #[must_use]
    pub fn server(limits: WebSocketLimits) -> Self {
        Self::new(limits, true)
    }

    /// The client's decoder: it reads what a server sends, and no frame may be masked.
    #[must_use]
    pub fn client(limits: WebSocketLimits) -> Self {
        Self::new(limits, false)
    }

    fn new(limits: WebSocketLimits, from_client: bool) -> Self {
        Self {
            limits,
            from_client,
            may_compress: false,
            text_is_checked_later: false,
            ended: false,
            prepared_bytes: 0,
            text: Utf8Validator::default(),
            assembly: None,
        }
    }

    /// The same decoder, which also takes compressed messages if that was agreed upon. A message's
    /// limit is that of its decompressed size.
    #[must_use]
    pub fn decompressing(self, may_compress: bool) -> Self {
        Self {
            may_compress,
            ..self
        }
    }

    /// The same decoder, which hands out text in one frame without looking whether it is UTF-8, also
    /// where the frame comes in pieces: for those who do so themselves, as readers of JSON do, and then
    /// fail the connection with [`FramingError::InvalidUtf8`].
    #[must_use]
    pub fn leaving_text_unchecked(self) -> Self {
        Self {
            text_is_checked_later: true,
            ..self
        }
    }

    /// Reads the next step; see [`crate::framing::Decoder::next`].
    ///
    /// # Errors
    /// [`FramingError`] for each violation of RFC 6455 and of the limits.
    #[inline]
    pub fn next<'a>(&'a mut self, buf: &'a mut [u8]) -> Result<Next<'a>, FramingError> {
        match self.usual(buf) {
            Some(payload) => Ok(Next {
                consumed: payload.end,
                step: Step::Message {
                    binary: buf[0] & 0x0f == Opcode::Binary as u8,
                    payload: &buf[payload],
                },
            }),
            None => self.any(buf),
        }
    }

    /// Looks for what nearly every frame is: one whole message, complete, whose bytes need not be
    /// looked at here. Unmasks it and returns where it is.
    #[inline]
    fn usual(&self, buf: &mut [u8]) -> Option<Range<usize>> {
        if self.ended || self.prepared_bytes > 0 || self.assembly.is_some() {
            return None;
        }
        let (header, payload_bytes) = frame::usual_header(buf, self.from_client)?;
        let is_unchecked = self.text_is_checked_later || buf[0] & 0x0f == Opcode::Binary as u8;
        if !is_unchecked || payload_bytes > self.limits.message_bytes_max {
            return None;
        }
        let payload = header..header + payload_bytes;
        let key = match self.from_client {
            true => *buf.get(header - 4..)?.first_chunk()?,
            false => [0; 4],
        };
        let bytes = buf.get_mut(payload.clone())?;
        if self.from_client {
            mask::apply(bytes, key, 0);
        }
        Some(payload)
    }

    /// Reads the next step, whatever it is.
    fn any<'a>(&'a mut self, buf: &'a mut [u8]) -> Result<Next<'a>, FramingError> {
        if self
            .assembly
            .as_ref()
            .is_some_and(|assembly| assembly.complete)
        {
            self.assembly = None;
        }
        let mut consumed = 0;
        loop {
            if self.ended {
                return Ok(Next {
                    consumed: buf.len(),
                    step: Step::NeedMore { frame_bytes: 2 },
                });
            }
            let start = consumed;
            let (frame_bytes, found) = self
                .frame(&mut buf[start..])
                .inspect_err(|_| self.ended = true)?;
            consumed += frame_bytes;
            let step = match found {
                Found::Fragment => continue,
                Found::NeedMore(frame_bytes) => Step::NeedMore { frame_bytes },
                Found::Message { payload, binary } => Step::Message {
                    payload: &buf[start..][payload],
                    binary,
                },
                Found::Assembled => self.assembled(),
                Found::Control(opcode, payload) => self.control(opcode, &buf[start..][payload])?,
            };
            return Ok(Next { consumed, step });
        }
    }

    /// Looks for the next step, for those who read batches: how many bytes are used up, where its frame
    /// begins, and what it is.
    // The loop of `next` once more: in one piece with its end it costs every message less.
    pub(super) fn find(&mut self, buf: &mut [u8]) -> Result<(usize, usize, Found), FramingError> {
        if self
            .assembly
            .as_ref()
            .is_some_and(|assembly| assembly.complete)
        {
            self.assembly = None;
        }
        if self.ended {
            return Ok((buf.len(), 0, Found::NeedMore(2)));
        }
        let mut start = 0;
        loop {
            let (frame_bytes, found) = self
                .frame(&mut buf[start..])
                .inspect_err(|_| self.ended = true)?;
            let consumed = start + frame_bytes;
            if !matches!(found, Found::Fragment) {
                return Ok((consumed, start, found));
            }
            start = consumed;
        }
    }

    /// What was found, as the caller sees it.
    pub(super) fn step<'a>(
        &'a mut self,
        consumed: usize,
        start: usize,
        found: Found,
        buf: &'a [u8],
    ) -> Result<Next<'a>, FramingError> {
        let step = match found {
            // A fragment is taken over, and then something else looked for.
            Found::Fragment => Step::NeedMore { frame_bytes: 2 },
            Found::NeedMore(frame_bytes) => Step::NeedMore { frame_bytes },
            Found::Message { payload, binary } => Step::Message {
                payload: &buf[start..][payload],
                binary,
            },
            Found::Assembled => self.assembled(),
            Found::Control(opcode, payload) => self.control(opcode, &buf[start..][payload])?,
        };
        Ok(Next { consumed, step })
    }

    /// The message that was assembled last, while it is there.
    pub(super) fn assembled_message(&self) -> Option<(&[u8], bool)> {
        let assembly = self.assembly.as_deref()?;
        Some((&assembly.payload, assembly.binary))
    }

    /// The peer broke a rule above the frames: what follows is discarded.
    pub(super) fn end(&mut self) {
        self.ended = true;
    }

    /// Reads one frame at the front of `buf`: how many bytes it used up, and what it was.
    #[inline]
    fn frame(&mut self, buf: &mut [u8]) -> Result<(usize, Found), FramingError> {
        let header = match FrameHeader::parse(buf, self.from_client, self.may_compress)? {
            Parsed::Header(header) => header,
            Parsed::Incomplete(frame_bytes) => return Ok((0, Found::NeedMore(frame_bytes))),
        };
        let payload_bytes = self.admit(&header)?;
        let frame_bytes = header.header_bytes.saturating_add(payload_bytes);
        let received = &mut buf[header.header_bytes..];
        let received_bytes = payload_bytes.min(received.len());
        let is_complete = received_bytes == payload_bytes;
        let payload = &mut received[..received_bytes];
        self.prepare(&header, payload, is_complete)?;
        if !is_complete {
            return Ok((0, Found::NeedMore(frame_bytes)));
        }
        if header.opcode.is_control() {
            return Ok((
                frame_bytes,
                Found::Control(header.opcode, header.header_bytes..frame_bytes),
            ));
        }
        if header.fin && self.assembly.is_none() && !header.compressed {
            let (payload, binary) = (
                header.header_bytes..frame_bytes,
                header.opcode == Opcode::Binary,
            );
            return Ok((frame_bytes, Found::Message { payload, binary }));
        }
        Ok((frame_bytes, self.assemble(&header, payload)?))
    }

    /// Checks that the frame may come now and fits the limits; returns the size of its payload.
    #[inline]
    fn admit(&self, header: &FrameHeader) -> Result<usize, FramingError> {
        let bytes_max = self.limits.message_bytes_max;
        let begins = header.opcode != Opcode::Continuation && self.assembly.is_none();
        let (earlier_bytes, frame_bytes_max) = match begins && !header.compressed {
            true => (0, bytes_max),
            false => self.admit_part(header)?,
        };
        let bytes = header.payload_bytes.saturating_add(earlier_bytes as u64);
        if bytes > frame_bytes_max as u64 && !header.opcode.is_control() {
            return Err(FramingError::MessageTooLarge { bytes, bytes_max });
        }
        Ok(header.payload_bytes as usize)
    }

    /// Checks that a fragment, a compressed message, or a frame among fragments may come now; returns
    /// how large the message is already, and how large it may become with this frame.
    #[cold]
    fn admit_part(&self, header: &FrameHeader) -> Result<(usize, usize), FramingError> {
        let bytes_max = self.limits.message_bytes_max;
        // How large a compressed message is shows when it is decompressed.
        let compressed = (0, inflate::frame_bytes_max(bytes_max));
        match (header.opcode, &self.assembly) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => Ok((0, bytes_max)),
            (Opcode::Text | Opcode::Binary, None) => Ok(compressed),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(FramingError::InterruptedMessage),
            (Opcode::Continuation, None) => Err(FramingError::NothingToContinue),
            (Opcode::Continuation, Some(assembly)) => {
                let fragments_max = self.limits.fragments_max;
                if assembly.fragments >= fragments_max {
                    return Err(FramingError::TooManyFragments { fragments_max });
                }
                Ok(match assembly.inflater {
                    Some(_) => compressed,
                    None => (assembly.payload.len(), bytes_max),
                })
            }
        }
    }

    /// Unmasks and validates what has newly arrived of a frame's payload, in place.
    #[inline]
    fn prepare(
        &mut self,
        header: &FrameHeader,
        payload: &mut [u8],
        is_complete: bool,
    ) -> Result<(), FramingError> {
        let prepared_bytes = self.prepared_bytes.min(payload.len());
        self.prepared_bytes = if is_complete { 0 } else { payload.len() };
        let arrived = &mut payload[prepared_bytes..];
        if let Some(key) = header.mask {
            mask::apply(arrived, key, prepared_bytes);
        }
        let is_text = match header.opcode {
            Opcode::Text => !header.compressed,
            Opcode::Continuation => match &self.assembly {
                Some(assembly) => !assembly.binary && assembly.inflater.is_none(),
                None => false,
            },
            _ => return Ok(()),
        };
        if !is_text {
            return Ok(());
        }
        let is_whole_message = header.opcode == Opcode::Text && header.fin;
        if is_whole_message && self.text_is_checked_later {
            return Ok(());
        }
        if is_whole_message && is_complete && prepared_bytes == 0 {
            let text = simdutf8::basic::from_utf8(arrived);
            return text.map(drop).map_err(|_| FramingError::InvalidUtf8);
        }
        self.text
            .feed(arrived)
            .map_err(|_| FramingError::InvalidUtf8)?;
        if header.fin && is_complete && !self.text.is_complete() {
            return Err(FramingError::InvalidUtf8);
        }
        Ok(())
    }

    /// Takes over a fragment, or a compressed message.
    #[cold]
    fn assemble(&mut self, header: &FrameHeader, payload: &[u8]) -> Result<Found, FramingError> {
        let assembly = self
            .assembly
            .get_or_insert_with(|| Box::new(Assembly::new(header)));
        let bytes_max = self.limits.message_bytes_max;
        assembly.take(header.fin, payload, bytes_max, &mut self.text)?;
        Ok(match header.fin {
            true => Found::Assembled,
            false => Found::Fragment,
        })
    }

    fn assembled(&self) -> Step<'_> {
        match self.assembled_message() {
            Some((payload, binary)) => Step::Message { payload, binary },
            // Not reached: a fragment was just assembled.
            None => Step::NeedMore { frame_bytes: 2 },
        }
    }

    fn control<'a>(&mut self, opcode: Opcode, payload: &'a [u8]) -> Result<Step<'a>, FramingError> {
        match opcode {
            Opcode::Ping => Ok(Step::Ping(payload)),
            Opcode::Pong => Ok(Step::Pong(payload)),
            _ => {
                // Also after an invalid body nothing that follows is of interest.
                self.ended = true;
                let (code, reason) = close::parse_body(payload)?;
                Ok(Step::Close { code, reason })
            }
        }
    }
}
