//! `bench.received`: how many events of the measured publisher have come, in order.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use wampy::{Client, Invocation, Subscription, WampError};

use crate::value::{Value, published};

/// How long events may take that are on their way.
const PATIENCE: Duration = Duration::from_secs(20);

/// Offers `bench.received(count)`, which returns when so many events of `bench.published` have come
/// in order; number 0 begins again.
pub async fn offer(client: &Client) -> Result<Subscription, wampy::Error> {
    let (tally, received) = watch::channel(0);
    client
        .register("bench.received", move |invocation: Invocation| {
            let mut received = received.clone();
            async move {
                let (count,): (u64,) = invocation.args()?;
                let all = received.wait_for(|had| *had == count);
                match timeout(PATIENCE, all).await {
                    Ok(Ok(_)) => Ok(count),
                    _ => Err(WampError::new("bench.error.events_missing")),
                }
            }
        })
        .await?;
    client
        .subscribe_with("bench.published", move |event| {
            let Some(value) = published::<Value>(&event) else {
                return;
            };
            let number = value.number();
            tally.send_if_modified(|next| {
                let is_next = number == *next || number == 0;
                if is_next {
                    *next = number + 1;
                }
                is_next
            });
        })
        .await
}
