//! The header `Sec-WebSocket-Extensions` (RFC 6455, 9.1) and what RFC 7692 says in it.
//!
//! Deliberately absent: every extension but permessage-deflate, and a say about the other side's
//! window, since the largest one decompresses everything.

use super::super::deflate::Deflate;
use super::Headers;

/// The name of the header.
pub(super) const HEADER: &str = "Sec-WebSocket-Extensions";

/// What a client asks for. It can be told the size of its window, and neither side takes its
/// context over.
pub(super) const OFFER: &str = "permessage-deflate; server_no_context_takeover; \
                                client_no_context_takeover; client_max_window_bits";

/// What a server agrees to, before the size of its window.
pub(super) const ANSWER: &str =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// The header's value is not what RFC 6455, 9.1 allows.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// An extension with its parameters, in the order they came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Extension {
    pub(super) name: String,
    parameters: Vec<(String, Option<String>)>,
}

/// The parameters of RFC 7692, 7.1.
#[derive(Debug, Default)]
struct Parameters {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<ClientWindow>,
}

/// `client_max_window_bits`, which needs no value in an offer.
#[derive(Debug)]
enum ClientWindow {
    Any,
    Bits(u8),
}

/// All extensions of a head, in order.
pub(super) fn extensions(headers: &Headers<'_>) -> Result<Vec<Extension>, Malformed> {
    let mut all = Vec::new();
    for value in headers.values(HEADER) {
        Reader { rest: value }.list(&mut all)?;
    }
    Ok(all)
}

/// The server's choice: the first offer that it can fulfill.
pub(super) fn accept(offers: &[Extension]) -> Option<Deflate> {
    let offer = offers.iter().find_map(Parameters::read)?;
    Some(Deflate {
        window_bits_max: offer.server_max_window_bits,
    })
}

/// What a server's answer to [`OFFER`] means; `None` if it is no answer to it.
pub(super) fn agreed(answer: &Extension) -> Option<Deflate> {
    let answer = Parameters::read(answer)?;
    let window_bits_max = match answer.client_max_window_bits {
        Some(ClientWindow::Any) => return None,
        Some(ClientWindow::Bits(bits)) => Some(bits),
        None => None,
    };
    answer
        .server_no_context_takeover
        .then_some(Deflate { window_bits_max })
}

impl Parameters {
    /// The parameters of permessage-deflate; `None` if this is another extension, or has a
    /// parameter that is unknown, said twice, or without a valid value (RFC 7692, 7.1).
    fn read(extension: &Extension) -> Option<Self> {
        if extension.name != "permessage-deflate" {
            return None;
        }
        let mut read = Self::default();
        for (name, value) in &extension.parameters {
            let is_new = match (name.as_str(), value.as_deref()) {
                ("server_no_context_takeover", None) => {
                    !std::mem::replace(&mut read.server_no_context_takeover, true)
                }
                ("client_no_context_takeover", None) => {
                    !std::mem::replace(&mut read.client_no_context_takeover, true)
                }
                ("server_max_window_bits", Some(value)) => {
                    let bits = window_bits(value)?;
                    read.server_max_window_bits.replace(bits).is_none()
                }
                ("client_max_window_bits", value) => {
                    let window = match value {
                        Some(value) => ClientWindow::Bits(window_bits(value)?),
                        None => ClientWindow::Any,
                    };
                    read.client_max_window_bits.replace(window).is_none()
                }
                _ => false,
            };
            if !is_new {
                return None;
            }
        }
        Some(read)
    }
}

/// A decimal number from 8 to 15 without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    match value.as_bytes() {
        [digit @ b'8'..=b'9'] | [b'1', digit @ b'0'..=b'5'] => {
            let tens = if value.len() == 2 { 10 } else { 0 };
            Some(tens + (digit - b'0'))
        }
        _ => None,
    }
}

/// Reads the header's value from the front.
struct Reader<'b> {
    rest: &'b [u8],
}

impl Reader<'_> {
    fn list(&mut self, into: &mut Vec<Extension>) -> Result<(), Malformed> {
        loop {
            // HTTP allows empty elements (RFC 9110, 5.6.1).
            while self.take(b',') {}
            if self.rest.is_empty() {
                return Ok(());
            }
            into.push(self.extension()?);
            if !self.rest.is_empty() && !self.take(b',') {
                return Err(Malformed);
            }
        }
    }

    fn extension(&mut self) -> Result<Extension, Malformed> {
        let name = self.token()?;
        let mut parameters = Vec::new();
        while self.take(b';') {
            let name = self.token()?;
            let value = match self.take(b'=') {
                true => Some(self.value()?),
                false => None,
            };
            parameters.push((name, value));
        }
        Ok(Extension { name, parameters })
    }

    /// A token, or one in quotes, which means the same.
    fn value(&mut self) -> Result<String, Malformed> {
        if !self.take(b'"') {
            return self.token();
        }
        let mut value = String::new();
        loop {
            let (byte, rest) = match self.rest {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    self.skip_space();
                    return if value.is_empty() {
                        Err(Malformed)
                    } else {
                        Ok(value)
                    };
                }
                [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
                [] => return Err(Malformed),
            };
            if !is_token_byte(byte) {
                return Err(Malformed);
            }
            value.push(char::from(byte));
            self.rest = rest;
        }
    }

    fn token(&mut self) -> Result<String, Malformed> {
        self.skip_space();
        let length = self
            .rest
            .iter()
            .take_while(|&&it| is_token_byte(it))
            .count();
        let (token, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.skip_space();
        match token {
            [] => Err(Malformed),
            token => Ok(token.iter().copied().map(char::from).collect()),
        }
    }

    /// Takes `byte` if it comes next, whatever space is around it.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                self.skip_space();
                true
            }
            _ => false,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }
}

/// A byte of an HTTP token (RFC 9110, 5.6.2).
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
