//! A procedure that answers in parts, and a caller that shows them as they come and stops early.
//!
//! ```text
//! cargo run -p wampy --example progressive -- ws://localhost:8080
//! ```

use std::time::Duration;

use wampy::{Client, Error, Invocation};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://localhost:8080".to_owned());
    let service = Client::connect(&url).await?;
    service
        .register("com.example.countdown", async |invocation: Invocation| {
            let (from,): (u32,) = invocation.args()?;
            for number in (1..=from).rev() {
                invocation.progress((number,)).await?;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Ok("lift-off")
        })
        .await?;

    let client = Client::connect(url).await?;
    let mut parts = client
        .call("com.example.countdown")
        .args((5,))
        .progressive();
    while let Some(part) = parts.next().await {
        let part = part?;
        match part.is_progress() {
            true => println!("{} …", part.value::<u32>()?),
            false => println!("{}!", part.value::<String>()?),
        }
    }

    // Dropping a call cancels it: the handler stops, wherever it is.
    let mut parts = client
        .call("com.example.countdown")
        .args((1000,))
        .progressive();
    if let Some(part) = parts.next().await {
        println!("{} … and enough of that", part?.value::<u32>()?);
    }
    drop(parts);

    client.close().await?;
    service.close().await
}
