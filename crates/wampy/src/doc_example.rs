//! What the examples in the documentation run in: a runtime and a router of their own.

use std::time::Duration;

use crate::error::Error;

/// No example takes longer than this.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Runs `example` with the URL of a fresh router.
///
/// # Panics
/// The example fails, hangs, or there is no port for the router.
#[allow(clippy::expect_used, clippy::panic)]
pub fn doc_example(example: impl AsyncFnOnce(String) -> Result<(), Error>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let router = wampy_router::Router::builder()
            .listen("127.0.0.1:0")
            .realm("realm1")
            .start()
            .await
            .expect("a port is free");
        match tokio::time::timeout(TIMEOUT, example(router.url())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => panic!("the example failed: {error}"),
            Err(_) => panic!("the example hangs"),
        }
        router.shutdown().await;
    });
}
