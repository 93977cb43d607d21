//! From a URL to a connection on which messages can be exchanged.
//!
//! Deliberately absent: the bytes below (`dial.rs`) and the handshakes (`opening.rs`, `longpoll`).

use wampy_proto::framing::rawsocket::{Refusal, ReplyError};

use crate::connect_options::ConnectOptions;
use crate::connection::Connection;
use crate::dial::dial;
use crate::error::{ConnectError, ConnectProblem};
use crate::url::{Framing, Url};
use crate::{longpoll, opening};

/// Connects to the router at `url`.
///
/// A RawSocket can ask for only one serializer: where the router refuses it, the next one is asked
/// for over a new connection.
///
/// # Errors
/// [`ConnectError`] says what stood in the way.
pub async fn connect(url: &Url, options: &ConnectOptions) -> Result<Connection, ConnectError> {
    let attempt = tokio::time::timeout(options.timeout, connect_and_open(url, options));
    let timeout = ConnectProblem::Timeout {
        after: options.timeout,
    };
    attempt
        .await
        .unwrap_or(Err(timeout))
        .map_err(|problem| ConnectError {
            url: url.to_string(),
            problem,
        })
}

async fn connect_and_open(
    url: &Url,
    options: &ConnectOptions,
) -> Result<Connection, ConnectProblem> {
    match url.scheme().framing {
        Framing::WebSocket => {
            let stream = dial(url, options).await?;
            opening::websocket(stream, url, options).await
        }
        Framing::LongPoll => longpoll::open(url, options).await,
        Framing::RawSocket => open_rawsocket(url, options).await,
    }
}

/// Asks for one serializer after the other.
async fn open_rawsocket(url: &Url, options: &ConnectOptions) -> Result<Connection, ConnectProblem> {
    let mut refusal = ConnectProblem::NoSerializer;
    for &serializer in &options.serializers {
        let stream = dial(url, options).await?;
        match opening::rawsocket(stream, serializer, options).await {
            Err(
                problem @ ConnectProblem::RawSocket(ReplyError::Refused(
                    Refusal::SerializerUnsupported,
                )),
            ) => refusal = problem,
            outcome => return outcome,
        }
    }
    Err(refusal)
}
