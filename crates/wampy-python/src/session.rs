//! `_wampy.Session`: the Rust client as Python's sessions use it.
//!
//! Every method converts, lets the client do it, waits with the GIL released, and converts back.
//! Invocations and events go to the [`Inbox`], from which Python's handler threads take them.
//!
//! Deliberately absent: reconnecting. Python begins a new session in its place, in which it asks for
//! everything anew, so that no id of one session is ever looked up in another.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use wampy::{Call, Status, WampError};
use wampy_proto::Message;

use crate::answers::Answers;
use crate::asked::{Asked, AskedCall};
use crate::attempt::Attempt;
use crate::challenges::Challenges;
use crate::connect::Settings;
use crate::encode::encode;
use crate::error;
use crate::events::{self, EventTuple, Subscriptions};
use crate::failure::{Kind, failure, failure_of};
use crate::features::router_has;
use crate::kept::Kept;
use crate::live::{Live, PythonJob};
use crate::names::Topic;
use crate::payload::payload;
use crate::progressive::{Input, ResultTuple, Results, result_tuple};
use crate::request::{self, How, answer};
use crate::runtime::{self, duration, limit, wait, wait_quietly};
use crate::work::PartTuple;

/// A joined WAMP session.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Session {
    live: Kept<Arc<Live>>,
}

impl Session {
    fn live(&self, py: Python<'_>) -> PyResult<&Arc<Live>> {
        self.live.get(py, "client")
    }

    /// The session, for a new request to `target`.
    fn open(&self, py: Python<'_>, target: &str) -> PyResult<&Arc<Live>> {
        let live = self.live(py)?;
        match live.client.status() {
            Status::Closed { reason } => {
                let hint = format!("{reason}; start() begins a new session");
                Err(failure_of(py, Kind::Unsent, &hint, None, Some(target)))
            }
            _ => Ok(live),
        }
    }
}

#[pymethods]
impl Session {
    /// Connect and join a realm; `challenges` gets the router's CHALLENGEs, whether or not that
    /// succeeds, and `attempt` can end it early.
    #[staticmethod]
    #[pyo3(signature = (settings, *, challenges = None, attempt = None))]
    fn connect(
        py: Python<'_>,
        settings: Settings,
        challenges: Option<&Bound<'_, PyList>>,
        attempt: Option<&Attempt>,
    ) -> PyResult<Self> {
        let (answers, challenged) = (Arc::new(Answers::default()), Challenges::default());
        let observed = (Arc::clone(&answers), challenged.clone());
        let builder = settings.builder(py)?.observer(move |message| {
            observed.0.push(message);
            observed.1.push(message);
        });
        let connected = wait(py, None, Attempt::connect(attempt, builder))?.flatten();
        if let Some(list) = challenges {
            challenged.append_to(py, list)?;
        }
        let connected = connected
            .ok_or_else(|| failure(py, Kind::Session, "the attempt to connect was given up"))?
            .map_err(|error| error::of_connect(py, &error))?;
        let live = Live::begin(connected, answers, runtime::runtime(py)?);
        runtime::at_exit(&live);
        Ok(Self {
            live: Kept::new(live),
        })
    }

    /// The session id that the router chose.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.live(py)?.client.session_id().value())
    }

    /// Whether the session can still send.
    #[getter]
    fn is_open(&self) -> bool {
        let live = self.live.here();
        live.is_some_and(|live| matches!(live.client.status(), Status::Established { .. }))
    }

    /// Wait until the session has ended; returns the exception that says why, or None after
    /// `timeout` seconds.
    fn wait_for_end<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let ended = self.live(py)?.ended();
        let error = wait_quietly(py, duration(py, timeout)?, ended)?.flatten();
        let error = error.map(|error| error::of_connect(py, &error));
        Ok(error.map(|error| error.into_value(py).into_bound(py).into_any()))
    }

    /// How many events were dropped because handlers were too slow.
    #[getter]
    fn events_dropped(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.live(py)?.inbox.events_dropped())
    }

    /// How many events were left out because none of the keys opens them.
    #[getter]
    fn events_undecryptable(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(self.live(py)?.subscriptions.undecryptable())
    }

    /// Call and wait; returns `(request_id, details, args, kwargs)` of the RESULT.
    fn call<'py>(
        &self,
        py: Python<'py>,
        procedure: &str,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &Bound<'py, PyDict>,
    ) -> PyResult<ResultTuple<'py>> {
        let call = self.prepared(py, procedure, args, kwargs, options)?;
        let result = answer(py, wait(py, None, call.into_future())?, procedure)?;
        result_tuple(py, &result)
    }

    /// Call without waiting; what becomes of it makes no difference.
    fn call_and_forget(
        &self,
        py: Python<'_>,
        procedure: &str,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if !self.is_open() {
            return Ok(());
        }
        let call = self.prepared(py, procedure, args, kwargs, &PyDict::new(py))?;
        request::begin(py, call.into_future()).map(drop)
    }

    /// Call, and wait for the answer later.
    fn ask_to_call(
        &self,
        py: Python<'_>,
        procedure: &str,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<AskedCall> {
        let call = self.prepared(py, procedure, args, kwargs, options)?;
        AskedCall::new(py, procedure, call)
    }

    /// Call for a result in parts; the call is made when its results are asked for.
    fn call_progressive(
        &self,
        py: Python<'_>,
        procedure: &str,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Results> {
        let call = self.prepared(py, procedure, args, kwargs, options)?;
        Ok(Results::new(call.progressive(), procedure.to_owned()))
    }

    /// Make a call in parts, of which this is the first; returns what sends the others, and the
    /// results.
    fn call_in_parts(
        &self,
        py: Python<'_>,
        procedure: &str,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<(Input, Results)> {
        let serializer = self.open(py, procedure)?.client.serializer();
        let call = self.prepared(py, procedure, args, kwargs, options)?;
        let (input, results) = answer(py, wait(py, None, call.duplex())?, procedure)?;
        Ok((
            Input::new(input, procedure.to_owned(), serializer),
            Results::new(results, procedure.to_owned()),
        ))
    }

    /// Publish; with the option `acknowledge`, wait and return the publication id.
    fn publish<'py>(
        &self,
        py: Python<'py>,
        topic: Topic<'_>,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &Bound<'py, PyDict>,
        timeout: Option<f64>,
    ) -> PyResult<Option<u64>> {
        let topic = topic.0;
        let client = &self.open(py, topic)?.client;
        let publish = request::publish(client, topic, args, kwargs, options)?;
        let published = wait(py, limit(py, timeout)?, publish.into_future())?;
        Ok(answer(py, published, topic)?.map(|publication| publication.value()))
    }

    /// Ask for a registration, whose answer is waited for later.
    fn ask_to_register(
        &self,
        py: Python<'_>,
        procedure: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Asked> {
        Asked::register(py, self.open(py, procedure)?, procedure, options)
    }

    /// Withdraw a registration and wait for the acknowledgement.
    fn unregister(
        &self,
        py: Python<'_>,
        registration_id: u64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let registration = self.live(py)?.registrations.take(py, registration_id)?;
        let procedure = registration.procedure().to_owned();
        let ended = wait(py, limit(py, timeout)?, registration.unregister())?;
        answer(py, ended, &procedure)
    }

    /// The ids of registrations and subscriptions that the router has taken back meanwhile; each is
    /// told once.
    fn revoked(&self, py: Python<'_>) -> PyResult<(Vec<u64>, Vec<u64>)> {
        let live = self.live(py)?;
        let registrations = live.registrations.over();
        let subscriptions = live.subscriptions.over();
        // With a session all its ids go, which is no revocation.
        if !self.is_open() {
            return Ok((Vec::new(), Vec::new()));
        }
        live.registrations.forget(&registrations);
        live.subscriptions.forget(&subscriptions);
        Ok((registrations, subscriptions))
    }

    /// Ask for a subscription, whose answer is waited for later.
    fn ask_to_subscribe(
        &self,
        py: Python<'_>,
        topic: &str,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Asked> {
        Asked::subscribe(py, self.open(py, topic)?, topic, options)
    }

    /// End a subscription and wait for the acknowledgement.
    fn unsubscribe(
        &self,
        py: Python<'_>,
        subscription_id: u64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let subscription = self.live(py)?.subscriptions.take(py, subscription_id)?;
        let topic = subscription.topic().to_owned();
        let ended = wait(py, limit(py, timeout)?, subscription.unsubscribe())?;
        answer(py, ended, &topic)
    }

    /// Send a hand-built request; its answer comes from `next_answer`. Returns the id it got.
    fn send(&self, py: Python<'_>, message: &Bound<'_, PyAny>) -> PyResult<Option<u64>> {
        let client = &self.live(py)?.client;
        let serializer = client.serializer();
        let encoded = encode(serializer, message, "message")?;
        let message = Message::decode(serializer, &encoded).map_err(|error| {
            failure(
                py,
                Kind::Protocol,
                &format!("this is no WAMP message: {error}"),
            )
        })?;
        let name = message.message_type().as_str();
        let sent = answer(py, wait(py, None, client.send(message))?, name)?;
        Ok(sent.map(|request| request.value()))
    }

    /// The next answer to a request that `send` sent, or the one to `request_id`.
    fn next_answer<'py>(
        &self,
        py: Python<'py>,
        request_id: Option<u64>,
        timeout: Option<f64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let timeout = limit(py, timeout)?;
        self.live(py)?.answers.take(py, request_id, timeout)
    }

    /// The next invocation, or that events wait; None after `timeout` seconds or at the session's
    /// end.
    fn next_job<'py>(&self, py: Python<'py>, timeout: f64) -> PyResult<Option<PythonJob<'py>>> {
        let live = self.live(py)?;
        loop {
            let job = wait_quietly(py, duration(py, timeout)?, live.inbox.next())?.flatten();
            let Some(job) = job else { return Ok(None) };
            match live.job(py, job) {
                Ok(job) => return Ok(Some(job)),
                // The peer's mistake must not end this thread; Python reports it.
                Err(error) => error.write_unraisable(py, None),
            }
        }
    }

    /// Run the handlers of the events that wait, up to a limit; whether some may be left.
    fn run_events<'py>(
        &self,
        known: &Bound<'py, PyDict>,
        absent: &Bound<'py, PyAny>,
        failed: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let subscriptions = Subscriptions {
            known,
            absent,
            failed,
        };
        subscriptions.run(&self.live(known.py())?.inbox)
    }

    /// The next of the events that wait, as a message; None if there is none.
    fn next_event<'py>(&self, py: Python<'py>) -> PyResult<Option<EventTuple<'py>>> {
        Ok(events::next(py, &self.live(py)?.inbox))
    }

    /// Say that the events that this thread took have been handled.
    fn events_done(&self, py: Python<'_>) -> PyResult<()> {
        self.live(py)?.inbox.events_done();
        Ok(())
    }

    /// YIELD the result of an invocation; False if it was answered or canceled before.
    fn reply<'py>(
        &self,
        py: Python<'py>,
        request_id: u64,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let live = self.live(py)?;
        let payload = payload(live.client.serializer(), args, kwargs)?;
        Ok(live.in_work.complete(request_id, payload))
    }

    /// Answer an invocation with ERROR; False if it was answered or canceled before.
    fn reply_error<'py>(
        &self,
        py: Python<'py>,
        request_id: u64,
        uri: &str,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let live = self.live(py)?;
        let payload = payload(live.client.serializer(), args, kwargs)?;
        let error = WampError::new(uri).with_payload(payload);
        Ok(live.in_work.fail(request_id, error))
    }

    /// Send a part of the result if the caller takes parts, waiting until there is room for it;
    /// false if the call is over.
    fn progress<'py>(
        &self,
        py: Python<'py>,
        request_id: u64,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
    ) -> PyResult<bool> {
        let live = self.live(py)?;
        let serializer = live.client.serializer();
        live.in_work
            .progress(py, request_id, || payload(serializer, args, kwargs))
    }

    /// Wait for the next part of a call that is made in parts; None if there is none, because the
    /// last one has been taken or because the call is over.
    fn next_part<'py>(&self, py: Python<'py>, request_id: u64) -> PyResult<Option<PartTuple<'py>>> {
        self.live(py)?.in_work.next_part(py, request_id)
    }

    /// Whether the router announced a feature for a role, `broker` or `dealer`.
    fn router_has(&self, py: Python<'_>, role: &str, feature: &str) -> PyResult<bool> {
        Ok(router_has(&self.live(py)?.client, role, feature))
    }

    /// Say GOODBYE and wait for the answer, at most as long as `connect` was told. Never fails.
    fn close(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let Some(live) = self.live.here() else {
            return Ok(());
        };
        let left = wait(py, None, live.leave(reason));
        live.inbox.end();
        // The end of the interpreter has said goodbye already.
        if runtime::is_ending() {
            Ok(())
        } else {
            left.map(|_| ())
        }
    }
}

impl Session {
    /// A call that is not made yet.
    fn prepared(
        &self,
        py: Python<'_>,
        procedure: &str,
        args: &Bound<'_, PyAny>,
        kwargs: &Bound<'_, PyAny>,
        options: &Bound<'_, PyDict>,
    ) -> PyResult<Call> {
        let client = &self.open(py, procedure)?.client;
        request::call(client, procedure, args, kwargs, How::read(options)?)
    }
}
