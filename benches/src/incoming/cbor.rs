//! A reader of CBOR (RFC 8949), with strings and containers of definite or, where only passed over
//! or entered, indefinite length.

use super::Cursor;

/// Ends a string, array or map of indefinite length.
const BREAK: u8 = 0xff;

/// The additional information of an initial byte that says: the length is indefinite.
const INDEFINITE: u8 = 31;

/// Containers inside each other at most.
const DEPTH_MAX: usize = 64;

const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

pub struct Cbor<'a> {
    pub bytes: &'a [u8],
}

/// The start of a data item: its major type, and its argument (RFC 8949, section 3); `None` if the
/// length is indefinite.
type Start = (u8, Option<u64>);

impl<'a> Cbor<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn start(&mut self) -> Option<Start> {
        let initial = self.take(1)?[0];
        let (major, information) = (initial >> 5, initial & 31);
        let octets = match information {
            0..=23 => return Some((major, Some(u64::from(information)))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            INDEFINITE => return Some((major, None)),
            _ => return None,
        };
        let argument = self.take(octets)?;
        let value = argument
            .iter()
            .fold(0, |value, octet| (value << 8) | u64::from(*octet));
        Some((major, Some(value)))
    }

    /// Passes over what follows an item's start.
    fn skip_rest(&mut self, start: Start, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return None;
        }
        match start {
            (BYTES | TEXT, Some(length)) => {
                self.take(usize::try_from(length).ok()?)?;
            }
            (ARRAY, Some(items)) => self.skip_items(items, depth)?,
            (MAP, Some(pairs)) => self.skip_items(pairs.checked_mul(2)?, depth)?,
            (TAG, Some(_)) => self.skip_items(1, depth)?,
            (BYTES | TEXT | ARRAY | MAP, None) => {
                while self.bytes.first() != Some(&BREAK) {
                    self.skip_items(1, depth)?;
                }
                self.take(1)?;
            }
            (UNSIGNED | NEGATIVE | TAG, None) => return None,
            // Numbers and simple values are over with their argument; a break ends nothing here.
            (_, argument) => {
                argument?;
            }
        }
        Some(())
    }

    fn skip_items(&mut self, items: u64, depth: usize) -> Option<()> {
        for _ in 0..items {
            let start = self.start()?;
            self.skip_rest(start, depth + 1)?;
        }
        Some(())
    }
}

impl<'a> Cursor<'a> for Cbor<'a> {
    fn open_array(&mut self) -> Option<()> {
        (self.start()?.0 == ARRAY).then_some(())
    }

    fn unsigned(&mut self) -> Option<u64> {
        match self.start()? {
            (UNSIGNED, value) => value,
            _ => None,
        }
    }

    fn string(&mut self) -> Option<&'a [u8]> {
        match self.start()? {
            (BYTES | TEXT, Some(length)) => self.take(usize::try_from(length).ok()?),
            _ => None,
        }
    }

    fn skip(&mut self) -> Option<()> {
        self.skip_items(1, 0)
    }
}
