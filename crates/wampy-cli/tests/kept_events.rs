//! Retained events and event history outlive a router that is killed, as far as they were acknowledged.

// A helper of a test may fail like the test itself.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use wampy::proto::message::{PublishOptions, SubscribeOptions};
use wampy::{Client, Error};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// After how many acknowledgements the router is killed, while more events are under way.
const ACKNOWLEDGED: usize = 200;
const TOPIC: &str = "log.a";

const CONFIGURATION: &str = r#"
listen = ["127.0.0.1:0"]
store = "kept"

[[realms]]
name = "realm1"

[[realms.event_history.rules]]
topic = "log."
match = "prefix"
events_per_topic_max = 100_000
"#;

/// A directory of its own, removed at the end.
struct Directory(PathBuf);

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A router in a process of its own, killed at the end, too.
struct Router {
    process: Child,
    url: String,
}

impl Router {
    fn start(configuration: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_wampy"))
            .arg("router")
            .arg("--config")
            .arg(configuration)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let at = line.find("ws://")?;
            line[at..].split_whitespace().next().map(str::to_owned)
        });
        let url = url.expect("the router says where it listens");
        // It must be able to say the rest, too.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }

    /// SIGKILL: the process does nothing more.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    async fn client(&self) -> Client {
        Client::connect(self.url.as_str()).await.unwrap()
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// Publishes numbers from `first` on until the router is gone, many at a time; each that was
/// acknowledged is told.
async fn publish_on(
    client: Client,
    first: u64,
    acknowledged: tokio::sync::mpsc::UnboundedSender<u64>,
) {
    for batch in 0.. {
        let publications: Vec<_> = (0..16)
            .map(|within| {
                let number = first + batch * 16 + within;
                let options = PublishOptions {
                    acknowledge: true,
                    retain: true,
                    ..PublishOptions::default()
                };
                let publication = client.publish(TOPIC).args((number,)).options(options);
                let acknowledged = acknowledged.clone();
                tokio::spawn(async move {
                    publication.await?;
                    _ = acknowledged.send(number);
                    Ok::<(), Error>(())
                })
            })
            .collect();
        for publication in publications {
            if publication.await.unwrap().is_err() {
                return;
            }
        }
    }
}

/// The numbers of all events in the history, in pages.
async fn history(client: &Client) -> Vec<u64> {
    let subscription = client.subscribe(TOPIC).await.unwrap();
    let id = subscription.id().unwrap();
    let mut numbers = Vec::new();
    let mut filter = serde_json::Map::new();
    loop {
        let page = client
            .call("wamp.subscription.get_events")
            .args((id.value(),))
            .kwargs(&filter);
        let page = page.await.unwrap();
        let events: Vec<serde_json::Value> = page.args().unwrap();
        numbers.extend(
            events
                .iter()
                .map(|event| event["args"][0].as_u64().unwrap()),
        );
        let kwargs: serde_json::Value = page.kwargs().unwrap();
        if kwargs["more"] != true {
            return numbers;
        }
        let last = events.last().unwrap()["publication"].clone();
        filter.insert("after_publication".to_owned(), last);
    }
}

async fn retained(client: &Client) -> u64 {
    let options = SubscribeOptions {
        get_retained: true,
        ..SubscribeOptions::default()
    };
    let mut events = client.subscribe(TOPIC).options(options).await.unwrap();
    let event = tokio::time::timeout(PATIENCE, events.next())
        .await
        .unwrap()
        .unwrap();
    assert!(event.details().retained);
    event.args::<(u64,)>().unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_outlives_sigkill() {
    let name = format!("wampy-kept-events-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&directory.0).unwrap();
    let configuration = directory.0.join("wampy.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();

    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut router = Router::start(&configuration);
        let client = router.client().await;
        let kept = history(&client).await;
        for number in &acknowledged {
            assert!(kept.contains(number), "{number} was acknowledged: {kept:?}");
        }
        if let [.., before, last] = kept[..] {
            let retained = retained(&client).await;
            // The history and the retained event are two records: the kill may have come between them,
            // and then the event was not acknowledged.
            let cut_off = retained == before && !acknowledged.contains(&last);
            assert!(
                retained == last || cut_off,
                "{retained} is retained, {last} was stored last: {acknowledged:?}"
            );
        }
        let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
        let publishing = tokio::spawn(publish_on(client, round * 1_000_000, sender));
        acknowledged.clear();
        while acknowledged.len() < ACKNOWLEDGED {
            let next = tokio::time::timeout(PATIENCE, receiver.recv()).await;
            acknowledged.push(next.unwrap().unwrap());
        }
        router.kill();
        tokio::time::timeout(PATIENCE, publishing)
            .await
            .unwrap()
            .unwrap();
        while let Ok(number) = receiver.try_recv() {
            acknowledged.push(number);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_realm_are_dropped_by_its_name_only() {
    let name = format!("wampy-kept-events-forget-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&directory.0).unwrap();
    let configuration = directory.0.join("wampy.toml");
    std::fs::write(&configuration, CONFIGURATION).unwrap();
    let mut router = Router::start(&configuration);
    let client = router.client().await;
    let options = PublishOptions {
        acknowledge: true,
        retain: true,
        ..PublishOptions::default()
    };
    let publication = client.publish(TOPIC).args((1,)).options(options);
    publication.await.unwrap();
    let kept_events = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_wampy"))
            .arg("kept-events")
            .arg(directory.0.join("kept"))
            .args(arguments)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.code(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let (code, _, problem) = kept_events(&[]);
    assert_eq!(code, Some(1));
    assert!(problem.contains("another router uses it"), "{problem}");
    router.kill();
    let line: &str = "{\"history\":1,\"realm\":\"realm1\",\"retained\":1}\n";
    assert_eq!(kept_events(&[]), (Some(0), line.to_owned(), String::new()));
    let (code, _, problem) = kept_events(&["--forget", "realm1", "--forget", "realm2"]);
    assert_eq!(code, Some(2));
    assert!(problem.contains("realm2"), "{problem}");
    assert_eq!(kept_events(&["--forget", "realm1"]).1, line);
    assert_eq!(kept_events(&[]), (Some(0), String::new(), String::new()));
}

/// A store that takes for ever to be read: one of its journals is a pipe into which nobody writes.
#[test]
fn sigterm_ends_a_router_that_still_reads_its_store() {
    let name = format!("wampy-kept-events-endless-{}", std::process::id());
    let directory = Directory(std::env::temp_dir().join(name));
    std::fs::create_dir_all(&directory.0).unwrap();
    let pipe = directory.0.join("0.jnl");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let router = Command::new(env!("CARGO_BIN_EXE_wampy"))
        .args(["router", "--listen", "127.0.0.1:0", "--store"])
        .arg(&directory.0)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // This waits until the router reads.
    let _held = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let kill = Command::new("kill").arg(router.id().to_string()).status();
    assert!(kill.unwrap().success());
    let output = router.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("before the router was there"), "{said}");
}
