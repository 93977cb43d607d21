//! The examples run and print what they promise.
//!
//! `cargo test` builds them; with `--test examples` alone, `cargo build --examples` has to come
//! first.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use wampy::{Client, Router};

/// No example takes longer than this.
const TIMEOUT: Duration = Duration::from_secs(20);

fn example(name: &str) -> Command {
    let this_test = std::env::current_exe().unwrap();
    let directory: PathBuf = this_test.ancestors().nth(2).unwrap().join("examples");
    let mut command = Command::new(directory.join(name));
    command.kill_on_drop(true);
    command
}

/// Runs an example to its end; returns what it printed.
async fn printed(name: &str, arguments: &[&str]) -> String {
    let running = example(name).args(arguments).output();
    let output = tokio::time::timeout(TIMEOUT, running)
        .await
        .expect("the example hangs")
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

async fn router() -> Router {
    Router::builder()
        .listen("127.0.0.1:0")
        .realm("realm1")
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn date_service_and_date_client() {
    let router = router().await;
    let mut service = example("date_service")
        .arg(router.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap()).lines();
    let registered = tokio::time::timeout(TIMEOUT, lines.next_line())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(registered.unwrap(), "get_todays_date is registered");

    let printed = printed("date_client", &[&router.url()]).await;
    let client = Client::connect(router.url()).await.unwrap();
    let today: String = client
        .call("get_todays_date")
        .await
        .unwrap()
        .value()
        .unwrap();
    assert_eq!(today.len(), "2026-11-22".len());
    assert_eq!(printed.trim_end(), today);

    // The service ends with its session.
    router.shutdown().await;
    let status = tokio::time::timeout(TIMEOUT, service.wait())
        .await
        .unwrap()
        .unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn embedded_router() {
    let printed = printed("embedded_router", &[]).await;
    assert!(
        printed.contains("a router listens at ws://127.0.0.1:"),
        "{printed}"
    );
    assert!(printed.ends_with("1 + 2 = 3\n"), "{printed}");
}

#[tokio::test]
async fn pubsub() {
    let router = router().await;
    let printed = printed("pubsub", &[&router.url()]).await;
    let expected = "com.example.measured.kitchen: 21.5 °C\n\
                    com.example.measured.cellar: 11 °C\n\
                    com.example.measured.attic: 28.25 °C\n";
    assert_eq!(printed, expected);
}

#[tokio::test]
async fn progressive() {
    let router = router().await;
    let printed = printed("progressive", &[&router.url()]).await;
    let expected = "5 …\n4 …\n3 …\n2 …\n1 …\nlift-off!\n1000 … and enough of that\n";
    assert_eq!(printed, expected);
}
