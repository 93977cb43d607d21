//! Calling, through a real router.

use std::future::IntoFuture;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use wampy::proto::MatchPolicy;
use wampy::proto::message::CancelMode;
use wampy::{Client, Error, Invocation, WampError};

use crate::fixture::{never, router, router_and_client, until, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_calls_at_once_share_a_session() {
    within(async {
        let (router, callee) = router_and_client().await;
        callee
            .register("com.example.slow", async |invocation: Invocation| {
                let (number,): (u64,) = invocation.args()?;
                // The later calls are answered first.
                tokio::time::sleep(Duration::from_millis(100 - number)).await;
                Ok(number * 2)
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let calls: Vec<_> = (0..100_u64)
            .map(|number| {
                let call = caller.call("com.example.slow").args((number,));
                tokio::spawn(async move { (number, call.await) })
            })
            .collect();
        for call in calls {
            let (number, result) = call.await.unwrap();
            assert_eq!(result.unwrap().value::<u64>().unwrap(), number * 2);
        }
    })
    .await;
}

#[tokio::test]
async fn errors_name_the_procedure_and_carry_values() {
    within(async {
        let (_router, client) = router_and_client().await;
        let error = client.call("com.example.nobody").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));
        assert_eq!(
            error.as_wamp().unwrap().target(),
            Some("com.example.nobody")
        );

        client
            .register("com.example.fails", async |_| {
                Err::<(), _>(WampError::new("com.example.error.bad").with_args(("reason", 7)))
            })
            .await
            .unwrap();
        let error = client.call("com.example.fails").await.unwrap_err();
        let wamp = error.as_wamp().unwrap();
        assert_eq!(wamp.uri(), "com.example.error.bad");
        assert_eq!(
            wamp.args::<(String, u8)>().unwrap(),
            ("reason".to_owned(), 7)
        );
    })
    .await;
}

/// Dropping the call's future drops the handler's.
#[tokio::test]
async fn dropping_a_call_stops_its_handler() {
    within(async {
        let (router, callee) = router_and_client().await;
        let caller = Client::connect(router.url()).await.unwrap();
        let working = Arc::new(());
        let held = Arc::clone(&working);
        callee
            .register("com.example.never", move |_| {
                let held = Arc::clone(&held);
                async move {
                    std::future::pending::<()>().await;
                    drop(held);
                    Ok(())
                }
            })
            .await
            .unwrap();
        for mode in [CancelMode::KillNoWait, CancelMode::Kill] {
            let call = caller.call("com.example.never").cancel_mode(mode);
            let call = tokio::spawn(call.into_future());
            until(async || Arc::strong_count(&working) == 3).await;
            call.abort();
            until(async || Arc::strong_count(&working) == 2).await;
        }
        // Time that runs out cancels as well.
        let call = caller
            .call("com.example.never")
            .timeout(Duration::from_millis(30));
        assert!(matches!(call.await, Err(Error::Timeout { .. })));
        until(async || Arc::strong_count(&working) == 2).await;
    })
    .await;
}

#[tokio::test]
async fn a_client_s_own_time_limit_holds_for_its_calls() {
    within(async {
        let router = router().await;
        let limit = Duration::from_millis(40);
        let client = Client::builder(router.url())
            .call_timeout(limit)
            .connect()
            .await
            .unwrap();
        client
            .register("com.example.never", async |_| never().await)
            .await
            .unwrap();
        match client.call("com.example.never").await.unwrap_err() {
            Error::Timeout { what, after } => {
                assert_eq!(what, "the call of com.example.never");
                assert_eq!(after, limit);
            }
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_result_in_parts_arrives_in_order() {
    within(async {
        let (router, callee) = router_and_client().await;
        callee
            .register("com.example.count", async |invocation: Invocation| {
                let (limit,): (u32,) = invocation.args()?;
                for number in 0..limit {
                    invocation.progress((number,)).await?;
                }
                Ok("done")
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let mut parts = caller.call("com.example.count").args((500,)).progressive();
        for number in 0..500_u32 {
            let part = parts.next().await.unwrap().unwrap();
            assert!(part.is_progress());
            assert_eq!(part.value::<u32>().unwrap(), number);
        }
        let last = parts.next().await.unwrap().unwrap();
        assert!(!last.is_progress());
        assert_eq!(last.value::<String>().unwrap(), "done");
        assert!(parts.next().await.is_none());
        // Without the wish for parts only the result comes.
        let result = caller.call("com.example.count").args((5,)).await.unwrap();
        assert_eq!(result.value::<String>().unwrap(), "done");
    })
    .await;
}

#[tokio::test]
async fn dropping_a_progressive_call_stops_its_handler() {
    within(async {
        let (router, callee) = router_and_client().await;
        let parts_sent = Arc::new(AtomicUsize::new(0));
        let working = Arc::new(());
        let (counter, held) = (Arc::clone(&parts_sent), Arc::clone(&working));
        callee
            .register("com.example.forever", move |invocation: Invocation| {
                let (counter, held) = (Arc::clone(&counter), Arc::clone(&held));
                async move {
                    let _held = held;
                    loop {
                        invocation
                            .progress((counter.fetch_add(1, Ordering::Relaxed),))
                            .await?;
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    #[allow(unreachable_code)]
                    Ok(())
                }
            })
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let mut parts = caller.call("com.example.forever").progressive();
        for _ in 0..3 {
            parts.next().await.unwrap().unwrap();
        }
        drop(parts);
        until(async || Arc::strong_count(&working) == 2).await;
    })
    .await;
}

#[tokio::test]
async fn an_error_after_parts_is_the_last_item() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.breaks", async |invocation: Invocation| {
                invocation.progress((1,)).await?;
                Err::<(), _>(WampError::new("com.example.error.broke"))
            })
            .await
            .unwrap();
        let mut parts = client.call("com.example.breaks").progressive();
        parts.next().await.unwrap().unwrap();
        let error = parts.next().await.unwrap().unwrap_err();
        assert_eq!(error.uri(), Some("com.example.error.broke"));
        assert!(parts.next().await.is_none());
    })
    .await;
}

#[tokio::test]
async fn patterns_tell_the_handler_what_was_called() {
    within(async {
        let (_router, client) = router_and_client().await;
        let handler = async |call: Invocation| Ok(call.procedure().to_owned());
        for (procedure, policy, called) in [
            ("com.example.exact", MatchPolicy::Exact, "com.example.exact"),
            (
                "com.example.pre",
                MatchPolicy::Prefix,
                "com.example.pre.x.y",
            ),
            (
                "com.example..wild",
                MatchPolicy::Wildcard,
                "com.example.any.wild",
            ),
        ] {
            client
                .register(procedure, handler)
                .match_policy(policy)
                .await
                .unwrap();
            let result = client.call(called).await.unwrap();
            assert_eq!(result.value::<String>().unwrap(), called);
        }
    })
    .await;
}

#[tokio::test]
async fn payloads_of_all_sizes_pass() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.echo", async |call: Invocation| {
                Ok(wampy::Reply::from(call.payload().clone()))
            })
            .await
            .unwrap();
        for length in [
            0,
            1,
            100,
            32 << 10,
            40_000,
            64 << 10,
            65_537,
            1 << 20,
            9 << 20,
        ] {
            let text = "x".repeat(length);
            let result = client
                .call("com.example.echo")
                .args((&text,))
                .await
                .unwrap();
            assert_eq!(result.value::<String>().unwrap(), text);
        }
    })
    .await;
}
