//! Close codes: RFC 6455, 7.4, and the IANA registry.

use crate::framing::FramingError;

/// A close code that may appear on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: a server goes down, or a browser leaves the page.
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer broke the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the peer sent a kind of data (text or binary) that is not acceptable.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: the data does not match the message's kind, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a policy is violated that has no code of its own.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: the message is too big.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1011: the server met an unexpected condition.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the server restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the server is overloaded.
    pub const TRY_AGAIN_LATER: Self = Self(1013);

    /// The code with this number; `None` if it must not be sent: below 1000, reserved (1004), only
    /// for use inside a program (1005, 1006, 1015), unassigned (1016 to 2999), above 4999.
    #[must_use]
    pub fn new(number: u16) -> Option<Self> {
        match number {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for CloseCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Reads the body of a close frame.
pub(super) fn parse_body(body: &[u8]) -> Result<(Option<CloseCode>, &str), FramingError> {
    match body {
        [] => Ok((None, "")),
        [_] => Err(FramingError::CloseTruncated),
        [high, low, reason @ ..] => {
            let number = u16::from_be_bytes([*high, *low]);
            let code = CloseCode::new(number).ok_or(FramingError::CloseCodeInvalid(number))?;
            let reason = simdutf8::basic::from_utf8(reason);
            Ok((Some(code), reason.map_err(|_| FramingError::InvalidUtf8)?))
        }
    }
}
