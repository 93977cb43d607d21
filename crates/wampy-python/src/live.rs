//! What a session consists of, and how its jobs become Python's.
//!
//! Deliberately absent: the methods that Python calls; see `session`.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use tokio::runtime::Runtime;
use wampy::{Client, Invocation, Registration, Status, Subscription, WampError};
use wampy_proto::{MessageType, error_uri};

use crate::answers::Answers;
use crate::held::{Holdings, noted};
use crate::inbox::{Granted, Inbox, Job};
use crate::options::details;
use crate::payload::arguments;
use crate::runtime::{Leaves, wait};
use crate::work::InWork;

/// How long a handler thread waits for the id of a registration whose first call came before the
/// thread that registers has noted it.
const GRANT_TIMEOUT: Duration = Duration::from_secs(10);

const EVENT: u64 = MessageType::Event.code();
const INVOCATION: u64 = MessageType::Invocation.code();

/// A job as Python gets it.
#[derive(IntoPyObject)]
pub enum PythonJob<'py> {
    /// INVOCATION.
    #[pyo3(transparent)]
    Invocation(InvocationTuple<'py>),
    /// The code of EVENT alone: events wait.
    #[pyo3(transparent)]
    Events((u64,)),
}

/// INVOCATION as a tuple: code, two ids, details, args, kwargs.
type InvocationTuple<'py> = (
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
    pub registrations: Holdings<Registration>,
    pub subscriptions: Holdings<Subscription>,
    pub in_work: InWork,
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
    /// What a session that has just joined consists of; `runtime` tells those who wait of its end.
    pub fn begin(client: Client, answers: Arc<Answers>, runtime: &Runtime) -> Arc<Self> {
        let (inbox, mut changes) = (Arc::new(Inbox::default()), client.status_changes());
        let ends = (Arc::clone(&inbox), Arc::clone(&answers));
        runtime.spawn(async move {
            // An error means that the client is gone altogether.
            _ = changes
                .wait_for(|status| matches!(status, Status::Closed { .. }))
                .await;
            ends.0.lose();
            ends.1.end();
        });
        Arc::new(Self {
            client,
            inbox,
            answers,
            registrations: Holdings::default(),
            subscriptions: Holdings::default(),
            in_work: InWork::default(),
        })
    }

    /// Waits until the session has ended; why, if it was not the program that ended it.
    pub async fn ended(&self) -> Option<wampy::Error> {
        self.client.closed().await;
        self.client.established().await.err()
    }

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
    pub fn job<'py>(&self, py: Python<'py>, job: Job) -> PyResult<PythonJob<'py>> {
        match job {
            Job::Events => Ok(PythonJob::Events((EVENT,))),
            Job::Invocation(invocation, responder, granted) => {
                let job = invocation_job(py, &invocation, &granted);
                if job.is_ok() {
                    self.in_work.begin(invocation, responder);
                } else {
                    responder.fail(WampError::new(error_uri::INVALID_ARGUMENT));
                }
                job.map(PythonJob::Invocation)
            }
        }
    }
}

fn invocation_job<'py>(
    py: Python<'py>,
    invocation: &Invocation,
    granted: &Granted,
) -> PyResult<InvocationTuple<'py>> {
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
