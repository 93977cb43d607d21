//! Calls that are made in parts: through a real router, and as they look on the wire.

use std::future::IntoFuture;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::Semaphore;
use wampy::proto::{Payload, Serializer};
use wampy::{Client, Error, Invocation, Limits, TOO_MANY_PARTS};

use crate::fake_router::{FakeRouter, session};
use crate::fixture::{router, router_and_client, until, within};

/// Offers a procedure that returns all args of all parts.
async fn offer_collect(callee: &Client) {
    callee
        .register("com.example.collect", async |mut invocation: Invocation| {
            let mut all: Vec<u32> = invocation.args()?;
            while let Some(part) = invocation.next_part().await? {
                all.extend(part.args::<Vec<u32>>()?);
            }
            Ok(all)
        })
        .await
        .unwrap();
}

#[tokio::test]
async fn parts_of_a_call_arrive_in_order_with_every_serializer() {
    within(async {
        let router = router().await;
        for serializer in Serializer::ALL {
            let builder = Client::builder(router.url()).serializer(serializer);
            let callee = builder.connect().await.unwrap();
            offer_collect(&callee).await;
            let caller = Client::connect(router.url()).await.unwrap();
            let call = caller.call("com.example.collect").args((0,));
            let (mut input, mut results) = call.duplex().await.unwrap();
            for number in 1..500_u32 {
                input.send((number,)).await.unwrap();
            }
            let last = Payload::encode(Serializer::Cbor, &(500, 501), &()).unwrap();
            input.finish_payload(last).await.unwrap();
            let result = results.next().await.unwrap().unwrap();
            assert!(!result.is_progress());
            let expected: Vec<u32> = (0..=501).collect();
            assert_eq!(result.value::<Vec<u32>>().unwrap(), expected);
            assert!(results.next().await.is_none());
            callee.close().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn both_directions_flow_at_once() {
    within(async {
        let (router, callee) = router_and_client().await;
        callee
            .register("com.example.double", async |mut invocation: Invocation| {
                while let Some(part) = invocation.next_part().await? {
                    let (number,): (u32,) = part.args()?;
                    invocation.progress((number * 2,)).await?;
                }
                Ok("done")
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.double");
        let (mut input, mut results) = call.duplex().await.unwrap();
        for number in 0..20_u32 {
            // Each part is sent when the answer to the one before it is known.
            input.send((number,)).await.unwrap();
            let part = results.next().await.unwrap().unwrap();
            assert!(part.is_progress());
            assert_eq!(part.value::<u32>().unwrap(), number * 2);
        }
        input.finish((20,)).await.unwrap();
        let last_part = results.next().await.unwrap().unwrap();
        assert_eq!(last_part.value::<u32>().unwrap(), 40);
        let result = results.next().await.unwrap().unwrap();
        assert_eq!(result.value::<String>().unwrap(), "done");
    })
    .await;
}

#[tokio::test]
async fn parts_wait_with_their_invocation_for_its_turn() {
    within(async {
        let (router, callee) = router_and_client().await;
        let turns = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&turns);
        let registration = callee.register("com.example.one", move |mut call: Invocation| {
            let turns = Arc::clone(&held);
            async move {
                turns.acquire().await?.forget();
                let mut count = 1_u32;
                while let Some(part) = call.next_part().await? {
                    assert_eq!(part.args::<(u32,)>()?.0, count);
                    count += 1;
                }
                Ok(count)
            }
        });
        registration.concurrency(1).await.unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let first = tokio::spawn(caller.call("com.example.one").into_future());
        let second = caller.call("com.example.one");
        let (mut input, mut results) = second.duplex().await.unwrap();
        for number in 1..50_u32 {
            input.send((number,)).await.unwrap();
        }
        input.finish((50,)).await.unwrap();
        turns.add_permits(2);
        assert_eq!(first.await.unwrap().unwrap().value::<u32>().unwrap(), 1);
        let result = results.next().await.unwrap().unwrap();
        assert_eq!(result.value::<u32>().unwrap(), 51);
    })
    .await;
}

/// Offers a procedure that never answers, and tells how many of its handlers are alive, and how
/// many readers of parts on tasks of their own have got an error.
async fn offer_endless(callee: &Client) -> (Arc<()>, Arc<Semaphore>) {
    let (alive, failed) = (Arc::new(()), Arc::new(Semaphore::new(0)));
    let (held, failures) = (Arc::clone(&alive), Arc::clone(&failed));
    callee
        .register("com.example.endless", move |mut call: Invocation| {
            let (held, failures) = (Arc::clone(&held), Arc::clone(&failures));
            async move {
                let mut parts = call.take_parts();
                tokio::spawn(async move {
                    while let Ok(Some(_)) = parts.next().await {}
                    failures.add_permits(1);
                });
                std::future::pending::<()>().await;
                drop(held);
                Ok(())
            }
        })
        .await
        .unwrap();
    (alive, failed)
}

/// The client's own record of the handler and the test hold it, too.
const AT_REST: usize = 2;

#[tokio::test]
async fn dropping_the_input_halfway_cancels_the_call() {
    within(async {
        let (router, callee) = router_and_client().await;
        let (alive, failed) = offer_endless(&callee).await;
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.endless");
        let (mut input, mut results) = call.duplex().await.unwrap();
        input.send((1,)).await.unwrap();
        until(async || Arc::strong_count(&alive) > AT_REST).await;
        drop(input);
        match results.next().await {
            Some(Err(Error::Misuse { problem })) => {
                assert!(problem.contains("dropped"), "{problem}")
            }
            other => panic!("{other:?} does not say that the input was dropped"),
        }
        assert!(results.next().await.is_none());
        until(async || Arc::strong_count(&alive) == AT_REST).await;
        failed.acquire().await.unwrap().forget();
    })
    .await;
}

#[tokio::test]
async fn dropping_the_results_halfway_ends_both_sides() {
    within(async {
        let (router, callee) = router_and_client().await;
        let (alive, failed) = offer_endless(&callee).await;
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.endless");
        let (mut input, results) = call.duplex().await.unwrap();
        until(async || Arc::strong_count(&alive) > AT_REST).await;
        drop(results);
        let error = input.send((1,)).await.unwrap_err();
        assert!(error.to_string().contains("the call is over"), "{error}");
        until(async || Arc::strong_count(&alive) == AT_REST).await;
        failed.acquire().await.unwrap().forget();
    })
    .await;
}

#[tokio::test]
async fn a_callee_that_leaves_ends_the_call_halfway() {
    within(async {
        let (router, callee) = router_and_client().await;
        let (alive, failed) = offer_endless(&callee).await;
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.endless");
        let (mut input, mut results) = call.duplex().await.unwrap();
        until(async || Arc::strong_count(&alive) > AT_REST).await;
        callee.close().await.unwrap();
        let error = results.next().await.unwrap().unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.canceled"));
        let error = input.send((1,)).await.unwrap_err();
        assert!(error.to_string().contains("the call is over"), "{error}");
        failed.acquire().await.unwrap().forget();
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_leaves_ends_the_handler_halfway() {
    within(async {
        let (router, callee) = router_and_client().await;
        let (alive, failed) = offer_endless(&callee).await;
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.endless");
        let (mut input, mut results) = call.duplex().await.unwrap();
        until(async || Arc::strong_count(&alive) > AT_REST).await;
        caller.close().await.unwrap();
        assert!(matches!(results.next().await, Some(Err(Error::Closed))));
        assert!(matches!(input.send((1,)).await, Err(Error::Closed)));
        until(async || Arc::strong_count(&alive) == AT_REST).await;
        failed.acquire().await.unwrap().forget();
    })
    .await;
}

#[tokio::test]
async fn parts_that_nobody_reads_have_a_limit() {
    within(async {
        let router = router().await;
        let limits = Limits {
            queue_events_max: 10,
            ..Limits::default()
        };
        let builder = Client::builder(router.url()).limits(limits);
        let callee = builder.connect().await.unwrap();
        callee
            .register("com.example.idle", async |call: Invocation| {
                std::future::pending::<()>().await;
                Ok(call.receives_progress())
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let call = caller.call("com.example.idle");
        let (mut input, mut results) = call.duplex().await.unwrap();
        for number in 0..11 {
            // The last ones may find the call ended.
            _ = input.send((number,)).await;
        }
        let error = results.next().await.unwrap().unwrap_err();
        assert_eq!(error.uri(), Some(TOO_MANY_PARTS));
    })
    .await;
}

#[tokio::test]
async fn check_65_parts_for_a_call_that_has_ended_are_ignored() {
    within(async {
        let (client, mut peer) = session().await;
        let (registration, ()) = tokio::join!(
            client
                .register("com.example", async |call: Invocation| {
                    Ok(call.args::<(u32,)>()?.0)
                })
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        peer.send(json!([68, 1, 9, {"progress": true}, [1]])).await;
        assert_eq!(peer.expect(70).await, json!([70, 1, {}, [1]]));
        peer.send(json!([68, 1, 9, {"progress": true}, [2]])).await;
        peer.send(json!([68, 1, 9, {}, [3]])).await;
        peer.send(json!([68, 2, 9, {}, [4]])).await;
        assert_eq!(peer.expect(70).await, json!([70, 2, {}, [4]]));
    })
    .await;
}

#[tokio::test]
async fn parts_of_a_call_are_calls_with_one_id_and_the_first_one_s_options() {
    within(async {
        let (client, mut peer) = session().await;
        let call = client.call("com.example").args(("a",)).disclose_me(true);
        let (mut input, mut results) = call.duplex().await.unwrap();
        let options = json!({"receive_progress": true, "progress": true, "disclose_me": true});
        let first = json!([48, 1, options, "com.example", ["a"]]);
        assert_eq!(peer.expect(48).await, first);
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 2);
        input.send(("b",)).await.unwrap();
        let second = json!([48, 1, options, "com.example", ["b"]]);
        assert_eq!(peer.expect(48).await, second);
        input.finish(()).await.unwrap();
        let options = json!({"receive_progress": true, "disclose_me": true});
        assert_eq!(
            peer.expect(48).await,
            json!([48, 1, options, "com.example"])
        );
        peer.send(json!([50, 1, {}, [7]])).await;
        let result = results.next().await.unwrap().unwrap();
        assert_eq!(result.value::<u8>().unwrap(), 7);
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 3, "nothing was canceled");
    })
    .await;
}

#[tokio::test]
async fn a_router_that_takes_no_parts_gets_none() {
    within(async {
        let router = FakeRouter::bind().await;
        let script = async {
            let mut peer = router.accept_rawsocket().await;
            peer.expect(1).await;
            peer.send(json!([2, 4711, {"roles": {"dealer": {}}}])).await;
            peer
        };
        let (client, mut peer) = tokio::join!(router.client().connect(), script);
        let client = client.unwrap();
        let error = client.call("com.example").duplex().await.unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 1);
    })
    .await;
}
