//! Keys of maps that came lately, as Python has them: most messages have the same few keys, and a
//! string that is there already takes no memory and knows its hash.
//!
//! There is a fixed number of places, and each key has one of them, so that a peer that sends ever new
//! keys gains nothing and costs others only what they have here.
//!
//! Deliberately absent: long keys, and values.

use std::hash::BuildHasher as _;
use std::sync::{Mutex, MutexGuard};

use foldhash::fast::FixedState;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// How many keys are kept.
const KEYS_MAX: usize = 512;
/// The longest key that is kept, in bytes.
const KEY_BYTES_MAX: usize = 32;

/// A key, with its text beside it, so that a look at it needs no call into Python.
struct Known {
    len: u8,
    text: [u8; KEY_BYTES_MAX],
    key: Py<PyString>,
}

type Places = [Option<Known>; KEYS_MAX];

static PLACES: Mutex<Places> = Mutex::new([const { None }; KEYS_MAX]);

/// The known keys, for one decoding.
pub struct KnownKeys(Option<MutexGuard<'static, Places>>);

impl KnownKeys {
    /// Never waits: a decoding that begins within another one, as a finalizer may do, knows none.
    pub fn get() -> Self {
        Self(PLACES.try_lock().ok())
    }

    /// The key that is `text`.
    #[inline]
    pub fn key<'py>(&mut self, py: Python<'py>, text: &str) -> Bound<'py, PyString> {
        match &mut self.0 {
            Some(places) if text.len() <= KEY_BYTES_MAX => known(py, places, text),
            _ => PyString::new(py, text),
        }
    }
}

fn known<'py>(py: Python<'py>, places: &mut Places, text: &str) -> Bound<'py, PyString> {
    // Who makes keys collide on purpose makes them as slow as they were without this.
    let hash = FixedState::with_seed(0).hash_one(text);
    let place = &mut places[hash as usize % KEYS_MAX];
    let bytes = text.as_bytes();
    if let Some(known) = place
        && &known.text[..usize::from(known.len)] == bytes
    {
        return known.key.bind(py).clone();
    }
    let key = PyString::new(py, text);
    let mut copy = [0; KEY_BYTES_MAX];
    copy[..bytes.len()].copy_from_slice(bytes);
    *place = Some(Known {
        len: bytes.len() as u8,
        text: copy,
        key: key.clone().unbind(),
    });
    key
}
