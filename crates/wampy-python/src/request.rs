//! Requests that are not made yet, from what Python says of them, and what becomes of one.
//!
//! Deliberately absent: waiting; sessions of threads wait for the answer, those of an event loop do
//! not.

use std::future::{poll_fn, ready};
use std::pin::Pin;
use std::task::Poll;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use tokio::task::JoinHandle;
use wampy::{Call, Client, Publish};
use wampy_proto::message::{CallOptions, PublishOptions};

use crate::error;
use crate::failure::{Kind, failure_of};
use crate::keys;
use crate::options::read_options;
use crate::payload::payload;
use crate::runtime::runtime;

/// How a call is to be made.
#[derive(Clone)]
pub struct How {
    pub options: CallOptions,
    /// The key that encrypts it.
    encrypt: Option<String>,
}

impl How {
    /// Whether the options of the message say all that there is to say of it.
    pub fn is_usual(&self) -> bool {
        self.encrypt.is_none() && !self.options.is_passed_through() && !self.options.progress
    }

    /// Reads the options of CALL, a dictionary.
    ///
    /// # Errors
    /// As [`read_options`].
    pub fn read(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        Ok(Self {
            encrypt: keys::encrypt(options)?,
            options: read_options(options, |reader| CallOptions::read(reader))?,
        })
    }
}

/// A call.
///
/// # Errors
/// As [`payload`].
pub fn call(
    client: &Client,
    procedure: &str,
    args: &Bound<'_, PyAny>,
    kwargs: &Bound<'_, PyAny>,
    how: How,
) -> PyResult<Call> {
    let call = client
        .call(procedure)
        .payload(payload(client.serializer(), args, kwargs)?)
        .options(how.options);
    Ok(match how.encrypt {
        Some(key) => call.encrypt(key),
        None => call,
    })
}

/// An event to publish; `options` are those of PUBLISH.
///
/// # Errors
/// As [`read_options`] and [`payload`].
pub fn publish(
    client: &Client,
    topic: &str,
    args: &Bound<'_, PyAny>,
    kwargs: &Bound<'_, PyAny>,
    options: &Bound<'_, PyDict>,
) -> PyResult<Publish> {
    let key = keys::encrypt(options)?;
    let options = read_options(options, |reader| PublishOptions::read(reader))?;
    let publish = client
        .publish(topic)
        .payload(payload(client.serializer(), args, kwargs)?)
        .options(options);
    Ok(match key {
        Some(key) => publish.encrypt(key),
        None => publish,
    })
}

/// Sends a request, if there is room: before whatever this thread sends next. What becomes of it is
/// the result of the task that waits for that.
///
/// # Errors
/// The system has no more threads.
pub fn begin<T: Send + 'static>(
    py: Python<'_>,
    mut request: Pin<Box<dyn Future<Output = T> + Send>>,
) -> PyResult<JoinHandle<T>> {
    let runtime = runtime(py)?;
    let first = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx)));
    Ok(match runtime.block_on(first) {
        Poll::Ready(output) => runtime.spawn(ready(output)),
        Poll::Pending => runtime.spawn(request),
    })
}

/// What the client answered within the time limit, or the exception that says why not.
///
/// # Errors
/// The client's error, or that there was no answer in time.
pub fn answer<T>(
    py: Python<'_>,
    answer: Option<Result<T, wampy::Error>>,
    target: &str,
) -> PyResult<T> {
    match answer {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(error::of(py, &error, target)),
        None => {
            let message = format!("{target}: the router did not answer in time");
            Err(failure_of(py, Kind::Timeout, &message, None, Some(target)))
        }
    }
}
