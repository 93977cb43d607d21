//! Retained events and event history over real connections, and in a store that outlives the router.

#![allow(clippy::unwrap_used)]

mod peer;

use std::path::{Path, PathBuf};
use std::task::Poll;

use peer::{Host, Peer, Value, json};
use wampy_proto::{MatchPolicy, Serializer};
use wampy_realm::{Keeping, KeepingRule, RealmConfig};
use wampy_router::{Builder, Router, StoreContents};

/// A directory of its own, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("wampy-router-store-{}-{name}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// A router with a history of `log.*`, whose store is in this directory.
    fn host(&self) -> Host {
        Host::with(|builder| logging(builder).store(&self.0).auto_create_realms(true))
    }

    /// The same, or why it cannot start.
    fn try_host(&self) -> Result<Host, String> {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let builder = logging(Router::builder())
            .listen("127.0.0.1:0")
            .store(&self.0);
        match runtime.block_on(builder.start()) {
            Ok(router) => Ok(Host { router, runtime }),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Why a router cannot start with this store.
    fn refusal(&self) -> String {
        self.try_host().map(|_| ()).unwrap_err()
    }

    /// Copies all files into another directory.
    fn copy_to(&self, other: &Directory) {
        for file in self.files() {
            let copy = other.0.join(file.strip_prefix(&self.0).unwrap());
            std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
            std::fs::copy(&file, copy).unwrap();
        }
    }

    /// The files in it, also deeper ones.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut directories = vec![self.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let list = if path.is_dir() {
                    &mut directories
                } else {
                    &mut files
                };
                list.push(path);
            }
        }
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.0);
    }
}

fn logging(builder: Builder) -> Builder {
    builder.realm_config(RealmConfig {
        event_history: Keeping {
            rules: vec![KeepingRule::history("log.", MatchPolicy::Prefix)],
            ..Keeping::history()
        },
        ..RealmConfig::default()
    })
}

/// The events that come with `get_retained`: their topics and args.
fn retained(peer: &mut Peer, count: usize) -> Vec<(Value, Value)> {
    let id = peer.id();
    let options = json!({"match": "prefix", "get_retained": true});
    peer.send(&json!([32, id, options, "state."]));
    assert_eq!(peer.message()[0], 33);
    let events = (0..count).map(|_| {
        let event = peer.message();
        assert_eq!(event[3]["retained"], true, "{event}");
        (event[3]["topic"].clone(), event[4].clone())
    });
    events.collect()
}

/// The args of the events in the history of a topic.
fn history(peer: &mut Peer, topic: &str) -> Vec<Value> {
    let subscription = peer.subscribe(topic);
    let result = peer.call("wamp.subscription.get_events", json!([subscription]));
    assert_eq!(result[0], 50, "{result}");
    let events = result[3].as_array().unwrap();
    events.iter().map(|event| event["args"].clone()).collect()
}

fn retain(peer: &mut Peer, topic: &str, args: Value) {
    let id = peer.id();
    peer.send(&json!([16, id, {"acknowledge": true, "retain": true}, topic, args]));
    assert_eq!(peer.message()[0], 17);
}

#[test]
fn kept_events_come_in_every_serializer() {
    let host = Host::with(logging);
    for from in Serializer::ALL {
        let mut publisher = host.websocket(from);
        publisher.join("realm1");
        // Bytes, as JSON has them.
        let args = json!([from.row().name, "\u{0}AAEC/w==", 1.5, null]);
        retain(
            &mut publisher,
            &format!("state.{}", from.row().name),
            args.clone(),
        );
        publisher.publish("log.a", args);
    }
    let names = Serializer::ALL.map(|from| from.row().name);
    for to in Serializer::ALL {
        let mut client = host.websocket(to);
        client.join("realm1");
        let expected = names.map(|name| json!([name, "\u{0}AAEC/w==", 1.5, null]));
        let events = retained(&mut client, 3);
        let args: Vec<_> = events.into_iter().map(|(_, args)| args).collect();
        assert_eq!(args, expected);
        assert_eq!(history(&mut client, "log.a"), expected);
    }
}

#[test]
fn a_store_outlives_its_router_and_keeps_realms_apart() {
    let directory = Directory::new("restart");
    let realms = ["realm1", "realm2", "realm", "made.by.client"];
    {
        let host = directory.host();
        for realm in realms {
            let mut publisher = host.session_in(realm);
            for state in ["old", "new"] {
                retain(&mut publisher, "state.a", json!([realm, state]));
                publisher.publish("log.a", json!([realm, state]));
            }
        }
    }
    for _ in 0..2 {
        let host = directory.host();
        for realm in realms {
            let mut client = host.session_in(realm);
            let expected = (json!("state.a"), json!([realm, "new"]));
            assert_eq!(retained(&mut client, 1), [expected]);
            let events = history(&mut client, "log.a");
            assert_eq!(events, [json!([realm, "old"]), json!([realm, "new"])]);
        }
    }
    let mut host = directory.host();
    host.session().publish("log.a", json!(["third"]));
    host = {
        drop(host);
        directory.host()
    };
    assert_eq!(history(&mut host.session(), "log.a").len(), 3);
}

#[test]
fn one_router_at_a_time_uses_a_store() {
    let directory = Directory::new("locked");
    let host = directory.host();
    let refusal = directory.refusal();
    let path = directory.0.display().to_string();
    assert_eq!(refusal, format!("the store {path}: another router uses it"));
    drop(host);
    drop(directory.host());
}

#[test]
fn a_router_that_reads_its_store_keeps_its_runtime_free_and_can_be_given_up() {
    let directory = Directory::new("given-up");
    drop(directory.host());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let builder = logging(Router::builder()).listen("127.0.0.1:0");
        let mut starting = Box::pin(builder.store(&directory.0).start());
        let first = std::future::poll_fn(|cx| Poll::Ready(starting.as_mut().poll(cx))).await;
        assert!(first.is_pending(), "nothing else ran meanwhile");
        // A signal comes: nobody waits any more.
    });
    drop(runtime);
    drop(directory.host());
}

#[test]
fn events_of_realms_that_are_not_served_stay_until_they_are_dropped() {
    let directory = Directory::new("contents");
    let refusal = StoreContents::open(&directory.0).unwrap_err().to_string();
    assert!(refusal.contains(&directory.0.display().to_string()));
    assert!(!directory.0.exists(), "looking makes no store");
    {
        let host = directory.host();
        for (realm, count) in [("realm1", 2), ("realm.gone", 3), ("r", 1)] {
            let mut publisher = host.session_in(realm);
            for number in 0..count {
                publisher.publish("log.a", json!([number]));
            }
            let id = publisher.id();
            let options = json!({"retain": true, "acknowledge": true});
            publisher.send(&json!([16, id, options, "state.a", ["x"]]));
            assert_eq!(publisher.message()[0], 17);
        }
        let refusal = StoreContents::open(&directory.0).unwrap_err().to_string();
        assert!(refusal.contains("another router uses it"), "{refusal}");
    }
    // A router that serves one of them only leaves the others alone.
    drop(directory.try_host().unwrap());
    let contents = StoreContents::open(&directory.0).unwrap();
    let found = || {
        let realms = contents.realms().unwrap().into_iter();
        let found = realms.map(|it| (it.name, it.retained_events, it.history_events));
        found.collect::<Vec<_>>()
    };
    let (short, served) = (("r".to_owned(), 1, 1), ("realm1".to_owned(), 1, 2));
    let gone = ("realm.gone".to_owned(), 1, 3);
    assert_eq!(found(), [short.clone(), served.clone(), gone]);
    assert_eq!(contents.forget("realm.gone"), Ok(4));
    assert_eq!(contents.forget("realm"), Ok(0));
    assert_eq!(found(), [short, served]);
    drop(contents);
    let host = directory.host();
    assert_eq!(history(&mut host.session(), "log.a").len(), 2);
    assert_eq!(
        history(&mut host.session_in("realm.gone"), "log.a").len(),
        0
    );
}

/// Damages bytes of a file, from `at` on.
fn damage(file: &Path, at: usize) {
    let mut bytes = std::fs::read(file).unwrap();
    for byte in bytes.iter_mut().skip(at).take(64) {
        *byte ^= 0x55;
    }
    std::fs::write(file, bytes).unwrap();
}

#[test]
fn a_damaged_store_is_named() {
    let whole = Directory::new("whole");
    {
        let host = whole.host();
        let mut publisher = host.session();
        for number in 0..100 {
            publisher.publish("log.a", json!([number, "x".repeat(100)]));
        }
    }
    let mut refusals = Vec::new();
    for file in whole.files() {
        let damaged = Directory::new("damaged");
        whole.copy_to(&damaged);
        let file = damaged.0.join(file.strip_prefix(&whole.0).unwrap());
        damage(&file, 0);
        let begin = format!("the store {}: ", damaged.0.display());
        // Some files are not needed. Either the router says what is wrong, or it has every event.
        match damaged.try_host() {
            Ok(host) => assert_eq!(
                history(&mut host.session(), "log.a").len(),
                100,
                "{} is damaged",
                file.display()
            ),
            Err(refusal) => {
                assert!(refusal.starts_with(&begin), "{refusal}");
                refusals.push((file, refusal));
            }
        }
    }
    assert!(refusals.len() > 1, "{refusals:?}");
}

#[test]
fn a_damaged_journal_is_named_and_left_as_it_is() {
    let directory = Directory::new("journal");
    {
        let host = directory.host();
        let mut publisher = host.session();
        for number in 0..100 {
            publisher.publish("log.a", json!([number, "x".repeat(100)]));
        }
    }
    let journal = directory.0.join("0.jnl");
    damage(&journal, 5000);
    for _ in 0..2 {
        let refusal = directory.refusal();
        let named = refusal.contains(&format!("{} is damaged at byte ", journal.display()));
        assert!(named || refusal.contains("ChecksumMismatch"), "{refusal}");
    }
    // A write that was cut short is none: it was never acknowledged.
    damage(&journal, 5000);
    let bytes = std::fs::read(&journal).unwrap();
    let end = bytes.iter().rposition(|&byte| byte != 0).unwrap();
    std::fs::write(&journal, &bytes[..end - 20]).unwrap();
    let host = directory.host();
    assert_eq!(history(&mut host.session(), "log.a").len(), 99);
}

#[test]
fn what_is_no_store_is_refused() {
    let directory = Directory::new("file");
    std::fs::write(&directory.0, "a file").unwrap();
    let refusal = directory.refusal();
    assert!(
        refusal.contains(&directory.0.display().to_string()),
        "{refusal}"
    );
    std::fs::remove_file(Path::new(&directory.0)).unwrap();
}

#[test]
fn forgotten_events_do_not_fill_the_store() {
    let directory = Directory::new("bounded");
    let host = directory.host();
    let mut publisher = host.session();
    let text = "x".repeat(100_000);
    // Of each topic 1 MiB at most is retained, and one event here.
    for number in 0..1000 {
        let id = publisher.id();
        let options = json!({"retain": true, "acknowledge": number % 100 == 99});
        publisher.send(&json!([16, id, options, "state.a", [number, text]]));
        if number % 100 == 99 {
            assert_eq!(publisher.message()[0], 17);
        }
    }
    let bytes: u64 = directory
        .files()
        .iter()
        .filter_map(|file| std::fs::metadata(file).ok())
        .map(|metadata| metadata.len())
        .sum();
    assert!(
        bytes < 90 << 20,
        "{bytes} bytes for one event, after 100 MB of them"
    );
}
