//! Publishing and subscribing, through a real router.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use wampy::Client;
use wampy::proto::MatchPolicy;

use crate::fixture::{router_and_client, until, within};

#[tokio::test]
async fn events_arrive_in_order_and_whole() {
    within(async {
        let (router, publisher) = router_and_client().await;
        let subscriber = Client::connect(router.url()).await.unwrap();
        let mut events = subscriber.subscribe("com.example").await.unwrap();
        for number in 0..1000_u32 {
            let kwargs = HashMap::from([("square", number * number)]);
            publisher
                .publish("com.example")
                .args((number,))
                .kwargs(kwargs)
                .await
                .unwrap();
        }
        for number in 0..1000_u32 {
            let event = events.next().await.unwrap();
            assert_eq!(event.args::<(u32,)>().unwrap().0, number);
            let kwargs = event.kwargs::<HashMap<String, u32>>().unwrap();
            assert_eq!(kwargs["square"], number * number);
        }
        assert_eq!(events.dropped(), 0);
    })
    .await;
}

#[tokio::test]
async fn the_publisher_gets_its_own_event_only_if_it_says_so() {
    within(async {
        let (_router, client) = router_and_client().await;
        let mut events = client.subscribe("com.example").await.unwrap();
        client.publish("com.example").args(("no",)).await.unwrap();
        let publish = client
            .publish("com.example")
            .args(("yes",))
            .exclude_me(false);
        let publication = publish.acknowledge(true).await.unwrap().unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event.args::<(String,)>().unwrap().0, "yes");
        assert_eq!(event.publication(), publication);
        assert_eq!(event.publisher(), None);
        client
            .publish("com.example")
            .exclude_me(false)
            .disclose_me(true)
            .await
            .unwrap();
        assert_eq!(
            events.next().await.unwrap().publisher(),
            Some(client.session_id())
        );
    })
    .await;
}

#[tokio::test]
async fn sessions_can_be_chosen_and_left_out() {
    within(async {
        let (router, publisher) = router_and_client().await;
        let mut subscribers = Vec::new();
        for _ in 0..3 {
            let client = Client::connect(router.url()).await.unwrap();
            let events = client.subscribe("com.example").await.unwrap();
            subscribers.push((client, events));
        }
        let ids: Vec<_> = subscribers
            .iter()
            .map(|(client, _)| client.session_id())
            .collect();
        let chosen = publisher.publish("com.example").args(("chosen",));
        chosen
            .eligible([ids[0], ids[1]])
            .exclude([ids[0]])
            .await
            .unwrap();
        publisher
            .publish("com.example")
            .args(("all",))
            .await
            .unwrap();
        for (number, (_, events)) in subscribers.iter_mut().enumerate() {
            let mut texts = Vec::new();
            while texts.last().map(String::as_str) != Some("all") {
                texts.push(events.next().await.unwrap().args::<(String,)>().unwrap().0);
            }
            assert_eq!(
                texts.contains(&"chosen".to_owned()),
                number == 1,
                "{texts:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn patterns_tell_the_topic() {
    within(async {
        let (_router, client) = router_and_client().await;
        let mut exact = client.subscribe("com.example.a.b").await.unwrap();
        let mut prefix = client
            .subscribe("com.example")
            .match_policy(MatchPolicy::Prefix)
            .await
            .unwrap();
        let mut wildcard = client
            .subscribe("com..a.b")
            .match_policy(MatchPolicy::Wildcard)
            .await
            .unwrap();
        client
            .publish("com.example.a.b")
            .exclude_me(false)
            .await
            .unwrap();
        let mut publications = Vec::new();
        for events in [&mut exact, &mut prefix, &mut wildcard] {
            let event = events.next().await.unwrap();
            assert_eq!(event.topic(), "com.example.a.b");
            assert_eq!(Some(event.subscription()), events.id());
            publications.push(event.publication());
        }
        publications.dedup();
        assert_eq!(publications.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn subscriptions_of_one_topic_live_and_die_alone() {
    within(async {
        let (router, client) = router_and_client().await;
        let watcher = Client::connect(router.url()).await.unwrap();
        let subscribers = async || {
            let call = watcher
                .call("wamp.subscription.lookup")
                .args(("com.example",));
            call.await.unwrap().value::<Option<u64>>().unwrap()
        };
        let mut one = client.subscribe("com.example").await.unwrap();
        let mut other = client.subscribe("com.example").await.unwrap();
        assert_eq!(one.id(), other.id());
        client
            .publish("com.example")
            .args((1,))
            .exclude_me(false)
            .await
            .unwrap();
        assert_eq!(one.next().await.unwrap().args::<(u8,)>().unwrap().0, 1);
        assert_eq!(other.next().await.unwrap().args::<(u8,)>().unwrap().0, 1);
        one.unsubscribe().await.unwrap();
        assert!(subscribers().await.is_some());
        client
            .publish("com.example")
            .args((2,))
            .exclude_me(false)
            .await
            .unwrap();
        assert_eq!(other.next().await.unwrap().args::<(u8,)>().unwrap().0, 2);
        drop(other);
        until(async || subscribers().await.is_none()).await;
    })
    .await;
}

#[tokio::test]
async fn a_callback_gets_events_in_order_and_survives_its_own_panic() {
    within(async {
        let (router, publisher) = router_and_client().await;
        let subscriber = Client::connect(router.url()).await.unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let subscription = subscriber
            .subscribe_with("com.example", move |event| {
                let (number,) = event.args::<(u32,)>().unwrap();
                assert_ne!(number, 5, "this panic is wanted");
                log.lock().unwrap().push(number);
            })
            .await
            .unwrap();
        for number in 0..10_u32 {
            publisher
                .publish("com.example")
                .args((number,))
                .await
                .unwrap();
        }
        until(async || seen.lock().unwrap().len() == 9).await;
        assert_eq!(*seen.lock().unwrap(), [0, 1, 2, 3, 4, 6, 7, 8, 9]);
        subscription.unsubscribe().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn an_invalid_topic_is_an_error() {
    within(async {
        let (_router, client) = router_and_client().await;
        let error = client.subscribe("com..example").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.invalid_uri"));
        assert_eq!(error.as_wamp().unwrap().target(), Some("com..example"));
    })
    .await;
}

#[tokio::test]
async fn a_later_subscriber_gets_the_retained_event() {
    within(async {
        let (router, publisher) = router_and_client().await;
        for state in ["off", "on"] {
            let publish = publisher.publish("com.example.state").args((state,));
            publish.retain(true).acknowledge(true).await.unwrap();
        }
        let subscriber = Client::connect(router.url()).await.unwrap();
        let subscribe = subscriber.subscribe("com.example.state");
        let mut states = subscribe.get_retained(true).await.unwrap();
        let state = states.next().await.unwrap();
        assert!(state.is_retained());
        assert_eq!(state.args::<(String,)>().unwrap().0, "on");
        let publish = publisher.publish("com.example.state").args(("off",));
        publish.await.unwrap();
        let state = states.next().await.unwrap();
        assert!(!state.is_retained());
        assert_eq!(state.args::<(String,)>().unwrap().0, "off");
    })
    .await;
}

#[tokio::test]
async fn events_with_one_key_go_to_one_of_those_that_share_the_topic() {
    within(async {
        let (router, publisher) = router_and_client().await;
        let mut nodes = Vec::new();
        for name in ["a", "b", "c"] {
            let node = Client::connect(router.url()).await.unwrap();
            let events = node.subscribe("com.example.orders").nkey(name);
            nodes.push(events.await.unwrap());
        }
        let mut all = publisher.subscribe("com.example.orders").await.unwrap();
        for customer in 0..30_u32 {
            for order in 0..2_u32 {
                let publish = publisher.publish("com.example.orders");
                let publish = publish.args((customer, order)).exclude_me(false);
                publish.rkey(customer.to_string()).await.unwrap();
            }
        }
        for _ in 0..60 {
            all.next().await.unwrap();
        }
        // Behind the last event for all, each node has got its own.
        publisher.publish("com.example.orders").await.unwrap();
        let mut seen = std::collections::HashMap::new();
        for (number, node) in nodes.iter_mut().enumerate() {
            let mut count = 0;
            loop {
                let event = node.next().await.unwrap();
                if event.payload().is_empty() {
                    break;
                }
                count += 1;
                let (customer, _): (u32, u32) = event.args().unwrap();
                assert_eq!(*seen.entry(customer).or_insert(number), number);
            }
            assert!(count > 0, "the keys are spread over all nodes");
        }
        assert_eq!(seen.len(), 30);
    })
    .await;
}
