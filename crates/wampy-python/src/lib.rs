//! `wampy._wampy`: the Rust client and router, seen from Python.
//!
//! Conversion only. The public Python API is hand-written in `python/wampy`, and
//! `python/wampy/_wampy.pyi` describes every name here.
//!
//! Deliberately absent: protocol logic, exception classes, and any call into Python from the
//! network thread.

mod aio;
mod answers;
mod asked;
mod attempt;
mod bell;
mod challenges;
mod connect;
mod cookies;
mod decode;
mod encode;
mod error;
mod events;
mod failure;
mod features;
mod fork;
mod held;
mod hub;
mod inbox;
mod kept;
mod keys;
mod known_keys;
mod live;
mod locks;
mod names;
mod options;
mod payload;
mod progressive;
mod proof;
mod request;
mod router;
mod runtime;
mod session;
mod work;

use pyo3::prelude::*;

/// The compiled part of wampy: Rust's client and router, seen from Python.
// The encoder relies on the GIL: no other thread may change a dictionary while it walks it.
#[pymodule(gil_used = true)]
mod _wampy {
    use pyo3::prelude::*;
    use pyo3::types::PyBytes;
    use wampy_proto::message::{CallOptions, PublishOptions};
    use wampy_proto::serializer::Serializer;

    #[pymodule_export]
    use crate::aio::{
        AioEvent, AioInput, AioInvocation, AioLoop, AioOptions, AioRegistration, AioSession,
        AioStream,
    };
    #[pymodule_export]
    use crate::asked::{Asked, AskedCall};
    #[pymodule_export]
    use crate::attempt::Attempt;
    #[pymodule_export]
    use crate::cookies::CookieJar;
    use crate::failure::{Kind, failure};
    #[pymodule_export]
    use crate::hub::Wakeups;
    #[pymodule_export]
    use crate::progressive::{Input, Results};
    #[pymodule_export]
    use crate::router::Router;
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("CALL_OPTIONS", CallOptions::KEYS.to_vec())?;
        module.add("PUBLISH_OPTIONS", PublishOptions::KEYS.to_vec())?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }

    fn serializer_named(py: Python<'_>, name: &str) -> PyResult<Serializer> {
        Serializer::from_name(name).ok_or_else(|| {
            failure(
                py,
                Kind::Configuration,
                &format!("there is no serializer {name:?}"),
            )
        })
    }

    /// Encode one value.
    #[pyfunction]
    fn encode<'py>(serializer: &str, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let py = value.py();
        let encoded = crate::encode::encode(serializer_named(py, serializer)?, value, "value")?;
        Ok(PyBytes::new(py, &encoded))
    }

    /// Decode one value that fills `data`.
    #[pyfunction]
    fn decode<'py>(py: Python<'py>, serializer: &str, data: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        crate::decode::decode(py, serializer_named(py, serializer)?, data)
    }

    /// What a key for end-to-end encryption is called unless somebody says otherwise.
    #[pyfunction]
    fn key_id(secret: [u8; 32]) -> String {
        wampy_proto::end_to_end::DataKey::new(secret)
            .id()
            .to_owned()
    }

    /// End every wait in this process, and wait until they have ended.
    #[pyfunction]
    fn shut_down(py: Python<'_>, timeout: f64) -> PyResult<bool> {
        Ok(crate::runtime::shut_down(
            py,
            crate::runtime::duration(py, timeout)?,
        ))
    }

    /// Run the command line; `argv[0]` is the program's name. Returns the exit code.
    #[pyfunction]
    fn main(py: Python<'_>, argv: Vec<String>) -> u8 {
        py.detach(|| wampy_cli::run(argv))
    }

    /// Let threads that have a hub wait by it, so that other greenlets run meanwhile.
    #[pyfunction]
    fn wait_by_hubs(py: Python<'_>, finder: Py<PyAny>) {
        crate::hub::wait_by_hubs(py, finder);
    }

    /// Read a node configuration of Crossbar.io, JSON or YAML, as JSON.
    #[pyfunction]
    fn read_crossbar_config(py: Python<'_>, path: std::path::PathBuf) -> PyResult<String> {
        wampy::router::CrossbarConfig::new(path)
            .to_json()
            .map_err(|error| failure(py, Kind::Configuration, &error.to_string()))
    }

    /// Tell the extension that this process is a fork.
    #[pyfunction]
    fn forked() {
        crate::runtime::forked();
    }
}
