//! MessagePack, the version that tells text (`str`) from bytes (`bin`).
//!
//! Deliberately absent: extension types, the timestamp among them. WAMP has no value for them and
//! a router could not carry them to a peer of another serializer, so they are errors. One counts
//! as null: `d4 00 00`, which the libraries of JavaScript write for `undefined`.

mod reader;
mod skip;
mod writer;

pub use reader::MsgPackReader;
pub use writer::MsgPackWriter;

/// Type and content of the extension that stands for JavaScript's `undefined`.
const UNDEFINED: [u8; 2] = [0, 0];
