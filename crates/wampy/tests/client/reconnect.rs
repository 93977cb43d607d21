//! Sessions that are lost and come back.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use wampy::{Client, Error, Invocation, Reconnect, Status};

use crate::fake_router::{FakeRouter, Peer};
use crate::fixture::{address_of, never, restart, router, router_at, until, within};

fn fast() -> Reconnect {
    Reconnect {
        delay_min: Duration::from_millis(5),
        delay_max: Duration::from_millis(50),
        ..Reconnect::default()
    }
}

async fn lost(client: &Client) {
    let mut changes = client.status_changes();
    let is_lost = |status: &Status| matches!(status, Status::Reconnecting { .. });
    changes.wait_for(is_lost).await.unwrap();
}

#[tokio::test]
async fn a_restarted_router_gets_registrations_and_subscriptions_again() {
    within(async {
        let router = router().await;
        let url = router.url();
        let client = Client::builder(&url).reconnect(fast()).connect().await.unwrap();
        let first_session = client.session_id();
        let registration = client.register("com.example.kept", async |_| Ok("kept")).await.unwrap();
        client.register("com.example.back", async |_| Ok(())).await.unwrap().unregister().await.unwrap();
        let mut events = client.subscribe("com.example.topic").await.unwrap();
        drop(client.subscribe("com.example.dropped").await.unwrap());
        let never = client.register("com.example.never", async |_| never().await);
        never.await.unwrap();
        let in_flight = tokio::spawn(client.call("com.example.never").into_future());
        client.call("wamp.session.count").await.unwrap();

        let mut changes = client.status_changes();
        changes.mark_unchanged();
        let router = restart(router).await;
        let error = in_flight.await.unwrap().unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        changes
            .wait_for(|status| matches!(status, Status::Established { session } if *session != first_session))
            .await
            .unwrap();

        // Once the status says so, everything stands again.
        let other = Client::connect(router.url()).await.unwrap();
        let kept = other.call("com.example.kept").await.unwrap();
        assert_eq!(kept.value::<String>().unwrap(), "kept");
        let error = other.call("com.example.back").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));
        other.publish("com.example.topic").args((7,)).await.unwrap();
        assert_eq!(events.next().await.unwrap().args::<(u8,)>().unwrap().0, 7);
        let dropped = other.call("wamp.subscription.lookup").args(("com.example.dropped",));
        assert_eq!(dropped.await.unwrap().value::<Option<u64>>().unwrap(), None);
        registration.unregister().await.unwrap();
        assert!(other.call("com.example.kept").await.is_err());
    })
    .await;
}

#[tokio::test]
async fn requests_fail_at_once_while_there_is_no_session() {
    within(async {
        let router = router().await;
        let client = Client::builder(router.url())
            .reconnect(fast())
            .connect()
            .await
            .unwrap();
        let address = address_of(&router);
        router.shutdown().await;
        lost(&client).await;
        let error = client.call("com.example").await.unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error:?}");
        let _router = router_at(&address).await;
        client.established().await.unwrap();
        client.call("wamp.session.count").await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_client_without_reconnect_is_closed_by_a_loss() {
    within(async {
        let router = router().await;
        let client = Client::connect(router.url()).await.unwrap();
        let mut events = client.subscribe("com.example").await.unwrap();
        router.shutdown().await;
        client.closed().await;
        assert!(events.next().await.is_none());
        match client.status() {
            Status::Closed { reason } => assert!(reason.contains("system_shutdown"), "{reason}"),
            other => panic!("{other:?}"),
        }
        assert!(client.established().await.is_err());
        client.close().await.expect("it is closed already");
    })
    .await;
}

/// Whoever gets the error of a loss can wait for what comes next: the status is not an old one.
#[tokio::test]
async fn the_error_of_a_loss_comes_after_the_status() {
    within(async {
        let router = FakeRouter::bind().await;
        let (client, mut peer) = router.session(router.client().reconnect(fast())).await;
        for _ in 0..20 {
            let calling = tokio::spawn({
                let client = client.clone();
                async move { (client.call("com.example").await, client.status()) }
            });
            peer.expect(48).await;
            peer.send(json!([6, {}, "wamp.close.system_shutdown"]))
                .await;
            let (result, status) = calling.await.unwrap();
            assert!(
                matches!(result, Err(Error::ConnectionLost { .. })),
                "{result:?}"
            );
            assert!(matches!(status, Status::Reconnecting { .. }), "{status:?}");
            drop(peer);
            peer = router.accept().await;
            client.established().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn request_ids_begin_at_1_in_each_session() {
    within(async {
        let router = FakeRouter::bind().await;
        let (client, mut peer) = router.session(router.client().reconnect(fast())).await;
        client.publish("com.example").await.unwrap();
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 1);
        assert_eq!(peer.expect(16).await[1], 2);
        drop(peer);
        lost(&client).await;
        let mut peer = router.accept().await;
        client.established().await.unwrap();
        client.publish("com.example").await.unwrap();
        assert_eq!(peer.expect(16).await[1], 1);
    })
    .await;
}

#[tokio::test]
async fn a_registration_that_the_old_session_still_holds_is_asked_for_again() {
    within(async {
        let router = FakeRouter::bind().await;
        let (client, mut peer) = router.session(router.client().reconnect(fast())).await;
        let (registration, ()) = tokio::join!(
            client
                .register("com.example", async |_| Ok("yes"))
                .into_future(),
            async {
                peer.expect(64).await;
                peer.send(json!([65, 1, 9])).await;
            }
        );
        let registration = registration.unwrap();
        drop(peer);
        let mut peer = router.accept().await;
        assert_eq!(registration.id(), None);
        for request in 1..=2 {
            assert_eq!(peer.expect(64).await[1], request);
            let error = json!([8, 64, request, {}, "wamp.error.procedure_already_exists"]);
            peer.send(error).await;
        }
        peer.expect(64).await;
        peer.send(json!([65, 3, 10])).await;
        until(async || registration.id().is_some_and(|id| id.value() == 10)).await;
        peer.send(json!([68, 1, 10, {}])).await;
        assert_eq!(peer.expect(70).await[3], json!(["yes"]));
    })
    .await;
}

#[tokio::test]
async fn answers_of_the_old_session_do_not_get_into_the_new_one() {
    within(async {
        let router = FakeRouter::bind().await;
        let (client, mut peer) = router.session(router.client().reconnect(fast())).await;
        let (sender, mut responders) = tokio::sync::mpsc::unbounded_channel();
        let register = client.register_with("com.example", move |_, responder| {
            _ = sender.send(responder);
        });
        let (registration, ()) = tokio::join!(register.into_future(), async {
            peer.expect(64).await;
            peer.send(json!([65, 1, 9])).await;
        });
        registration.unwrap();
        peer.send(json!([68, 1, 9, {}])).await;
        let old = responders.recv().await.unwrap();
        drop(peer);
        let mut peer = router.accept().await;
        peer.expect(64).await;
        peer.send(json!([65, 1, 9])).await;
        peer.send(json!([68, 1, 9, {}])).await;
        let new = responders.recv().await.unwrap();
        assert!(old.is_over());
        assert!(!old.complete(wampy::Reply::new().with_args(("old",))));
        assert!(new.complete(wampy::Reply::new().with_args(("new",))));
        assert_eq!(peer.expect(70).await[3], json!(["new"]));
    })
    .await;
}

#[tokio::test]
async fn a_refusal_for_good_ends_the_attempts() {
    within(async {
        let router = FakeRouter::bind().await;
        let (client, peer) = router.session(router.client().reconnect(fast())).await;
        drop(peer);
        let mut peer = router.accept_rawsocket().await;
        peer.expect(1).await;
        peer.send(json!([3, {}, "wamp.error.no_such_realm"])).await;
        client.closed().await;
        let error = client.call("com.example").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_realm"));
    })
    .await;
}

#[tokio::test]
async fn attempts_can_be_limited() {
    within(async {
        let router = router().await;
        let reconnect = Reconnect {
            attempts_max: Some(3),
            ..fast()
        };
        let client = Client::builder(router.url())
            .reconnect(reconnect)
            .connect()
            .await
            .unwrap();
        router.shutdown().await;
        drop(router);
        client.closed().await;
        match client.status() {
            Status::Closed { reason } => assert!(reason.contains("refused"), "{reason}"),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn closing_ends_the_attempts() {
    within(async {
        let router = router().await;
        let slow = Reconnect {
            delay_min: Duration::from_secs(3600),
            ..Reconnect::default()
        };
        let slow = Reconnect {
            delay_max: Duration::from_secs(3600),
            ..slow
        };
        let client = Client::builder(router.url())
            .reconnect(slow)
            .connect()
            .await
            .unwrap();
        router.shutdown().await;
        lost(&client).await;
        client.close().await.unwrap();
        assert!(matches!(client.status(), Status::Closed { .. }));
    })
    .await;
}

#[tokio::test]
async fn the_first_connection_is_tried_again_if_wanted() {
    within(async {
        let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let reconnect = Reconnect {
            first_connection: true,
            ..fast()
        };
        let builder = Client::builder(format!("ws://{address}")).reconnect(reconnect);
        let connecting = tokio::spawn(builder.connect());
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!connecting.is_finished());
        let _router = router_at(&address).await;
        connecting.await.unwrap().unwrap().close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn handlers_of_a_lost_session_stop() {
    within(async {
        struct Stopped(Arc<AtomicBool>);
        impl Drop for Stopped {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let router = FakeRouter::bind().await;
        let (client, mut peer) = router.session(router.client()).await;
        let stopped = Arc::new(AtomicBool::new(false));
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        let flag = Arc::clone(&stopped);
        let handler = move |_: Invocation| {
            let guard = Stopped(Arc::clone(&flag));
            let started = started.clone();
            async move {
                _ = started.send(());
                std::future::pending::<()>().await;
                drop(guard);
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
        starts.recv().await.unwrap();
        drop(peer);
        until(async || stopped.load(Ordering::SeqCst)).await;
        client.closed().await;
    })
    .await;
}

/// A session with a registration and a subscription, of which the router has been lost; and the next
/// session, which restores both and has no answer yet. The numbers are those of the requests.
async fn restoring() -> (
    FakeRouter,
    Client,
    (wampy::Registration, wampy::Subscription),
    (Peer, serde_json::Value, serde_json::Value),
) {
    let router = FakeRouter::bind().await;
    let (client, mut peer) = router.session(router.client().reconnect(fast())).await;
    let making = async {
        let registration = client.register("com.example.procedure", async |_| Ok("yes"));
        let registration = registration.await.unwrap();
        (
            registration,
            client.subscribe("com.example.topic").await.unwrap(),
        )
    };
    let (made, ()) = tokio::join!(making, async {
        peer.expect(64).await;
        peer.send(json!([65, 1, 9])).await;
        peer.expect(32).await;
        peer.send(json!([33, 2, 10])).await;
    });
    drop(peer);
    let mut peer = router.accept().await;
    let mut requests = [peer.receive().await.unwrap(), peer.receive().await.unwrap()];
    requests.sort_by_key(|request| request[0].as_u64());
    let [subscribe, register] = requests.map(|request| request[1].clone());
    (router, client, made, (peer, subscribe, register))
}

#[tokio::test]
async fn what_is_ended_while_it_is_restored_is_taken_back() {
    within(async {
        let (_router, client, (registration, events), (mut peer, subscribe, register)) =
            restoring().await;
        drop(events);
        registration.unregister().await.unwrap();
        peer.send(json!([33, subscribe, 20])).await;
        assert_eq!(peer.expect(34).await[2], 20);
        peer.send(json!([65, register, 21])).await;
        assert_eq!(peer.expect(66).await[2], 21);
        peer.send(json!([35, 3])).await;
        peer.send(json!([67, 4])).await;
        client.established().await.unwrap();
        // Neither is asked for again.
        client.publish("com.example").await.unwrap();
        peer.expect(16).await;
    })
    .await;
}

#[tokio::test]
async fn what_another_shares_stays_when_one_is_ended_while_it_is_restored() {
    within(async {
        let (_router, client, (_registration, events), (mut peer, subscribe, register)) =
            restoring().await;
        let again = tokio::spawn(client.subscribe("com.example.topic").into_future());
        assert_eq!(peer.expect(32).await[1], 3);
        drop(events);
        peer.send(json!([33, subscribe, 20])).await;
        peer.send(json!([33, 3, 20])).await;
        peer.send(json!([65, register, 21])).await;
        let mut again = again.await.unwrap().unwrap();
        peer.send(json!([36, 20, 1, {}, ["news"]])).await;
        let event = again.next().await.unwrap();
        assert_eq!(event.args::<(String,)>().unwrap().0, "news");
        drop(again);
        assert_eq!(peer.expect(34).await[2], 20);
    })
    .await;
}
