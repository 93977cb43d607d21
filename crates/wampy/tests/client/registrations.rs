//! What callees and callers can ask for of a registration: time limits, rerouting, sharding, limits
//! at the router, taking over, and what the router takes back.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wampy::proto::message::InvocationPolicy;
use wampy::{Client, Invocation, WampError};

use crate::fake_router::session;
use crate::fixture::{router_and_client, until, within};

#[tokio::test]
async fn a_registration_says_what_its_options_say() {
    within(async {
        let (client, mut peer) = session().await;
        let register = client
            .register("com.example", async |_| Ok(()))
            .invoke(InvocationPolicy::RoundRobin)
            .disclose_caller(true)
            .forward_timeout(true)
            .router_concurrency(3)
            .force_reregister(true)
            .nkey("a");
        let registering = tokio::spawn(register.into_future());
        let options = json!({
            "invoke": "roundrobin", "disclose_caller": true, "forward_timeout": true,
            "concurrency": 3, "force_reregister": true, "nkey": "a",
        });
        assert_eq!(peer.expect(64).await[2], options);
        registering.abort();
        let call = tokio::spawn(client.call("com.example").rkey("b").into_future());
        let options = json!({"runmode": "partition", "rkey": "b"});
        assert_eq!(peer.expect(48).await[2], options);
        call.abort();
    })
    .await;
}

/// The callee's half of wire check 56.
#[tokio::test]
async fn check_56_a_handler_whose_time_is_out_is_stopped() {
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
            client
                .register("com.example", handler)
                .concurrency(1)
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {}])).await;
        peer.send(json!([68, 2, 9, {"timeout": 20}])).await;
        let error = peer.expect(8).await;
        assert_eq!(error[2], 2, "time runs out while the call waits, too");
        assert_eq!(error[4], "wamp.error.timeout");
        assert!(Arc::strong_count(&alive) > 2);
        peer.send(json!([69, 1, {}])).await;
        peer.expect(8).await;
        until(async || Arc::strong_count(&alive) == 2).await;
        peer.send(json!([68, 3, 9, {"timeout": 20}])).await;
        let error = peer.expect(8).await;
        assert_eq!(error[2], 3);
        assert_eq!(error[4], "wamp.error.timeout");
        until(async || Arc::strong_count(&alive) == 2).await;
    })
    .await;
}

/// The callee's half of wire check 57.
#[tokio::test]
async fn check_57_a_part_of_the_result_restarts_the_handler_s_time() {
    within(async {
        let (client, mut peer) = session().await;
        let handler = async |call: Invocation| {
            for part in 0..2 {
                tokio::time::sleep(Duration::from_millis(1000)).await;
                call.progress((part,)).await?;
            }
            Ok("done")
        };
        let (registration, ()) = tokio::join!(
            client.register("com.example", handler).into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        let details = json!({"timeout": 1800, "receive_progress": true});
        peer.send(json!([68, 1, 9, details])).await;
        for part in 0..2 {
            assert_eq!(
                peer.expect(70).await,
                json!([70, 1, {"progress": true}, [part]])
            );
        }
        assert_eq!(peer.expect(70).await, json!([70, 1, {}, ["done"]]));
    })
    .await;
}

/// The callee's half of wire check 68.
#[tokio::test]
async fn a_call_that_one_handler_cannot_take_goes_to_the_next() {
    within(async {
        let (router, busy) = router_and_client().await;
        let free = Client::connect(router.url()).await.unwrap();
        busy.register("com.example.work", async |_| {
            Err::<(), _>(WampError::unavailable())
        })
        .invoke(InvocationPolicy::First)
        .await
        .unwrap();
        free.register("com.example.work", async |_| Ok("done"))
            .invoke(InvocationPolicy::First)
            .await
            .unwrap();
        let result = busy.call("com.example.work").await.unwrap();
        assert_eq!(result.value::<String>().unwrap(), "done");
    })
    .await;
}

#[tokio::test]
async fn calls_with_one_key_go_to_one_callee() {
    within(async {
        let (router, caller) = router_and_client().await;
        let mut callees = Vec::new();
        for name in ["a", "b", "c"] {
            let callee = Client::connect(router.url()).await.unwrap();
            callee
                .register("com.example.cart", move |_| async move { Ok(name) })
                .invoke(InvocationPolicy::RoundRobin)
                .nkey(name)
                .await
                .unwrap();
            callees.push(callee);
        }
        let mut met = std::collections::HashSet::new();
        for customer in 0..30 {
            let mut answers = std::collections::HashSet::new();
            for _ in 0..3 {
                let call = caller.call("com.example.cart").rkey(customer.to_string());
                answers.insert(call.await.unwrap().value::<String>().unwrap());
            }
            assert_eq!(answers.len(), 1, "customer {customer} met {answers:?}");
            met.extend(answers);
        }
        assert_eq!(met.len(), 3, "the keys are spread over all callees");
    })
    .await;
}

#[tokio::test]
async fn the_router_gives_a_callee_as_many_calls_as_it_takes() {
    within(async {
        let (router, callee) = router_and_client().await;
        let running = Arc::new(tokio::sync::Semaphore::new(1));
        callee
            .register("com.example.print", move |_| {
                let running = Arc::clone(&running);
                async move {
                    let alone = running.try_acquire().is_ok();
                    tokio::task::yield_now().await;
                    Ok(alone)
                }
            })
            .router_concurrency(1)
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let calls: Vec<_> = (0..20)
            .map(|_| tokio::spawn(caller.call("com.example.print").into_future()))
            .collect();
        for call in calls {
            assert!(call.await.unwrap().unwrap().value::<bool>().unwrap());
        }
    })
    .await;
}

#[tokio::test]
async fn a_procedure_can_be_taken_over() {
    within(async {
        let (_router, client) = router_and_client().await;
        let old = client
            .register("com.example.ping", async |_| Ok("old"))
            .await
            .unwrap();
        client
            .register("com.example.ping", async |_| Ok("new"))
            .force_reregister(true)
            .await
            .unwrap();
        let answer = client.call("com.example.ping").await.unwrap();
        assert_eq!(answer.value::<String>().unwrap(), "new");
        until(async || old.id().is_none()).await;
    })
    .await;
}

/// The client's half of wire checks 39 and 75, through the real router.
#[tokio::test]
async fn what_an_operator_takes_back_is_over() {
    within(async {
        let (router, client) = router_and_client().await;
        let operator = Client::connect(router.url()).await.unwrap();
        let registration = client
            .register("com.example", async |_| Ok(()))
            .await
            .unwrap();
        let mut events = client.subscribe("com.example").await.unwrap();
        let session = client.session_id().value();
        let id = registration.id().unwrap().value();
        let remove = operator.call("wamp.registration.remove_callee");
        remove.args((id, session)).await.unwrap();
        until(async || registration.id().is_none()).await;
        let error = operator.call("com.example").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));

        let id = events.id().unwrap().value();
        let remove = operator.call("wamp.subscription.remove_subscriber");
        remove.args((id, session)).await.unwrap();
        assert!(events.next().await.is_none());
        assert_eq!(events.id(), None);
    })
    .await;
}

#[tokio::test]
async fn how_far_a_peer_is_trusted_is_told() {
    within(async {
        let (client, mut peer) = session().await;
        let (registration, ()) = tokio::join!(
            client
                .register(
                    "com.example",
                    async |call: Invocation| Ok(call.trustlevel())
                )
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {"trustlevel": 7}])).await;
        assert_eq!(peer.expect(70).await, json!([70, 1, {}, [7]]));

        let (events, ()) = tokio::join!(client.subscribe("com.example").into_future(), async {
            peer.expect(32).await;
            peer.send(json!([33, 2, 5])).await;
        });
        let mut events = events.unwrap();
        peer.send(json!([36, 5, 1, {"trustlevel": 3, "retained": true}]))
            .await;
        let event = events.next().await.unwrap();
        assert_eq!(event.trustlevel(), Some(3));
        assert!(event.is_retained());
    })
    .await;
}
