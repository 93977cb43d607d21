//! `_wampy.AioSession`: a joined session whose requests end on an event loop.
//!
//! Each method begins an operation; none waits.
//!
//! Deliberately absent: names and arguments that programs see; `wampy.aio.Session` has them.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use wampy::{Call, Client, Status};
use wampy_proto::message::{CallOptions, CancelMode, RegisterOptions, SubscribeOptions};

use super::absence::{absent, loss, made, within};
use super::calls::Calls;
use super::definition::description;
use super::desk::{Begun, Desk, Finish};
use super::input::AioInput;
use super::registration::AioRegistration;
use super::stream::{AioStream, Source};
use super::testament::{self, Scope};
use super::value::value;
use crate::error::{self, Kind, failure_of};
use crate::features::router_has;
use crate::kept::Kept;
use crate::names::{Procedure, Topic};
use crate::options::read_options;
use crate::progressive::result_tuple;
use crate::request::{self, How, answer};
use crate::runtime::{self, Leaves, limit};

/// How long those who wait for answers may act on the loss of a session before its scope does.
const GRACE: Duration = Duration::from_millis(5);

/// Options of CALL, read once for many calls.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioOptions(How);

#[pymethods]
impl AioOptions {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Self> {
        How::read(options).map(Self)
    }
}

impl AioOptions {
    /// Whether a call with these options can go the way of most calls: it says all that there is to
    /// say, and nobody has to encrypt its values.
    pub fn is_usual(&self) -> bool {
        self.0.is_usual()
    }

    /// The options of the message.
    pub fn call(&self) -> &CallOptions {
        &self.0.options
    }

    /// How long the call may take.
    pub fn limit(&self) -> Option<Duration> {
        let timeout_ms = self.0.options.timeout_ms;
        (timeout_ms > 0).then(|| Duration::from_millis(timeout_ms))
    }
}

/// What belongs to a session in the process that opened it.
struct Joined {
    client: Client,
}

impl Leaves for Joined {
    fn client(&self) -> Client {
        self.client.clone()
    }

    fn left(&self) {}
}

/// A joined WAMP session.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct AioSession {
    inner: Kept<(Arc<Desk>, Arc<Joined>, Arc<Calls>)>,
}

impl AioSession {
    pub fn new(py: Python<'_>, desk: Arc<Desk>, client: Client) -> Self {
        let calls = desk.begin_calls(py, &client);
        let joined = Arc::new(Joined { client });
        runtime::at_exit(&joined);
        Self {
            inner: Kept::new((desk, joined, calls)),
        }
    }

    /// The parts, for a new request to `target`.
    fn open(&self, py: Python<'_>, target: &str) -> PyResult<(&Arc<Desk>, &Client)> {
        let parts = self.parts(py)?;
        match parts.1.status() {
            Status::Closed { reason } => {
                Err(failure_of(py, Kind::Unsent, &reason, None, Some(target)))
            }
            _ => Ok(parts),
        }
    }

    fn parts(&self, py: Python<'_>) -> PyResult<(&Arc<Desk>, &Client)> {
        let (desk, joined, _) = self.inner.get(py, "session")?;
        Ok((desk, &joined.client))
    }
}

#[pymethods]
impl AioSession {
    /// The session id that the router chose.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.parts(py)?.1.session_id().value())
    }

    /// Whether the session can still send.
    #[getter]
    fn is_open(&self, py: Python<'_>) -> PyResult<bool> {
        let status = self.parts(py)?.1.status();
        Ok(matches!(status, Status::Established { .. }))
    }

    /// Whether the router announced a feature for a role, `broker` or `dealer`.
    fn router_has(&self, py: Python<'_>, role: &str, feature: &str) -> PyResult<bool> {
        Ok(router_has(self.parts(py)?.1, role, feature))
    }

    /// Call: the number of the operation, and a future of the value, or of
    /// `(request_id, details, args, kwargs)` if `whole`. None if so many are under way that this one
    /// has to wait for its `turn`.
    fn call<'py>(
        &self,
        py: Python<'py>,
        procedure: &Bound<'py, PyAny>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &AioOptions,
        whole: bool,
    ) -> PyResult<Option<Begun<'py>>> {
        let Procedure(name) = procedure.extract()?;
        let procedure = procedure.cast::<PyString>()?;
        let (desk, _, calls) = self.inner.get(py, "session")?;
        let begun = calls.make(desk, (procedure, name), (args, kwargs), options, whole)?;
        if begun.is_some() {
            return Ok(begun);
        }
        let procedure = name;
        let (desk, client) = self.open(py, procedure)?;
        if desk.is_crowded() {
            return Ok(None);
        }
        // As a future it lies on the heap already, and needs not be moved there once more.
        let call = prepared(client, procedure, args, kwargs, options)?.into_future();
        let (absent, limit) = (absent(client), options.limit());
        let procedure = Box::<str>::from(procedure);
        let started = desk.start(py, async move {
            let answer = made(absent, limit, call).await;
            let finish: Finish = Box::new(move |py| match answer {
                Ok(result) if whole => {
                    let tuple = result_tuple(py, &result)?;
                    Ok(tuple.into_pyobject(py)?.into_any().unbind())
                }
                Ok(result) => value(py, &result).map(Bound::unbind),
                Err(error) => Err(error::of(py, &error, &procedure)),
            });
            finish
        });
        started.map(Some)
    }

    /// Call for a result in parts; the call is made when the first is asked for.
    fn call_progressive(
        &self,
        py: Python<'_>,
        procedure: Procedure<'_>,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: &AioOptions,
    ) -> PyResult<AioStream> {
        let procedure = procedure.0;
        let (desk, client) = self.open(py, procedure)?;
        let call = prepared(client, procedure, args, kwargs, options)?;
        let results = Source::Results(Box::new(call.progressive()));
        Ok(AioStream::new(desk, client.clone(), procedure, results))
    }

    /// Make a call in parts, of which this is the first: the number of the operation, and a future
    /// of what sends the others, and the results.
    fn call_in_parts<'py>(
        &self,
        py: Python<'py>,
        procedure: Procedure<'_>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &AioOptions,
    ) -> PyResult<(u64, Bound<'py, PyAny>)> {
        let procedure = procedure.0;
        let (desk, client) = self.open(py, procedure)?;
        let call = prepared(client, procedure, args, kwargs, options)?;
        let (of_call, client) = (Arc::clone(desk), client.clone());
        let (absent, limit) = (absent(&client), options.limit());
        let procedure = procedure.to_owned();
        desk.start(py, async move {
            let started = made(absent, limit, call.duplex()).await;
            let finish: Finish = Box::new(move |py| {
                let (input, results) =
                    started.map_err(|error| error::of(py, &error, &procedure))?;
                let input = AioInput::new(&of_call, input, &procedure, client.serializer());
                let results = Source::Results(Box::new(results));
                let results = AioStream::new(&of_call, client, &procedure, results);
                Ok((input, results).into_pyobject(py)?.into_any().unbind())
            });
            finish
        })
    }

    /// Publish: None if it is sent, else a future of the publication id, or of None.
    fn publish<'py>(
        &self,
        py: Python<'py>,
        topic: Topic<'_>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &Bound<'py, PyDict>,
        timeout: Option<f64>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let topic = topic.0;
        let (desk, client) = self.open(py, topic)?;
        let limit = limit(py, timeout)?;
        let publish = request::publish(client, topic, args, kwargs, options)?;
        let mut publish = Box::pin(made(absent(client), limit, publish));
        // As a rule there is room, and nothing to wait for.
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(published) = pin!(&mut publish).poll(&mut context) {
            let published = answer(py, Some(published), topic)?;
            return published
                .map(|id| Ok(id.value().into_pyobject(py)?.into_any()))
                .map(|id: PyResult<_>| done(desk, py, id?))
                .transpose();
        }
        let topic = topic.to_owned();
        let future = desk.future(py, async move {
            let published = within(limit, publish).await;
            let finish: Finish = Box::new(move |py| {
                let id = answer(py, published, &topic)?.map(|id| id.value());
                Ok(id.into_pyobject(py)?.into_any().unbind())
            });
            finish
        })?;
        Ok(Some(future))
    }

    /// Leave a testament, which the next session has, too, if this one is lost and comes back: the
    /// number of the operation, and a future that is done when the router has taken it.
    fn add_testament<'py>(
        &self,
        py: Python<'py>,
        topic: Topic<'_>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        how: (Scope, Bound<'py, PyDict>),
        timeout: Option<f64>,
    ) -> PyResult<Begun<'py>> {
        let topic = topic.0;
        let parts = self.open(py, topic)?;
        testament::add(parts, topic, (args, kwargs), how, limit(py, timeout)?)
    }

    /// Take back the testaments of a scope: as `add_testament`.
    fn flush_testaments<'py>(
        &self,
        py: Python<'py>,
        scope: Scope,
        timeout: Option<f64>,
    ) -> PyResult<Begun<'py>> {
        let parts = self.open(py, "wamp.session.flush_testaments")?;
        testament::flush(py, parts, scope, limit(py, timeout)?)
    }

    /// Register: a future of the `AioRegistration`. `handler` is called with each `AioInvocation`.
    #[pyo3(signature = (procedure, options, handler, definition, timeout))]
    fn register<'py>(
        &self,
        py: Python<'py>,
        procedure: Procedure<'_>,
        options: &Bound<'py, PyDict>,
        handler: Py<PyAny>,
        definition: Option<&Bound<'py, PyDict>>,
        timeout: Option<f64>,
    ) -> PyResult<(u64, Bound<'py, PyAny>)> {
        let procedure = procedure.0;
        let (desk, client) = self.open(py, procedure)?;
        let limit = limit(py, timeout)?;
        let options = read_options(options, |reader| RegisterOptions::read(reader))?;
        let number = desk.add_handler(handler);
        let (called, of_registration) = (Arc::clone(desk), Arc::clone(desk));
        let mut register = client
            .register_with(procedure, move |invocation, responder| {
                called.invoke((number, Box::new(invocation), responder));
            })
            .options(options);
        if let Some(definition) = definition {
            register = register.describe(description(definition)?);
        }
        let (absent, procedure) = (absent(client), procedure.to_owned());
        desk.start(py, async move {
            let registered = within(limit, made(absent, limit, register)).await;
            let finish: Finish = Box::new(move |py| {
                let registration = answer(py, registered, &procedure)
                    .inspect_err(|_| of_registration.remove_handler(number))?;
                let registration = AioRegistration::new(of_registration, number, registration);
                Ok(Py::new(py, registration)?.into_any())
            });
            finish
        })
    }

    /// Subscribe: the number of the operation, and a future of the stream of events.
    #[pyo3(signature = (topic, options, definition, timeout))]
    fn subscribe<'py>(
        &self,
        py: Python<'py>,
        topic: Topic<'_>,
        options: &Bound<'py, PyDict>,
        definition: Option<&Bound<'py, PyDict>>,
        timeout: Option<f64>,
    ) -> PyResult<(u64, Bound<'py, PyAny>)> {
        let topic = topic.0;
        let (desk, client) = self.open(py, topic)?;
        let limit = limit(py, timeout)?;
        let options = read_options(options, |reader| SubscribeOptions::read(reader))?;
        let mut subscribe = client.subscribe(topic).options(options);
        if let Some(definition) = definition {
            subscribe = subscribe.describe(description(definition)?);
        }
        let (of_stream, client) = (Arc::clone(desk), client.clone());
        let (absent, topic) = (absent(&client), topic.to_owned());
        desk.start(py, async move {
            let subscribed = within(limit, made(absent, limit, subscribe)).await;
            let finish: Finish = Box::new(move |py| {
                let events = Source::Events(answer(py, subscribed, &topic)?);
                let stream = AioStream::new(&of_stream, client, &topic, events);
                Ok(Py::new(py, stream)?.into_any())
            });
            finish
        })
    }

    /// A future that is done when the session has ended: of the exception that says why, or of None
    /// after `leave`.
    fn ended<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (desk, client) = self.parts(py)?;
        let mut changes = client.status_changes();
        let client = client.clone();
        desk.future(py, async move {
            let closed = |status: &Status| matches!(status, Status::Closed { .. });
            // An error means that the task that owns the connection is gone, which is the same.
            _ = changes.wait_for(closed).await;
            tokio::time::sleep(GRACE).await;
            let finish: Finish = Box::new(move |py| {
                Ok(match loss(&client) {
                    Some(error) => error::of_connect(py, &error).into_value(py).into_any(),
                    None => py.None(),
                })
            });
            finish
        })
    }

    /// Say GOODBYE: a future that is done when the router has answered, or in bounded time without.
    fn leave<'py>(&self, py: Python<'py>, reason: &str) -> PyResult<Bound<'py, PyAny>> {
        let (desk, client) = self.parts(py)?;
        let (client, reason) = (client.clone(), reason.to_owned());
        desk.future(py, async move {
            // A session that cannot say goodbye is over all the same.
            _ = client.leave(&reason).await;
            let finish: Finish = Box::new(|py| Ok(py.None()));
            finish
        })
    }

    /// Say GOODBYE and do not wait for anything.
    fn leave_now(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let client = self.parts(py)?.1.clone();
        let reason = reason.to_owned();
        runtime::runtime(py)?.spawn(async move { client.leave(&reason).await });
        Ok(())
    }
}

/// A call that runs until its answer is here: one that is given up is interrupted.
fn prepared(
    client: &Client,
    procedure: &str,
    args: &Bound<'_, PyAny>,
    kwargs: &Bound<'_, PyAny>,
    options: &AioOptions,
) -> PyResult<Call> {
    let call = request::call(client, procedure, args, kwargs, options.0.clone())?;
    Ok(call.cancel_mode(CancelMode::Kill))
}

/// A future that has its outcome already.
fn done<'py>(
    desk: &Arc<Desk>,
    py: Python<'py>,
    value: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let value = value.unbind();
    desk.future(py, async move {
        let finish: Finish = Box::new(move |_| Ok(value));
        finish
    })
}
