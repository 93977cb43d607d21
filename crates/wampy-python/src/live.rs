//! What a session consists of, and how its jobs become Python's.
//!
//! Deliberately absent: the methods that Python calls; see `session`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use wampy::{Client, Event, Invocation, Parts, Registration, Responder, Subscription, WampError};
use wampy_proto::{MessageType, error_uri};

use crate::answers::Answers;
use crate::error::{Kind, failure};
use crate::inbox::{Granted, Inbox, Job};
use crate::options::{arguments, details};
use crate::runtime::{Leaves, wait};

/// How long a handler thread waits for the id of a registration whose first call came before the
/// thread that registers has noted it.
const GRANT_TIMEOUT: Duration = Duration::from_secs(10);

const EVENT: u64 = MessageType::Event.code();
const INVOCATION: u64 = MessageType::Invocation.code();

/// INVOCATION or EVENT as a tuple: code, two ids, details, args, kwargs.
pub type JobTuple<'py> = (
    u64,
    u64,
    u64,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// What belongs to a session in the process that opened it.
pub struct Live {
    pub client: Client,
    pub inbox: Arc<Inbox>,
    pub answers: Arc<Answers>,
    pub registrations: Mutex<HashMap<u64, Registration>>,
    pub subscriptions: Mutex<HashMap<u64, Subscription>>,
    /// The invocations that handlers work on, by request id.
    pub in_work: Mutex<HashMap<u64, Work>>,
}

/// An invocation that a handler works on.
pub struct Work {
    pub responder: Responder,
    /// What sends parts of the result, if the caller takes them.
    pub invocation: Option<Arc<Invocation>>,
    /// The further parts of the call, if there are any; one thread at a time waits for them.
    pub parts: Option<Arc<tokio::sync::Mutex<Parts>>>,
}

impl Work {
    fn new(mut invocation: Box<Invocation>, responder: Responder) -> Self {
        let parts = invocation
            .details()
            .progress
            .then(|| invocation.take_parts());
        let sends = invocation.receives_progress();
        Self {
            responder,
            invocation: sends.then(|| Arc::from(invocation)),
            parts: parts.map(|parts| Arc::new(tokio::sync::Mutex::new(parts))),
        }
    }
}

impl Leaves for Live {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn left(&self) {
        self.inbox.end();
    }
}

impl Live {
    /// Says goodbye.
    pub async fn leave(&self, reason: &str) {
        // Failing to say goodbye is no failure: the session is over in any case.
        _ = self.client.leave(reason).await;
        self.inbox.end();
    }

    /// A job as Python gets it. An invocation that cannot be converted is answered.
    ///
    /// # Errors
    /// The peer sent a payload that is no valid value.
    pub fn job<'py>(&self, py: Python<'py>, job: Job) -> PyResult<JobTuple<'py>> {
        match job {
            Job::Event(event) => event_job(py, &event).inspect_err(|_| self.inbox.event_done()),
            Job::Invocation(invocation, responder, granted) => {
                let job = invocation_job(py, &invocation, &granted);
                if job.is_ok() {
                    let request_id = invocation.request_id().value();
                    lock(&self.in_work).insert(request_id, Work::new(invocation, responder));
                } else {
                    responder.fail(WampError::new(error_uri::INVALID_ARGUMENT));
                }
                job
            }
        }
    }
}

fn event_job<'py>(py: Python<'py>, event: &Event) -> PyResult<JobTuple<'py>> {
    let (args, kwargs) = arguments(py, event.payload())?;
    let details = details(py, |writer| event.details().write(writer))?;
    let (subscription, publication) = (event.subscription(), event.publication());
    Ok((
        EVENT,
        subscription.value(),
        publication.value(),
        details,
        args,
        kwargs,
    ))
}

fn invocation_job<'py>(
    py: Python<'py>,
    invocation: &Invocation,
    granted: &Granted,
) -> PyResult<JobTuple<'py>> {
    let (args, kwargs) = arguments(py, invocation.payload())?;
    let details = details(py, |writer| invocation.details().write(writer))?;
    let registration = match granted.get() {
        Some(registration) => *registration,
        None => noted(py, wait(py, Some(GRANT_TIMEOUT), granted.wait())?.copied())?,
    };
    Ok((
        INVOCATION,
        invocation.request_id().value(),
        registration,
        details,
        args,
        kwargs,
    ))
}

/// The contents of a table, whatever happened to a thread that held its lock.
pub fn lock<T>(table: &Mutex<T>) -> MutexGuard<'_, T> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The id of a registration or subscription that the session still has.
pub fn noted(py: Python<'_>, id: Option<u64>) -> PyResult<u64> {
    id.ok_or_else(|| failure(py, Kind::Session, "the session ended meanwhile"))
}
