//! What the tests stand on: a router of their own each, and a limit to every wait.

use std::time::Duration;

use wampy::{Client, Router, WampError};

/// No test waits longer than this for anything.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs a test, or fails when it hangs.
pub async fn within<T>(test: impl Future<Output = T>) -> T {
    within_times(1, test).await
}

/// The same for a test that has so many times more to do than most.
pub async fn within_times<T>(times: u32, test: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT * times, test)
        .await
        .expect("the test hangs")
}

/// A router on a free port.
pub async fn router() -> Router {
    router_at("127.0.0.1:0").await
}

/// A router at an address.
pub async fn router_at(address: &str) -> Router {
    Router::builder()
        .listen(address)
        .realm("realm1")
        .start()
        .await
        .expect("the address is free")
}

/// Where a router of [`router`] listens, as [`router_at`] takes it.
pub fn address_of(router: &Router) -> String {
    let url = router.url();
    url.trim_start_matches("ws://")
        .trim_end_matches('/')
        .to_owned()
}

/// Stops a router and starts another one at its address.
pub async fn restart(router: Router) -> Router {
    let address = address_of(&router);
    router.shutdown().await;
    drop(router);
    router_at(&address).await
}

/// A router and a client of it.
pub async fn router_and_client() -> (Router, Client) {
    let router = router().await;
    let client = Client::connect(router.url())
        .await
        .expect("the router takes clients");
    (router, client)
}

/// Waits until `condition` holds.
pub async fn until(mut condition: impl AsyncFnMut() -> bool) {
    while !condition().await {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// A handler's work that never ends.
pub async fn never() -> Result<(), WampError> {
    std::future::pending().await
}
