//! Calls whose answers go to one place, through a real router.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use wampy::proto::message::{CallOptions, CancelMode};
use wampy::proto::{Payload, Serializer};
use wampy::{Answers, CallResult, Client, Error, Invocation, Sending, ToldCalls};

use crate::fixture::{never, router_and_client, until, within};

type Answer = (u64, Result<CallResult, Error>);

struct Sender(UnboundedSender<Answer>);

impl Answers for Sender {
    fn answered(&self, number: u64, answer: Result<CallResult, Error>) {
        self.0.send((number, answer)).unwrap();
    }
}

fn told(client: &Client) -> (ToldCalls, UnboundedReceiver<Answer>) {
    let (sender, answers) = unbounded_channel();
    (client.told_calls(Arc::new(Sender(sender))), answers)
}

fn payload(number: u64) -> Payload<'static> {
    Payload::encode(Serializer::MsgPack, &(number,), &()).unwrap()
}

#[tokio::test]
async fn each_answer_comes_with_the_number_of_its_call() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.double", async |invocation: Invocation| {
                Ok(invocation.args::<(u64,)>()?.0 * 2)
            })
            .await
            .unwrap();
        let (calls, mut answers) = told(&client);
        let options = CallOptions::default();
        for number in 0..50 {
            let sending = Sending::WithNext;
            let made = calls.make(
                number,
                "com.example.double",
                &options,
                payload(number),
                sending,
            );
            assert!(made.is_some());
        }
        calls.flush();
        let mut numbers = Vec::new();
        for _ in 0..50 {
            let (number, answer) = answers.recv().await.unwrap();
            assert_eq!(answer.unwrap().value::<u64>().unwrap(), number * 2);
            numbers.push(number);
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..50));
    })
    .await;
}

#[tokio::test]
async fn an_error_can_name_its_procedure() {
    within(async {
        let (_router, client) = router_and_client().await;
        let (calls, mut answers) = told(&client);
        let (name, options) = ("com.example.nobody", CallOptions::default());
        let made = calls.make(1, name, &options, Payload::EMPTY, Sending::AtOnce);
        assert!(made.is_some());
        let (_, answer) = answers.recv().await.unwrap();
        let error = ToldCalls::explained(answer.unwrap_err(), name, None);
        assert_eq!(error.uri(), Some("wamp.error.no_such_procedure"));
        assert_eq!(error.as_wamp().unwrap().target(), Some(name));
        let limit = Duration::from_secs(1);
        let late = ToldCalls::timed_out(name, limit);
        assert!(matches!(late, Error::Timeout { after, .. } if after == limit));
    })
    .await;
}

#[tokio::test]
async fn a_call_that_is_canceled_ends_its_handler_and_is_told_no_more() {
    within(async {
        let (_router, client) = router_and_client().await;
        let working = Arc::new(());
        let held = Arc::clone(&working);
        client
            .register("com.example.never", move |_| {
                let held = Arc::clone(&held);
                async move {
                    let ended = never().await;
                    drop(held);
                    ended
                }
            })
            .await
            .unwrap();
        let (calls, mut answers) = told(&client);
        let (name, options) = ("com.example.never", CallOptions::default());
        let made = calls.make(1, name, &options, Payload::EMPTY, Sending::AtOnce);
        until(async || Arc::strong_count(&working) == 3).await;
        calls.cancel(made.unwrap(), CancelMode::Kill);
        until(async || Arc::strong_count(&working) == 2).await;
        let name = "wamp.session.count";
        assert!(
            calls
                .make(2, name, &options, Payload::EMPTY, Sending::AtOnce)
                .is_some()
        );
        assert_eq!(answers.recv().await.unwrap().0, 2);
    })
    .await;
}

#[tokio::test]
async fn the_end_of_the_session_answers_all_calls_and_takes_no_more() {
    within(async {
        let (_router, client) = router_and_client().await;
        client
            .register("com.example.never", async |_| never().await)
            .await
            .unwrap();
        let (calls, mut answers) = told(&client);
        let (name, options) = ("com.example.never", CallOptions::default());
        let made = calls.make(1, name, &options, Payload::EMPTY, Sending::WithNext);
        assert!(made.is_some());
        client.close().await.unwrap();
        let (number, answer) = answers.recv().await.unwrap();
        assert_eq!(number, 1);
        assert!(matches!(answer, Err(Error::Closed)));
        let made = calls.make(2, name, &options, Payload::EMPTY, Sending::AtOnce);
        assert!(made.is_none());
    })
    .await;
}
