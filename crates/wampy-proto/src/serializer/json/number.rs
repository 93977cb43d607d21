//! Numbers of JSON: their grammar and their values.

use crate::serializer::{Token, text};

const NUMBER: &str = "a malformed number";
const RANGE: &str = "a number beyond the range of a float";

/// A word of eight bytes that are 1.
const ONES: u64 = u64::MAX / 0xff;
/// The most digits of which an integer surely fits 64 bits.
const DIGITS_OF_U64: usize = 19;
/// The most bytes that [`put_id`] touches.
pub(super) const ID_DIGITS_MAX: usize = 16;
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
#[inline(always)]
pub(super) fn id(bytes: &[u8]) -> Option<(u64, usize)> {
    let Some(word) = bytes.first_chunk::<8>() else {
        return long_id(bytes);
    };
    let digits = u64::from_le_bytes(*word) ^ (ONES * b'0' as u64);
    // What is more than 9 has its highest bit now. Only bytes behind such a one can be wrong.
    let others = (digits.wrapping_add(ONES * (0x7f - 9)) | digits) & (ONES << 7);
    let len = others.trailing_zeros() / 8;
    match word.get(len as usize) {
        Some(b'.' | b'e' | b'E') => None,
        Some(_) if len > 0 && word[0] != b'0' => {
            Some((value_of_digits(digits << (64 - 8 * len)), len as usize))
        }
        Some(_) => None,
        None => long_id(bytes),
    }
}

/// The number of eight digits, the first in the lowest byte: neighbors are put together, three times.
#[inline]
const fn value_of_digits(digits: u64) -> u64 {
    const FIRST_OF_FOUR: u64 = 0x0000_00ff_0000_00ff;
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let outer = (pairs & FIRST_OF_FOUR).wrapping_mul(100 + (1_000_000 << 32));
    let inner = ((pairs >> 16) & FIRST_OF_FOUR).wrapping_mul(1 + (10_000 << 32));
    outer.wrapping_add(inner) >> 32
}

/// As [`id`], for one of eight digits or more, or of which the last bytes of a message may be a part.
fn long_id(bytes: &[u8]) -> Option<(u64, usize)> {
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

/// Puts the digits of an id at `text[at..]` and returns where they end; something may be behind that.
#[inline(always)]
pub(super) fn put_id<const N: usize>(text: &mut [u8; N], at: usize, id: u64) -> usize {
    const EIGHT: u64 = 100_000_000;
    debug_assert!(id < EIGHT * EIGHT, "no id has more than 16 digits");
    if id < EIGHT {
        return put_first_digits(text, at, id);
    }
    let at = put_first_digits(text, at, id / EIGHT);
    put_eight(text, at, eight_digits(id % EIGHT));
    at + 8
}

/// Puts a number below 100,000,000, without zeros before it.
#[inline(always)]
fn put_first_digits<const N: usize>(text: &mut [u8; N], at: usize, number: u64) -> usize {
    let digits = eight_digits(number);
    // A zero is a digit, too.
    let zeros = (digits | 1 << 56).trailing_zeros() / 8;
    put_eight(text, at, digits >> (8 * zeros));
    at + 8 - zeros as usize
}

#[inline(always)]
fn put_eight<const N: usize>(text: &mut [u8; N], at: usize, digits: u64) {
    if let Some(place) = text.get_mut(at..at + 8) {
        place.copy_from_slice(&(digits | (ONES * b'0' as u64)).to_le_bytes());
    }
}

/// The eight digits of a number below 100,000,000, the first in the lowest byte: halves, of these
/// halves, and of these again. The factors are 1/100 and 1/10, exact for what occurs.
#[inline(always)]
const fn eight_digits(number: u64) -> u64 {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = (fours - 100 * hundreds) << 16 | hundreds;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    (pairs - 10 * tens) << 8 | tens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_whatever_stands_behind_them() {
        let mut number = 0_u64;
        for digit in (1..=9).chain(0..=9) {
            number = number * 10 + digit;
            let text = number.to_string();
            for behind in [
                "",
                ",",
                "]",
                ",{},[1,2]",
                "\u{80}\u{80}\u{80}\u{80}",
                "/:;",
                " 1",
                "aaaaaaaaa",
            ] {
                let bytes = format!("{text}{behind}");
                assert_eq!(id(bytes.as_bytes()), Some((number, text.len())), "{bytes}");
                assert_eq!(id(bytes.as_bytes()), long_id(bytes.as_bytes()));
            }
            for behind in [".", ".5,12345678", "e1,12345678", "E"] {
                let bytes = format!("{text}{behind}");
                assert_eq!(id(bytes.as_bytes()), None, "{bytes}");
            }
        }
        for none in [
            "",
            "0",
            "0,1234567",
            "01234567",
            "01,123456",
            "-1,12345678",
            "a",
            "\"12345678",
        ] {
            assert_eq!(id(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn eight_digits_are_a_number() {
        for number in [0, 1, 12, 90_807_060, 99_999_999, 12_345_678] {
            let text = format!("{number:08}");
            let digits = u64::from_le_bytes(*text.as_bytes().first_chunk().unwrap());
            assert_eq!(value_of_digits(digits ^ (ONES * b'0' as u64)), number);
        }
    }

    #[test]
    fn ids_have_the_digits_of_their_decimal_text() {
        let powers = (0..16).map(|power| 10_u64.pow(power));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, power * 9 / 7]);
        for id in near
            .chain(0..20_000)
            .chain([crate::id::ID_MAX, 9_999_999_999_999_999])
        {
            let mut text = [b','; 1 + ID_DIGITS_MAX];
            let end = put_id(&mut text, 1, id);
            assert_eq!(str::from_utf8(&text[1..end]), Ok(id.to_string().as_str()));
        }
    }
}
