//! `_wampy.Session`: the Rust client as Python's sessions use it.
//!
//! Every method converts, lets the client do it, waits with the GIL released, and converts back.
//! Invocations and events go to the [`Inbox`], from which Python's handler threads take them.
//!
//! Deliberately absent: reconnecting. Python begins a new session in its place, in which it asks for
//! everything anew, so that no id of one session is ever looked up in another.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use tokio::sync::SetOnce;
use wampy::{Call, Client, IpVersion, Status, Subscription, WampError};
use wampy_proto::end_to_end::DataKey;
use wampy_proto::message::{CallOptions, PublishOptions, RegisterOptions, SubscribeOptions};
use wampy_proto::{Feature, Message, Role};

use crate::answers::{self, Answers};
use crate::attempt::Attempt;
use crate::challenges::Challenges;
use crate::cookies::CookieJar;
use crate::decode::decode;
use crate::encode::encode;
use crate::error::{self, Kind, failure, failure_of};
use crate::inbox::Inbox;
use crate::keys::{self, Key};
use crate::live::{JobTuple, Live, lock, noted};
use crate::options::{arguments, payload, read_options};
use crate::progressive::{Input, ResultTuple, Results, result_tuple};
use crate::proof::Proof;
use crate::runtime::{self, check_generation, duration, wait, wait_quietly};

/// A further part of a call: args, kwargs, and whether it is the last.
type PartTuple<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>, bool);

/// A joined WAMP session.
#[pyclass(frozen, module = "wampy._wampy")]
pub struct Session {
    generation: u64,
    /// `None` only while it is dropped.
    live: Option<Arc<Live>>,
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.generation != runtime::generation() {
            // The locks in there may be held by threads that the fork has left behind.
            std::mem::forget(self.live.take());
        }
    }
}

impl Session {
    fn live(&self, py: Python<'_>) -> PyResult<&Arc<Live>> {
        check_generation(py, self.generation, "client")?;
        self.live
            .as_ref()
            .ok_or_else(|| failure(py, Kind::Session, "the session is gone"))
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
    /// Connect to `url` and join `realm`; `timeout` in seconds bounds both together, and `attempt`
    /// can end it early.
    #[staticmethod]
    #[pyo3(signature = (url, realm, *, timeout, close_timeout, authmethods = Vec::new(), authid = None, proofs = Vec::new(), certificate = None, ca_path = None, ip_version = None, keys = Vec::new(), cipher = None, heartbeat = None, challenges = None, batched = false, cookies = None, attempt = None))]
    #[allow(clippy::too_many_arguments)]
    fn connect(
        py: Python<'_>,
        url: &str,
        realm: &str,
        timeout: f64,
        close_timeout: f64,
        authmethods: Vec<String>,
        authid: Option<String>,
        proofs: Vec<Proof>,
        certificate: Option<(String, String)>,
        ca_path: Option<String>,
        ip_version: Option<u8>,
        keys: Vec<Key>,
        cipher: Option<&str>,
        heartbeat: Option<(f64, f64)>,
        challenges: Option<&Bound<'_, PyList>>,
        batched: bool,
        cookies: Option<&CookieJar>,
        attempt: Option<&Attempt>,
    ) -> PyResult<Self> {
        let (answers, challenged) = (Arc::new(Answers::default()), Challenges::default());
        let observed = (Arc::clone(&answers), challenged.clone());
        let mut builder = Client::builder(url)
            .realm(realm)
            .agent(concat!("wampy-python/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(duration(py, timeout)?)
            .close_timeout(duration(py, close_timeout)?)
            .batched(batched)
            .observer(move |message| {
                observed.0.push(message);
                observed.1.push(message);
            });
        if let Some((interval, timeout)) = heartbeat {
            builder = builder
                .ping_interval(Some(duration(py, interval)?))
                .ping_timeout(duration(py, timeout)?);
        }
        if !authmethods.is_empty() {
            builder = builder.authmethods(authmethods);
        }
        if let Some(authid) = authid {
            builder = builder.authid(authid);
        }
        for proof in proofs {
            builder = builder.auth(proof.into_auth(py)?);
        }
        if let Some((certificate, key)) = certificate {
            builder = builder.client_certificate(certificate, key);
        }
        if let Some(path) = ca_path {
            builder = builder.ca_file(path);
        }
        if let Some(jar) = cookies {
            builder = builder.cookies(jar.jar());
        }
        builder = builder.keys(keys.into_iter().map(DataKey::from).collect());
        if let Some(name) = cipher {
            builder = builder.cipher(keys::cipher(py, name)?);
        }
        builder = match ip_version {
            Some(4) => builder.ip_version(IpVersion::V4),
            Some(6) => builder.ip_version(IpVersion::V6),
            _ => builder,
        };
        let connected = wait(py, None, Attempt::connect(attempt, builder))?.flatten();
        if let Some(list) = challenges {
            challenged.append_to(py, list)?;
        }
        let connected = connected
            .ok_or_else(|| failure(py, Kind::Session, "the attempt to connect was given up"))?
            .map_err(|error| error::of_connect(py, &error))?;
        Self::joined(py, connected, answers)
    }

    /// The session id that the router chose.
    #[getter]
    fn id(&self, py: Python<'_>) -> PyResult<u64> {
        let live = self.live.as_ref();
        let live = live.ok_or_else(|| failure(py, Kind::Session, "the session is gone"))?;
        check_generation(py, self.generation, "client").map(|()| live.client.session_id().value())
    }

    /// Whether the session can still send.
    #[getter]
    fn is_open(&self) -> bool {
        let ours = self.generation == runtime::generation();
        let live = self.live.as_ref().filter(|_| ours);
        live.is_some_and(|live| matches!(live.client.status(), Status::Established { .. }))
    }

    /// Wait until the session has ended; returns the exception that says why, or None after
    /// `timeout` seconds.
    fn wait_for_end<'py>(
        &self,
        py: Python<'py>,
        timeout: f64,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let client = &self.live(py)?.client;
        let ended = wait_quietly(py, duration(py, timeout)?, async {
            client.closed().await;
            client.established().await.err()
        })?;
        let error = ended.flatten().map(|error| error::of_connect(py, &error));
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
        let subscriptions = lock(&self.live(py)?.subscriptions);
        Ok(subscriptions
            .values()
            .map(Subscription::undecryptable)
            .sum())
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
        let mut call = call.into_future();
        let runtime = runtime::runtime(py)?;
        // Sends it, if there is room: before whatever this thread sends next.
        let first = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx).is_pending()));
        if runtime.block_on(first) {
            runtime.spawn(call);
        }
        Ok(())
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
        topic: &str,
        args: &Bound<'py, PyAny>,
        kwargs: &Bound<'py, PyAny>,
        options: &Bound<'py, PyDict>,
        timeout: Option<f64>,
    ) -> PyResult<Option<u64>> {
        let client = &self.open(py, topic)?.client;
        let key = keys::encrypt(options)?;
        let options = read_options(options, |reader| PublishOptions::read(reader))?;
        let mut publish = client
            .publish(topic)
            .payload(payload(client.serializer(), args, kwargs)?)
            .options(options);
        if let Some(key) = key {
            publish = publish.encrypt(key);
        }
        let published = wait(py, limit(py, timeout)?, publish.into_future())?;
        Ok(answer(py, published, topic)?.map(|publication| publication.value()))
    }

    /// Register and wait; returns `(request_id, registration_id)`.
    fn register(
        &self,
        py: Python<'_>,
        procedure: &str,
        options: &Bound<'_, PyDict>,
        timeout: Option<f64>,
    ) -> PyResult<(u64, u64)> {
        let live = self.open(py, procedure)?;
        let options = read_options(options, |reader| RegisterOptions::read(reader))?;
        let (inbox, granted) = (Arc::clone(&live.inbox), Arc::new(SetOnce::new()));
        let id = Arc::clone(&granted);
        let register = live
            .client
            .register_with(procedure, move |invocation, responder| {
                inbox.push_invocation(invocation, responder, Arc::clone(&id));
            })
            .options(options);
        let registered = wait(py, limit(py, timeout)?, register.into_future())?;
        let registration = answer(py, registered, procedure)?;
        let registration_id = noted(py, registration.id().map(|id| id.value()))?;
        // A new cell cannot be set already.
        _ = granted.set(registration_id);
        let request_id = registration.request_id().value();
        lock(&live.registrations).insert(registration_id, registration);
        Ok((request_id, registration_id))
    }

    /// Withdraw a registration and wait for the acknowledgement.
    fn unregister(
        &self,
        py: Python<'_>,
        registration_id: u64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let registration = lock(&self.live(py)?.registrations).remove(&registration_id);
        let registration = known(py, registration, "registration", registration_id)?;
        let procedure = registration.procedure().to_owned();
        answer(
            py,
            wait(py, limit(py, timeout)?, registration.unregister())?,
            &procedure,
        )
    }

    /// The ids of registrations and subscriptions that the router has taken back meanwhile; each is
    /// told once.
    fn revoked(&self, py: Python<'_>) -> PyResult<(Vec<u64>, Vec<u64>)> {
        let live = self.live(py)?;
        let registrations = over(&live.registrations, |known| known.id().is_none());
        let subscriptions = over(&live.subscriptions, |known| known.id().is_none());
        // With a session all its ids go, which is no revocation.
        if !self.is_open() {
            return Ok((Vec::new(), Vec::new()));
        }
        take(&live.registrations, &registrations);
        take(&live.subscriptions, &subscriptions);
        Ok((registrations, subscriptions))
    }

    /// Subscribe and wait; returns `(request_id, subscription_id)`.
    fn subscribe(
        &self,
        py: Python<'_>,
        topic: &str,
        options: &Bound<'_, PyDict>,
        timeout: Option<f64>,
    ) -> PyResult<(u64, u64)> {
        let live = self.open(py, topic)?;
        let options = read_options(options, |reader| SubscribeOptions::read(reader))?;
        let inbox = Arc::clone(&live.inbox);
        let subscribe = live
            .client
            .subscribe_with(topic, move |event| inbox.push_event(event))
            .options(options);
        let subscribed = wait(py, limit(py, timeout)?, subscribe.into_future())?;
        let subscription = answer(py, subscribed, topic)?;
        let subscription_id = noted(py, subscription.id().map(|id| id.value()))?;
        let request_id = subscription.request_id().value();
        lock(&live.subscriptions).insert(subscription_id, subscription);
        Ok((request_id, subscription_id))
    }

    /// End a subscription and wait for the acknowledgement.
    fn unsubscribe(
        &self,
        py: Python<'_>,
        subscription_id: u64,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let subscription = lock(&self.live(py)?.subscriptions).remove(&subscription_id);
        let subscription = known(py, subscription, "subscription", subscription_id)?;
        let topic = subscription.topic().to_owned();
        answer(
            py,
            wait(py, limit(py, timeout)?, subscription.unsubscribe())?,
            &topic,
        )
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
        let live = self.live(py)?;
        match wait(py, limit(py, timeout)?, live.answers.next(request_id))? {
            Some(Some(encoded)) => decode(py, answers::SERIALIZER, &encoded),
            Some(None) => Err(failure(
                py,
                Kind::Session,
                "the session ended without an answer",
            )),
            None => Err(failure(py, Kind::Timeout, "no message came in time")),
        }
    }

    /// The next invocation or event; None after `timeout` seconds or at the session's end.
    fn next_job<'py>(&self, py: Python<'py>, timeout: f64) -> PyResult<Option<JobTuple<'py>>> {
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

    /// Say that the event handed out last has been handled.
    fn event_done(&self, py: Python<'_>) -> PyResult<()> {
        self.live(py)?.inbox.event_done();
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
        let work = lock(&live.in_work).remove(&request_id);
        Ok(work.is_some_and(|work| work.responder.complete(payload)))
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
        let work = lock(&live.in_work).remove(&request_id);
        Ok(work.is_some_and(|work| work.responder.fail(error)))
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
        let sends = match lock(&live.in_work).get(&request_id) {
            Some(work) if !work.responder.is_over() => work.invocation.clone(),
            _ => return Ok(false),
        };
        let Some(invocation) = sends else {
            return Ok(true);
        };
        let payload = payload(live.client.serializer(), args, kwargs)?;
        let sent = wait(py, None, invocation.progress_payload(payload))?;
        Ok(matches!(sent, Some(Ok(()))))
    }

    /// Wait for the next part of a call that is made in parts; None if there is none, because the
    /// last one has been taken or because the call is over.
    fn next_part<'py>(&self, py: Python<'py>, request_id: u64) -> PyResult<Option<PartTuple<'py>>> {
        let live = self.live(py)?;
        let work = lock(&live.in_work);
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

    /// Whether the router announced a feature for a role, `broker` or `dealer`.
    fn router_has(&self, py: Python<'_>, role: &str, feature: &str) -> PyResult<bool> {
        Ok(has_feature(&self.live(py)?.client, role, feature))
    }

    /// Say GOODBYE and wait for the answer, at most as long as `connect` was told. Never fails.
    fn close(&self, py: Python<'_>, reason: &str) -> PyResult<()> {
        let ours = self.generation == runtime::generation();
        let Some(live) = self.live.as_ref().filter(|_| ours) else {
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
        let key = keys::encrypt(options)?;
        let options = read_options(options, |reader| CallOptions::read(reader))?;
        let call = client
            .call(procedure)
            .payload(payload(client.serializer(), args, kwargs)?)
            .options(options);
        Ok(match key {
            Some(key) => call.encrypt(key),
            None => call,
        })
    }

    fn joined(py: Python<'_>, client: Client, answers: Arc<Answers>) -> PyResult<Self> {
        let (inbox, mut changes) = (Arc::new(Inbox::default()), client.status_changes());
        let ends = (Arc::clone(&inbox), Arc::clone(&answers));
        runtime::runtime(py)?.spawn(async move {
            // An error means that the client is gone altogether.
            _ = changes
                .wait_for(|status| matches!(status, Status::Closed { .. }))
                .await;
            ends.0.lose();
            ends.1.end();
        });
        let live = Arc::new(Live {
            client,
            inbox,
            answers,
            registrations: Mutex::default(),
            subscriptions: Mutex::default(),
            in_work: Mutex::default(),
        });
        runtime::at_exit(&live);
        Ok(Self {
            generation: runtime::generation(),
            live: Some(live),
        })
    }
}

/// The ids of what is over.
fn over<T>(table: &Mutex<HashMap<u64, T>>, is_over: impl Fn(&T) -> bool) -> Vec<u64> {
    lock(table)
        .iter()
        .filter_map(|(id, known)| is_over(known).then_some(*id))
        .collect()
}

fn take<T>(table: &Mutex<HashMap<u64, T>>, ids: &[u64]) {
    let mut table = lock(table);
    for id in ids {
        table.remove(id);
    }
}

fn limit(py: Python<'_>, timeout: Option<f64>) -> PyResult<Option<Duration>> {
    timeout.map(|seconds| duration(py, seconds)).transpose()
}

/// Whether the router announced a feature for a role, both by name.
pub fn has_feature(client: &Client, role: &str, feature: &str) -> bool {
    let welcome = client.welcome();
    let role = Role::ROUTER
        .into_iter()
        .find(|known| known.as_str() == role);
    let feature = Feature::ALL
        .into_iter()
        .find(|known| known.as_str() == feature);
    role.zip(feature)
        .is_some_and(|(role, feature)| welcome.details.roles.supports(role, feature))
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

fn known<T>(py: Python<'_>, found: Option<T>, what: &str, id: u64) -> PyResult<T> {
    found.ok_or_else(|| failure(py, Kind::Configuration, &format!("there is no {what} {id}")))
}
