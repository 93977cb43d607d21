//! A service that tells today's date, until Ctrl-C or until the router ends the session.
//!
//! ```text
//! cargo run -p wampy --example date_service -- ws://localhost:8080
//! ```

use wampy::{Client, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://localhost:8080".to_owned());
    let client = Client::connect(url).await?;

    client
        .register("get_todays_date", async |_| {
            Ok(jiff::Zoned::now().date().to_string())
        })
        .await?;
    println!("get_todays_date is registered");

    tokio::select! {
        () = client.closed() => Ok(()),
        _ = tokio::signal::ctrl_c() => client.close().await,
    }
}
