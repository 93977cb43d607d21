//! What all writers share.

use super::Serializer;

/// A list or map that is being written and whose length is told at its end.
#[derive(Debug)]
#[must_use = "the list or map must be ended"]
pub struct Uncounted {
    /// Where it begins in the output.
    pub(super) at: usize,
    pub(super) map: bool,
}

impl Uncounted {
    /// Puts `head` in the place of the one byte that was written for it.
    pub(super) fn set_head(self, out: &mut Vec<u8>, head: &[u8]) {
        if let (&[only], Some(place)) = (head, out.get_mut(self.at)) {
            *place = only;
        } else {
            out.splice(self.at..=self.at, head.iter().copied());
        }
    }
}

/// Appends encoded values to a vector.
///
/// The caller keeps the structure well formed: as many elements as announced, a key before each
/// value of a map, an `end_*` for each `begin_*`.
pub trait Writer {
    /// Which serializer this writes.
    const SERIALIZER: Serializer;

    /// Writes null.
    fn null(&mut self);
    /// Writes a boolean.
    fn bool(&mut self, value: bool);
    /// Writes a whole number of 0 or more, in the fewest bytes.
    fn unsigned(&mut self, value: u64);
    /// Writes a whole number, in the fewest bytes.
    fn signed(&mut self, value: i64);
    /// Writes a float. JSON has no NaN and no infinities: they become null there.
    fn float(&mut self, value: f64);
    /// Writes text.
    fn text(&mut self, value: &str);
    /// Writes bytes (in JSON as text of U+0000 and base64).
    fn bytes(&mut self, value: &[u8]);
    /// Begins a message: a list of the message's code, some ids, and `rest` more elements. Codes are
    /// below 100, ids below 10^16, and a message has fewer than 16 elements.
    ///
    /// What nearly every message begins with is one thing, so that a writer can put it together before
    /// it appends it.
    fn begin_message<const N: usize>(&mut self, code: u8, ids: [u64; N], rest: usize) {
        self.begin_list(1 + N + rest);
        self.unsigned(code.into());
        for id in ids {
            self.unsigned(id);
        }
    }
    /// Writes a map without pairs.
    fn empty_map(&mut self) {
        self.begin_map(0);
        self.end_map();
    }
    /// Begins a list of `len` elements.
    fn begin_list(&mut self, len: usize);
    /// Ends the list begun last.
    fn end_list(&mut self);
    /// Begins a map of `len` pairs.
    fn begin_map(&mut self, len: usize);
    /// Writes the key of a map's next pair.
    fn key(&mut self, key: &str);
    /// Ends the map begun last.
    fn end_map(&mut self);
    /// Begins a list, or a map, whose length is not known yet.
    fn begin_uncounted(&mut self, map: bool) -> Uncounted;
    /// Ends the list or map begun last by [`Writer::begin_uncounted`], of `len` elements or pairs.
    /// This may move what was written since.
    fn end_uncounted(&mut self, open: Uncounted, len: usize);
    /// How many bytes the output has.
    fn written(&self) -> usize;
    /// Writes a value that is encoded in this serializer already.
    fn raw(&mut self, encoded: &[u8]);
}
