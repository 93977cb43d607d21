//! A registration, a subscription or a call that was asked for and may not be answered yet, so that a
//! session which asks for many need not wait for each.
//!
//! Deliberately absent: how many are under way at once, which Python bounds.

use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::sync::SetOnce;
use tokio::task::JoinHandle;
use wampy::{Call, CallResult, Error, Registration, Subscription};
use wampy_proto::message::{RegisterOptions, SubscribeOptions};

use crate::failure::{Kind, failure};
use crate::inbox::Granted;
use crate::live::Live;
use crate::locks::lock;
use crate::options::read_options;
use crate::request::{answer, begin};
use crate::runtime::{limit, wait};

/// What was asked for, and waits for its answer.
enum Waiting {
    Registration(JoinHandle<Result<Registration, Error>>, Granted),
    Subscription(JoinHandle<Result<Subscription, Error>>),
}

/// A REGISTER or SUBSCRIBE that was sent.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Asked {
    live: Arc<Live>,
    uri: String,
    /// `None` once the answer was waited for.
    waiting: Mutex<Option<Waiting>>,
}

impl Asked {
    fn new(live: &Arc<Live>, uri: &str, waiting: Waiting) -> Self {
        Self {
            live: Arc::clone(live),
            uri: uri.to_owned(),
            waiting: Mutex::new(Some(waiting)),
        }
    }

    /// Asks for a registration.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn register(
        py: Python<'_>,
        live: &Arc<Live>,
        procedure: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let options = read_options(options, |reader| RegisterOptions::read(reader))?;
        let (inbox, granted) = (Arc::clone(&live.inbox), Arc::new(SetOnce::new()));
        let id = Arc::clone(&granted);
        let register = live
            .client
            .register_with(procedure, move |invocation, responder| {
                inbox.push_invocation(invocation, responder, Arc::clone(&id));
            })
            .options(options);
        let waiting = Waiting::Registration(begin(py, register.into_future())?, granted);
        Ok(Self::new(live, procedure, waiting))
    }

    /// Asks for a subscription.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn subscribe(
        py: Python<'_>,
        live: &Arc<Live>,
        topic: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        let options = read_options(options, |reader| SubscribeOptions::read(reader))?;
        let inbox = Arc::clone(&live.inbox);
        let subscribe = live
            .client
            .subscribe_with(topic, move |event| inbox.push_event(event))
            .options(options);
        let waiting = Waiting::Subscription(begin(py, subscribe.into_future())?);
        Ok(Self::new(live, topic, waiting))
    }
}

#[pymethods]
impl Asked {
    /// Wait for the answer; returns the ids of the request and of what was granted. Once only.
    fn granted(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<(u64, u64)> {
        let waiting = lock(&self.waiting).take();
        match waiting {
            Some(Waiting::Registration(asked, granted)) => {
                let registration = outcome(py, asked, timeout, &self.uri)?;
                let request_id = registration.request_id().value();
                let id = self.live.registrations.keep(py, registration)?;
                // A new cell cannot be set already.
                _ = granted.set(id);
                Ok((request_id, id))
            }
            Some(Waiting::Subscription(asked)) => {
                let subscription = outcome(py, asked, timeout, &self.uri)?;
                let request_id = subscription.request_id().value();
                Ok((request_id, self.live.subscriptions.keep(py, subscription)?))
            }
            None => Err(waited_for(py)),
        }
    }
}

/// A CALL that was sent.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AskedCall {
    procedure: String,
    /// `None` once the answer was waited for.
    waiting: Mutex<Option<JoinHandle<Result<CallResult, Error>>>>,
}

impl AskedCall {
    /// Makes a call, which has its time limit.
    ///
    /// # Errors
    /// The system has no more threads.
    pub fn new(py: Python<'_>, procedure: &str, call: Call) -> PyResult<Self> {
        Ok(Self {
            procedure: procedure.to_owned(),
            waiting: Mutex::new(Some(begin(py, call.into_future())?)),
        })
    }
}

#[pymethods]
impl AskedCall {
    /// Wait for the answer, of which only counts that it is no error. Once only.
    fn answered(&self, py: Python<'_>) -> PyResult<()> {
        let waiting = lock(&self.waiting).take();
        let asked = waiting.ok_or_else(|| waited_for(py))?;
        outcome(py, asked, None, &self.procedure).map(drop)
    }
}

/// Waits for the answer, and gives up what is not answered in time.
fn outcome<T: Send>(
    py: Python<'_>,
    mut asked: JoinHandle<Result<T, Error>>,
    timeout: Option<f64>,
    target: &str,
) -> PyResult<T> {
    let outcome = wait(py, limit(py, timeout)?, &mut asked);
    let Some(outcome) = outcome.inspect_err(|_| asked.abort())? else {
        asked.abort();
        return answer(py, None, target);
    };
    // It ends unfinished only with the runtime.
    let ended = |_| failure(py, Kind::Session, "the session ended without an answer");
    answer(py, Some(outcome.map_err(ended)?), target)
}

fn waited_for(py: Python<'_>) -> PyErr {
    failure(py, Kind::Configuration, "the answer was waited for already")
}
