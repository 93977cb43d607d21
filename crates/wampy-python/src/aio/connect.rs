//! Joining a realm on an event loop.
//!
//! Deliberately absent: defaults; Python has them.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy::{Builder, Client, IpVersion, Reconnect};
use wampy_proto::end_to_end::DataKey;

use super::event_loop::{Desk, Finish};
use super::session::AioSession;
use crate::error::{self, Kind, failure};
use crate::keys::{self, Key};
use crate::proof::Proof;
use crate::runtime::duration;

/// What to connect to, and as whom; the keys of Python's dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Settings {
    url: String,
    realm: String,
    timeout: f64,
    close_timeout: f64,
    authmethods: Vec<String>,
    authid: Option<String>,
    proofs: Vec<Proof>,
    certificate: Option<(String, String)>,
    ca_path: Option<String>,
    ip_version: Option<u8>,
    keys: Vec<Key>,
    cipher: Option<String>,
    /// Shortest and longest delay in seconds, most attempts, and whether also for the first time.
    reconnect: Option<(f64, f64, Option<u32>, bool)>,
}

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
            Ok(Py::new(py, AioSession::new(of_session, client))?.into_any())
        });
        finish
    })
}

impl Settings {
    fn builder(self, py: Python<'_>) -> PyResult<Builder> {
        let mut builder = Client::builder(self.url)
            .realm(self.realm)
            .agent(concat!("wampy-python/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(duration(py, self.timeout)?)
            .close_timeout(duration(py, self.close_timeout)?)
            .keys(self.keys.into_iter().map(DataKey::from).collect());
        if !self.authmethods.is_empty() {
            builder = builder.authmethods(self.authmethods);
        }
        if let Some(authid) = self.authid {
            builder = builder.authid(authid);
        }
        for proof in self.proofs {
            builder = builder.auth(proof.into_auth(py)?);
        }
        if let Some((certificate, key)) = self.certificate {
            builder = builder.client_certificate(certificate, key);
        }
        if let Some(path) = self.ca_path {
            builder = builder.ca_file(path);
        }
        if let Some(name) = self.cipher {
            builder = builder.cipher(keys::cipher(py, &name)?);
        }
        builder = match self.ip_version {
            Some(4) => builder.ip_version(IpVersion::V4),
            Some(6) => builder.ip_version(IpVersion::V6),
            _ => builder,
        };
        if let Some((delay_min, delay_max, attempts_max, first_connection)) = self.reconnect {
            builder = builder.reconnect(Reconnect {
                delay_min: positive(py, delay_min)?,
                delay_max: positive(py, delay_max)?,
                attempts_max,
                first_connection,
            });
        }
        Ok(builder)
    }
}

fn positive(py: Python<'_>, seconds: f64) -> PyResult<Duration> {
    match duration(py, seconds)? {
        Duration::ZERO => {
            let problem = "a delay of 0 seconds would leave the router no peace";
            Err(failure(py, Kind::Configuration, problem))
        }
        delay => Ok(delay),
    }
}
