//! `bench.flood`: events as fast as the subscriber takes them, and no faster.
//!
//! The subscriber publishes to `bench.ack` how many it has had, now and then; at most [`WINDOW`] are
//! on their way, so that none is lost on it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use wampy::{Client, Invocation, Subscription, WampError};

use crate::value::{Value, published};

/// How many events may be on their way.
const WINDOW: u64 = 4096;
/// How long a subscriber may be silent.
const PATIENCE: Duration = Duration::from_secs(20);

/// Offers `bench.flood(seconds, kind)`, which returns how many events were published.
pub async fn offer(client: &Client) -> Result<Subscription, wampy::Error> {
    let had = Arc::new(watch::Sender::new(0));
    let acknowledged = Arc::clone(&had);
    client
        .register("bench.flood", move |invocation: Invocation| {
            let acknowledged = Arc::clone(&acknowledged);
            async move { flood(&invocation, &acknowledged).await }
        })
        .await?;
    client
        .subscribe_with("bench.ack", move |event| {
            if let Some(count) = published(&event) {
                had.send_replace(count);
            }
        })
        .await
}

async fn flood(
    invocation: &Invocation,
    acknowledged: &watch::Sender<u64>,
) -> Result<u64, WampError> {
    let (seconds, kind): (f64, String) = invocation.args()?;
    let client = invocation.client();
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    // What a subscriber before this one has had says nothing.
    acknowledged.send_replace(0);
    let mut had = acknowledged.subscribe();
    let mut sent = 0;
    while Instant::now() < end {
        let room = had.wait_for(|had| sent < had + WINDOW);
        if !matches!(timeout(PATIENCE, room).await, Ok(Ok(_))) {
            return Err(WampError::new("bench.error.subscriber_is_silent"));
        }
        client
            .publish("bench.event")
            .args((Value::new(&kind, sent),))
            .await
            .map_err(|_| WampError::new("bench.error.unpublished"))?;
        sent += 1;
    }
    Ok(sent)
}
