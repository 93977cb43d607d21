//! Where URIs were found last: a small table before the hash tables of a realm.
//!
//! Peers name the same few URIs again and again. Hashing the whole of one costs more than all else
//! that is needed to find it, so a place in this table follows from some of its bytes. What is found
//! there is only a guess: whoever asks has to look whether it is still there and has that URI.
//!
//! Peers can choose URIs that share a place. That costs them the guess, and nobody anything else.

/// How many places a table has that is in use.
const PLACES: usize = 256;

/// What was found last, by [`tag`].
#[derive(Debug)]
pub(crate) struct Recent<V> {
    /// None at all until something was found: most realms are idle.
    places: Box<[Option<(u64, V)>]>,
}

impl<V: Copy> Recent<V> {
    pub(crate) fn new() -> Self {
        Self {
            places: Box::default(),
        }
    }

    /// What was found by a URI with this tag.
    #[inline]
    pub(crate) fn get(&self, tag: u64) -> Option<V> {
        match self.places.get(place(tag)) {
            Some(&Some((known, value))) if known == tag => Some(value),
            _ => None,
        }
    }

    /// Remembers it in place of what was found by another URI.
    #[inline(never)]
    pub(crate) fn set(&mut self, tag: u64, value: V) {
        if self.places.is_empty() {
            self.places = vec![None; PLACES].into();
        }
        self.places[place(tag)] = Some((tag, value));
    }
}

#[inline]
const fn place(tag: u64) -> usize {
    (tag >> (64 - PLACES.trailing_zeros())) as usize
}

/// A number that most URIs have for themselves, from their lengths and bytes at the end and in the
/// middle: the beginning is often the same for all.
#[inline]
pub(crate) fn tag(uri: &str) -> u64 {
    let bytes = uri.as_bytes();
    let len = bytes.len();
    let mixed = match (bytes.last_chunk::<16>(), bytes.last_chunk::<8>()) {
        (Some(end), _) => {
            let end = u128::from_le_bytes(*end);
            let middle = bytes.get(len / 2 - 4..).and_then(<[u8]>::first_chunk);
            let middle = middle.map_or(0, |middle| u64::from_le_bytes(*middle));
            (end >> 64) as u64 ^ (end as u64).rotate_left(23) ^ middle.rotate_left(41)
        }
        (None, Some(end)) => {
            let begin = bytes.first_chunk().map_or(0, |it| u64::from_le_bytes(*it));
            u64::from_le_bytes(*end) ^ begin.rotate_left(23)
        }
        (None, None) => bytes
            .iter()
            .fold(0, |mixed, &byte| mixed << 8 | u64::from(byte)),
    };
    // The place is taken from the highest bits, which depend on all others.
    (mixed ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn similar_uris_have_tags_and_mostly_places_of_their_own() {
        let uris: Vec<String> = [
            "a",
            "com.example.house.room",
            "com.example.sensor.of.temperature",
        ]
        .into_iter()
        .flat_map(|start| (0..64).map(move |number| format!("{start}{number}")))
        .collect();
        let tags: HashSet<u64> = uris.iter().map(|uri| tag(uri)).collect();
        assert_eq!(tags.len(), uris.len());
        let places: HashSet<usize> = tags.iter().map(|&tag| place(tag)).collect();
        // Thrown at random, 192 URIs would hit 135 of 256 places.
        assert!(places.len() > 110, "{}", places.len());
    }

    #[test]
    fn uris_of_every_length_have_a_tag() {
        let text = "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t";
        let tags: HashSet<u64> = (0..text.len()).map(|len| tag(&text[..len])).collect();
        assert_eq!(tags.len(), text.len());
    }

    #[test]
    fn the_last_one_takes_the_place() {
        let mut recent = Recent::new();
        assert_eq!(recent.get(7), None);
        recent.set(7, "seven");
        assert_eq!(recent.get(7), Some("seven"));
        assert_eq!(recent.get(8), None, "another tag at the same place");
        recent.set(8, "eight");
        assert_eq!((recent.get(7), recent.get(8)), (None, Some("eight")));
    }
}
