//! Events straight to the handlers of a session: for each one frame of Python, the handler's own.
//!
//! Deliberately absent: what an application's own message handler does with events, which gets each
//! as a message; and threads. One thread at a time runs events, in their order: see `inbox`.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};
use wampy::Event;

use crate::decode::{decode_args, decode_kwargs};
use crate::inbox::Inbox;
use crate::options::details;
use crate::payload::arguments;

/// The most events that are handled before Python looks up: handlers that are not written in Python
/// let no other thread have the GIL.
const AT_ONCE_MAX: usize = 256;

/// EVENT as a tuple: two ids, details, args, kwargs.
pub type EventTuple<'py> = (
    u64,
    u64,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
    Bound<'py, PyAny>,
);

/// The next event as a message, if there is one.
pub fn next<'py>(py: Python<'py>, inbox: &Inbox) -> Option<EventTuple<'py>> {
    loop {
        let (event, _) = inbox.next_event()?;
        match message(py, &event) {
            Ok(message) => return Some(message),
            // The peer's mistake must not keep other events waiting; Python reports it.
            Err(error) => error.write_unraisable(py, None),
        }
    }
}

fn message<'py>(py: Python<'py>, event: &Event) -> PyResult<EventTuple<'py>> {
    let (args, kwargs) = arguments(py, event.payload())?;
    let details = details(py, |writer| event.details().write(writer))?;
    let (subscription, publication) = (event.subscription(), event.publication());
    Ok((
        subscription.value(),
        publication.value(),
        details,
        args,
        kwargs,
    ))
}

/// The subscriptions of a session, as `wampy.session` has them.
pub struct Subscriptions<'a, 'py> {
    /// The subscriptions of each id: tuples of objects with `topic`, `handler` and `wants_meta`.
    pub known: &'a Bound<'py, PyDict>,
    /// Asked for those of an id that is not there.
    pub absent: &'a Bound<'py, PyAny>,
    /// Told of a subscription whose handler has raised an exception, and of that.
    pub failed: &'a Bound<'py, PyAny>,
}

impl<'py> Subscriptions<'_, 'py> {
    /// Runs the handlers of the events that wait, up to a limit, or until events are lost; whether
    /// some may be left.
    ///
    /// # Errors
    /// One of the functions fails that are none of the program's.
    pub fn run(&self, inbox: &Inbox) -> PyResult<bool> {
        let mut lost_before = None;
        for _ in 0..AT_ONCE_MAX {
            let Some((event, lost)) = inbox.next_event() else {
                return Ok(false);
            };
            self.deliver(&event)?;
            if *lost_before.get_or_insert(lost) != lost {
                break;
            }
        }
        Ok(true)
    }

    fn deliver(&self, event: &Event) -> PyResult<()> {
        let id = event.subscription().value();
        let found = match self.known.get_item(id)? {
            Some(found) => found,
            None => self.absent.call1((id,))?,
        };
        let found = found.cast::<PyTuple>()?;
        if found.is_empty() {
            return Ok(());
        }
        let (args, kwargs) = match call_arguments(self.known.py(), event) {
            Ok(arguments) => arguments,
            Err(error) => {
                error.write_unraisable(self.known.py(), None);
                return Ok(());
            }
        };
        for subscription in found.iter_borrowed() {
            if let Err(error) = handle(&subscription, event, &args, kwargs.as_ref()) {
                let error = error.into_value(self.known.py());
                self.failed.call1((subscription, error))?;
            }
        }
        Ok(())
    }
}

/// What handlers of an event are called with, but for `meta`.
type CallArguments<'py> = (Bound<'py, PyTuple>, Option<Bound<'py, PyDict>>);

fn call_arguments<'py>(py: Python<'py>, event: &Event) -> PyResult<CallArguments<'py>> {
    let payload = event.payload();
    let args = decode_args(py, payload.serializer(), payload.encoded_args())?;
    let args = args.cast::<PyList>()?.to_tuple();
    if payload.encoded_kwargs().is_empty() {
        return Ok((args, None));
    }
    let kwargs = decode_kwargs(py, payload.serializer(), payload.encoded_kwargs())?;
    Ok((args, Some(kwargs.cast_into()?)))
}

fn handle<'py>(
    subscription: &Bound<'py, PyAny>,
    event: &Event,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<()> {
    let py = subscription.py();
    let handler = subscription.getattr(intern!(py, "handler"))?;
    let wants_meta = subscription.getattr(intern!(py, "wants_meta"))?;
    if !wants_meta.is_truthy()? {
        // Python itself makes each handler a dictionary of its own.
        return handler.call(args, kwargs).map(drop);
    }
    let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(py)), |kwargs| kwargs.copy())?;
    let meta = PyDict::new(py);
    meta.set_item("topic", subscription.getattr(intern!(py, "topic"))?)?;
    meta.set_item("subscription_id", event.subscription().value())?;
    let details = details(py, |writer| event.details().write(writer))?;
    meta.update(details.cast()?)?;
    kwargs.set_item("meta", meta)?;
    handler.call(args, Some(&kwargs)).map(drop)
}
