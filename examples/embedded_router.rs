//! A program that brings its own router: on a free port, and gone with the program.
//!
//! ```text
//! cargo run -p wampy --features router --example embedded_router
//! ```

use std::error::Error;

use wampy::{Client, Invocation, Router};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let router = Router::builder()
        .listen("127.0.0.1:0")
        .realm("realm1")
        .start()
        .await?;
    println!("a router listens at {}", router.url());

    let service = Client::connect(router.url()).await?;
    service
        .register("com.example.add", async |invocation: Invocation| {
            let (a, b): (i64, i64) = invocation.args()?;
            Ok(a + b)
        })
        .await?;

    let client = Client::connect(router.url()).await?;
    let sum: i64 = client.call("com.example.add").args((1, 2)).await?.value()?;
    println!("1 + 2 = {sum}");

    client.close().await?;
    service.close().await?;
    router.shutdown().await;
    Ok(())
}
