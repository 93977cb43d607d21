//! The client's side: writing the request and checking the answer.

use super::super::deflate::Deflate;
use super::extension::{self, is_token_byte};
use super::head::printable;
use super::{ACCEPT_BYTES, HandshakeLimits, Headers, VERSION, accept_value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a client asks for.
#[derive(Debug, Clone, Copy)]
pub struct ClientRequest<'a> {
    /// Host and, unless it is the scheme's default, port: `localhost:8080`, `[::1]:8080`.
    pub host: &'a str,
    /// Path and query; an empty one becomes `/`.
    pub target: &'a str,
    /// Subprotocols, the preferred one first.
    pub subprotocols: &'a [&'a str],
    /// Whether to ask for compression (RFC 7692).
    pub deflate: bool,
    /// Further headers, such as `Origin`, `Cookie` or `Authorization`.
    pub headers: &'a [(&'a str, &'a str)],
}

/// A request that cannot be written: our caller's mistake.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Host, target or subprotocol contain what would break the request apart.
    #[error("{part} {value:?} contains characters that a request cannot carry")]
    InvalidPart {
        /// Which part of the request.
        part: &'static str,
        /// Its value.
        value: String,
    },
    /// A header's name or value contains what would break the request apart.
    #[error("header {0:?} cannot be sent as it is")]
    InvalidHeader(String),
    /// A header that the handshake itself writes.
    #[error("header {0:?} is written by the WebSocket handshake itself")]
    ReservedHeader(String),
    /// A client needs a subprotocol, because it names the serializer.
    #[error("no subprotocol is offered")]
    NoSubprotocol,
}

impl ClientRequest<'_> {
    /// Appends the request to `out`. `nonce` must be new random bytes for each connection.
    ///
    /// # Errors
    /// [`RequestError`] if the request would not be valid HTTP; nothing is appended.
    pub fn write(
        &self,
        nonce: [u8; 16],
        out: &mut Vec<u8>,
    ) -> Result<PendingUpgrade, RequestError> {
        self.check()?;
        let key = STANDARD.encode(nonce);
        let target = if self.target.is_empty() {
            "/"
        } else {
            self.target
        };
        let request = format!(
            "GET {target} HTTP/1.1\r\n\
             Host: {}\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Version: {VERSION}\r\n\
             Sec-WebSocket-Key: {key}\r\n\
             Sec-WebSocket-Protocol: {}\r\n",
            self.host,
            self.subprotocols.join(", "),
        );
        out.extend_from_slice(request.as_bytes());
        if self.deflate {
            let header = format!("{}: {}\r\n", extension::HEADER, extension::OFFER);
            out.extend_from_slice(header.as_bytes());
        }
        for (name, value) in self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        Ok(PendingUpgrade {
            accept: accept_value(key.as_bytes()),
            deflate: self.deflate,
            subprotocols: self.subprotocols.iter().map(|&it| it.to_owned()).collect(),
        })
    }

    fn check(&self) -> Result<(), RequestError> {
        if self.subprotocols.is_empty() {
            return Err(RequestError::NoSubprotocol);
        }
        let target_is_valid =
            is_visible(self.target) && (self.target.is_empty() || self.target.starts_with('/'));
        let invalid = |part, value: &str| RequestError::InvalidPart {
            part,
            value: value.to_owned(),
        };
        if !target_is_valid {
            return Err(invalid("target", self.target));
        }
        if self.host.is_empty() || !is_visible(self.host) {
            return Err(invalid("host", self.host));
        }
        if let Some(wrong) = self.subprotocols.iter().find(|&it| !is_token(it)) {
            return Err(invalid("subprotocol", wrong));
        }
        for (name, value) in self.headers {
            let value_is_valid = value
                .bytes()
                .all(|byte| byte == b'\t' || byte >= b' ' && byte != 0x7f);
            if !is_token(name) || !value_is_valid {
                return Err(RequestError::InvalidHeader((*name).to_owned()));
            }
            if is_reserved(name) {
                return Err(RequestError::ReservedHeader((*name).to_owned()));
            }
        }
        Ok(())
    }
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// An HTTP token (RFC 9110, 5.6.2).
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let framing = [
        "host",
        "upgrade",
        "connection",
        "content-length",
        "transfer-encoding",
    ];
    framing.contains(&name.as_str()) || name.starts_with("sec-websocket-")
}

/// A request that was sent: what a correct answer to it looks like.
#[derive(Debug, Clone)]
pub struct PendingUpgrade {
    accept: [u8; ACCEPT_BYTES],
    deflate: bool,
    subprotocols: Vec<String>,
}

/// The router accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upgraded<'a> {
    /// The subprotocol the router chose, one of those offered.
    pub subprotocol: &'a str,
    /// The compression agreed upon, if any.
    pub deflate: Option<Deflate>,
    /// Size of the response; the bytes after it are frames.
    pub head_bytes: usize,
}

/// A router's answer that ends the connection attempt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandshakeError {
    /// The server answered with HTTP, but not with an upgrade.
    #[error("server answered HTTP {status} {reason} instead of a WebSocket{}", detail(.text))]
    Refused {
        /// The HTTP status.
        status: u16,
        /// The status line's phrase.
        reason: String,
        /// The beginning of the response's body as far as it has arrived, or where a redirect
        /// points to.
        text: String,
    },
    /// The answer is not HTTP/1.
    #[error("server does not speak HTTP/1.1, so no WebSocket: {0}")]
    NotHttp(httparse::Error),
    /// The answer exceeds a limit.
    #[error("server's answer exceeds {bytes_max} bytes or {headers_max} headers")]
    HeadTooLarge {
        /// Limit of the head's size.
        bytes_max: usize,
        /// Limit of the number of headers.
        headers_max: usize,
    },
    /// A header of the upgrade is missing or has another value than RFC 6455 demands.
    #[error("server's answer has no valid header `{0}`")]
    InvalidHeader(&'static str),
    /// The server did not choose any of the subprotocols offered.
    #[error("server speaks WebSocket but chose no subprotocol, so it is no WAMP router")]
    NoSubprotocol,
    /// The server chose a subprotocol that was not offered.
    #[error("server chose the subprotocol {0:?}, which was not offered")]
    UnofferedSubprotocol(String),
    /// The server uses an extension that was not offered.
    #[error("server chose the extension {0:?}, which was not offered")]
    UnofferedExtension(String),
    /// The server's answer to the offer of compression is none that RFC 7692 allows.
    #[error("server answered the offer of compression with {0:?}")]
    DeflateAnswer(String),
}

fn detail(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(": {text}")
    }
}

/// The values of `Set-Cookie` in the head of an answer that was read.
pub fn set_cookies<'a>(head: &'a [u8], limits: &HandshakeLimits) -> Vec<&'a [u8]> {
    let mut parsed = vec![httparse::EMPTY_HEADER; limits.headers_max];
    let mut response = httparse::Response::new(&mut parsed);
    match response.parse(head) {
        Ok(_) => Headers::new(response.headers)
            .values("Set-Cookie")
            .collect(),
        Err(_) => Vec::new(),
    }
}

impl PendingUpgrade {
    /// Reads the answer from the front of `buf`; `None` if it is not complete yet.
    ///
    /// # Errors
    /// [`HandshakeError`] says what the server did instead of accepting.
    pub fn read(
        &self,
        buf: &[u8],
        limits: &HandshakeLimits,
    ) -> Result<Option<Upgraded<'_>>, HandshakeError> {
        let window = &buf[..buf.len().min(limits.head_bytes_max)];
        let mut parsed = vec![httparse::EMPTY_HEADER; limits.headers_max];
        let mut response = httparse::Response::new(&mut parsed);
        let too_large = HandshakeError::HeadTooLarge {
            bytes_max: limits.head_bytes_max,
            headers_max: limits.headers_max,
        };
        let head_bytes = match response.parse(window) {
            Ok(httparse::Status::Complete(head_bytes)) => head_bytes,
            Ok(httparse::Status::Partial) if window.len() < limits.head_bytes_max => {
                return Ok(None);
            }
            Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
                return Err(too_large);
            }
            Err(error) => return Err(HandshakeError::NotHttp(error)),
        };
        let headers = Headers::new(response.headers);
        let status = response.code.unwrap_or_default();
        if status != 101 {
            let reason = response.reason.unwrap_or_default().to_owned();
            let text = refusal_text(status, &headers, &buf[head_bytes..]);
            return Err(HandshakeError::Refused {
                status,
                reason,
                text,
            });
        }
        self.check_upgrade(&headers)?;
        Ok(Some(Upgraded {
            subprotocol: self.subprotocol(&headers)?,
            deflate: self.deflate(&headers)?,
            head_bytes,
        }))
    }

    fn check_upgrade(&self, headers: &Headers<'_>) -> Result<(), HandshakeError> {
        if !headers.has_token("Upgrade", "websocket") {
            return Err(HandshakeError::InvalidHeader("Upgrade"));
        }
        if !headers.has_token("Connection", "upgrade") {
            return Err(HandshakeError::InvalidHeader("Connection"));
        }
        if headers.single("Sec-WebSocket-Accept") != Some(&self.accept[..]) {
            return Err(HandshakeError::InvalidHeader("Sec-WebSocket-Accept"));
        }
        Ok(())
    }

    fn deflate(&self, headers: &Headers<'_>) -> Result<Option<Deflate>, HandshakeError> {
        let text = || {
            let values: Vec<_> = headers.values(extension::HEADER).collect();
            printable(&values.join(&b", "[..]))
        };
        let malformed = |_| HandshakeError::InvalidHeader(extension::HEADER);
        match &extension::extensions(headers).map_err(malformed)?[..] {
            [] => Ok(None),
            [answer] if self.deflate && answer.name == "permessage-deflate" => {
                let agreed = extension::agreed(answer);
                let wrong = || HandshakeError::DeflateAnswer(text());
                agreed.map(Some).ok_or_else(wrong)
            }
            _ => Err(HandshakeError::UnofferedExtension(text())),
        }
    }

    fn subprotocol(&self, headers: &Headers<'_>) -> Result<&str, HandshakeError> {
        let mut values = headers.values("Sec-WebSocket-Protocol");
        let chosen = values.next().ok_or(HandshakeError::NoSubprotocol)?;
        if values.next().is_some() {
            return Err(HandshakeError::InvalidHeader("Sec-WebSocket-Protocol"));
        }
        let offered = self
            .subprotocols
            .iter()
            .find(|offered| offered.as_bytes() == chosen);
        offered
            .map(String::as_str)
            .ok_or_else(|| HandshakeError::UnofferedSubprotocol(printable(chosen)))
    }
}

/// What else the server says about its refusal.
fn refusal_text(status: u16, headers: &Headers<'_>, body: &[u8]) -> String {
    match headers.single("Location") {
        Some(location) if (300..400).contains(&status) => {
            format!("redirect to {}, which is not followed", printable(location))
        }
        _ => printable(body),
    }
}
