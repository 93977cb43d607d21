//! The other end of every measurement of a Python client: it answers calls, floods with events,
//! counts what is published, and calls what the client offers.
//!
//! The measured client asks it by calls, so it is the same for all of them. Deliberately absent:
//! judging. It counts and times; `benches/python/compare` says what that means.

mod flood;
mod load;
mod tally;
mod value;

use anyhow::Context as _;
use wampy::Client;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::args()
        .nth(1)
        .context("usage: wampy-bench-peer URL")?;
    let client = Client::connect(url).await?;
    client
        .register_with("bench.echo", |invocation, responder| {
            _ = responder.complete(invocation.payload().clone());
        })
        .await?;
    let _acknowledgments = flood::offer(&client).await?;
    let _published = tally::offer(&client).await?;
    load::offer(&client).await?;
    println!("ready");
    client.closed().await;
    Ok(())
}
