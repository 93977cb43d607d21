//! `_wampy.Router`: the embedded router, on a runtime of its own.
//!
//! Deliberately absent: settings beyond addresses, realms and TLS; a configuration file has them all.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Mutex;

use pyo3::prelude::*;
use tokio::runtime::{Builder, Runtime};
use wampy::router::{Builder as Settings, Converted, CrossbarConfig, RealmRoles, StartError};
use wampy_proto::Serializer;
use wampy_proto::serializer::deserialize;

use crate::failure::{Kind, failure};
use crate::fork;
use crate::locks::lock;
use crate::runtime::{self, duration, wait};

/// The threads of one router. It serves one process or one test; a router for many has a process.
const THREADS: usize = 1;

/// A router in this process, on a thread of its own.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Router {
    generation: u64,
    port: Option<u16>,
    url: String,
    /// Reloading adds to them.
    realms: Mutex<Vec<String>>,
    warnings: Vec<String>,
    running: Mutex<Option<Running>>,
}

struct Running {
    router: wampy::Router,
    runtime: Runtime,
}

impl Drop for Router {
    fn drop(&mut self) {
        let running = lock(&self.running).take();
        if self.generation != fork::generation() {
            // Its threads are in the parent of a fork; waiting for them would never end.
            std::mem::forget(running);
        } else if let Some(running) = running {
            running.runtime.shutdown_background();
        }
    }
}

#[pymethods]
impl Router {
    /// Listen on `host` and `port` (0: a free one), with `tls`: a certificate and its key.
    #[staticmethod]
    #[pyo3(signature = (host, port, realms, tls=None))]
    fn start(
        py: Python<'_>,
        host: &str,
        port: u16,
        realms: Vec<String>,
        tls: Option<(PathBuf, PathBuf)>,
    ) -> PyResult<Self> {
        let runtime = new_runtime(py)?;
        let host = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let mut builder = wampy::Router::builder().listen(format!("{host}:{port}"));
        for realm in realms {
            builder = builder.realm(realm);
        }
        if let Some((certificate, key)) = tls {
            builder = builder.tls(certificate, key);
        }
        Self::start_with(py, runtime, builder)
    }

    /// Listen and serve as the configuration file `path` says.
    #[staticmethod]
    fn start_by_config(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let builder = Settings::from_config_file(path)
            .map_err(|error| failure(py, Kind::Configuration, &error.to_string()))?;
        Self::start_with(py, new_runtime(py)?, builder)
    }

    /// The URL of the router that the configuration file `path` describes, if it says its port, and
    /// its realms.
    #[staticmethod]
    fn configured(py: Python<'_>, path: PathBuf) -> PyResult<(Option<String>, Vec<String>)> {
        let misuse = |problem: String| failure(py, Kind::Configuration, &problem);
        let builder =
            Settings::from_config_file(path).map_err(|error| misuse(error.to_string()))?;
        let realms = builder.realm_names().map(str::to_owned).collect();
        let url = builder.url().map_err(|error| misuse(error.to_string()))?;
        Ok((url, realms))
    }

    /// Listen and serve as the node configuration `path` of Crossbar.io says. Relative paths in it are
    /// relative to `directory`; `router_only` leaves out what is no part of a router.
    #[staticmethod]
    fn start_by_crossbar_config(
        py: Python<'_>,
        path: PathBuf,
        directory: Option<PathBuf>,
        router_only: bool,
    ) -> PyResult<Self> {
        let converted = converted(py, path, directory, router_only)?;
        let mut started = Self::start_with(py, new_runtime(py)?, converted.builder)?;
        let warnings = converted.warnings.iter().map(ToString::to_string);
        started.warnings = warnings.collect();
        Ok(started)
    }

    /// The port that the router listens on; `None` if it listens on no TCP port.
    #[getter]
    fn port(&self) -> Option<u16> {
        self.port
    }

    /// The URL for clients on this host.
    #[getter]
    fn url(&self) -> &str {
        &self.url
    }

    /// The realms, in the order in which they were given.
    #[getter]
    fn realms(&self) -> Vec<String> {
        lock(&self.realms).clone()
    }

    /// What was ignored or left out of a node configuration.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }

    /// Go on with the settings of the configuration file `path`; returns what waits for the next start.
    fn reload(&self, py: Python<'_>, path: PathBuf) -> PyResult<Vec<String>> {
        let builder = Settings::from_config_file(path)
            .map_err(|error| failure(py, Kind::Configuration, &error.to_string()))?;
        self.go_on_with(py, builder)
    }

    /// Go on with the settings of the node configuration `path`; returns what waits for the next start.
    fn reload_crossbar_config(
        &self,
        py: Python<'_>,
        path: PathBuf,
        directory: Option<PathBuf>,
        router_only: bool,
    ) -> PyResult<Vec<String>> {
        let converted = converted(py, path, directory, router_only)?;
        self.go_on_with(py, converted.builder)
    }

    /// Give the realm `realm` the roles in `roles`, which is JSON.
    fn set_roles(&self, py: Python<'_>, realm: &str, roles: &str) -> PyResult<()> {
        let roles: RealmRoles = deserialize(Serializer::Json, roles.as_bytes())
            .map_err(|error| failure(py, Kind::Configuration, &format!("roles: {error}")))?;
        let is_known = self.with_running(py, |running| {
            let _guard = running.runtime.enter();
            running.router.set_roles(realm, roles)
        })?;
        if is_known {
            return Ok(());
        }
        let problem = format!("there is no realm {realm:?}");
        Err(failure(py, Kind::Configuration, &problem))
    }

    /// Say GOODBYE to every session and stop, within `timeout` seconds. Never fails.
    fn stop(&self, py: Python<'_>, timeout: f64) -> PyResult<()> {
        let timeout = duration(py, timeout)?;
        if self.generation != fork::generation() {
            return Ok(());
        }
        let running = lock(&self.running).take();
        let Some(Running { router, runtime }) = running else {
            return Ok(());
        };
        let stopped = runtime.spawn(async move { router.shutdown().await });
        let outcome = wait(py, Some(timeout), stopped);
        runtime.shutdown_background();
        if runtime::is_ending() {
            Ok(())
        } else {
            outcome.map(|_| ())
        }
    }
}

impl Router {
    /// Does something with the router, if it runs.
    fn with_running<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&Running) -> T + Send,
    ) -> PyResult<T> {
        let done = py.detach(|| {
            let running = lock(&self.running);
            let is_here = self.generation == fork::generation();
            running.as_ref().filter(|_| is_here).map(act)
        });
        done.ok_or_else(|| failure(py, Kind::Configuration, "the router does not run"))
    }

    fn go_on_with(&self, py: Python<'_>, builder: Settings) -> PyResult<Vec<String>> {
        let wanted: Vec<String> = builder.realm_names().map(str::to_owned).collect();
        let reloaded = self.with_running(py, |running| {
            let _guard = running.runtime.enter();
            running.router.reload(builder)
        })?;
        let reloaded =
            reloaded.map_err(|error| failure(py, culprit(&error), &error.to_string()))?;
        // Those that are not wanted any more stay until the next start.
        let mut realms = lock(&self.realms);
        for realm in wanted {
            if !realms.contains(&realm) {
                realms.push(realm);
            }
        }
        Ok(reloaded.needs_restart)
    }

    fn start_with(py: Python<'_>, runtime: Runtime, builder: Settings) -> PyResult<Self> {
        let realms = Mutex::new(builder.realm_names().map(str::to_owned).collect());
        let started = runtime.spawn(builder.start());
        let router = match wait(py, None, started)? {
            Some(Ok(Ok(router))) => router,
            Some(Ok(Err(error))) => return Err(failure(py, culprit(&error), &error.to_string())),
            _ => return Err(failure(py, Kind::Connection, "the router did not start")),
        };
        let port = router
            .addresses()
            .iter()
            .find_map(|address| address.to_string().parse::<SocketAddr>().ok())
            .map(|address| address.port());
        let url = router.url();
        let running = Mutex::new(Some(Running { router, runtime }));
        Ok(Self {
            generation: fork::generation(),
            port,
            url,
            realms,
            warnings: Vec::new(),
            running,
        })
    }
}

fn converted(
    py: Python<'_>,
    path: PathBuf,
    directory: Option<PathBuf>,
    router_only: bool,
) -> PyResult<Converted> {
    let mut config = CrossbarConfig::new(path).router_only(router_only);
    if let Some(directory) = directory {
        config = config.directory(directory);
    }
    config
        .convert()
        .map_err(|error| failure(py, Kind::Configuration, &error.to_string()))
}

fn new_runtime(py: Python<'_>) -> PyResult<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("wampy-router")
        .enable_all()
        .build()
        .map_err(|error| failure(py, Kind::Connection, &format!("no threads: {error}")))
}

/// Whose fault it is that a router did not start: the operating system's, or the arguments'.
const fn culprit(error: &StartError) -> Kind {
    match error {
        StartError::Bind(_) => Kind::Connection,
        _ => Kind::Configuration,
    }
}
