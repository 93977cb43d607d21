//! A reader of MessagePack.

use super::Cursor;

pub struct Msgpack<'a> {
    pub bytes: &'a [u8],
}

impl<'a> Msgpack<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn octet(&mut self) -> Option<u8> {
        self.take(1).map(|taken| taken[0])
    }

    fn big_endian(&mut self, octets: usize) -> Option<u64> {
        Some(
            self.take(octets)?
                .iter()
                .fold(0, |value, octet| (value << 8) | u64::from(*octet)),
        )
    }

    fn length(&mut self, octets: usize) -> Option<usize> {
        usize::try_from(self.big_endian(octets)?).ok()
    }

    /// Reads the marker at the front: how many octets of content and how many values follow.
    fn marker(&mut self) -> Option<(usize, usize)> {
        Some(match self.octet()? {
            0x00..=0x7f | 0xc0..=0xc3 | 0xe0..=0xff => (0, 0),
            map @ 0x80..=0x8f => (0, 2 * usize::from(map & 15)),
            array @ 0x90..=0x9f => (0, usize::from(array & 15)),
            string @ 0xa0..=0xbf => (usize::from(string & 31), 0),
            0xc4 | 0xd9 => (self.length(1)?, 0),
            0xc5 | 0xda => (self.length(2)?, 0),
            0xc6 | 0xdb => (self.length(4)?, 0),
            0xc7 => (self.length(1)?.checked_add(1)?, 0),
            0xc8 => (self.length(2)?.checked_add(1)?, 0),
            0xc9 => (self.length(4)?.checked_add(1)?, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 | 0xd4 => (2, 0),
            0xd5 => (3, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xd6 => (5, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xd7 => (9, 0),
            0xd8 => (17, 0),
            0xdc => (0, self.length(2)?),
            0xdd => (0, self.length(4)?),
            0xde => (0, self.length(2)?.checked_mul(2)?),
            0xdf => (0, self.length(4)?.checked_mul(2)?),
        })
    }
}

impl<'a> Cursor<'a> for Msgpack<'a> {
    fn open_array(&mut self) -> Option<()> {
        match self.octet()? {
            0x90..=0x9f => Some(()),
            0xdc => self.take(2).map(drop),
            0xdd => self.take(4).map(drop),
            _ => None,
        }
    }

    fn unsigned(&mut self) -> Option<u64> {
        match self.octet()? {
            small @ 0..=0x7f => Some(u64::from(small)),
            0xcc => self.big_endian(1),
            0xcd => self.big_endian(2),
            0xce => self.big_endian(4),
            0xcf => self.big_endian(8),
            _ => None,
        }
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        let length = match self.octet()? {
            short @ 0xa0..=0xbf => usize::from(short & 31),
            0xc4 | 0xd9 => self.length(1)?,
            0xc5 | 0xda => self.length(2)?,
            0xc6 | 0xdb => self.length(4)?,
            _ => return None,
        };
        self.take(length)
    }

    fn skip(&mut self) -> Option<()> {
        let mut left = 1usize;
        while left > 0 {
            let (content, values) = self.marker()?;
            self.take(content)?;
            left = (left - 1).checked_add(values)?;
        }
        Some(())
    }
}
