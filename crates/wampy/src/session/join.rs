//! From a URL to a session: connecting, HELLO, the router's challenges, WELCOME.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::timeout;
use wampy_proto::auth::SignError;
use wampy_proto::message::{Abort, Challenge, Welcome};
use wampy_proto::session::joining::{Joined as Meaning, Joining};
use wampy_proto::{Message, Serializer};
use wampy_transport::connect;

use super::Shared;
use super::lost::Cause;
use super::prove;
use super::wire::{Stop, Wire};
use crate::error::Error;
use crate::options::Options;
use crate::status::Status;

/// A session that has just begun.
#[derive(Debug)]
pub(super) struct Joined {
    pub(super) wire: Wire,
    pub(super) serializer: Serializer,
    pub(super) joining: Joining,
    pub(super) welcome: Arc<Welcome>,
}

/// How joining ended, before it is said in an error.
enum Outcome {
    Welcome(Welcome),
    Refused(Error),
    Misbehaved(Abort<'static>),
    BadFrame(String),
    Challenge(Challenge<'static>),
}

/// Joins for the first time: once, unless the options ask for more.
pub(super) async fn first(options: &Options) -> Result<Joined, Error> {
    let mut failed_attempts = 0;
    loop {
        let error = match join(options).await {
            Ok(joined) => return Ok(joined),
            Err(error) => error,
        };
        failed_attempts += 1;
        let reconnect = options
            .reconnect
            .as_ref()
            .filter(|reconnect| reconnect.first_connection);
        match reconnect {
            Some(reconnect)
                if !reconnect.is_exhausted(failed_attempts)
                    && Cause::from_join(error.clone()).is_temporary() =>
            {
                tracing::warn!(%error, "the router cannot be reached; trying again");
                tokio::time::sleep(reconnect.delay(failed_attempts)).await;
            }
            _ => return Err(error),
        }
    }
}

/// Joins again after the session was lost to `cause`, until it succeeds, makes no sense any more,
/// or the program closes the client.
pub(super) async fn again(shared: &Shared, cause: Cause) -> Result<Joined, Cause> {
    let options = &shared.options;
    let Some(reconnect) = &options.reconnect else {
        return Err(cause);
    };
    let mut cause = cause;
    let mut failed_attempts = 0;
    loop {
        let reason = cause.text(options.url.as_str());
        let attempt = failed_attempts + 1;
        tracing::warn!(attempt, reason, "the session is lost; reconnecting");
        shared.set_status(Status::Reconnecting { attempt, reason });
        let attempting = async {
            tokio::time::sleep(reconnect.delay(attempt)).await;
            join(options).await
        };
        let outcome = tokio::select! {
            outcome = attempting => outcome,
            () = shared.close_requested.notified() => return Err(Cause::Closed),
        };
        match outcome {
            Ok(joined) => return Ok(joined),
            Err(error) => cause = Cause::from_join(error),
        }
        failed_attempts += 1;
        if !cause.is_temporary() || reconnect.is_exhausted(failed_attempts) {
            return Err(cause);
        }
    }
}

async fn join(options: &Options) -> Result<Joined, Error> {
    let after = options.connect.timeout;
    let what = format!("joining the realm {} at {}", options.realm, options.url);
    timeout(after, connect_and_join(options))
        .await
        .unwrap_or(Err(Error::Timeout { what, after }))
}

async fn connect_and_join(options: &Options) -> Result<Joined, Error> {
    let connection = connect(&options.url, &options.connect)
        .await
        .map_err(|error| Error::Connect {
            url: options.url.to_string(),
            source: Arc::new(error),
        })?;
    let serializer = connection.serializer;
    let (hello, mut signer) = prove::hello(options, connection.stream.channel_id())?;
    let mut wire = Wire::new(connection);
    wire.push(serializer, &hello.into());
    let mut joining = Joining::new();
    let (last_words, error) = loop {
        match await_outcome(&mut wire, serializer, &mut joining, options).await? {
            Outcome::Challenge(challenge) => {
                if let Some(observer) = &options.observer {
                    observer(&challenge.clone().into());
                }
                match prove::answer(signer, challenge).await {
                    Ok((kept, answer)) => {
                        wire.push(serializer, &answer.into());
                        joining.authenticate();
                        signer = kept;
                    }
                    Err(error) => break distrust(options, &error),
                }
            }
            Outcome::Welcome(welcome) => {
                if let Err(error) = signer.check_welcome(&welcome.details) {
                    break distrust(options, &error);
                }
                // Of many clients most have nothing to say or to hear yet.
                wire.rest();
                return Ok(Joined {
                    wire,
                    serializer,
                    joining,
                    welcome: Arc::new(welcome),
                });
            }
            Outcome::Refused(error) => break (None, error),
            Outcome::Misbehaved(abort) => {
                let problem = abort.details.message.as_deref().unwrap_or_default();
                let error = misbehaved(options, problem.to_owned());
                break (Some(abort), error);
            }
            Outcome::BadFrame(problem) => break (None, misbehaved(options, problem)),
        }
    };
    if let Some(last_words) = last_words {
        wire.push(serializer, &last_words.into());
    }
    // Whether the router has heard it makes no difference any more.
    _ = timeout(options.close_timeout, wire.shut_down()).await;
    Err(error)
}

/// What to say to the router and to the program where a challenge or a WELCOME is no good.
fn distrust(options: &Options, error: &SignError) -> (Option<Abort<'static>>, Error) {
    (Some(error.abort()), prove::error(options, error))
}

/// Sends what is outgoing, and reads until the router has said what becomes of the session.
async fn await_outcome(
    wire: &mut Wire,
    serializer: Serializer,
    joining: &mut Joining,
    options: &Options,
) -> Result<Outcome, Error> {
    loop {
        match wire.receive(serializer, |message| handle(joining, message, options)) {
            ControlFlow::Continue(()) => exchange(wire, options).await?,
            ControlFlow::Break(Stop::Messages(outcome)) => return Ok(outcome),
            ControlFlow::Break(Stop::Framing(problem)) => return Ok(Outcome::BadFrame(problem)),
            ControlFlow::Break(Stop::Closed(reason)) => return Err(lost(options, reason)),
        }
    }
}

fn misbehaved(options: &Options, problem: String) -> Error {
    Error::PeerMisbehaved {
        url: options.url.to_string(),
        problem,
    }
}

fn handle(
    joining: &mut Joining,
    message: Result<Message<'_>, wampy_proto::DecodeError>,
    options: &Options,
) -> ControlFlow<Outcome> {
    let message = match message {
        Ok(message) => message,
        Err(error) => {
            return match joining.undecodable(&error.to_string()) {
                Some(abort) => ControlFlow::Break(Outcome::Misbehaved(abort)),
                None => ControlFlow::Continue(()),
            };
        }
    };
    ControlFlow::Break(match joining.handle(message) {
        Meaning::Welcome(welcome) => Outcome::Welcome(welcome),
        Meaning::Challenge(Challenge { authmethod, extra }) => Outcome::Challenge(Challenge {
            authmethod: authmethod.into_owned().into(),
            extra,
        }),
        Meaning::Aborted(abort) => Outcome::Refused(Error::Aborted {
            url: options.url.to_string(),
            reason: abort.reason.into_owned(),
            message: abort.details.message.map(String::from),
        }),
        Meaning::Violation(abort) => Outcome::Misbehaved(abort),
        Meaning::Goodbye { said, .. } => Outcome::Refused(lost(
            options,
            format!("the router said goodbye: {}", said.reason),
        )),
        Meaning::Deliver(_) | Meaning::Closed | Meaning::Ignored => {
            return ControlFlow::Continue(());
        }
    })
}

/// Writes what is outgoing and reads what has come.
async fn exchange(wire: &mut Wire, options: &Options) -> Result<(), Error> {
    let read = poll_fn(|cx| {
        if let Poll::Ready(Err(error)) = wire.poll_write(cx) {
            return Poll::Ready(Err(error));
        }
        wire.poll_read(cx)
    });
    match read.await {
        Ok(0) => Err(lost(
            options,
            "the router closed the connection before WELCOME".to_owned(),
        )),
        Ok(_) => Ok(()),
        Err(error) => Err(lost(options, error.to_string())),
    }
}

fn lost(options: &Options, reason: String) -> Error {
    Error::ConnectionLost {
        url: options.url.to_string(),
        reason,
    }
}
