//! What a router challenges a client with while it joins, for Python to look at.
//!
//! Deliberately absent: answering, which the Rust client does by itself.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyList;
use wampy_proto::{Message, Serializer};

use crate::decode::decode;
use crate::locks::lock;

/// The most challenges that are kept: more than two factors nobody has.
const CHALLENGES_MAX: usize = 16;
/// The serializer in which they wait.
const SERIALIZER: Serializer = Serializer::MsgPack;

/// The challenges of one attempt to join, encoded.
#[derive(Clone, Default)]
pub struct Challenges(Arc<Mutex<Vec<Vec<u8>>>>);

impl Challenges {
    /// Keeps `message` if it is a CHALLENGE.
    pub fn push(&self, message: &Message<'_>) {
        let mut kept = lock(&self.0);
        let mut encoded = Vec::new();
        if matches!(message, Message::Challenge(_))
            && kept.len() < CHALLENGES_MAX
            && message.encode(SERIALIZER, &mut encoded).is_ok()
        {
            kept.push(encoded);
        }
    }

    /// Appends the challenges to `list`, each as the list that it is.
    pub fn append_to(&self, py: Python<'_>, list: &Bound<'_, PyList>) -> PyResult<()> {
        let kept = lock(&self.0);
        kept.iter()
            .try_for_each(|encoded| list.append(decode(py, SERIALIZER, encoded)?))
    }
}
