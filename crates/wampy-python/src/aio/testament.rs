//! Testaments of a session on an event loop. The Rust client leaves them again after a reconnect.
//!
//! Deliberately absent: the check of options; Python's `wampy.meta` has it.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use wampy::{Client, TestamentScope};
use wampy_proto::message::PublishOptions;

use super::absence::{absent, made, within};
use super::desk::{Begun, Desk, Finish};
use crate::error::{Kind, failure};
use crate::options::{payload, read_options};
use crate::request::answer;

/// What an error is about.
const ADD: &str = "wamp.session.add_testament";
const FLUSH: &str = "wamp.session.flush_testaments";

/// `destroyed` or `detached`.
pub struct Scope(TestamentScope);

impl<'a, 'py> FromPyObject<'a, 'py> for Scope {
    type Error = PyErr;

    fn extract(given: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        match given.extract() {
            Ok("destroyed") => Ok(Self(TestamentScope::Destroyed)),
            Ok("detached") => Ok(Self(TestamentScope::Detached)),
            _ => {
                let problem = "scope must be one of destroyed, detached";
                Err(failure(given.py(), Kind::Configuration, problem))
            }
        }
    }
}

/// Begins to leave a testament.
///
/// # Errors
/// As [`payload`] and [`read_options`].
pub fn add<'py>(
    (desk, client): (&Arc<Desk>, &Client),
    topic: &str,
    (args, kwargs): (&Bound<'py, PyAny>, &Bound<'py, PyAny>),
    (scope, options): (Scope, Bound<'py, PyDict>),
    limit: Option<Duration>,
) -> PyResult<Begun<'py>> {
    let options = read_options(&options, |reader| PublishOptions::read(reader))?;
    let testament = client
        .add_testament(topic)
        .payload(payload(client.serializer(), args, kwargs)?)
        .options(options)
        .scope(scope.0);
    let absent = absent(client);
    desk.start(args.py(), async move {
        let left = within(limit, made(absent, limit, testament)).await;
        let finish: Finish = Box::new(move |py| answer(py, left, ADD).map(|()| py.None()));
        finish
    })
}

/// Begins to take back the testaments of a scope.
///
/// # Errors
/// As [`Desk::start`].
pub fn flush<'py>(
    py: Python<'py>,
    (desk, client): (&Arc<Desk>, &Client),
    scope: Scope,
    limit: Option<Duration>,
) -> PyResult<Begun<'py>> {
    let (absent, client) = (absent(client), client.clone());
    desk.start(py, async move {
        let taken = Box::pin(async move { client.flush_testaments(scope.0).await });
        let flushed = within(limit, made(absent, limit, taken)).await;
        let finish: Finish = Box::new(move |py| answer(py, flushed, FLUSH).map(|()| py.None()));
        finish
    })
}
