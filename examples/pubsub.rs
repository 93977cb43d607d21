//! Publishes measurements, and prints them as another client gets them, with a reconnect when the
//! router goes away for a while.
//!
//! ```text
//! cargo run -p wampy --example pubsub -- ws://localhost:8080
//! ```

use wampy::proto::MatchPolicy;
use wampy::{Client, Error, Reconnect};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let url = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://localhost:8080".to_owned());
    let subscriber = Client::builder(&url)
        .reconnect(Reconnect::default())
        .connect()
        .await?;
    let mut events = subscriber
        .subscribe("com.example.measured")
        .match_policy(MatchPolicy::Prefix)
        .await?;

    let publisher = Client::connect(url).await?;
    for (room, degrees) in [("kitchen", 21.5), ("cellar", 11.0), ("attic", 28.25)] {
        let topic = format!("com.example.measured.{room}");
        publisher
            .publish(topic)
            .args((degrees,))
            .acknowledge(true)
            .await?;
    }

    for _ in 0..3 {
        let Some(event) = events.next().await else {
            break;
        };
        let (degrees,): (f64,) = event.args()?;
        println!("{}: {degrees} °C", event.topic());
    }

    publisher.close().await?;
    subscriber.close().await
}
