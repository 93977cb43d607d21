//! `bench.load`: calls of a procedure of the measured client, several at a time.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use wampy::{Client, Invocation, WampError};

use crate::value::Value;

/// Offers `bench.load(procedure, seconds, in_flight, kind)`, which returns how many calls were
/// answered and in how many seconds. Each answer must be an echo.
pub async fn offer(client: &Client) -> Result<(), wampy::Error> {
    client
        .register("bench.load", async |invocation: Invocation| {
            let (procedure, seconds, in_flight, kind): (String, f64, u64, String) =
                invocation.args()?;
            let start = Instant::now();
            let end = start + Duration::from_secs_f64(seconds);
            let mut callers = JoinSet::new();
            for _ in 0..in_flight {
                let client = invocation.client().clone();
                callers.spawn(calls(client, procedure.clone(), kind.clone(), end));
            }
            let mut answered = 0;
            while let Some(caller) = callers.join_next().await {
                answered += caller.map_err(|_| WampError::new("bench.error.panicked"))??;
            }
            Ok((answered, start.elapsed().as_secs_f64()))
        })
        .await?;
    Ok(())
}

async fn calls(
    client: Client,
    procedure: String,
    kind: String,
    end: Instant,
) -> Result<u64, WampError> {
    let mut answered = 0;
    while Instant::now() < end {
        let call = client.call(procedure.as_str());
        let answer = call.args((Value::new(&kind, answered),)).await;
        let echo = answer.map_err(|error| {
            WampError::new("bench.error.unanswered").with_args((error.to_string(),))
        })?;
        match echo.value::<Value>() {
            Ok(value) if value.number() == answered => answered += 1,
            _ => return Err(WampError::new("bench.error.no_echo")),
        }
    }
    Ok(answered)
}
