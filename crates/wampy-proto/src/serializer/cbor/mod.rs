//! CBOR (RFC 8949).
//!
//! Tags are stepped over and their content kept, so that a tagged date is its text or number; the
//! exception are bignums (tags 2 and 3), which are numbers: an integer if 64 bits hold it, else
//! the nearest float, as with JSON's long integers. `undefined` counts as null. Integers below
//! -2^63 are floats.
//!
//! Deliberately absent: simple values other than false, true, null and undefined (errors: WAMP has
//! no value for them), and writing anything but definite lengths and 64-bit floats.

mod reader;
mod skip;
mod writer;

pub use reader::CborReader;
pub use writer::CborWriter;

// The major types: the upper three bits of a value's first byte.
const UNSIGNED: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

/// The additional information of an indefinite length.
const INDEFINITE: u8 = 31;
/// What ends a value of indefinite length.
const BREAK_BYTE: u8 = 0xff;
