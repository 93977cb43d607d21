//! The router's side: reading a request, accepting it as a WebSocket or saying why not.

use super::super::deflate::Deflate;
use super::extension;
use super::head::printable;
use super::{ACCEPT_BYTES, HandshakeLimits, Headers, VERSION, accept_value};
use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Keys are 16 random bytes; the unused bits of the last character do no harm.
const KEY_ENGINE: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical)
        .with_decode_allow_trailing_bits(true),
);

/// The head of an HTTP request, borrowed from the received bytes.
#[derive(Debug, Clone)]
pub struct RequestHead<'b> {
    /// The method, such as `GET`.
    pub method: &'b str,
    /// The request target as it came: usually a path, also `//8080` or `http://host/path`.
    pub target: &'b str,
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    pub http_minor: u8,
    /// All headers.
    pub headers: Headers<'b>,
}

impl<'b> RequestHead<'b> {
    /// Reads a request from the front of `buf`: the head and its size in bytes, or `None` if it is
    /// not complete yet.
    ///
    /// # Errors
    /// A [`Refusal`] to send before closing, if this is not HTTP/1 or exceeds the limits.
    pub fn read(buf: &'b [u8], limits: &HandshakeLimits) -> Result<Option<(Self, usize)>, Refusal> {
        let window = &buf[..buf.len().min(limits.head_bytes_max)];
        let mut headers = vec![httparse::EMPTY_HEADER; limits.headers_max];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(window) {
            Ok(httparse::Status::Complete(head_bytes)) => {
                let head = Self {
                    method: request.method.unwrap_or_default(),
                    target: request.path.unwrap_or_default(),
                    http_minor: request.version.unwrap_or_default(),
                    headers: Headers::new(request.headers),
                };
                Ok(Some((head, head_bytes)))
            }
            Ok(httparse::Status::Partial) if window.len() < limits.head_bytes_max => Ok(None),
            Ok(httparse::Status::Partial) => {
                let limit = limits.head_bytes_max;
                Err(Refusal::new(
                    431,
                    format!("The request head exceeds {limit} bytes."),
                ))
            }
            Err(httparse::Error::TooManyHeaders) => {
                let limit = limits.headers_max;
                Err(Refusal::new(
                    431,
                    format!("The request has more than {limit} headers."),
                ))
            }
            Err(error) => Err(Refusal::new(400, format!("This is not HTTP/1.1: {error}."))),
        }
    }

    /// The path of the target, without scheme, authority and query.
    #[must_use]
    pub fn path(&self) -> &'b str {
        let without_query = self.target.split(['?', '#']).next().unwrap_or_default();
        match without_query.split_once("://") {
            Some((scheme, rest)) if !scheme.contains('/') => {
                rest.find('/').map_or("/", |at| &rest[at..])
            }
            _ => without_query,
        }
    }

    /// Whether the client wants a WebSocket, even if it asks for it wrongly. If not, the request
    /// is for whatever else is served, or for [`Refusal::not_a_websocket`].
    #[must_use]
    pub fn asks_for_websocket(&self) -> bool {
        // The key alone is a request that went through a proxy which does not know WebSocket.
        self.headers.has_token("Upgrade", "websocket")
            || self.headers.values("Sec-WebSocket-Key").next().is_some()
    }

    /// Accepts the request as a WebSocket with the first of the client's subprotocols that is also
    /// in `supported`.
    ///
    /// # Errors
    /// A [`Refusal`] to send before closing.
    pub fn accept<'s>(&self, supported: &[&'s str]) -> Result<Accepted<'s>, Refusal> {
        if !self.asks_for_websocket() {
            return Err(Refusal::not_a_websocket(supported));
        }
        self.check_upgrade()?;
        let accept = accept_value(self.key()?);
        let chosen = self
            .headers
            .elements("Sec-WebSocket-Protocol")
            .find_map(|offered| {
                supported
                    .iter()
                    .find(|protocol| protocol.as_bytes() == offered)
            });
        match chosen {
            Some(subprotocol) => Ok(Accepted {
                subprotocol,
                deflate: None,
                accept,
            }),
            None => Err(self.no_common_subprotocol(supported)),
        }
    }

    /// The compression that the client asks for, in the first of its offers that can be fulfilled
    /// (RFC 7692, 7.1). To agree, set it as [`Accepted::deflate`].
    ///
    /// # Errors
    /// A [`Refusal`] to send before closing, if the header is malformed (RFC 6455, 9.1).
    pub fn deflate(&self) -> Result<Option<Deflate>, Refusal> {
        let offers = extension::extensions(&self.headers).map_err(|extension::Malformed| {
            let text = format!("The header `{}` is malformed.", extension::HEADER);
            Refusal::new(400, text)
        })?;
        Ok(extension::accept(&offers))
    }

    fn check_upgrade(&self) -> Result<(), Refusal> {
        if self.method != "GET" {
            let text = format!("A WebSocket is opened with GET, not {}.", self.method);
            return Err(Refusal::new(405, text).with_header("Allow: GET"));
        }
        if self.http_minor < 1 {
            return Err(Refusal::bad_request(
                "A WebSocket needs HTTP/1.1; a proxy on the way may have to be told to use it.",
            ));
        }
        if !self.headers.has_token("Upgrade", "websocket")
            || !self.headers.has_token("Connection", "upgrade")
        {
            return Err(Refusal::bad_request(
                "The headers `Upgrade: websocket` and `Connection: Upgrade` are both needed; \
                 a proxy on the way may have to be told to pass them on.",
            ));
        }
        if self.headers.single("Host").is_none() {
            return Err(Refusal::bad_request(
                "The header `Host` is needed exactly once.",
            ));
        }
        if self.headers.single("Sec-WebSocket-Version") != Some(VERSION.as_bytes()) {
            let text = format!("The header `Sec-WebSocket-Version: {VERSION}` is needed.");
            return Err(Refusal::new(426, text).with_upgrade_headers());
        }
        Ok(())
    }

    fn key(&self) -> Result<&'b [u8], Refusal> {
        let key = self.headers.single("Sec-WebSocket-Key").filter(|key| {
            let mut nonce = [0; 18];
            KEY_ENGINE.decode_slice(key, &mut nonce) == Ok(16)
        });
        key.ok_or_else(|| {
            Refusal::bad_request("The header `Sec-WebSocket-Key` must be 16 bytes in Base64, once.")
        })
    }

    fn no_common_subprotocol(&self, supported: &[&str]) -> Refusal {
        let supported = supported.join(", ");
        let offered = self
            .headers
            .elements("Sec-WebSocket-Protocol")
            .collect::<Vec<_>>();
        let text = if offered.is_empty() {
            format!(
                "The header `Sec-WebSocket-Protocol` is missing. This WAMP router supports: \
                 {supported}."
            )
        } else {
            let offered = printable(&offered.join(&b", "[..]));
            format!("This WAMP router supports none of: {offered}. It supports: {supported}.")
        };
        Refusal::new(400, text)
    }
}

/// A request that was accepted: send [`Accepted::write_response`], then speak WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted<'s> {
    /// The subprotocol chosen.
    pub subprotocol: &'s str,
    /// The compression to agree to: `None`, unless it is set to what
    /// [`RequestHead::deflate`] found.
    pub deflate: Option<Deflate>,
    accept: [u8; ACCEPT_BYTES],
}

impl Accepted<'_> {
    /// Appends the response that ends the handshake.
    pub fn write_response(&self, out: &mut Vec<u8>) {
        self.write_response_with(&[], out);
    }

    /// Appends the response that ends the handshake, with further headers. Their values must be what
    /// HTTP allows.
    pub fn write_response_with(&self, headers: &[(&str, String)], out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\n\
              Upgrade: websocket\r\n\
              Connection: Upgrade\r\n\
              Sec-WebSocket-Accept: ",
        );
        out.extend_from_slice(&self.accept);
        out.extend_from_slice(b"\r\nSec-WebSocket-Protocol: ");
        out.extend_from_slice(self.subprotocol.as_bytes());
        if let Some(deflate) = self.deflate {
            let header = format!("\r\n{}: {}", extension::HEADER, extension::ANSWER);
            out.extend_from_slice(header.as_bytes());
            if let Some(bits) = deflate.window_bits_max {
                out.extend_from_slice(format!("; server_max_window_bits={bits}").as_bytes());
            }
        }
        for (name, value) in headers {
            out.extend_from_slice(format!("\r\n{name}: {value}").as_bytes());
        }
        out.extend_from_slice(b"\r\n\r\n");
    }
}

/// Why a request is not answered with a WebSocket: a complete HTTP response, after which the
/// connection is closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}: {text}")]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What people read.
    pub text: String,
    headers: Vec<String>,
}

impl Refusal {
    /// A refusal with a status of 4xx or 5xx and a text for people.
    #[must_use]
    pub fn new(status: u16, text: String) -> Self {
        Self {
            status,
            text,
            headers: Vec::new(),
        }
    }

    /// The answer to a browser, or any HTTP client, that looks at a WAMP router.
    #[must_use]
    pub fn not_a_websocket(supported: &[&str]) -> Self {
        let text = format!(
            "This is a WAMP router. Connect with a WAMP client, by WebSocket: {}.\n\
             About WAMP: https://wamp-proto.org",
            supported.join(", ")
        );
        Self::new(426, text).with_upgrade_headers()
    }

    fn bad_request(text: &str) -> Self {
        Self::new(400, text.to_owned())
    }

    fn with_header(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    fn with_upgrade_headers(self) -> Self {
        self.with_header("Upgrade: websocket")
            .with_header(&format!("Sec-WebSocket-Version: {VERSION}"))
    }

    /// Appends the whole HTTP response.
    pub fn write_response(&self, out: &mut Vec<u8>) {
        let connection = if self.status == 426 {
            "Connection: Upgrade, close"
        } else {
            "Connection: close"
        };
        let body = format!("{}\n", self.text);
        let head = format!(
            "HTTP/1.1 {} {}\r\n{connection}\r\n",
            self.status,
            status_phrase(self.status)
        );
        out.extend_from_slice(head.as_bytes());
        for header in &self.headers {
            out.extend_from_slice(header.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        let rest = format!(
            "Content-Type: text/plain; charset=utf-8\r\n\
             X-Content-Type-Options: nosniff\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        out.extend_from_slice(rest.as_bytes());
    }
}

fn status_phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        426 => "Upgrade Required",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        _ => "Refused",
    }
}
