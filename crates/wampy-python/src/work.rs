//! The invocations that handlers work on, and their answers.
//!
//! Deliberately absent: running the handlers, which is Python's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use wampy::{Invocation, Parts, Responder, WampError};
use wampy_proto::Payload;

use crate::locks::lock;
use crate::payload::arguments;
use crate::runtime::wait;

/// A further part of a call: args, kwargs, and whether it is the last.
pub type PartTuple<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, bool);

/// An invocation that a handler works on.
struct Work {
    responder: Responder,
    /// What sends parts of the result, if the caller takes them.
    invocation: Option<Arc<Invocation>>,
    /// The further parts of the call, if there are any; one thread at a time waits for them.
    parts: Option<Arc<tokio::sync::Mutex<Parts>>>,
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

/// All of them, by request id.
#[derive(Default)]
pub struct InWork(Mutex<HashMap<u64, Work>>);

impl InWork {
    pub fn begin(&self, invocation: Box<Invocation>, responder: Responder) {
        let request_id = invocation.request_id().value();
        lock(&self.0).insert(request_id, Work::new(invocation, responder));
    }

    /// YIELDs the result; false if the invocation was answered or canceled before.
    pub fn complete(&self, request_id: u64, payload: Payload<'static>) -> bool {
        let work = lock(&self.0).remove(&request_id);
        work.is_some_and(|work| work.responder.complete(payload))
    }

    /// Answers with ERROR; false if the invocation was answered or canceled before.
    pub fn fail(&self, request_id: u64, error: WampError) -> bool {
        let work = lock(&self.0).remove(&request_id);
        work.is_some_and(|work| work.responder.fail(error))
    }

    /// Sends a part of the result if the caller takes parts, waiting until there is room for it;
    /// false if the call is over.
    ///
    /// # Errors
    /// As [`wait`], and those of `payload`, which is asked only if there is a use for it.
    pub fn progress(
        &self,
        py: Python<'_>,
        request_id: u64,
        payload: impl FnOnce() -> PyResult<Payload<'static>>,
    ) -> PyResult<bool> {
        let sends = match lock(&self.0).get(&request_id) {
            Some(work) if !work.responder.is_over() => work.invocation.clone(),
            _ => return Ok(false),
        };
        let Some(invocation) = sends else {
            return Ok(true);
        };
        let sent = wait(py, None, invocation.progress_payload(payload()?))?;
        Ok(matches!(sent, Some(Ok(()))))
    }

    /// Waits for the next part of a call that is made in parts; `None` if there is none, because
    /// the last one has been taken or because the call is over.
    ///
    /// # Errors
    /// As [`wait`], and if the part's payload is no valid value.
    pub fn next_part<'py>(
        &self,
        py: Python<'py>,
        request_id: u64,
    ) -> PyResult<Option<PartTuple<'py>>> {
        let work = lock(&self.0);
        let parts = work.get(&request_id).and_then(|work| work.parts.clone());
        drop(work);
        let Some(parts) = parts else { return Ok(None) };
        let next = wait(py, None, async { parts.lock().await.next().await })?;
        let Some(Ok(Some(part))) = next else {
            return Ok(None);
        };
        let (args, kwargs) = arguments(py, part.payload())?;
        Ok(Some((args, kwargs, part.is_last())))
    }
}
