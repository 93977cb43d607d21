//! Numbers of JSON: their grammar and their values.

use crate::serializer::{Token, text};

const NUMBER: &str = "a malformed number";
const RANGE: &str = "a number beyond the range of a float";

/// The most digits of which an integer surely fits 64 bits.
const DIGITS_OF_U64: usize = 19;
/// The longest text of a number without a three-digit exponent that is surely in range.
const FINITE_NUMBER_BYTES: usize = 200;

/// The length of the number at the begin of `bytes`, and whether it has neither fraction nor
/// exponent; `None` if it breaks the grammar.
#[inline]
pub(super) fn number_len(bytes: &[u8]) -> Option<(usize, bool)> {
    let sign = usize::from(bytes.first() == Some(&b'-'));
    let whole = digits(bytes, sign);
    if whole == 0 || (whole > 1 && bytes.get(sign) == Some(&b'0')) {
        return None;
    }
    let len = sign + whole;
    match bytes.get(len) {
        Some(b'.' | b'e' | b'E') => fraction_end(bytes, len).map(|len| (len, false)),
        _ => Some((len, true)),
    }
}

/// How many digits begin at `bytes[start]`.
#[inline]
fn digits(bytes: &[u8], start: usize) -> usize {
    let mut end = start;
    while let Some(b'0'..=b'9') = bytes.get(end) {
        end += 1;
    }
    end - start
}

/// Where the fraction and exponent that begin at `bytes[len]` end.
fn fraction_end(bytes: &[u8], mut len: usize) -> Option<usize> {
    if bytes.get(len) == Some(&b'.') {
        let fraction = digits(bytes, len + 1);
        if fraction == 0 {
            return None;
        }
        len += 1 + fraction;
    }
    if let Some(b'e' | b'E') = bytes.get(len) {
        len += 1 + usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = digits(bytes, len);
        if exponent == 0 {
            return None;
        }
        len += exponent;
    }
    Some(len)
}

/// Whether a number is so long, or its exponent may be, that only its value tells whether it is
/// within the range of a float.
#[inline]
pub(super) fn may_be_infinite(number: &[u8]) -> bool {
    number.len() > FINITE_NUMBER_BYTES
        || matches!(number, [.., b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'])
            && number.iter().any(|byte| byte | 0x20 == b'e')
}

/// The number at the begin of `bytes`, and its length.
#[inline]
pub(super) fn number(bytes: &[u8]) -> Result<(Token<'static>, usize), &'static str> {
    match id(bytes) {
        Some((value, len)) => Ok((Token::Unsigned(value), len)),
        None => any_number(bytes),
    }
}

/// What most numbers are: an integer above 0 without a sign.
#[inline]
pub(super) fn id(bytes: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut len) = (0, 0);
    while let Some(digit @ b'0'..=b'9') = bytes.get(len)
        && len < DIGITS_OF_U64
    {
        value = value * 10 + u64::from(digit - b'0');
        len += 1;
    }
    let is_all = !matches!(bytes.get(len), Some(b'0'..=b'9' | b'.' | b'e' | b'E'));
    (is_all && len > 0 && bytes.first() != Some(&b'0')).then_some((value, len))
}

fn any_number(bytes: &[u8]) -> Result<(Token<'static>, usize), &'static str> {
    let (len, is_integer) = number_len(bytes).ok_or(NUMBER)?;
    let number = text(bytes.get(..len).unwrap_or_default())?;
    if is_integer {
        if let Ok(value) = number.parse() {
            return Ok((Token::Unsigned(value), len));
        }
        if let Ok(value) = number.parse::<i64>() {
            return Ok((
                u64::try_from(value).map_or(Token::Signed(value), Token::Unsigned),
                len,
            ));
        }
    }
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok((Token::Float(value), len)),
        _ => Err(RANGE),
    }
}
