//! Answering calls, through a real router.

use std::future::IntoFuture;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wampy::proto::message::InvocationPolicy;
use wampy::{Client, Invocation, RUNTIME_ERROR, Reply, Responder, WampError};

use crate::fixture::{router_and_client, until, within};

#[tokio::test]
async fn a_handler_may_call_register_publish_and_subscribe() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.inner", async |_| Ok(20))
            .await
            .unwrap();
        client
            .register("com.example.outer", async |invocation: Invocation| {
                let client = invocation.client();
                let inner: u32 = client.call("com.example.inner").await?.value()?;
                client.register("com.example.made", async |_| Ok(1)).await?;
                let made: u32 = client.call("com.example.made").await?.value()?;
                let mut events = client.subscribe("com.example.topic").await?;
                client
                    .publish("com.example.topic")
                    .args((2,))
                    .exclude_me(false)
                    .await?;
                let event = events
                    .next()
                    .await
                    .ok_or(WampError::new("com.example.closed"))?;
                Ok(inner + made + event.args::<(u32,)>()?.0)
            })
            .await
            .unwrap();
        let sum = client.call("com.example.outer").await.unwrap();
        assert_eq!(sum.value::<u32>().unwrap(), 23);
    })
    .await;
}

#[tokio::test]
async fn a_handler_may_call_its_own_procedure() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.factorial", async |invocation: Invocation| {
                let (number,): (u64,) = invocation.args()?;
                if number < 2 {
                    return Ok(1);
                }
                let call = invocation
                    .client()
                    .call("com.example.factorial")
                    .args((number - 1,));
                Ok(number * call.await?.value::<u64>()?)
            })
            .await
            .unwrap();
        let result = client
            .call("com.example.factorial")
            .args((20,))
            .await
            .unwrap();
        assert_eq!(result.value::<u64>().unwrap(), 2_432_902_008_176_640_000);
    })
    .await;
}

#[tokio::test]
async fn handlers_that_fail_answer_with_runtime_errors() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.panics", async |call: Invocation| {
                assert_eq!(
                    call.payload().encoded_len(),
                    usize::MAX,
                    "this panic is wanted"
                );
                Ok(())
            })
            .await
            .unwrap();
        client
            .register("com.example.io", async |_| {
                Ok(std::fs::read_to_string("/no/such/file")?)
            })
            .await
            .unwrap();
        client
            .register_with("com.example.forgets", |_, responder: Responder| {
                drop(responder)
            })
            .await
            .unwrap();
        client
            .register_with("com.example.panics_at_once", |_, _responder| {
                panic!("this panic is wanted")
            })
            .await
            .unwrap();
        for (procedure, text) in [
            ("com.example.panics", "the handler panicked"),
            ("com.example.io", "No such file"),
            ("com.example.forgets", "the handler gave no answer"),
            ("com.example.panics_at_once", "the handler panicked"),
        ] {
            let error = client.call(procedure).await.unwrap_err();
            assert_eq!(error.uri(), Some(RUNTIME_ERROR), "{procedure}");
            let found = error.as_wamp().unwrap().args::<(String,)>().unwrap().0;
            assert!(found.contains(text), "{procedure}: {found}");
        }
    })
    .await;
}

#[tokio::test]
async fn arguments_that_do_not_suit_are_the_caller_s_mistake() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.add", async |invocation: Invocation| {
                let (a, b): (i64, i64) = invocation.args()?;
                Ok(a + b)
            })
            .await
            .unwrap();
        let error = client
            .call("com.example.add")
            .args(("one",))
            .await
            .unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.invalid_argument"));
    })
    .await;
}

#[tokio::test]
async fn one_at_a_time_means_in_order() {
    within(async {
        let (_router, client) = router_and_client().await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let running = Arc::new(AtomicUsize::new(0));
        let (log, busy) = (Arc::clone(&seen), Arc::clone(&running));
        client
            .register("com.example.print", move |invocation: Invocation| {
                let (log, busy) = (Arc::clone(&log), Arc::clone(&busy));
                async move {
                    assert_eq!(busy.fetch_add(1, Ordering::SeqCst), 0, "one at a time");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    log.lock().unwrap().push(invocation.args::<(u32,)>()?.0);
                    busy.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                }
            })
            .concurrency(1)
            .await
            .unwrap();
        let mut calls = Vec::new();
        for number in 0..50_u32 {
            let mut call = client
                .call("com.example.print")
                .args((number,))
                .into_future();
            // Polled once, so that the calls are sent in this order.
            std::future::poll_fn(|cx| {
                _ = call.as_mut().poll(cx);
                std::task::Poll::Ready(())
            })
            .await;
            calls.push(call);
        }
        for call in calls {
            call.await.unwrap();
        }
        assert_eq!(*seen.lock().unwrap(), (0..50).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn canceling_a_call_that_waits_for_its_turn_lets_the_others_go_on() {
    within(async {
        let (router, callee) = router_and_client().await;
        let (gate, opened) = tokio::sync::watch::channel(false);
        callee
            .register("com.example.gated", move |_| {
                let mut opened = opened.clone();
                async move {
                    opened.wait_for(|open| *open).await?;
                    Ok("through")
                }
            })
            .concurrency(1)
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let calls: Vec<_> = (0..3)
            .map(|_| tokio::spawn(caller.call("com.example.gated").into_future()))
            .collect();
        // All three have been sent when a later call of the same session is answered.
        caller.call("wamp.session.count").await.unwrap();
        calls[1].abort();
        gate.send(true).unwrap();
        for (number, call) in calls.into_iter().enumerate() {
            match (number, call.await) {
                (1, outcome) => assert!(outcome.unwrap_err().is_cancelled()),
                (_, outcome) => {
                    assert_eq!(
                        outcome.unwrap().unwrap().value::<String>().unwrap(),
                        "through"
                    );
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_responder_answers_from_any_thread_and_learns_of_the_end() {
    within(async {
        let (_router, client) = router_and_client().await;
        let (sender, receiver) = std::sync::mpsc::channel::<(Invocation, Responder)>();
        client
            .register_with("com.example.work", move |invocation, responder| {
                _ = sender.send((invocation, responder));
            })
            .await
            .unwrap();
        let call = tokio::spawn(client.call("com.example.work").args((21,)).into_future());
        let (receiver, answered) = tokio::task::spawn_blocking(move || {
            let (invocation, responder) = receiver.recv().unwrap();
            let (number,): (u32,) = invocation.args().unwrap();
            let answered = responder.complete(Reply::new().with_args((number * 2,)));
            (receiver, answered)
        })
        .await
        .unwrap();
        assert!(answered);
        assert_eq!(call.await.unwrap().unwrap().value::<u32>().unwrap(), 42);

        let call = tokio::spawn(client.call("com.example.work").into_future());
        let (_, responder) = tokio::task::spawn_blocking(move || receiver.recv().unwrap())
            .await
            .unwrap();
        assert!(!responder.is_over());
        let (told, heard) = tokio::sync::oneshot::channel();
        responder.on_end(move || told.send("canceled").unwrap());
        call.abort();
        assert_eq!(heard.await, Ok("canceled"));
        until(async || responder.is_over()).await;
        let (told, mut heard) = tokio::sync::oneshot::channel();
        responder.on_end(move || told.send("at once").unwrap());
        assert_eq!(heard.try_recv(), Ok("at once"));
        assert!(!responder.complete(Reply::new()), "the call is over");
    })
    .await;
}

#[tokio::test]
async fn a_procedure_can_be_taken_back_and_offered_again() {
    within(async {
        let (_router, client) = router_and_client().await;
        let registration = client
            .register("com.example", async |_| Ok(1))
            .await
            .unwrap();
        let error = client
            .register("com.example", async |_| Ok(2))
            .await
            .unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.procedure_already_exists"));
        assert_eq!(error.as_wamp().unwrap().target(), Some("com.example"));
        registration.unregister().await.unwrap();
        let error = client.call("com.example").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));
        client
            .register("com.example", async |_| Ok(3))
            .await
            .unwrap();
        assert_eq!(
            client
                .call("com.example")
                .await
                .unwrap()
                .value::<u8>()
                .unwrap(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn a_shared_procedure_goes_round() {
    within(async {
        let (router, caller) = router_and_client().await;
        let mut callees = Vec::new();
        for name in ["a", "b", "c"] {
            let callee = Client::connect(router.url()).await.unwrap();
            callee
                .register("com.example.who", move |_| async move { Ok(name) })
                .invoke(InvocationPolicy::RoundRobin)
                .await
                .unwrap();
            callees.push(callee);
        }
        let mut answers = String::new();
        for _ in 0..4 {
            answers += &caller
                .call("com.example.who")
                .await
                .unwrap()
                .value::<String>()
                .unwrap();
        }
        assert_eq!(answers, "abca");
    })
    .await;
}

#[tokio::test]
async fn a_result_too_large_for_the_router_is_an_error_for_the_caller() {
    within(async {
        let (router, caller) = router_and_client().await;
        let rawsocket = router.url().replacen("ws://", "rs://", 1);
        let callee = Client::connect(rawsocket).await.unwrap();
        callee
            .register("com.example.big", async |_| Ok("x".repeat(17 << 20)))
            .await
            .unwrap();
        let error = caller.call("com.example.big").await.unwrap_err();
        assert_eq!(error.uri(), Some("wamp.error.payload_size_exceeded"));
    })
    .await;
}

/// So many frames, one inside of the other, fit on no thread's stack.
const CALLS: usize = 9000;

/// Each answer starts the next handler, which must not happen inside of the one before.
#[tokio::test]
async fn a_long_queue_of_handlers_that_answer_at_once_does_not_nest() {
    within(async {
        let (router, callee) = router_and_client().await;
        let first = Arc::new(Mutex::new(None));
        let is_first = AtomicUsize::new(0);
        let held = Arc::clone(&first);
        callee
            .register_with("com.example.queue", move |_, responder| {
                match is_first.fetch_add(1, Ordering::SeqCst) {
                    0 => *held.lock().unwrap() = Some(responder),
                    _ => _ = responder.complete(Reply::new()),
                }
            })
            .concurrency(1)
            .await
            .unwrap();
        let caller = Client::connect(router.url()).await.unwrap();
        let calls: Vec<_> = (0..CALLS)
            .map(|_| tokio::spawn(caller.call("com.example.queue").into_future()))
            .collect();
        until(async || first.lock().unwrap().is_some()).await;
        // Every invocation has come when the answer to a later call of its receiver has.
        caller.call("wamp.session.count").await.unwrap();
        callee.call("wamp.session.count").await.unwrap();
        let first = first.lock().unwrap().take().unwrap();
        let answered = std::thread::spawn(move || first.complete(Reply::new()));
        assert!(answered.join().unwrap());
        for call in calls {
            call.await.unwrap().unwrap();
        }
    })
    .await;
}
