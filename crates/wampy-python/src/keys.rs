//! The keys of end-to-end encryption, from `wampy.encryption`.
//!
//! Deliberately absent: the ciphers, which are the protocol crate's.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy_proto::end_to_end::{Cipher, DataKey};

use crate::failure::{Kind, failure};

/// `wampy.DataKey`.
#[derive(FromPyObject)]
pub struct Key {
    id: String,
    secret: [u8; 32],
}

impl From<Key> for DataKey {
    fn from(key: Key) -> Self {
        Self::with_id(key.id, key.secret)
    }
}

/// The cipher of that name.
///
/// # Errors
/// There is none: `wampy.errors.ConfigurationError`.
pub fn cipher(py: Python<'_>, name: &str) -> PyResult<Cipher> {
    name.parse().map_err(|problem| {
        let message = format!("{problem}");
        failure(py, Kind::Configuration, &message)
    })
}

/// The key by which a request is to be encrypted, which stands among its options.
///
/// # Errors
/// It is no string.
pub fn encrypt(options: &Bound<'_, PyDict>) -> PyResult<Option<String>> {
    let named = options.get_item("encrypt")?;
    named.map(|name| name.extract()).transpose()
}
