//! Joining a realm on an event loop.
//!
//! Deliberately absent: what is joined, and as whom; see `connect` of the crate.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::desk::{Desk, Finish};
use super::session::AioSession;
use crate::connect::Settings;
use crate::error;

/// Begins to connect: the number of the operation, and the future of an `AioSession`.
///
/// # Errors
/// A setting makes no sense: `wampy.errors.ConfigurationError`.
pub fn start<'py>(
    desk: &Arc<Desk>,
    settings: &Bound<'py, PyDict>,
) -> PyResult<(u64, Bound<'py, PyAny>)> {
    let py = settings.py();
    let builder = settings.extract::<Settings>()?.builder(py)?;
    let of_session = Arc::clone(desk);
    desk.start(py, async move {
        let connected = builder.connect().await;
        let finish: Finish = Box::new(move |py| {
            let client = connected.map_err(|error| error::of_connect(py, &error))?;
            Ok(Py::new(py, AioSession::new(py, of_session, client))?.into_any())
        });
        finish
    })
}
