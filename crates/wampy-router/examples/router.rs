//! A router in a program: `cargo run --example router -- 127.0.0.1:8080`.
//!
//! Further arguments are further addresses. Ctrl-C ends it.

use wampy_router::Router;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    let addresses = std::env::args().skip(1);
    let router = addresses
        .fold(Router::builder(), wampy_router::Builder::listen)
        .start()
        .await?;
    for address in router.addresses() {
        println!("listening on {address}");
    }
    tokio::signal::ctrl_c().await?;
    router.shutdown().await;
    Ok(())
}
