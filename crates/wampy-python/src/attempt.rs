//! Connecting, as something that another thread can give up.
//!
//! Deliberately absent: a second attempt. When to try again is decided in Python.

use std::sync::Arc;

use pyo3::prelude::*;
use tokio::sync::SetOnce;
use wampy::{Builder, Client, Error};

/// A way to give up attempts to connect, made by whoever may have to.
#[pyclass(frozen, module = "wampy._wampy")]
#[derive(Default)]
pub struct Attempt {
    given_up: Arc<SetOnce<()>>,
}

#[pymethods]
impl Attempt {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// End the attempt under way, and let no further one begin.
    fn give_up(&self) {
        // Giving up twice is giving up.
        _ = self.given_up.set(());
    }
}

impl Attempt {
    /// Connects; `None` if that was given up.
    pub fn connect(
        this: Option<&Self>,
        builder: Builder,
    ) -> impl Future<Output = Option<Result<Client, Error>>> + Send + use<> {
        let given_up = this.map(|attempt| Arc::clone(&attempt.given_up));
        async move {
            let Some(given_up) = given_up else {
                return Some(builder.connect().await);
            };
            tokio::select! {
                biased;
                _ = given_up.wait() => None,
                connected = builder.connect() => Some(connected),
            }
        }
    }
}
