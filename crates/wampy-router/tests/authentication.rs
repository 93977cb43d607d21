//! Authentication over real sockets: every method, what goes wrong with it, and who is kept out.

#![allow(clippy::unwrap_used)]

mod peer;

use std::time::{Duration, Instant};

use peer::joining::{asked, by_ticket, claim, knock};
use peer::{Host, Peer, Value, json};
use wampy_proto::Serializer;
use wampy_router::auth::scram::{AuthMessage, Derivation, Dialect, Kdf, Keys};
use wampy_router::auth::wampcra::{self, Salting};
use wampy_router::auth::{
    AuthMethod, CraCredential, Credentials, PrivateKey, PublicKey, ScramCredential, Secret,
};
use wampy_router::{Authentication, Builder, Limits, Method, RealmSettings, User};

const DENIED: &str = "wamp.error.authentication_denied";

fn client_key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn router_key() -> PrivateKey {
    PrivateKey::from_seed(&[2; 32])
}

fn derivation() -> Derivation {
    Derivation {
        kdf: Kdf::Pbkdf2,
        salt: b"0123456789abcdef".to_vec(),
        iterations: 4096,
        memory_kib: 0,
    }
}

fn salting() -> Salting {
    Salting {
        salt: "salt123".to_owned(),
        iterations: 100,
        keylen: 32,
    }
}

fn by_cra(secret: &str, salting: Option<Salting>) -> Credentials {
    let secret = Secret::from(secret);
    Credentials {
        wampcra: Some(match salting {
            None => CraCredential::plain(secret),
            Some(salting) => CraCredential::salted(&secret, salting).unwrap(),
        }),
        ..Credentials::default()
    }
}

fn by_scram(password: &str) -> Credentials {
    Credentials {
        scram: Some(ScramCredential::new(&password.into(), derivation()).unwrap()),
        ..Credentials::default()
    }
}

fn by_key(key: &PrivateKey) -> Credentials {
    Credentials {
        cryptosign: vec![key.public_key()],
        ..Credentials::default()
    }
}

fn everything() -> Authentication {
    let methods = [
        Method::Ticket,
        Method::WampCra,
        Method::Scram,
        Method::Cryptosign,
    ];
    Authentication::by(methods)
        .router_key(router_key())
        .user(User::new("joe", "user").credentials(by_ticket("secret!!!")))
        .user(User::new("peter", "user").credentials(by_cra("secret1", None)))
        .user(User::new("salty", "user").credentials(by_cra("secret2", Some(salting()))))
        .user(User::new("user", "frontend").credentials(by_scram("pencil")))
        .user(
            User::new("client01@example.com", "device")
                .credentials(by_key(&client_key()))
                .extra("floor", wampy_proto::Value::Unsigned(3)),
        )
}

/// A router whose realm `closed` wants `authentication`.
fn host_with(authentication: Authentication, set_up: impl FnOnce(Builder) -> Builder) -> Host {
    Host::with(|builder| {
        let closed = RealmSettings::new("closed").authentication(authentication);
        set_up(builder.realm_with(closed))
    })
}

fn host(authentication: Authentication) -> Host {
    host_with(authentication, |builder| builder)
}

fn expect_denied(mut peer: Peer) -> String {
    let problem = peer.expect_abort(DENIED);
    peer.expect_end();
    problem
}

fn sign_in_by_ticket(host: &Host, authid: &str, ticket: &str) -> Value {
    let (mut peer, _) = asked(host, &claim("ticket", authid));
    peer.send(&json!([5, ticket, {}]));
    let answer = peer.message();
    if answer[0] == 2 {
        assert_eq!(answer[2]["authid"], authid, "{answer}");
    }
    answer
}

#[test]
fn check_84_a_ticket_is_asked_for_and_looked_at() {
    let host = host(everything());
    let (mut peer, challenge) = asked(&host, &claim("ticket", "joe"));
    assert_eq!(challenge, json!([4, "ticket", {}]));
    peer.send(&json!([5, "secret!!!", {}]));
    let welcome = peer.expect_welcome();
    let details = &welcome[2];
    for (key, value) in [
        ("realm", "closed"),
        ("authid", "joe"),
        ("authrole", "user"),
        ("authmethod", "ticket"),
        ("authprovider", "static"),
    ] {
        assert_eq!(details[key], value, "{details}");
    }
    // The session stands.
    assert_eq!(peer.call("wamp.session.count", json!([]))[3], json!([1]));

    for wrong in ["secret!!", "secret!!!!", "", "x"] {
        let (mut peer, _) = asked(&host, &claim("ticket", "joe"));
        peer.send(&json!([5, wrong, {}]));
        expect_denied(peer);
    }
    assert_eq!(host.stats().sessions, 1);
}

#[test]
fn check_85_the_cra_challenge_says_who_the_session_will_be() {
    let host = host(everything());
    for (authid, secret, salting) in [
        ("peter", "secret1", None),
        ("salty", "secret2", Some(salting())),
    ] {
        let (mut peer, challenge) = asked(&host, &claim("wampcra", authid));
        let extra = &challenge[2];
        let text = extra["challenge"].as_str().unwrap();
        let fields: Value = serde_json::from_str(text).unwrap();
        assert_eq!(fields.as_object().unwrap().len(), 7, "{fields}");
        assert_eq!(fields["authid"], authid);
        assert_eq!(fields["authrole"], "user");
        assert_eq!(fields["authmethod"], "wampcra");
        assert_eq!(fields["authprovider"], "static");
        assert!(fields["nonce"].as_str().unwrap().len() >= 32);
        let timestamp = fields["timestamp"].as_str().unwrap();
        assert!(
            timestamp.ends_with('Z') && timestamp.len() == 24,
            "{timestamp}"
        );
        let key = match salting {
            None => {
                assert_eq!(extra.get("salt"), None);
                secret.into()
            }
            Some(salting) => {
                assert_eq!(
                    (&extra["salt"], &extra["iterations"], &extra["keylen"]),
                    (&json!("salt123"), &json!(100), &json!(32))
                );
                salting.derive(&secret.into()).unwrap()
            }
        };
        peer.send(&json!([5, wampcra::signature(&key, text), {}]));
        let welcome = peer.expect_welcome();
        assert_eq!(welcome[1], fields["session"]);
        assert_eq!(welcome[2]["authmethod"], "wampcra");
    }
    // What was signed once is of no use again.
    let (_, old) = asked(&host, &claim("wampcra", "peter"));
    let signature = wampcra::signature(&"secret1".into(), old[2]["challenge"].as_str().unwrap());
    let (mut peer, _) = asked(&host, &claim("wampcra", "peter"));
    peer.send(&json!([5, signature, {}]));
    expect_denied(peer);
    let (mut peer, challenge) = asked(&host, &claim("wampcra", "peter"));
    let text = challenge[2]["challenge"].as_str().unwrap();
    peer.send(&json!([5, wampcra::signature(&"wrong".into(), text), {}]));
    expect_denied(peer);
}

/// HELLO of SCRAM.
fn scram_hello(authid: &str, binding: Value) -> Value {
    let extra = json!({"nonce": "egVDf3DMJh0=", "channel_binding": binding});
    json!({"authmethods": ["wamp-scram"], "authid": authid, "authextra": extra})
}

/// What a client that knows `password` answers to a SCRAM challenge, and what it expects in WELCOME.
fn scram_answer(authid: &str, password: &str, challenge: &Value) -> (Value, String) {
    let extra = &challenge[2];
    let nonce = extra["nonce"].as_str().unwrap();
    let derivation = Derivation {
        iterations: extra["iterations"].as_u64().unwrap(),
        ..derivation()
    };
    let keys = Keys::derive(&password.into(), &derivation).unwrap();
    let message = AuthMessage {
        dialect: Dialect::Specified,
        authid,
        client_nonce: "egVDf3DMJh0=",
        nonce,
        salt: extra["salt"].as_str().unwrap(),
        iterations: derivation.iterations,
        channel: None,
    };
    let extra = json!({"nonce": nonce, "channel_binding": null, "cbind_data": null});
    let answer = json!([5, keys.client_proof(&message), extra]);
    (answer, keys.server_signature(&message))
}

#[test]
fn check_87_a_scram_proof_must_fit_nonce_binding_and_password() {
    let host = host(everything());
    let (mut peer, challenge) = asked(&host, &scram_hello("user", Value::Null));
    assert_eq!(challenge[1], "wamp-scram");
    let extra = &challenge[2];
    let nonce = extra["nonce"].as_str().unwrap();
    assert!(
        nonce.starts_with("egVDf3DMJh0=") && nonce.len() > 20,
        "{nonce}"
    );
    assert_eq!(
        (&extra["kdf"], &extra["iterations"]),
        (&json!("pbkdf2"), &json!(4096))
    );
    let (answer, verifier) = scram_answer("user", "pencil", &challenge);
    peer.send(&answer);
    let welcome = peer.expect_welcome();
    assert_eq!(welcome[2]["authextra"]["verifier"], verifier);
    // That is between the two of them.
    let details = &peer.call("wamp.session.get", json!([welcome[1]]))[3][0];
    assert_eq!(details.get("authextra"), None, "{details}");
    assert_eq!(welcome[2]["authrole"], "frontend");

    type Spoil = fn(&mut Value);
    let spoils: [Spoil; 6] = [
        |answer| answer[2]["nonce"] = json!("egVDf3DMJh0="),
        |answer| answer[2]["nonce"] = Value::Null,
        |answer| answer[2]["channel_binding"] = json!("tls-exporter"),
        |answer| answer[2]["cbind_data"] = json!("AAAA"),
        |answer| answer[1] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        |answer| answer[1] = json!("no base64"),
    ];
    for (at, spoil) in spoils.into_iter().enumerate() {
        let (mut peer, challenge) = asked(&host, &scram_hello("user", Value::Null));
        let (mut answer, _) = scram_answer("user", "pencil", &challenge);
        spoil(&mut answer);
        peer.send(&answer);
        let problem = expect_denied(peer);
        assert!(!problem.is_empty(), "spoilt in way {at}");
    }
    let (mut peer, challenge) = asked(&host, &scram_hello("user", Value::Null));
    peer.send(&scram_answer("user", "pencils", &challenge).0);
    expect_denied(peer);
    // There is no TLS to be bound to.
    for binding in ["tls-unique", "tls-exporter", "nonsense"] {
        let problem = expect_denied(knock(&host, &scram_hello("user", json!(binding))));
        assert!(problem.contains("binding"), "{problem}");
    }
}

#[test]
fn check_87_an_answer_that_does_not_come_in_time_is_refused() {
    let host = host_with(everything(), |builder| {
        builder.limits(Limits {
            handshake_timeout_ms: 200,
            ..Limits::default()
        })
    });
    let (mut peer, _) = asked(&host, &scram_hello("user", Value::Null));
    peer.expect_abort("wamp.error.authentication_failed");
    peer.expect_end();
}

fn cryptosign_hello(key: &PrivateKey, extra: Value) -> Value {
    let mut authextra = json!({"pubkey": key.public_key().to_string()});
    for (key, value) in extra.as_object().unwrap() {
        authextra[key] = value.clone();
    }
    json!({"authmethods": ["cryptosign"], "authextra": authextra})
}

fn signed(key: &PrivateKey, challenge: &Value) -> Value {
    let challenge = bytes_of(challenge[2]["challenge"].as_str().unwrap());
    json!([5, key.sign(&challenge, None), {}])
}

fn bytes_of(hex: &str) -> [u8; 32] {
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn check_90_the_router_signs_the_challenge_of_a_cryptosign_client() {
    let host = host(everything());
    let theirs = [9; 32];
    let hex = "09".repeat(32);
    let hello = cryptosign_hello(&client_key(), json!({"challenge": hex}));
    let (mut peer, challenge) = asked(&host, &hello);
    let public: PublicKey = challenge[2]["pubkey"].as_str().unwrap().parse().unwrap();
    assert_eq!(public, router_key().public_key());
    let signature = challenge[2]["signature"].as_str().unwrap();
    assert!(public.has_signed(signature, &theirs, None));
    peer.send(&signed(&client_key(), &challenge));
    // Without an authid, the key says who the client is.
    let welcome = peer.expect_welcome();
    assert_eq!(welcome[2]["authid"], "client01@example.com");
    assert_eq!(welcome[2]["authextra"], json!({"floor": 3}));
    // Who does not ask for it gets neither.
    let (_, challenge) = asked(&host, &cryptosign_hello(&client_key(), json!({})));
    assert_eq!(
        (challenge[2].get("pubkey"), challenge[2].get("signature")),
        (None, None)
    );
}

#[test]
fn a_cryptosign_client_has_its_own_key_and_nobody_elses_name() {
    let host = host(everything());
    let stranger = PrivateKey::from_seed(&[3; 32]);
    // A key that nobody knows is asked like any other.
    let (mut peer, challenge) = asked(&host, &cryptosign_hello(&stranger, json!({})));
    peer.send(&signed(&stranger, &challenge));
    expect_denied(peer);
    // Another's key as its own.
    let (mut peer, challenge) = asked(&host, &cryptosign_hello(&client_key(), json!({})));
    peer.send(&signed(&stranger, &challenge));
    expect_denied(peer);
    // Its own key under another's name.
    let mut hello = cryptosign_hello(&client_key(), json!({}));
    hello["authid"] = json!("joe");
    let mut peer = knock(&host, &hello);
    peer.expect_abort("wamp.error.no_matching_auth_method");
}

#[test]
fn check_91_the_reasons_of_a_refusal_before_anything_is_proven() {
    let host = host(everything());
    for details in [
        json!({}),
        json!({"authmethods": []}),
        json!({"authmethods": ["anonymous"]}),
    ] {
        let mut peer = knock(&host, &details);
        peer.expect_abort("wamp.error.authentication_required");
        peer.expect_end();
    }
    let mut peer = knock(&host, &json!({"authmethods": ["tls", "telepathy"]}));
    let problem = peer.expect_abort("wamp.error.no_matching_auth_method");
    assert!(
        problem.contains("telepathy") && problem.contains("wampcra"),
        "{problem}"
    );
    // The method is there, what it needs is not.
    for details in [
        json!({"authmethods": ["ticket"]}),
        json!({"authmethods": ["cryptosign"]}),
    ] {
        knock(&host, &details).expect_abort("wamp.error.authentication_required");
    }
    let mut peer = host.rawsocket(Serializer::Json);
    peer.send(&Peer::hello_to("nowhere", &claim("ticket", "joe")));
    peer.expect_abort("wamp.error.no_such_realm");
}

#[test]
fn check_91_an_unknown_authid_is_told_so_only_where_the_operator_wants_it() {
    let host = host(everything().reveal_unknown_users(true));
    for method in ["ticket", "wampcra"] {
        let mut peer = knock(&host, &claim(method, "nobody"));
        peer.expect_abort("wamp.error.no_such_principal");
        peer.expect_end();
    }
    knock(&host, &scram_hello("nobody", Value::Null)).expect_abort("wamp.error.no_such_principal");
    assert_eq!(sign_in_by_ticket(&host, "joe", "secret!!!")[0], 2);
}

#[test]
fn an_unknown_authid_sees_and_hears_what_one_with_a_wrong_secret_does() {
    // One user per method, so that whom an unknown authid imitates is known.
    for (method, user) in [
        (
            "ticket",
            User::new("joe", "user").credentials(by_ticket("a")),
        ),
        (
            "wampcra",
            User::new("joe", "user").credentials(by_cra("a", Some(salting()))),
        ),
        (
            "wamp-scram",
            User::new("joe", "user").credentials(by_scram("a")),
        ),
    ] {
        let methods = [Method::Ticket, Method::WampCra, Method::Scram];
        let host = host(Authentication::by(methods).user(user));
        let see = |authid: &str| {
            // The other methods are the client's as well, but neither user's.
            let mut hello = scram_hello(authid, Value::Null);
            hello["authmethods"] = json!(["ticket", "wampcra", "wamp-scram"]);
            let (mut peer, challenge) = asked(&host, &hello);
            peer.send(&json!([5, "wrong", {"nonce": challenge[2]["nonce"]}]));
            let abort = peer.message();
            peer.expect_end();
            (challenge, abort)
        };
        let ((real, real_abort), (fake, fake_abort)) = (see("joe"), see("nobody"));
        assert_eq!((&real[1], &fake[1]), (&json!(method), &json!(method)));
        assert_eq!(real_abort, fake_abort);
        assert_eq!(real_abort[2], DENIED);
        let keys = |challenge: &Value| {
            let extra = challenge[2].as_object().unwrap();
            extra.keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys(&real), keys(&fake));
        for parameter in ["iterations", "keylen", "kdf", "memory"] {
            assert_eq!(real[2].get(parameter), fake[2].get(parameter));
        }
        // The salt is the user's own, and the same each time.
        assert_eq!(fake[2].get("salt"), see("nobody").0[2].get("salt"));
        if fake[2].get("salt").is_some() {
            assert_ne!(fake[2]["salt"], real[2]["salt"]);
            assert_ne!(fake[2]["salt"], see("somebody else").0[2]["salt"]);
        }
        if method == "wampcra" {
            let text = fake[2]["challenge"].as_str().unwrap();
            let fields: Value = serde_json::from_str(text).unwrap();
            assert_eq!(
                (&fields["authid"], &fields["authrole"]),
                (&json!("nobody"), &json!("user"))
            );
        }
    }
}

#[test]
fn check_3_anything_but_an_answer_to_the_challenge_ends_the_attempt() {
    let host = host(everything());
    for other in [
        json!([48, 1, {}, "wamp.session.count"]),
        Peer::hello_to("closed", &claim("ticket", "joe")),
        json!([6, {}, "wamp.close.goodbye_and_out"]),
    ] {
        let (mut peer, _) = asked(&host, &claim("ticket", "joe"));
        peer.send(&other);
        peer.expect_violation();
    }
    // ABORT is no violation: the client has changed its mind.
    let (mut peer, _) = asked(&host, &claim("ticket", "joe"));
    peer.send(&json!([3, {}, "wamp.error.authentication_failed"]));
    peer.expect_end();
    assert_eq!(host.stats().sessions, 0);
}

#[test]
fn check_4_authenticate_before_hello_and_a_second_time_break_the_protocol() {
    let host = host(everything());
    let mut early = host.rawsocket(Serializer::Json);
    early.send(&json!([5, "secret!!!", {}]));
    early.expect_violation();

    let (mut twice, _) = asked(&host, &claim("ticket", "joe"));
    twice.send_all(&[json!([5, "secret!!!", {}]), json!([5, "secret!!!", {}])]);
    twice.expect_welcome();
    twice.expect_violation();

    // A second guess on one connection.
    let (mut guess, _) = asked(&host, &claim("ticket", "joe"));
    guess.send_all(&[json!([5, "wrong", {}]), json!([5, "secret!!!", {}])]);
    expect_denied(guess);
    host.eventually("nobody is in", |stats| stats.sessions == 0);
}

#[test]
fn an_answer_to_another_method_is_no_answer() {
    let host = host(everything());
    let (mut peer, challenge) = asked(&host, &cryptosign_hello(&client_key(), json!({})));
    let text = challenge[2]["challenge"].as_str().unwrap();
    peer.send(&json!([5, wampcra::signature(&"secret1".into(), text), {}]));
    expect_denied(peer);
    let (mut peer, _) = asked(&host, &claim("wampcra", "peter"));
    peer.send(&json!([5, "secret1", {}]));
    expect_denied(peer);
}

#[test]
fn a_huge_answer_ends_its_connection_at_its_first_bytes() {
    let host = host(everything());
    for serializer in [Serializer::Json, Serializer::MsgPack] {
        let mut peer = host.rawsocket(serializer);
        peer.send(&Peer::hello_to("closed", &claim("ticket", "joe")));
        assert_eq!(peer.message()[0], 4);
        // Only the beginning is sent.
        let message = json!([5, "x".repeat(1 << 20), {}]);
        let bytes = peer.encode(&message);
        let frame = peer.frame(&bytes);
        peer.send_bytes(&frame[..1000]);
        let problem = peer.expect_violation();
        assert!(problem.contains("65536"), "{problem}");
    }
    // In fragments, over WebSocket, it is looked at when it is whole.
    let mut peer = host.websocket(Serializer::Json);
    peer.send(&Peer::hello_to("closed", &claim("ticket", "joe")));
    assert_eq!(peer.message()[0], 4);
    peer.send(&json!([5, "x".repeat(70_000), {}]));
    peer.expect_violation();
}

#[test]
fn two_factors_are_two_challenges() {
    let credentials = Credentials {
        ticket: Some("123456".into()),
        ..by_cra("secret", None)
    };
    let user = User::new("joe", "user")
        .credentials(credentials)
        .second_factor(AuthMethod::Ticket);
    let host = host(Authentication::by([Method::Ticket, Method::WampCra]).user(user));
    let both = || json!({"authmethods": ["ticket", "wampcra"], "authid": "joe"});
    let first = |peer: &mut Peer, challenge: &Value| {
        assert_eq!(challenge[1], "wampcra");
        let text = challenge[2]["challenge"].as_str().unwrap();
        peer.send(&json!([5, wampcra::signature(&"secret".into(), text), {}]));
        assert_eq!(peer.message(), json!([4, "ticket", {}]));
    };
    let (mut peer, challenge) = asked(&host, &both());
    first(&mut peer, &challenge);
    peer.send(&json!([5, "123456", {}]));
    let welcome = peer.expect_welcome();
    assert_eq!(welcome[2]["authmethod"], "wampcra");

    let (mut peer, challenge) = asked(&host, &both());
    first(&mut peer, &challenge);
    peer.send(&json!([5, "654321", {}]));
    expect_denied(peer);
    // A wrong first one is refused at once; one alone does not do.
    let (mut peer, _) = asked(&host, &both());
    peer.send(&json!([5, "123456", {}]));
    expect_denied(peer);
    for method in ["ticket", "wampcra"] {
        let mut peer = knock(&host, &claim(method, "joe"));
        peer.expect_abort("wamp.error.no_matching_auth_method");
    }
    // Nobody's second factor looks like everybody's.
    let mut peer = knock(&host, &claim("wampcra", "nobody"));
    peer.expect_abort("wamp.error.no_matching_auth_method");
}

#[test]
fn a_user_of_one_realm_is_nobody_in_another() {
    let other = Authentication::by([Method::Ticket])
        .user(User::new("ann", "user").credentials(by_ticket("other")));
    let closed = Authentication::by([Method::Ticket])
        .user(User::new("joe", "user").credentials(by_ticket("secret!!!")));
    let host = host_with(closed, |builder| {
        builder.realm_with(RealmSettings::new("other").authentication(other))
    });
    let sign_in = |realm: &str, authid: &str, ticket: &str| {
        let mut peer = host.rawsocket(Serializer::Json);
        peer.send(&Peer::hello_to(realm, &claim("ticket", authid)));
        assert_eq!(peer.message()[0], 4);
        peer.send(&json!([5, ticket, {}]));
        (peer.message(), peer)
    };
    let (welcome, mut joe) = sign_in("closed", "joe", "secret!!!");
    assert_eq!(welcome[0], 2);
    let (welcome, mut ann) = sign_in("other", "ann", "other");
    assert_eq!(welcome[2]["realm"], "other");
    for (realm, authid, ticket) in [("other", "joe", "secret!!!"), ("closed", "ann", "other")] {
        let (abort, _) = sign_in(realm, authid, ticket);
        assert_eq!(abort[2], DENIED);
    }
    // Neither sees the other.
    joe.register("com.example.mine");
    let error = ann.call("com.example.mine", json!([]));
    assert_eq!(error[4], "wamp.error.no_such_procedure");
    assert_eq!(ann.call("wamp.session.count", json!([]))[3], json!([1]));
}

#[test]
fn a_realm_comes_into_being_only_for_a_client_that_may_join_it() {
    let template = RealmSettings::new("").authentication(everything());
    let host = Host::with(|builder| {
        builder
            .auto_create_realms(true)
            .auto_created_realms_with(template)
    });
    let configured = host.stats().realms.len();
    let sign_in = |realm: &str, ticket: &str| {
        let mut peer = host.rawsocket(Serializer::Json);
        peer.send(&Peer::hello_to(realm, &claim("ticket", "joe")));
        assert_eq!(peer.message()[0], 4);
        peer.send(&json!([5, ticket, {}]));
        (peer.message(), peer)
    };
    let (abort, _) = sign_in("new", "wrong");
    assert_eq!(abort[2], DENIED);
    assert_eq!(host.stats().realms.len(), configured);
    let (welcome, _) = sign_in("new", "secret!!!");
    assert_eq!(welcome[2]["realm"], "new");
    assert_eq!(host.stats().realms.len(), configured + 1);
}

#[test]
fn failures_make_the_next_attempts_wait_whether_right_or_wrong() {
    let host = host_with(everything(), |builder| {
        builder.limits(Limits {
            authentication_failures_free: 2,
            ..Limits::default()
        })
    });
    for _ in 0..4 {
        assert_eq!(sign_in_by_ticket(&host, "joe", "wrong")[0], 3);
    }
    // Two failures are free; the next attempts wait 100, then 200 milliseconds, at least.
    for (ticket, answer) in [("wrong", 3), ("secret!!!", 2)] {
        let begin = Instant::now();
        assert_eq!(sign_in_by_ticket(&host, "joe", ticket)[0], answer);
        assert!(
            begin.elapsed() >= Duration::from_millis(200),
            "{:?}",
            begin.elapsed()
        );
    }
}

#[test]
fn a_router_that_shuts_down_ends_those_who_are_asked_something() {
    let host = host(everything());
    let (mut peer, _) = asked(&host, &claim("ticket", "joe"));
    host.runtime.block_on(host.router.shutdown());
    peer.expect_end();
}

#[test]
fn the_next_session_on_a_connection_is_asked_anew() {
    let host = host(everything());
    let (mut peer, _) = asked(&host, &claim("ticket", "joe"));
    peer.send(&json!([5, "secret!!!", {}]));
    let first = peer.expect_welcome();
    peer.send(&json!([6, {}, "wamp.close.close_realm"]));
    assert_eq!(peer.message()[0], 6);
    peer.send(&Peer::hello_to("closed", &claim("ticket", "joe")));
    assert_eq!(peer.message()[0], 4);
    peer.send(&json!([5, "secret!!!", {}]));
    assert_ne!(peer.expect_welcome()[1], first[1]);
}

#[test]
fn the_session_meta_api_tells_who_everybody_is() {
    let host = host(everything());
    let (mut peer, challenge) = asked(&host, &cryptosign_hello(&client_key(), json!({})));
    peer.send(&signed(&client_key(), &challenge));
    let id = peer.expect_welcome()[1].clone();
    let details = &peer.call("wamp.session.get", json!([id]))[3][0];
    for (key, value) in [
        ("authid", json!("client01@example.com")),
        ("authrole", json!("device")),
        ("authmethod", json!("cryptosign")),
        ("authprovider", json!("static")),
        ("authextra", json!({"floor": 3})),
    ] {
        assert_eq!(details[key], value, "{details}");
    }
}
