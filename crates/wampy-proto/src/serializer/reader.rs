//! What all readers share: tokens, and how they are pulled.

use std::borrow::Cow;

use super::{DEPTH_MAX, DecodeError, NESTED_TOO_DEEPLY, Serializer};

/// One step of a value as a [`Reader`] sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Token<'a> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number of 0 or more.
    Unsigned(u64),
    /// A whole number below 0.
    Signed(i64),
    /// A number with a fraction or exponent, or beyond 64 bits.
    Float(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// The begin of a list: its elements follow while [`Reader::more`].
    List(Seq),
    /// The begin of a map: [`Reader::key`] and a value follow while [`Reader::more`].
    Map(Seq),
}

impl Token<'_> {
    /// What the token is, for error texts.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Unsigned(_) | Self::Signed(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// How far a reader has come in one list or map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seq {
    /// The elements (or pairs) still to come, where the serializer says so in advance. Nothing
    /// but the sender's word: memory must not be reserved for it.
    pub remaining: Option<u64>,
    /// Whether an element has been read.
    pub started: bool,
    /// Whether this is a map.
    pub is_map: bool,
}

impl Seq {
    pub(super) const fn list(remaining: Option<u64>) -> Self {
        Self {
            remaining,
            started: false,
            is_map: false,
        }
    }

    pub(super) const fn map(remaining: Option<u64>) -> Self {
        Self {
            remaining,
            started: false,
            is_map: true,
        }
    }

    /// Remembers that the end was stepped over.
    pub(super) const fn end(&mut self) {
        self.remaining = Some(0);
    }

    /// Takes one off the announced elements; false if none is left.
    #[inline]
    pub(super) const fn count_down(&mut self) -> bool {
        self.started = true;
        match &mut self.remaining {
            Some(0) | None => false,
            Some(remaining) => {
                *remaining -= 1;
                true
            }
        }
    }
}

/// Pulls tokens from a slice of encoded bytes.
///
/// ```
/// use wampy_proto::serializer::{Reader, json::JsonReader};
///
/// let mut reader = JsonReader::new(br#"{"count": 3, "rest": [1, 2]}"#);
/// let mut map = reader.map()?;
/// let mut skipped = Vec::new();
/// while reader.more(&mut map)? {
///     skipped.push((reader.key()?, reader.skip()?));
/// }
/// reader.finish()?;
/// assert_eq!(skipped[1], ("rest".into(), &b"[1, 2]"[..]));
/// # Ok::<(), wampy_proto::DecodeError>(())
/// ```
///
/// Containers are read by the caller's loop, so a reader needs no stack; [`Reader::skip`] and
/// whoever recurses must stop at [`DEPTH_MAX`].
pub trait Reader<'a>: Sized {
    /// Which serializer this reads.
    const SERIALIZER: Serializer;

    /// A reader at the begin of `bytes`.
    fn new(bytes: &'a [u8]) -> Self;

    /// The next token. For a map's value, [`Reader::key`] comes first.
    ///
    /// # Errors
    /// The bytes are malformed or end too early.
    fn token(&mut self) -> Result<Token<'a>, DecodeError>;

    /// Whether another element (or pair) of `seq` follows; steps over separators and the end.
    /// Behind the end, the answer stays false.
    ///
    /// # Errors
    /// The bytes are malformed or end too early.
    fn more(&mut self, seq: &mut Seq) -> Result<bool, DecodeError>;

    /// The key of a map's next pair. A key that is a whole number counts as its decimal text.
    ///
    /// # Errors
    /// The bytes are malformed, end too early, or the key is something else.
    fn key(&mut self) -> Result<Cow<'a, str>, DecodeError>;

    /// Steps over the next value, whole, and returns its bytes. Validates all of it.
    ///
    /// # Errors
    /// The bytes are malformed, end too early, or are nested deeper than [`DEPTH_MAX`].
    fn skip(&mut self) -> Result<&'a [u8], DecodeError>;

    /// Steps over the next value if it is null, and says whether it was.
    fn skip_null(&mut self) -> bool;

    /// The offset of the next byte to read.
    fn offset(&self) -> usize;

    /// Checks that nothing follows the last value.
    ///
    /// # Errors
    /// Something follows.
    fn finish(&mut self) -> Result<(), DecodeError>;

    /// An error at the current offset.
    fn error(&self, problem: impl Into<Cow<'static, str>>) -> DecodeError {
        DecodeError {
            problem: problem.into(),
            offset: self.offset(),
        }
    }

    /// Begins a list.
    ///
    /// # Errors
    /// The next value is something else, or malformed.
    #[inline]
    fn list(&mut self) -> Result<Seq, DecodeError> {
        if let Some(seq) = self.begin_short(false) {
            return Ok(seq);
        }
        match self.token()? {
            Token::List(seq) => Ok(seq),
            other => Err(self.expected("a list", &other)),
        }
    }

    /// Begins a map.
    ///
    /// # Errors
    /// The next value is something else, or malformed.
    #[inline]
    fn map(&mut self) -> Result<Seq, DecodeError> {
        if let Some(seq) = self.begin_short(true) {
            return Ok(seq);
        }
        match self.token()? {
            Token::Map(seq) => Ok(seq),
            other => Err(self.expected("a map", &other)),
        }
    }

    /// Begins a list (or a map) if it begins with the one byte that is usual for it; the shortcut
    /// of [`Reader::list`] and [`Reader::map`].
    fn begin_short(&mut self, map: bool) -> Option<Seq>;

    /// Steps over an integer of 0 or more in one of its usual forms; `None`, and nothing stepped
    /// over, if [`Reader::token`] has to say what comes next. A shortcut for ids.
    fn short_unsigned(&mut self) -> Option<u64>;

    /// The same for text: a shortcut for URIs.
    fn short_text(&mut self) -> Option<&'a str>;

    /// The error that `found` is not what was `wanted`.
    #[cold]
    fn expected(&self, wanted: &str, found: &Token<'_>) -> DecodeError {
        self.error(format!("expected {wanted}, found {}", found.kind()))
    }

    /// Steps over what is left of the value that `token` began.
    ///
    /// # Errors
    /// As for [`Reader::skip`].
    fn skip_rest(&mut self, token: Token<'a>) -> Result<(), DecodeError> {
        match token {
            Token::List(mut seq) => {
                while self.more(&mut seq)? {
                    self.skip()?;
                }
            }
            Token::Map(mut seq) => {
                while self.more(&mut seq)? {
                    self.key()?;
                    self.skip()?;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Why the value at the begin of `reader`, which cannot be skipped, is malformed: its tokens tell.
#[cold]
pub(super) fn why_not<'a, R: Reader<'a>>(reader: &mut R) -> DecodeError {
    match walk(reader, DEPTH_MAX) {
        Ok(()) => reader.error("a malformed value"),
        Err(error) => error,
    }
}

/// Steps over the next value token by token.
fn walk<'a, R: Reader<'a>>(reader: &mut R, depth: usize) -> Result<(), DecodeError> {
    let (Token::List(mut seq) | Token::Map(mut seq)) = reader.token()? else {
        return Ok(());
    };
    let depth = depth
        .checked_sub(1)
        .ok_or_else(|| reader.error(NESTED_TOO_DEEPLY))?;
    while reader.more(&mut seq)? {
        if seq.is_map {
            reader.key()?;
        }
        walk(reader, depth)?;
    }
    Ok(())
}
