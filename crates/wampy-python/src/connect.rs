//! What a session is to be, as Python says it, in the words of the Rust client.
//!
//! Deliberately absent: defaults; `wampy.settings` has them.

use std::time::Duration;

use pyo3::prelude::*;
use wampy::{Builder, Client, IpVersion, Reconnect};
use wampy_proto::end_to_end::DataKey;

use crate::cookies::CookieJar;
use crate::failure::{Kind, failure};
use crate::keys::{self, Key};
use crate::proof::Proof;
use crate::runtime::duration;

/// What to connect to, and as whom; the keys of Python's dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Settings {
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
    batched: bool,
    cookies: Option<Py<CookieJar>>,
    /// After how many silent seconds to ping, and how many to wait for the pong.
    heartbeat: Option<(f64, f64)>,
    /// Shortest and longest delay in seconds, most attempts, and whether also for the first time.
    reconnect: Option<(f64, f64, Option<u32>, bool)>,
}

impl Settings {
    /// The same as the Rust client wants it.
    ///
    /// # Errors
    /// A setting makes no sense: `wampy.errors.ConfigurationError`.
    pub fn builder(self, py: Python<'_>) -> PyResult<Builder> {
        let mut builder = Client::builder(self.url)
            .realm(self.realm)
            .agent(concat!("wampy-python/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(duration(py, self.timeout)?)
            .close_timeout(duration(py, self.close_timeout)?)
            .batched(self.batched)
            .keys(self.keys.into_iter().map(DataKey::from).collect());
        if let Some((interval, timeout)) = self.heartbeat {
            builder = builder
                .ping_interval(Some(duration(py, interval)?))
                .ping_timeout(duration(py, timeout)?);
        }
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
        if let Some(jar) = self.cookies {
            builder = builder.cookies(jar.get().jar());
        }
        if let Some(name) = self.cipher {
            builder = builder.cipher(keys::cipher(py, &name)?);
        }
        builder = match self.ip_version {
            Some(4) => builder.ip_version(IpVersion::V4),
            Some(6) => builder.ip_version(IpVersion::V6),
            _ => builder,
        };
        Ok(match self.reconnect {
            Some(wanted) => builder.reconnect(reconnect(py, wanted)?),
            None => builder,
        })
    }
}

fn reconnect(
    py: Python<'_>,
    (delay_min, delay_max, attempts_max, first_connection): (f64, f64, Option<u32>, bool),
) -> PyResult<Reconnect> {
    Ok(Reconnect {
        delay_min: positive(py, delay_min)?,
        delay_max: positive(py, delay_max)?,
        attempts_max,
        first_connection,
    })
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
