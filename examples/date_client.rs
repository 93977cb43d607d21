//! Asks a date service for today's date and prints it.
//!
//! ```text
//! cargo run -p wampy --example date_client -- ws://localhost:8080
//! ```

use wampy::{Client, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://localhost:8080".to_owned());
    let client = Client::connect(url).await?;

    let today: String = client.call("get_todays_date").await?.value()?;
    println!("{today}");

    client.close().await
}
