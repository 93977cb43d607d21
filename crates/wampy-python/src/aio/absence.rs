//! Requests of a client that may have lost its session and be getting another.
//!
//! Deliberately absent: reconnecting, which is the client's.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wampy::{Client, Error, Status};

/// The client, if it has lost its session and is getting another.
pub fn absent(client: &Client) -> Option<Client> {
    let is_absent = matches!(client.status(), Status::Reconnecting { .. });
    is_absent.then(|| client.clone())
}

/// Makes a request when a client that is `absent` is back, for which it waits within `limit`.
pub async fn made<R, T>(
    absent: Option<Client>,
    limit: Option<Duration>,
    request: R,
) -> Result<T, Error>
where
    R: IntoFuture<Output = Result<T, Error>>,
{
    if let Some(client) = absent {
        // Rare, so that it takes no room in every request.
        Box::pin(back(&client, limit)).await?;
    }
    request.await
}

async fn back(client: &Client, limit: Option<Duration>) -> Result<(), Error> {
    match within(limit, client.established()).await {
        Some(outcome) => outcome,
        None => Err(Error::Timeout {
            what: "the connection, which was lost".to_owned(),
            after: limit.unwrap_or_default(),
        }),
    }
}

/// What a request is answered within a time limit; `None` after it.
pub async fn within<T>(
    limit: Option<Duration>,
    request: impl Future<Output = Result<T, Error>>,
) -> Option<Result<T, Error>> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, request).await.ok(),
        None => Some(request.await),
    }
}

/// Why the session of a client was lost; `None` while it stands, and if the program has ended it.
pub fn loss(client: &Client) -> Option<Error> {
    if !matches!(client.status(), Status::Closed { .. }) {
        return None;
    }
    // That of a closed client is ready at once.
    let mut context = Context::from_waker(Waker::noop());
    match pin!(client.established()).poll(&mut context) {
        Poll::Ready(Err(error)) if !matches!(error, Error::Closed) => Some(error),
        _ => None,
    }
}
