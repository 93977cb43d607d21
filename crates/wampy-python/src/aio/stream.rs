//! `_wampy.AioStream`: what comes one after the other: events, parts of a result, parts of a call.
//!
//! They wait in the client's queue, within its limits, until somebody asks for the next one.
//!
//! Deliberately absent: a queue of its own.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_core::Stream;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::prelude::*;
use wampy::{Client, Event, Parts, ProgressiveCall, Subscription};

use super::absence::{loss, within};
use super::desk::{Desk, Finish};
use super::event::AioEvent;
use crate::error;
use crate::failure::{Kind, failure};
use crate::fork;
use crate::kept::Kept;
use crate::locks::lock;
use crate::payload::arguments;
use crate::progressive::result_tuple;
use crate::request::answer;
use crate::runtime::limit;

/// How many items may come at once before other callbacks of the loop run.
const AT_ONCE_MAX: u32 = 64;

/// Where it comes from.
pub enum Source {
    Events(Subscription),
    Results(Box<ProgressiveCall>),
    Parts(Parts),
}

/// What came.
enum Item {
    Event(Event),
    Result(Result<wampy::CallResult, wampy::Error>),
    Part(Result<wampy::Part, wampy::Error>),
}

impl Source {
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        match self {
            Self::Events(events) => Pin::new(events)
                .poll_next(cx)
                .map(|event| event.map(Item::Event)),
            Self::Results(results) => Pin::new(&mut **results)
                .poll_next(cx)
                .map(|result| result.map(Item::Result)),
            Self::Parts(parts) => Pin::new(parts)
                .poll_next(cx)
                .map(|part| part.map(Item::Part)),
        }
    }
}

/// What comes one after the other.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioStream {
    inner: Kept<Inner>,
}

struct Inner {
    desk: Arc<Desk>,
    client: Client,
    target: Arc<str>,
    /// Until it is closed.
    source: Arc<Mutex<Option<Source>>>,
    /// The operation that waits for the next item, if it still waits.
    awaited: Mutex<Option<u64>>,
    /// How many items were asked for.
    asked: AtomicU32,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.desk.generation == fork::generation() {
            // An operation that nobody waits for may hold it as well.
            drop(lock(&self.source).take());
            if let Some(token) = lock(&self.awaited).take() {
                self.desk.abandon(token);
            }
        }
    }
}

impl Inner {
    /// Takes the source, so that whoever waits for an item hears of the end.
    fn take(&self) -> Option<Source> {
        let source = lock(&self.source).take();
        if let Some(token) = lock(&self.awaited).take() {
            self.desk.bell.ring(token);
        }
        source
    }
}

impl AioStream {
    pub fn new(desk: &Arc<Desk>, client: Client, target: &str, source: Source) -> Self {
        Self {
            inner: Kept::new(Inner {
                desk: Arc::clone(desk),
                client,
                target: target.into(),
                source: Arc::new(Mutex::new(Some(source))),
                awaited: Mutex::default(),
                asked: AtomicU32::new(0),
            }),
        }
    }

    fn inner(&self, py: Python<'_>) -> PyResult<&Inner> {
        self.inner.get(py, "session")
    }

    fn events<T>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce(&Subscription) -> T,
    ) -> PyResult<Option<T>> {
        Ok(match &*lock(&self.inner(py)?.source) {
            Some(Source::Events(events)) => Some(ask(events)),
            _ => None,
        })
    }
}

#[pymethods]
impl AioStream {
    fn __aiter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// A future of the next item. Behind the last one it raises `StopAsyncIteration`.
    fn __anext__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        if let Some(token) = *lock(&inner.awaited) {
            if inner.desk.is_awaited(py, token)? {
                let problem = "somebody waits for the next item already";
                return Err(failure(py, Kind::Configuration, problem));
            }
            inner.desk.abandon(token);
        }
        let source = Arc::clone(&inner.source);
        let (client, target) = (inner.client.clone(), Arc::clone(&inner.target));
        let takes_turn =
            inner.asked.fetch_add(1, Ordering::Relaxed) % AT_ONCE_MAX == AT_ONCE_MAX - 1;
        let (token, next) = inner.desk.start(py, async move {
            if takes_turn {
                yield_once().await;
            }
            let item = poll_fn(|cx| match lock(&source).as_mut() {
                Some(source) => source.poll_item(cx),
                None => Poll::Ready(None),
            })
            .await;
            let finish: Finish = Box::new(move |py| match item {
                Some(item) => item.value(py, &target),
                None => Err(end_of(py, &client, &target)),
            });
            finish
        })?;
        *lock(&inner.awaited) = Some(token);
        Ok(next)
    }

    /// End it: the topic is unsubscribed from, and a call that is not over is canceled.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        drop(self.inner(py)?.take());
        Ok(())
    }

    /// Unsubscribe: a future that is done when the router has acknowledged it.
    fn unsubscribe<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let inner = self.inner(py)?;
        let source = inner.take();
        let (limit, target) = (limit(py, timeout)?, Arc::clone(&inner.target));
        inner.desk.future(py, async move {
            let ended = match source {
                Some(Source::Events(events)) => within(limit, events.unsubscribe()).await,
                _ => Some(Ok(())),
            };
            let finish: Finish = Box::new(move |py| answer(py, ended, &target).map(|()| py.None()));
            finish
        })
    }

    /// The id of the subscription, if it stands.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<Option<u64>> {
        let id = self.events(py, |events| events.id().map(|id| id.value()))?;
        Ok(id.flatten())
    }

    /// How many events had to make room for others.
    #[getter]
    fn dropped(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.events(py, Subscription::dropped)?.unwrap_or_default())
    }

    /// How many events were left out because none of the keys opens them.
    #[getter]
    fn undecryptable(&self, py: Python<'_>) -> PyResult<u64> {
        let count = self.events(py, Subscription::undecryptable)?;
        Ok(count.unwrap_or_default())
    }
}

impl Item {
    fn value(self, py: Python<'_>, target: &str) -> PyResult<Py<PyAny>> {
        match self {
            Self::Event(event) => Ok(Py::new(py, AioEvent::new(py, event)?)?.into_any()),
            Self::Result(result) => {
                let result = result.map_err(|error| error::of(py, &error, target))?;
                let tuple = result_tuple(py, &result)?;
                Ok(tuple.into_pyobject(py)?.into_any().unbind())
            }
            Self::Part(part) => {
                let part = part.map_err(|error| error::of(py, &error, target))?;
                let (args, kwargs) = arguments(py, part.payload())?;
                let tuple = (args, kwargs, part.is_last());
                Ok(tuple.into_pyobject(py)?.into_any().unbind())
            }
        }
    }
}

/// Lets whoever polls look again later.
async fn yield_once() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Why nothing more comes: it is over, or the session is lost.
fn end_of(py: Python<'_>, client: &Client, target: &str) -> PyErr {
    match loss(client) {
        Some(error) => error::of(py, &error, target),
        None => PyStopAsyncIteration::new_err(()),
    }
}
