//! What the client puts on the wire, seen by a router of a script.

use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use wampy::proto::message::{self, CancelMode, PublishOptions};
use wampy::proto::{MatchPolicy, Payload, RequestId, SessionId};
use wampy::{Client, Error, Subscription};

use crate::fake_router::{FakeRouter, Peer, session, welcome};
use crate::fixture::{until, within, within_times};

/// Subscribes; the router answers request `request` with the subscription 5.
async fn subscribe(client: &Client, peer: &mut Peer, request: u64) -> Subscription {
    let (subscription, ()) = tokio::join!(client.subscribe("com.example").into_future(), async {
        assert_eq!(
            peer.expect(32).await,
            json!([32, request, {}, "com.example"])
        );
        peer.send(json!([33, request, 5])).await;
    });
    subscription.unwrap()
}

#[tokio::test]
async fn hello_announces_roles_features_and_agent() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            let hello = peer.expect(1).await;
            peer.send(welcome()).await;
            hello
        };
        let builder = router
            .client()
            .realm("realm9")
            .authid("ada")
            .agent("thermometer/1");
        let (client, hello) = tokio::join!(builder.connect(), script);
        client.unwrap();
        assert_eq!(hello[1], "realm9");
        assert_eq!(hello[2]["authid"], "ada");
        assert_eq!(hello[2]["agent"], "thermometer/1");
        let roles = &hello[2]["roles"];
        for (role, feature) in [
            ("caller", "call_canceling"),
            ("caller", "progressive_call_results"),
            ("callee", "call_canceling"),
            ("callee", "progressive_call_results"),
            ("callee", "pattern_based_registration"),
            ("publisher", "publisher_exclusion"),
            ("subscriber", "pattern_based_subscription"),
        ] {
            assert_eq!(roles[role]["features"][feature], true, "{role} {feature}");
        }
    })
    .await;
}

/// The client's half of wire check 10.
#[tokio::test]
async fn request_ids_of_a_session_are_one_sequence_from_1() {
    within(async {
        let (client, mut peer) = session().await;
        let _events = subscribe(&client, &mut peer, 1).await;
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 2);
        let call = tokio::spawn(client.call("com.example").into_future());
        assert_eq!(peer.expect(48).await[1], 3);
        let sent = client
            .send(message::Subscribe {
                request: RequestId::try_from(900).unwrap(),
                options: message::SubscribeOptions::default(),
                topic: "com.example.raw".into(),
            })
            .await
            .unwrap();
        assert_eq!(sent.unwrap().value(), 4);
        assert_eq!(peer.expect(32).await[1], 4);
        call.abort();
        assert_eq!(
            peer.expect(49).await[1],
            3,
            "a CANCEL takes no id of its own"
        );
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 5);
    })
    .await;
}

#[tokio::test]
async fn a_call_says_what_its_options_say() {
    within(async {
        let (client, mut peer) = session().await;
        let call = client
            .call("com.example.add")
            .args((1, 2))
            .kwargs(std::collections::BTreeMap::from([("a", 3)]))
            .timeout(Duration::from_secs(5))
            .disclose_me(true);
        let (result, ()) = tokio::join!(call.into_future(), async {
            let call = peer.expect(48).await;
            assert_eq!(
                call,
                json!([48, 1, {"timeout": 5000, "disclose_me": true}, "com.example.add", [1, 2], {"a": 3}])
            );
            peer.send(json!([50, 1, {}, [3], {"b": 4}])).await;
        });
        let result = result.unwrap();
        assert_eq!(result.value::<u8>().unwrap(), 3);
        assert_eq!(result.args::<Vec<u8>>().unwrap(), [3]);
        assert_eq!(result.kwargs::<std::collections::HashMap<String, u8>>().unwrap()["b"], 4);
    })
    .await;
}

#[tokio::test]
async fn an_error_says_all_that_the_router_said() {
    within(async {
        let (client, mut peer) = session().await;
        let (result, ()) = tokio::join!(client.call("com.example.add").into_future(), async {
            peer.expect(48).await;
            peer.send(json!([8, 48, 1, {"message": "m"}, "com.example.error", ["bad"], {"n": 1}]))
                .await;
        });
        let error = result.unwrap_err();
        let wamp = error.as_wamp().unwrap();
        assert_eq!(wamp.uri(), "com.example.error");
        assert_eq!(wamp.target(), Some("com.example.add"));
        assert_eq!(wamp.request_id().unwrap().value(), 1);
        assert_eq!(wamp.args::<(String,)>().unwrap().0, "bad");
        assert_eq!(
            error.to_string(),
            r#"CALL of com.example.add failed: com.example.error: m ["bad"] {"n":1}"#
        );
    })
    .await;
}

#[tokio::test]
async fn dropping_a_call_cancels_it_in_its_mode() {
    within(async {
        let (client, mut peer) = session().await;
        for (request, mode, word) in [
            (1, None, "killnowait"),
            (2, Some(CancelMode::Skip), "skip"),
            (3, Some(CancelMode::Kill), "kill"),
        ] {
            let mut call = client.call("com.example");
            if let Some(mode) = mode {
                call = call.cancel_mode(mode);
            }
            let call = tokio::spawn(call.into_future());
            peer.expect(48).await;
            call.abort();
            assert_eq!(peer.expect(49).await, json!([49, request, {"mode": word}]));
            peer.send(json!([8, 48, request, {}, "wamp.error.canceled"]))
                .await;
        }
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_over_is_not_canceled() {
    within(async {
        let (client, mut peer) = session().await;
        let (result, ()) = tokio::join!(client.call("com.example").into_future(), async {
            peer.expect(48).await;
            peer.send(json!([50, 1, {}])).await;
        });
        result.unwrap();
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

#[tokio::test]
async fn a_dealer_that_cannot_cancel_is_not_asked_to() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            peer.expect(1).await;
            peer.send(json!([2, 1, {"roles": {"dealer": {}, "broker": {}}}]))
                .await;
            peer
        };
        let (client, mut peer) = tokio::join!(router.client().connect(), script);
        let client = client.unwrap();
        let call = client
            .call("com.example")
            .timeout(Duration::from_millis(20));
        let (result, _) = tokio::join!(call.into_future(), peer.expect(48));
        assert!(matches!(result, Err(Error::Timeout { .. })));
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

#[tokio::test]
async fn time_that_runs_out_at_the_router_is_time_that_runs_out() {
    within(async {
        let (client, mut peer) = session().await;
        let call = client.call("com.example").timeout(Duration::from_secs(10));
        let (result, ()) = tokio::join!(call.into_future(), async {
            peer.expect(48).await;
            peer.send(json!([8, 48, 1, {}, "wamp.error.timeout"])).await;
        });
        match result.unwrap_err() {
            Error::Timeout { what, .. } => assert!(what.contains("com.example"), "{what}"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

/// Whether parts that come half a time limit apart all reach the caller, until none comes. On a machine that
/// stands still for the other half the limit is over before the next part.
async fn restarts_its_clock(timeout_ms: u64) -> bool {
    let (client, mut peer) = session().await;
    let timeout = Duration::from_millis(timeout_ms);
    let mut parts = client.call("com.example").timeout(timeout).progressive();
    let script = tokio::spawn(async move {
        let call = peer.expect(48).await;
        let options = json!({"receive_progress": true, "timeout": timeout_ms});
        assert_eq!(call[2], options);
        for number in 0..4 {
            tokio::time::sleep(timeout / 2).await;
            peer.send(json!([50, 1, {"progress": true}, [number]]))
                .await;
        }
        assert_eq!(peer.expect(49).await[1], 1);
    });
    for number in 0..4 {
        match parts.next().await.unwrap() {
            Ok(part) => assert_eq!(part.value::<u8>().unwrap(), number),
            Err(Error::Timeout { .. }) => return false,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(matches!(
        parts.next().await,
        Some(Err(Error::Timeout { .. }))
    ));
    assert!(parts.next().await.is_none());
    drop(parts);
    script.await.unwrap();
    true
}

/// A clock that runs on is over before the parts are, however long the limit.
#[tokio::test]
async fn a_progressive_call_restarts_its_clock_with_each_part() {
    for timeout_ms in [400, 1600, 4800] {
        if within_times(2, restarts_its_clock(timeout_ms)).await {
            return;
        }
    }
    panic!("the time limit was over although parts came");
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_not_the_result() {
    within(async {
        let (client, mut peer) = session().await;
        let (result, ()) = tokio::join!(client.call("com.example").into_future(), async {
            peer.expect(48).await;
            peer.send(json!([50, 1, {"progress": true}, ["part"]]))
                .await;
            peer.send(json!([50, 1, {}, ["result"]])).await;
        });
        assert_eq!(result.unwrap().value::<String>().unwrap(), "result");
    })
    .await;
}

#[tokio::test]
async fn a_publication_says_what_its_options_say() {
    within(async {
        let (client, mut peer) = session().await;
        let one = SessionId::try_from(1).unwrap();
        client
            .publish("com.example")
            .exclude_me(false)
            .disclose_me(true)
            .eligible([one])
            .eligible_authid(["a"])
            .eligible_authrole(["b"])
            .exclude([one])
            .exclude_authid(["c"])
            .exclude_authrole(["d"])
            .await
            .unwrap();
        let options = json!({
            "exclude_me": false, "disclose_me": true,
            "eligible": [1], "eligible_authid": ["a"], "eligible_authrole": ["b"],
            "exclude": [1], "exclude_authid": ["c"], "exclude_authrole": ["d"],
        });
        assert_eq!(
            peer.expect(16).await,
            json!([16, 1, options, "com.example"])
        );

        let extra = vec![("_custom".to_owned(), wampy::proto::Value::Bool(true))];
        let mut options = PublishOptions {
            retain: true,
            ..PublishOptions::default()
        };
        options.extra = extra;
        client
            .publish("com.example")
            .options(options)
            .await
            .unwrap();
        assert_eq!(
            peer.expect(16).await[2],
            json!({"retain": true, "_custom": true})
        );

        let (publication, ()) = tokio::join!(
            client
                .publish("com.example")
                .acknowledge(true)
                .into_future(),
            async {
                assert_eq!(peer.expect(16).await[2], json!({"acknowledge": true}));
                peer.send(json!([17, 3, 99])).await;
            }
        );
        assert_eq!(publication.unwrap().unwrap().value(), 99);
    })
    .await;
}

#[tokio::test]
async fn a_refused_publication_is_an_error_that_names_the_topic() {
    within(async {
        let (client, mut peer) = session().await;
        let (refused, ()) = tokio::join!(
            client
                .publish("com.example")
                .acknowledge(true)
                .into_future(),
            async {
                peer.expect(16).await;
                peer.send(json!([8, 16, 1, {}, "wamp.error.not_authorized"]))
                    .await;
            }
        );
        let error = refused.unwrap_err().to_string();
        assert_eq!(
            error,
            "PUBLISH of com.example failed: wamp.error.not_authorized"
        );
    })
    .await;
}

/// The client's half of wire checks 24 and 26.
#[tokio::test]
async fn subscriptions_to_one_topic_share_one_at_the_router() {
    within(async {
        let (client, mut peer) = session().await;
        let mut one = subscribe(&client, &mut peer, 1).await;
        let mut other = subscribe(&client, &mut peer, 2).await;
        peer.send(json!([36, 5, 6, {}, ["both"]])).await;
        for events in [&mut one, &mut other] {
            assert_eq!(
                events.next().await.unwrap().args::<(String,)>().unwrap().0,
                "both"
            );
        }
        drop(one);
        peer.send(json!([36, 5, 7, {}, ["other"]])).await;
        assert_eq!(other.next().await.unwrap().publication().value(), 7);
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
        let (ended, ()) = tokio::join!(other.unsubscribe(), async {
            assert_eq!(peer.expect(34).await, json!([34, 4, 5]));
            peer.send(json!([35, 4])).await;
        });
        ended.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_subscription_on_its_way_keeps_the_one_at_the_router() {
    within(async {
        let (client, mut peer) = session().await;
        let one = subscribe(&client, &mut peer, 1).await;
        let other = tokio::spawn(client.subscribe("com.example").into_future());
        assert_eq!(peer.expect(32).await[1], 2);
        drop(one);
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 3, "and no UNSUBSCRIBE before it");
        peer.send(json!([33, 2, 5])).await;
        let mut other = other.await.unwrap().unwrap();
        peer.send(json!([36, 5, 6, {}])).await;
        assert!(other.next().await.is_some());
        drop(other);
        assert_eq!(peer.expect(34).await, json!([34, 4, 5]));
    })
    .await;
}

/// The client's half of wire check 25.
#[tokio::test]
async fn an_event_right_behind_subscribed_is_delivered() {
    within(async {
        let (client, mut peer) = session().await;
        let subscribing = tokio::spawn(client.subscribe("com.example").into_future());
        peer.expect(32).await;
        let event = json!([36, 5, 6, {"topic": "com.example.x", "publisher": 8}, [1]]);
        peer.send_together(&[json!([33, 1, 5]), event]).await;
        let mut events = subscribing.await.unwrap().unwrap();
        let event = events.next().await.unwrap();
        assert_eq!(event.topic(), "com.example.x");
        assert_eq!(event.publisher().unwrap().value(), 8);
    })
    .await;
}

/// The client's half of wire check 45.
#[tokio::test]
async fn an_invocation_right_behind_registered_is_answered() {
    within(async {
        let (client, mut peer) = session().await;
        let register = client
            .register("com.example", async |_| Ok("yes"))
            .match_policy(MatchPolicy::Prefix)
            .invoke(message::InvocationPolicy::RoundRobin);
        let registering = tokio::spawn(register.into_future());
        assert_eq!(
            peer.expect(64).await,
            json!([64, 1, {"match": "prefix", "invoke": "roundrobin"}, "com.example"])
        );
        peer.send_together(&[json!([65, 1, 9]), json!([68, 1, 9, {}])])
            .await;
        assert_eq!(peer.expect(70).await, json!([70, 1, {}, ["yes"]]));
        let registration = registering.await.unwrap().unwrap();
        assert_eq!(registration.id().unwrap().value(), 9);
    })
    .await;
}

#[tokio::test]
async fn a_registration_or_subscription_that_nobody_waits_for_is_taken_back() {
    within(async {
        let (client, mut peer) = session().await;
        let registering = tokio::spawn(
            client
                .register("com.example", async |_| Ok(()))
                .into_future(),
        );
        peer.expect(64).await;
        registering.abort();
        _ = registering.await;
        peer.send(json!([65, 1, 9])).await;
        assert_eq!(peer.expect(66).await, json!([66, 2, 9]));
        peer.send(json!([67, 2])).await;

        let subscribing = tokio::spawn(client.subscribe("com.example").into_future());
        peer.expect(32).await;
        subscribing.abort();
        _ = subscribing.await;
        peer.send(json!([33, 3, 5])).await;
        assert_eq!(peer.expect(34).await, json!([34, 4, 5]));
        peer.send(json!([35, 4])).await;
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

/// The client's half of wire checks 39 and 75.
#[tokio::test]
async fn what_the_router_revokes_is_over() {
    within(async {
        let (client, mut peer) = session().await;
        let mut events = subscribe(&client, &mut peer, 1).await;
        peer.send(json!([35, 0, {"subscription": 5, "reason": "com.example.no"}]))
            .await;
        assert!(events.next().await.is_none());
        assert_eq!(events.id(), None);

        let (registration, ()) = tokio::join!(
            client
                .register("com.example", async |_| Ok(()))
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 2, 9])).await;
            }
        );
        let registration = registration.unwrap();
        peer.send(json!([67, 0, {"registration": 9}])).await;
        until(async || registration.id().is_none()).await;
        peer.send(json!([68, 1, 9, {}])).await;
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 1, {}, "wamp.error.no_such_registration"])
        );
    })
    .await;
}

#[tokio::test]
async fn an_interrupt_stops_the_handler_and_is_answered() {
    within(async {
        let (client, mut peer) = session().await;
        let alive = Arc::new(());
        let held = Arc::clone(&alive);
        let handler = move |_| {
            let held = Arc::clone(&held);
            async move {
                std::future::pending::<()>().await;
                drop(held);
                Ok(())
            }
        };
        let (registration, ()) = tokio::join!(
            client.register("com.example", handler).into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {}])).await;
        until(async || Arc::strong_count(&alive) == 3).await;
        peer.send(json!([69, 1, {"mode": "killnowait"}])).await;
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 1, {}, "wamp.error.canceled"])
        );
        until(async || Arc::strong_count(&alive) == 2).await;
        peer.send(json!([68, 2, 9, {}])).await;
        peer.send(json!([69, 2, {"mode": "kill", "reason": "wamp.error.timeout"}]))
            .await;
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 2, {}, "wamp.error.timeout"])
        );
    })
    .await;
}

/// The client's half of wire checks 52 and 53.
#[tokio::test]
async fn parts_of_a_result_are_sent_only_to_those_who_take_them() {
    within(async {
        let (client, mut peer) = session().await;
        let handler = async |invocation: wampy::Invocation| {
            invocation.progress((1,)).await?;
            Ok(2)
        };
        let (registration, ()) = tokio::join!(
            client.register("com.example", handler).into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {"receive_progress": true}]))
            .await;
        assert_eq!(
            peer.expect(70).await,
            json!([70, 1, {"progress": true}, [1]])
        );
        assert_eq!(peer.expect(70).await, json!([70, 1, {}, [2]]));
        peer.send(json!([68, 2, 9, {}])).await;
        assert_eq!(peer.expect(70).await, json!([70, 2, {}, [2]]));
    })
    .await;
}

/// The client's half of wire check 44.
#[tokio::test]
async fn an_error_of_a_handler_is_sent_whole() {
    within(async {
        let (client, mut peer) = session().await;
        let handler = async |_| {
            let kwargs = std::collections::BTreeMap::from([("n", 1)]);
            Err::<(), _>(wampy::WampError::new("com.example.error").with_kwargs(kwargs))
        };
        let (registration, ()) = tokio::join!(
            client.register("com.example", handler).into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {}])).await;
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 1, {}, "com.example.error", [], {"n": 1}])
        );
    })
    .await;
}

#[tokio::test]
async fn an_observer_gets_the_answers_to_raw_messages() {
    within(async {
        let router = FakeRouter::bind().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let observed = Arc::clone(&seen);
        let builder = router.client().observer(move |message| {
            observed
                .lock()
                .unwrap()
                .push(message.message_type().as_str());
        });
        let (client, mut peer) = router.session(builder).await;
        let call = message::Call {
            request: RequestId::FIRST,
            options: message::CallOptions::default(),
            procedure: "com.example".into(),
            payload: Payload::EMPTY,
        };
        assert_eq!(client.send(call).await.unwrap().unwrap().value(), 1);
        peer.expect(48).await;
        peer.send(json!([50, 1, {}])).await;
        peer.send(json!([68, 7, 9, {}])).await;
        let reply = message::Yield {
            request: RequestId::try_from(7).unwrap(),
            options: message::YieldOptions::default(),
            payload: Payload::EMPTY,
        };
        until(async || seen.lock().unwrap().len() == 2).await;
        assert_eq!(client.send(reply).await.unwrap(), None);
        assert_eq!(peer.expect(70).await, json!([70, 7, {}]));
        assert_eq!(*seen.lock().unwrap(), ["RESULT", "INVOCATION"]);
        let hello = message::Goodbye::new("com.example");
        assert!(matches!(
            client.send(hello).await,
            Err(Error::Misuse { .. })
        ));
    })
    .await;
}

#[tokio::test]
async fn nobody_gets_the_answer_to_a_call_that_was_given_up() {
    within(async {
        let router = FakeRouter::bind().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let observed = Arc::clone(&seen);
        let builder = router.client().observer(move |message| {
            observed
                .lock()
                .unwrap()
                .push(message.message_type().as_str());
        });
        let (client, mut peer) = router.session(builder).await;
        let call = client.call("com.example").timeout(Duration::from_millis(1));
        assert!(matches!(call.await, Err(Error::Timeout { .. })));
        peer.expect(48).await;
        peer.expect(49).await;
        peer.send_together(&[
            json!([50, 1, {"progress": true}]),
            json!([8, 48, 1, {}, "wamp.error.canceled"]),
            // What answers no call of this client at all is still for the observer.
            json!([50, 7, {}]),
        ])
        .await;
        until(async || !seen.lock().unwrap().is_empty()).await;
        assert_eq!(*seen.lock().unwrap(), ["RESULT"]);
    })
    .await;
}

#[tokio::test]
async fn values_without_a_form_are_errors_and_use_up_no_id() {
    within(async {
        let (client, mut peer) = session().await;
        let error = client.call("com.example").args(5).await.unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
        assert!(error.to_string().contains("expected a list"), "{error}");
        let error = client
            .publish("com.example")
            .kwargs((1, 2))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("expected a map"), "{error}");
        client.publish("com.example").await.unwrap();
        let publish: Value = peer.expect(16).await;
        assert_eq!(publish[1], 1);
    })
    .await;
}
