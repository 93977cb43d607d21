use wampy_proto::Serializer;
use wampy_proto::auth::{Credential, Means};
use wampy_proto::{Message, error_uri};

use crate::exchange::{Exchange, Failed};

fn exchange(theirs: &str) -> Exchange {
    let means = [Means::Ticket(theirs.into())];
    Exchange::new(means, [Credential::Ticket("secret!!!".into())])
}

#[test]
fn check_84_the_challenge_is_empty_and_the_ticket_its_answer() {
    let mut begun = exchange("secret!!!").begin();
    assert_eq!(begun.hello.authmethods, Some(["ticket".into()].into()));
    let challenge = begun.challenge();
    let mut bytes = Vec::new();
    Message::from(challenge.clone())
        .encode(Serializer::Json, &mut bytes)
        .unwrap();
    assert_eq!(bytes, br#"[4,"ticket",{}]"#);
    let answer = begun.signer.answer(&challenge).unwrap();
    assert_eq!(answer.signature, "secret!!!");
    assert!(begun.verify(&answer).unwrap().authextra.is_empty());
}

#[test]
fn check_84_a_wrong_ticket_is_refused() {
    for wrong in ["secret!!", "secret!!!!", "Secret!!!", ""] {
        let Err(Failed::Router(denied)) = exchange(wrong).run() else {
            panic!("{wrong:?} was taken");
        };
        let abort = denied.abort();
        assert_eq!(abort.reason, error_uri::AUTHENTICATION_DENIED);
        assert_eq!(abort.details.scram, None);
    }
}

#[test]
fn a_client_needs_an_authid_and_an_answer_a_challenge() {
    use wampy_proto::auth::Signer;
    use wampy_proto::message::HelloDetails;
    let means = [Means::Ticket("x".into())];
    let error = Signer::begin(means.into(), None, &mut HelloDetails::default(), &[0; 64]);
    assert_eq!(error.unwrap_err().problem, "ticket needs an authid");

    let mut begun = exchange("secret!!!").begin();
    let challenge = begun.challenge();
    let answer = begun.signer.answer(&challenge).unwrap();
    begun.verify(&answer).unwrap();
    assert!(begun.verify(&answer).is_err(), "an answer counts once");
}
