//! MessagePack and CBOR, as far as the load generator writes them: short arrays and maps, unsigned
//! integers, strings. The two differ only in their markers.

/// One of the binary serializers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binary {
    Msgpack,
    Cbor,
}

impl Binary {
    /// The header of an array of at most 15 values.
    pub fn array(self, values: u8) -> u8 {
        match self {
            Self::Msgpack => 0x90 | values,
            Self::Cbor => 0x80 | values,
        }
    }

    /// The header of a map of at most 15 pairs.
    pub fn map(self, pairs: u8) -> u8 {
        match self {
            Self::Msgpack => 0x80 | pairs,
            Self::Cbor => 0xa0 | pairs,
        }
    }

    /// Octets that an unsigned integer takes in its shortest form.
    pub fn unsigned_width(self, value: u64) -> usize {
        let bare_max = match self {
            Self::Msgpack => 0x7f,
            Self::Cbor => 0x17,
        };
        match value {
            _ if value <= bare_max => 1,
            0..=0xff => 2,
            0x100..=0xffff => 3,
            0x1_0000..=0xffff_ffff => 5,
            _ => 9,
        }
    }

    /// Writes an unsigned integer that is exactly as wide as the slot.
    pub fn write_unsigned(self, value: u64, slot: &mut [u8]) {
        let markers = match self {
            Self::Msgpack => [0xcc, 0xcd, 0xce, 0xcf],
            Self::Cbor => [0x18, 0x19, 0x1a, 0x1b],
        };
        match slot {
            [bare] => *bare = value as u8,
            [marker, rest @ ..] => {
                *marker = match rest.len() {
                    1 => markers[0],
                    2 => markers[1],
                    4 => markers[2],
                    _ => markers[3],
                };
                rest.copy_from_slice(&value.to_be_bytes()[8 - rest.len()..]);
            }
            [] => {}
        }
    }

    pub fn unsigned(self, value: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + self.unsigned_width(value), 0);
        self.write_unsigned(value, &mut out[start..]);
    }

    pub fn string(self, text: &str, out: &mut Vec<u8>) {
        self.string_header(text.len(), out);
        out.extend_from_slice(text.as_bytes());
    }

    pub fn string_header(self, length: usize, out: &mut Vec<u8>) {
        let (bare, bare_max, markers) = match self {
            Self::Msgpack => (0xa0, 0x1f, [0xd9, 0xda, 0xdb]),
            Self::Cbor => (0x60, 0x17, [0x78, 0x79, 0x7a]),
        };
        match length {
            _ if length <= bare_max => out.push(bare | length as u8),
            0..=0xff => out.extend_from_slice(&[markers[0], length as u8]),
            0x100..=0xffff => {
                out.push(markers[1]);
                out.extend_from_slice(&(length as u16).to_be_bytes());
            }
            _ => {
                out.push(markers[2]);
                out.extend_from_slice(&(length as u32).to_be_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_in_their_shortest_form() {
        let written = |binary: Binary, value| {
            let mut out = Vec::new();
            binary.unsigned(value, &mut out);
            out
        };
        let msgpack = |value| written(Binary::Msgpack, value);
        assert_eq!(msgpack(1), [1]);
        assert_eq!(msgpack(127), [127]);
        assert_eq!(msgpack(128), [0xcc, 128]);
        assert_eq!(msgpack(256), [0xcd, 1, 0]);
        assert_eq!(msgpack(65_536), [0xce, 0, 1, 0, 0]);
        assert_eq!(msgpack(1 << 40), [0xcf, 0, 0, 1, 0, 0, 0, 0, 0]);
        let cbor = |value| written(Binary::Cbor, value);
        assert_eq!(cbor(23), [23]);
        assert_eq!(cbor(24), [0x18, 24]);
        assert_eq!(cbor(256), [0x19, 1, 0]);
        assert_eq!(cbor(65_536), [0x1a, 0, 1, 0, 0]);
        assert_eq!(cbor(1 << 40), [0x1b, 0, 0, 1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn string_headers_follow_the_length() {
        let header = |binary: Binary, length| {
            let mut out = Vec::new();
            binary.string_header(length, &mut out);
            out
        };
        let msgpack = |length| header(Binary::Msgpack, length);
        assert_eq!(msgpack(16), [0xb0]);
        assert_eq!(msgpack(32), [0xd9, 32]);
        assert_eq!(msgpack(1024), [0xda, 4, 0]);
        assert_eq!(msgpack(65_536), [0xdb, 0, 1, 0, 0]);
        let cbor = |length| header(Binary::Cbor, length);
        assert_eq!(cbor(16), [0x70]);
        assert_eq!(cbor(24), [0x78, 24]);
        assert_eq!(cbor(1024), [0x79, 4, 0]);
        assert_eq!(cbor(65_536), [0x7a, 0, 1, 0, 0]);
    }
}
