//! JSON (RFC 8259), with WAMP's form of bytes: text of U+0000 and padded base64.
//!
//! Text that begins with U+0000 but goes on with something else than padded base64 stays text.
//! The reverse cannot be kept: text that happens to be U+0000 and base64, written as JSON, is
//! bytes to whoever reads it.
//!
//! Whole numbers that 64 bits hold are integers, larger ones floats, and so is all that has a
//! fraction or an exponent; numbers beyond the range of a float are errors. Duplicate keys are
//! passed on as they come.

mod number;
mod plain;
mod reader;
mod skip;
mod string;
mod writer;

pub use reader::JsonReader;
pub use writer::JsonWriter;
