//! Bounds: what happens when a reader, a router or this program is too slow or too fast.

use std::future::IntoFuture;
use std::time::Duration;

use serde_json::json;
use wampy::{Error, Limits};

use crate::fake_router::FakeRouter;
use crate::fixture::{never, until, within};

#[tokio::test]
async fn senders_wait_for_a_router_that_does_not_read() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            outbox_bytes_max: 64 << 10,
            ..Limits::default()
        };
        let (client, mut peer) = router.session(router.client().limits(limits)).await;
        let publishing = tokio::spawn({
            let client = client.clone();
            async move {
                for number in 0..800_u32 {
                    let text = "x".repeat(32 << 10);
                    client.publish("com.example").args((number, text)).await?;
                }
                Ok::<_, Error>(())
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(
            !publishing.is_finished(),
            "25 MB are more than any socket takes"
        );
        for number in 0..800_u32 {
            assert_eq!(peer.expect(16).await[4][0], number);
        }
        publishing.await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_slow_reader_loses_the_oldest_events_and_sees_how_many() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            queue_events_max: 10,
            ..Limits::default()
        };
        let (client, mut peer) = router.session(router.client().limits(limits)).await;
        let (events, ()) = tokio::join!(client.subscribe("com.example").into_future(), async {
            peer.expect(32).await;
            peer.send(json!([33, 1, 5])).await;
        });
        let mut events = events.unwrap();
        for number in 0..100 {
            peer.send(json!([36, 5, 6, {}, [number]])).await;
        }
        until(async || events.dropped() == 90).await;
        // A slow reader holds up nothing else.
        let (result, ()) = tokio::join!(client.call("com.example").into_future(), async {
            peer.expect(48).await;
            peer.send(json!([50, 2, {}])).await;
        });
        result.unwrap();
        for number in 90..100 {
            assert_eq!(
                events.next().await.unwrap().args::<(u32,)>().unwrap().0,
                number
            );
        }
        peer.send(json!([36, 5, 6, {}, ["next"]])).await;
        assert_eq!(
            events.next().await.unwrap().args::<(String,)>().unwrap().0,
            "next"
        );
    })
    .await;
}

#[tokio::test]
async fn parts_that_nobody_reads_cancel_the_call() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            queue_events_max: 10,
            ..Limits::default()
        };
        let (client, mut peer) = router.session(router.client().limits(limits)).await;
        let mut parts = client.call("com.example").progressive();
        let script = async {
            peer.expect(48).await;
            for number in 0..20 {
                peer.send(json!([50, 1, {"progress": true}, [number]]))
                    .await;
            }
            assert_eq!(peer.expect(49).await[1], 1);
        };
        let (first, ()) = tokio::join!(parts.next(), script);
        assert!(first.unwrap().unwrap().is_progress());
        let mut last = None;
        while let Some(part) = parts.next().await {
            last = Some(part);
        }
        let error = last.unwrap().unwrap_err();
        assert!(error.to_string().contains("not read in time"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn invocations_beyond_the_limit_are_unavailable() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            invocations_max: 2,
            ..Limits::default()
        };
        let (client, mut peer) = router.session(router.client().limits(limits)).await;
        let handler = async |_| never().await;
        let (registration, ()) = tokio::join!(
            client.register("com.example", handler).into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        registration.unwrap();
        for request in 1..=3 {
            peer.send(json!([68, request, 9, {}])).await;
        }
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 3, {}, "wamp.error.unavailable"])
        );
        peer.send(json!([69, 1, {}])).await;
        assert_eq!(peer.expect(8).await[2], 1);
        peer.send(json!([68, 4, 9, {}])).await;
        peer.send(json!([69, 4, {}])).await;
        assert_eq!(
            peer.expect(8).await,
            json!([8, 68, 4, {}, "wamp.error.canceled"])
        );
    })
    .await;
}

#[tokio::test]
async fn requests_beyond_the_limit_are_refused() {
    within(async {
        let router = FakeRouter::bind().await;
        let limits = Limits {
            requests_max: 2,
            ..Limits::default()
        };
        let (client, mut peer) = router.session(router.client().limits(limits)).await;
        let calls: Vec<_> = (0..2)
            .map(|_| tokio::spawn(client.call("com.example").into_future()))
            .collect();
        for _ in 0..2 {
            peer.expect(48).await;
        }
        let error = client.call("com.example").await.unwrap_err();
        assert!(matches!(error, Error::Misuse { .. }), "{error:?}");
        assert!(error.to_string().contains("2 requests"), "{error}");
        peer.send(json!([50, 1, {}])).await;
        peer.send(json!([50, 2, {}])).await;
        for call in calls {
            call.await.unwrap().unwrap();
        }
    })
    .await;
}
