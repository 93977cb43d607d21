//! UTF-8 validation of a text that arrives in pieces, which may cut characters apart.

/// Longest incomplete character: three of the four bytes of a character beyond U+FFFF.
const PENDING_BYTES_MAX: usize = 3;

/// The text contains bytes that no continuation can make valid.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InvalidUtf8;

/// Validates pieces of one text in order. Only the bytes of a character that is still incomplete
/// are remembered.
#[derive(Debug, Default)]
pub(super) struct Utf8Validator {
    pending: [u8; PENDING_BYTES_MAX],
    pending_bytes: u8,
}

impl Utf8Validator {
    /// Validates the next piece, failing as soon as the text cannot become valid anymore.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<(), InvalidUtf8> {
        let piece = if self.pending_bytes == 0 {
            piece
        } else {
            self.complete_pending(piece)?
        };
        let Err(error) = simdutf8::compat::from_utf8(piece) else {
            return Ok(());
        };
        if error.error_len().is_some() {
            return Err(InvalidUtf8);
        }
        let tail = &piece[error.valid_up_to()..];
        self.pending[..tail.len()].copy_from_slice(tail);
        self.pending_bytes = tail.len() as u8;
        Ok(())
    }

    /// Whether the text may end here.
    pub(super) fn is_complete(&self) -> bool {
        self.pending_bytes == 0
    }

    /// Adds bytes of `piece` to the incomplete character one by one until it is complete, and
    /// returns the rest of `piece`.
    fn complete_pending<'a>(&mut self, piece: &'a [u8]) -> Result<&'a [u8], InvalidUtf8> {
        let mut character = [0; PENDING_BYTES_MAX + 1];
        let mut length = usize::from(self.pending_bytes);
        character[..length].copy_from_slice(&self.pending[..length]);
        for (at, &byte) in piece.iter().enumerate() {
            character[length] = byte;
            length += 1;
            match std::str::from_utf8(&character[..length]) {
                Ok(_) => {
                    self.pending_bytes = 0;
                    return Ok(&piece[at + 1..]);
                }
                Err(error) if error.error_len().is_some() => return Err(InvalidUtf8),
                // Four bytes are always either valid or invalid, so this fits.
                Err(_) => self.pending[..length].copy_from_slice(&character[..length]),
            }
        }
        self.pending_bytes = length as u8;
        Ok(&[])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `text` in two pieces and says whether it was valid, or where it was refused.
    fn feed(text: &[u8], cut: usize) -> Result<bool, usize> {
        let mut validator = Utf8Validator::default();
        validator.feed(&text[..cut]).map_err(|_| 1usize)?;
        validator.feed(&text[cut..]).map_err(|_| 2usize)?;
        Ok(validator.is_complete())
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        let text = "a\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}z";
        for cut in 0..=text.len() {
            assert_eq!(feed(text.as_bytes(), cut), Ok(true), "{cut}");
        }
        let mut validator = Utf8Validator::default();
        for (at, byte) in text.bytes().enumerate() {
            assert_eq!(validator.feed(&[byte]), Ok(()));
            assert_eq!(validator.is_complete(), text.is_char_boundary(at + 1));
        }
    }

    #[test]
    fn invalid_bytes_are_refused_in_the_piece_that_has_them() {
        assert_eq!(feed(b"ab\xffcd", 3), Err(1));
        assert_eq!(feed(b"ab\xffcd", 2), Err(2));
        assert_eq!(feed(b"\xe2\x28\xa1", 1), Err(2));
        assert_eq!(feed(b"\xed\xa0\x80", 2), Err(1));
        assert_eq!(feed(b"\xf4\x90\x80\x80", 1), Err(2));
        assert_eq!(feed(b"\xf0\x9f\x98", 2), Ok(false));
        assert_eq!(feed(b"\xf0\x9f\x98\x41", 3), Err(2));
    }
}
