use wampy_proto::auth::scram::{Derivation, Kdf};
use wampy_proto::auth::wampcra::Salting;
use wampy_proto::auth::{
    AuthMethod, CraCredential, Credential, Culprit, Means, Scram, ScramCredential, Secret, Step,
};

use crate::exchange::{Exchange, Failed};

fn both(ticket: &str) -> Exchange {
    let means = [
        Means::WampCra("s3cret".into()),
        Means::Ticket(ticket.into()),
    ];
    let demanded = [
        Credential::WampCra(CraCredential::plain("s3cret".into())),
        Credential::Ticket("123456".into()),
    ];
    Exchange::new(means, demanded)
}

#[test]
fn two_factors_are_two_challenges_in_a_row() {
    assert_eq!(both("123456").run(), Ok(()));
    assert!(matches!(both("654321").run(), Err(Failed::Router(_))));

    let mut begun = both("123456").begin();
    let challenge = begun.challenge();
    assert_eq!(challenge.authmethod, "wampcra");
    let answer = begun.signer.answer(&challenge).unwrap();
    let Step::Challenge(second) = begun.challenger.verify(&answer, &[1; 32]).unwrap() else {
        panic!("one factor is enough");
    };
    assert_eq!(second.authmethod, "ticket");
    let answer = begun.signer.answer(&second).unwrap();
    let Step::Proven(proof) = begun.challenger.verify(&answer, &[2; 32]).unwrap() else {
        panic!("a third factor");
    };
    assert_eq!(proof.authmethods, ["wampcra", "ticket"]);
}

#[test]
fn a_client_signs_only_by_what_it_was_given() {
    let mut exchange = both("123456");
    exchange.means = vec![Means::WampCra("s3cret".into())];
    let outcome = exchange.run();
    let Err(Failed::Client(error)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(error.culprit, Culprit::Client);
    assert_eq!(
        error.problem,
        "the router asks for a proof by ticket, which was not given"
    );
}

#[test]
fn a_user_who_does_not_exist_is_challenged_like_others_and_never_let_in() {
    let seed = Secret::from("the router's own");
    let salting = Salting {
        salt: "salt".into(),
        iterations: 10,
        keylen: 16,
    };
    let salted = CraCredential::salted(&"x".into(), salting).unwrap();
    let derivation = Derivation {
        kdf: Kdf::Pbkdf2,
        salt: vec![1; 16],
        iterations: 5000,
        memory_kib: 0,
    };
    let scram = ScramCredential::new(&"x".into(), derivation).unwrap();
    for (means, like) in [
        (Means::Ticket("x".into()), None),
        (Means::WampCra("x".into()), None),
        (
            Means::WampCra("x".into()),
            Some(Credential::WampCra(salted)),
        ),
        (
            Means::Scram(Scram::new("x".into())),
            Some(Credential::Scram(scram)),
        ),
        (Means::Scram(Scram::new("x".into())), None),
    ] {
        let decoy = Credential::decoy(means.method(), "joe", &seed, like.as_ref());
        let again = Credential::decoy(means.method(), "joe", &seed, like.as_ref());
        let another = Credential::decoy(means.method(), "jim", &seed, like.as_ref());
        assert!(decoy == again && decoy != another);

        let shape = |credential: Credential| {
            let extra = Exchange::new([means.clone()], [credential])
                .begin()
                .challenge()
                .extra;
            (
                extra.kdf,
                extra.iterations,
                extra.memory,
                extra.keylen,
                extra.salt.is_some(),
            )
        };
        if let Some(like) = like {
            assert_eq!(shape(decoy.clone()), shape(like));
        }
        let outcome = Exchange::new([means.clone()], [decoy]).run();
        assert!(matches!(outcome, Err(Failed::Router(_))), "{outcome:?}");
    }
    let decoy = Credential::decoy(AuthMethod::Cryptosign, "joe", &seed, None);
    assert_eq!(decoy, Credential::Cryptosign(Vec::new()));
}
