//! Testaments, event history and descriptions, through a real router.

use std::collections::BTreeMap;

use wampy::proto::{MatchPolicy, Value};
use wampy::router::{Keeping, KeepingRule, RealmConfig};
use wampy::{
    Client, Description, HistoryPage, Invocation, PastEvent, Reconnect, Router, Status,
    TestamentScope,
};

use crate::fixture::{restart, router, router_and_client, until, within};

async fn router_and_reconnecting_client() -> (Router, Client) {
    let router = router().await;
    let builder = Client::builder(router.url()).reconnect(Reconnect::default());
    let client = builder.connect().await.unwrap();
    (router, client)
}

#[tokio::test]
async fn a_testament_is_published_when_its_session_is_gone() {
    within(async {
        let (router, other) = router_and_client().await;
        let mut events = other.subscribe("com.example.offline").await.unwrap();
        let client = Client::connect(router.url()).await.unwrap();
        let testament = client.add_testament("com.example.offline").args(("a", 1));
        let kwargs = BTreeMap::from([("why", "gone")]);
        testament.kwargs(kwargs).await.unwrap();
        let testament = client.add_testament("com.example.offline");
        testament.scope(TestamentScope::Detached).await.unwrap();
        client
            .flush_testaments(TestamentScope::Detached)
            .await
            .unwrap();
        client.close().await.unwrap();
        let event = events.next().await.unwrap();
        let expected = ("a".to_owned(), 1);
        assert_eq!(event.args::<(String, u8)>().unwrap(), expected);
        let named: BTreeMap<String, String> = event.kwargs().unwrap();
        assert_eq!(named["why"], "gone");
        other
            .publish("com.example.offline")
            .args(("b", 2))
            .exclude_me(false)
            .await
            .unwrap();
        let next = events.next().await.unwrap();
        let (name, _): (String, u8) = next.args().unwrap();
        assert_eq!(name, "b", "what was taken back is not published");
    })
    .await;
}

#[tokio::test]
async fn testaments_are_left_again_after_a_reconnect_in_their_order() {
    const TESTAMENTS: u32 = 99;
    within(async {
        let (first, client) = router_and_reconnecting_client().await;
        for number in 0..TESTAMENTS {
            let testament = client.add_testament("com.example.offline");
            testament.args((number,)).await.unwrap();
        }
        let testament = client.add_testament("com.example.offline");
        let testament = testament.args(("taken back",));
        testament.scope(TestamentScope::Detached).await.unwrap();
        let flushed = client.flush_testaments(TestamentScope::Detached);
        flushed.await.unwrap();
        let (mut changes, lost) = (client.status_changes(), client.session_id());
        let second = restart(first).await;
        let is_back =
            |status: &Status| matches!(status, Status::Established { session } if *session != lost);
        changes.wait_for(is_back).await.unwrap();
        let other = Client::connect(second.url()).await.unwrap();
        let mut events = other.subscribe("com.example.offline").await.unwrap();
        client.close().await.unwrap();
        for number in 0..TESTAMENTS {
            let event = events.next().await.unwrap();
            assert_eq!(event.args::<(u32,)>().unwrap().0, number);
        }
    })
    .await;
}

#[tokio::test]
async fn a_procedure_is_described_while_it_is_registered() {
    within(async {
        let (router, client) = router_and_client().await;
        let reader = Client::connect(router.url()).await.unwrap();
        let description = Description::new("Adds two numbers.")
            .args_of::<(i64, i64)>()
            .result_of::<i64>()
            .error("com.example.error.overflow");
        let registration = client
            .register("com.example.add", async |call: Invocation| {
                let (a, b): (i64, i64) = call.args()?;
                Ok(a + b)
            })
            .describe(description)
            .await
            .unwrap();
        let found = reader.describe("com.example.add").await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].kind, "procedure");
        assert_eq!(found[0].doc.as_deref(), Some("Adds two numbers."));
        assert_eq!(found[0].errors, ["com.example.error.overflow"]);
        let args = found[0].args.as_ref().unwrap();
        assert_eq!(args.get("type").and_then(Value::as_str), Some("array"));
        assert_eq!(args.get("minItems").and_then(Value::as_u64), Some(2));
        let result = found[0].result.as_ref().unwrap();
        assert_eq!(result.get("type").and_then(Value::as_str), Some("integer"));
        assert_eq!(found[0].kwargs, None);
        assert!(found[0].live.is_some());
        registration.unregister().await.unwrap();
        assert!(reader.describe("com.example.add").await.unwrap().is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_topic_is_described_while_a_described_subscription_lasts() {
    within(async {
        let (router, client) = router_and_client().await;
        let reader = Client::connect(router.url()).await.unwrap();
        let subscribe = || {
            let description = Description::new("Orders.").kwargs(Value::Bool(true));
            client.subscribe("com.example.orders").describe(description)
        };
        let (one, other) = (subscribe().await.unwrap(), subscribe().await.unwrap());
        let plain = client.subscribe("com.example.orders").await.unwrap();
        let doc = async || {
            // Behind the last request of the client that takes a definition back.
            client.call("wamp.session.count").await.unwrap();
            let found = reader.describe("com.example.orders").await.unwrap();
            found[0].doc.clone()
        };
        drop(one);
        assert_eq!(doc().await.as_deref(), Some("Orders."));
        other.unsubscribe().await.unwrap();
        assert_eq!(doc().await, None, "the topic has a subscriber still");
        drop(plain);
    })
    .await;
}

#[tokio::test]
async fn descriptions_are_restored_after_a_reconnect() {
    within(async {
        let (first, client) = router_and_reconnecting_client().await;
        client
            .register("com.example.ping", async |_| Ok("pong"))
            .describe(Description::new("Answers."))
            .await
            .unwrap();
        let second = restart(first).await;
        let reader = Client::connect(second.url()).await.unwrap();
        until(async || {
            let found = reader.describe("com.example.ping").await.unwrap();
            found.iter().any(|it| it.doc.as_deref() == Some("Answers."))
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn past_events_are_asked_for_by_what_they_have_to_be() {
    within(async {
        let config = RealmConfig {
            event_history: Keeping {
                rules: vec![KeepingRule::history("com.example", MatchPolicy::Prefix)],
                ..Keeping::history()
            },
            ..RealmConfig::default()
        };
        let builder = Router::builder().listen("127.0.0.1:0").realm("realm1");
        let router = builder.realm_config(config).start().await.unwrap();
        let client = Client::connect(router.url()).await.unwrap();
        let subscribe = client.subscribe("com.example");
        let events = subscribe.match_policy(MatchPolicy::Prefix).await.unwrap();
        let mut publications = Vec::new();
        for number in 0..5_u8 {
            let topic = ["com.example.a", "com.example.b"][usize::from(number % 2)];
            let kwargs = BTreeMap::from([("half", number / 2)]);
            let publish = client.publish(topic).args((number,)).kwargs(kwargs);
            publications.push(publish.acknowledge(true).await.unwrap().unwrap());
        }
        let id = events.id().unwrap();
        let numbers = |page: &HistoryPage| -> Vec<u8> {
            let number = |event: &PastEvent| event.args::<(u8,)>().unwrap().0;
            page.events.iter().map(number).collect()
        };
        let all = client.event_history(id).await.unwrap();
        assert_eq!(numbers(&all), [0, 1, 2, 3, 4]);
        assert!(!all.more);
        let last = &all.events[4];
        assert_eq!(last.publication, publications[4].value());
        assert_eq!(last.kwargs::<BTreeMap<String, u8>>().unwrap()["half"], 2);
        let time = &all.events[0].timestamp;

        let question = client.event_history(id).limit(2).reverse(true);
        let page = question.await.unwrap();
        assert_eq!(numbers(&page), [4, 3]);
        assert!(page.more);
        let by_topic = client
            .event_history("com.example")
            .match_policy(MatchPolicy::Prefix);
        assert_eq!(numbers(&by_topic.await.unwrap()), [0, 1, 2, 3, 4]);
        let not_subscribed = client.event_history("com.example").await.unwrap_err();
        let uri = not_subscribed.uri();
        assert_eq!(uri, Some("wamp.error.no_such_subscription"));
        let question = client.event_history(id).topic("com.example.b");
        assert_eq!(numbers(&question.await.unwrap()), [1, 3]);
        let question = client.event_history(id).after_publication(publications[1]);
        let question = question.before_publication(publications[4]);
        assert_eq!(numbers(&question.await.unwrap()), [2, 3]);
        let question = client.event_history(id).from_publication(publications[1]);
        let question = question.until_publication(publications[2]);
        assert_eq!(numbers(&question.await.unwrap()), [1, 2]);
        let question = client.event_history(id).from_time(time.as_str());
        assert_eq!(numbers(&question.await.unwrap()).len(), 5);
        let question = client.event_history(id).before_time(time.as_str());
        assert!(numbers(&question.await.unwrap()).is_empty());
        let far = "2999-01-01T00:00:00Z";
        let question = client.event_history(id).until_time(far);
        assert_eq!(numbers(&question.await.unwrap()).len(), 5);
        let question = client.event_history(id).after_time(far);
        assert!(numbers(&question.await.unwrap()).is_empty());
    })
    .await;
}
