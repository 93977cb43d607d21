//! What each side of a session may say, state by state: wire checks 1 to 7, 10, 12 to 15 and 17.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

use wampy_proto::session::accepting::{Accepted, Accepting};
use wampy_proto::session::joining::{Joined, Joining};
use wampy_proto::{ID_MAX, Message, Serializer};

const HELLO: &str = r#"[1,"r",{"roles":{"caller":{}}}]"#;
const WELCOME: &str = r#"[2,9129137332,{"roles":{"dealer":{}}}]"#;
const ABORT: &str = r#"[3,{},"wamp.error.no_such_realm"]"#;
const CHALLENGE: &str = r#"[4,"ticket",{}]"#;
const AUTHENTICATE: &str = r#"[5,"secret",{}]"#;
const GOODBYE: &str = r#"[6,{},"wamp.close.close_realm"]"#;
const CALL: &str = r#"[48,1,{},"p"]"#;
const INVOCATION_ERROR: &str = r#"[8,68,1,{},"a.error"]"#;
const CALL_ERROR: &str = r#"[8,48,1,{},"a.error"]"#;

/// What only a client sends in a session, each but the first with request id 1.
const REQUESTS: [&str; 6] = [
    r#"[16,1,{},"t"]"#,
    r#"[32,1,{},"t"]"#,
    "[34,1,1]",
    CALL,
    r#"[64,1,{},"p"]"#,
    "[66,1,1]",
];
const ANSWERS_OF_A_CLIENT: [&str; 3] = ["[49,1,{}]", "[70,1,{}]", INVOCATION_ERROR];
/// What only a router sends in a session.
const OF_A_ROUTER: [&str; 10] = [
    CALL_ERROR,
    "[17,1,1]",
    "[33,1,1]",
    "[35,1]",
    "[36,1,1,{}]",
    "[50,1,{}]",
    "[65,1,1]",
    "[67,1]",
    "[68,1,1,{}]",
    "[69,1,{}]",
];

fn message(json: &str) -> Message<'_> {
    Message::decode(Serializer::Json, json.as_bytes()).unwrap()
}

fn established() -> Accepting {
    let mut side = Accepting::new(false);
    assert!(matches!(side.handle(message(HELLO)), Accepted::Hello(_)));
    side.welcome();
    assert!(side.is_established());
    side
}

fn joined() -> Joining {
    let mut side = Joining::new();
    assert!(matches!(side.handle(message(WELCOME)), Joined::Welcome(_)));
    side
}

/// Checks that `json` is a violation, whose ABORT says why, and that nothing counts after it.
fn refused_by_router(side: &mut Accepting, json: &str) -> String {
    let Accepted::Violation(abort) = side.handle(message(json)) else {
        panic!("the router takes {json}");
    };
    assert_eq!(abort.reason, "wamp.error.protocol_violation");
    assert!(!side.is_established());
    for after in [HELLO, GOODBYE, CALL, ABORT] {
        assert_eq!(side.handle(message(after)), Accepted::Ignored);
    }
    assert_eq!(side.undecodable("bytes"), None);
    abort.details.message.unwrap().into()
}

fn refused_by_client(side: &mut Joining, json: &str) -> String {
    let Joined::Violation(abort) = side.handle(message(json)) else {
        panic!("the client takes {json}");
    };
    assert_eq!(abort.reason, "wamp.error.protocol_violation");
    for after in [WELCOME, GOODBYE, "[36,1,1,{}]", ABORT] {
        assert_eq!(side.handle(message(after)), Joined::Ignored);
    }
    assert_eq!(side.undecodable("bytes"), None);
    abort.details.message.unwrap().into()
}

#[test]
fn check_1_the_first_message_is_hello() {
    let others = [WELCOME, CHALLENGE, AUTHENTICATE, GOODBYE];
    for json in others
        .iter()
        .chain(&REQUESTS)
        .chain(&ANSWERS_OF_A_CLIENT)
        .chain(&OF_A_ROUTER)
    {
        let problem = refused_by_router(&mut Accepting::new(false), json);
        assert!(
            problem.ends_with("received, but the first message must be HELLO"),
            "{problem}"
        );
    }
}

#[test]
fn check_2_a_second_hello_is_a_violation() {
    let problem = refused_by_router(&mut established(), HELLO);
    assert_eq!(problem, "HELLO received in an established session");
    // Also while the router still decides about the first one.
    let mut side = Accepting::new(false);
    side.handle(message(HELLO));
    refused_by_router(&mut side, HELLO);
}

#[test]
fn check_3_a_challenge_is_answered_by_authenticate_alone() {
    for json in [HELLO, GOODBYE, WELCOME, CHALLENGE, CALL, INVOCATION_ERROR] {
        let mut side = Accepting::new(false);
        side.handle(message(HELLO));
        side.challenge();
        let problem = refused_by_router(&mut side, json);
        assert!(
            problem.ends_with("received, but AUTHENTICATE must come next"),
            "{problem}"
        );
    }
}

#[test]
fn challenges_may_follow_each_other() {
    let mut side = Accepting::new(false);
    side.handle(message(HELLO));
    for _ in 0..2 {
        side.challenge();
        assert!(matches!(
            side.handle(message(AUTHENTICATE)),
            Accepted::Authenticate(_)
        ));
        assert!(!side.is_established());
    }
    side.welcome();
    assert!(matches!(side.handle(message(CALL)), Accepted::Route(_)));
}

#[test]
fn nothing_may_come_while_the_router_decides() {
    for json in [HELLO, AUTHENTICATE, GOODBYE, CALL] {
        let mut side = Accepting::new(false);
        side.handle(message(HELLO));
        let problem = refused_by_router(&mut side, json);
        assert!(
            problem.ends_with("received, but the session is not established"),
            "{problem}"
        );
    }
    let mut side = Accepting::new(false);
    side.handle(message(HELLO));
    side.challenge();
    side.handle(message(AUTHENTICATE));
    refused_by_router(&mut side, AUTHENTICATE);
}

#[test]
fn check_4_authenticate_in_an_established_session_is_a_violation() {
    let problem = refused_by_router(&mut established(), AUTHENTICATE);
    assert_eq!(problem, "AUTHENTICATE received in an established session");
}

#[test]
fn a_router_takes_nothing_that_a_router_sends() {
    for json in OF_A_ROUTER.iter().chain(&[WELCOME, CHALLENGE]) {
        refused_by_router(&mut established(), json);
    }
}

#[test]
fn check_5_a_client_takes_welcome_and_challenge_only_before_the_session() {
    for json in [WELCOME, CHALLENGE] {
        let problem = refused_by_client(&mut joined(), json);
        assert!(
            problem.ends_with("received in an established session"),
            "{problem}"
        );
    }
}

#[test]
fn a_client_takes_nothing_that_a_client_sends() {
    for json in REQUESTS
        .iter()
        .chain(&ANSWERS_OF_A_CLIENT)
        .chain(&[HELLO, AUTHENTICATE])
    {
        refused_by_client(&mut joined(), json);
    }
}

#[test]
fn checks_6_and_7_nothing_of_a_session_comes_before_welcome() {
    for json in OF_A_ROUTER.iter().chain(&[GOODBYE, HELLO, CALL]) {
        let problem = refused_by_client(&mut Joining::new(), json);
        assert!(problem.ends_with("received before WELCOME"), "{problem}");
        let mut authenticating = Joining::new();
        assert!(matches!(
            authenticating.handle(message(CHALLENGE)),
            Joined::Challenge(_)
        ));
        authenticating.authenticate();
        refused_by_client(&mut authenticating, json);
    }
    for side in [&mut Accepting::new(false), &mut challenging()] {
        refused_by_router(side, GOODBYE);
    }
}

fn challenging() -> Accepting {
    let mut side = Accepting::new(false);
    side.handle(message(HELLO));
    side.challenge();
    side
}

/// Wire check 8, where the type is one of a request, but of the other side.
#[test]
fn errors_are_about_what_the_receiver_has_requested() {
    for code in [16, 32, 34, 48, 49, 64, 66] {
        let json = format!("[8,{code},1,{{}},\"a.error\"]");
        refused_by_router(&mut established(), &json);
        assert!(matches!(
            joined().handle(message(&json)),
            Joined::Deliver(_)
        ));
    }
    assert!(matches!(
        established().handle(message(INVOCATION_ERROR)),
        Accepted::Route(_)
    ));
    refused_by_client(&mut joined(), INVOCATION_ERROR);
}

#[test]
fn check_10_request_ids_count_from_1_across_all_requests() {
    let mut side = established();
    for (at, json) in REQUESTS.iter().enumerate() {
        let json = json.replacen(",1,", &format!(",{},", at + 1), 1);
        assert!(
            matches!(side.handle(message(&json)), Accepted::Route(_)),
            "{json}"
        );
        // Answers and cancels have the ids of what they belong to.
        for json in ANSWERS_OF_A_CLIENT {
            assert!(matches!(side.handle(message(json)), Accepted::Route(_)));
        }
    }
    for json in REQUESTS {
        for wrong in [2, 3, ID_MAX] {
            let json = json.replacen(",1,", &format!(",{wrong},"), 1);
            let problem = refused_by_router(&mut established(), &json);
            assert!(problem.ends_with(&format!("has the request id {wrong}, expected 1")));
        }
        let mut side = established();
        side.handle(message(CALL));
        let problem = refused_by_router(&mut side, json);
        assert!(
            problem.ends_with("has the request id 1, expected 2"),
            "{problem}"
        );
    }
}

/// Sends a message as the router takes it: by `admit`, and by `handle` what that does not admit.
fn routes(side: &mut Accepting, json: &str) -> bool {
    let message = message(json);
    side.admit(&message) || matches!(side.handle(message), Accepted::Route(_))
}

#[test]
fn check_60_further_parts_of_a_call_have_its_request_id() {
    let mut side = established();
    for json in [
        r#"[48,1,{"progress":true},"p"]"#,
        r#"[48,1,{"progress":true},"p"]"#,
        r#"[48,2,{},"q"]"#,
        r#"[32,3,{},"t"]"#,
        r#"[48,1,{"progress":true},"p"]"#,
        r#"[48,4,{"progress":true},"r"]"#,
        r#"[48,1,{},"p"]"#,
        r#"[48,4,{},"r"]"#,
        // It may not know that its call has ended.
        r#"[48,1,{"progress":true},"p"]"#,
        r#"[16,5,{},"t"]"#,
    ] {
        assert!(routes(&mut side, json), "{json}");
    }
}

#[test]
fn check_61_a_gap_in_the_ids_of_calls_breaks_the_protocol() {
    for json in [r#"[48,4,{},"p"]"#, r#"[48,4,{"progress":true},"p"]"#] {
        let mut side = established();
        assert!(routes(&mut side, r#"[48,1,{"progress":true},"p"]"#));
        assert!(routes(&mut side, r#"[48,2,{},"q"]"#));
        let problem = refused_by_router(&mut side, json);
        assert_eq!(problem, "CALL has the request id 4, expected 3");
    }
}

#[test]
fn only_calls_in_parts_may_go_on() {
    // No request but CALL has an id again, and none that no call in parts can have.
    for json in [
        r#"[16,1,{},"t"]"#,
        r#"[32,1,{},"t"]"#,
        r#"[64,1,{},"p"]"#,
        r#"[48,2,{},"p"]"#,
        r#"[48,2,{"progress":true},"p"]"#,
        r#"[48,3,{"progress":true},"p"]"#,
    ] {
        let mut side = established();
        assert!(routes(&mut side, r#"[48,1,{"progress":true},"p"]"#));
        assert!(routes(&mut side, r#"[48,2,{},"q"]"#));
        assert!(routes(&mut side, r#"[32,3,{},"t"]"#));
        let problem = refused_by_router(&mut side, json);
        assert!(problem.ends_with(", expected 4"), "{problem}");
    }
    // A new session on the same transport begins anew.
    let mut side = established();
    assert!(routes(&mut side, r#"[48,1,{"progress":true},"p"]"#));
    side.handle(message(GOODBYE));
    side.handle(message(HELLO));
    side.welcome();
    assert!(routes(&mut side, CALL));
    refused_by_router(&mut side, CALL);
}

#[test]
fn callers_that_make_calls_in_parts_count_their_requests_always() {
    const HELLO_OF_A_COUNTER: &str =
        r#"[1,"r",{"roles":{"caller":{"features":{"progressive_call_invocations":true}}}}]"#;
    let mut side = Accepting::new(true);
    side.handle(message(HELLO_OF_A_COUNTER));
    side.welcome();
    assert!(routes(&mut side, CALL));
    let problem = refused_by_router(&mut side, CALL);
    assert_eq!(problem, "CALL has the request id 1, expected 2");
    // The next client may be of another kind.
    let mut side = Accepting::new(true);
    for hello in [HELLO_OF_A_COUNTER, HELLO] {
        side.handle(message(hello));
        side.welcome();
        side.handle(message(GOODBYE));
    }
    side.handle(message(HELLO));
    side.welcome();
    assert!(routes(&mut side, r#"[48,77,{},"p"]"#));
}

#[test]
fn old_clients_may_draw_their_request_ids() {
    let mut side = Accepting::new(true);
    side.handle(message(HELLO));
    side.welcome();
    for id in [7_814_135, 3, ID_MAX, 1] {
        let json = CALL.replacen(",1,", &format!(",{id},"), 1);
        assert!(matches!(side.handle(message(&json)), Accepted::Route(_)));
    }
}

#[test]
fn check_12_abort_is_not_answered() {
    let states = [Accepting::new(false), challenging(), established()];
    for mut side in states {
        assert_eq!(side.handle(message(ABORT)), Accepted::Closed);
        assert!(!side.is_established());
        assert_eq!(side.handle(message(ABORT)), Accepted::Ignored);
        assert_eq!(side.handle(message(HELLO)), Accepted::Ignored);
    }
    for mut side in [Joining::new(), joined()] {
        assert!(matches!(side.handle(message(ABORT)), Joined::Aborted(_)));
        assert_eq!(side.handle(message(ABORT)), Joined::Ignored);
        assert_eq!(side.handle(message(WELCOME)), Joined::Ignored);
    }
}

#[test]
fn check_13_goodbye_is_answered_once() {
    let mut side = established();
    let Accepted::Leave(answer) = side.handle(message(GOODBYE)) else {
        panic!("not answered");
    };
    assert_eq!(answer.reason, "wamp.close.goodbye_and_out");
    assert!(!side.is_established());
    // There is no session now that another GOODBYE could end.
    refused_by_router(&mut side, GOODBYE);

    let mut side = joined();
    let Joined::Goodbye { said, answer } = side.handle(message(GOODBYE)) else {
        panic!("not answered");
    };
    assert_eq!(said.reason, "wamp.close.close_realm");
    assert_eq!(answer.reason, "wamp.close.goodbye_and_out");
    assert_eq!(side.handle(message(GOODBYE)), Joined::Ignored);
}

#[test]
fn check_14_whoever_has_said_goodbye_ignores_all_but_the_echo() {
    let mut side = established();
    side.goodbye();
    for json in REQUESTS
        .iter()
        .chain(&ANSWERS_OF_A_CLIENT)
        .chain(&[HELLO, AUTHENTICATE])
    {
        assert_eq!(side.handle(message(json)), Accepted::Ignored);
    }
    assert_eq!(side.undecodable("bytes"), None);
    assert_eq!(side.handle(message(GOODBYE)), Accepted::Closed);

    let mut side = joined();
    side.goodbye();
    for json in OF_A_ROUTER.iter().chain(&[WELCOME, CHALLENGE]) {
        assert_eq!(side.handle(message(json)), Joined::Ignored);
    }
    assert_eq!(side.undecodable("bytes"), None);
    assert_eq!(side.handle(message(GOODBYE)), Joined::Closed);
}

/// Both say GOODBYE at once: each takes the other's for its echo, and nobody answers again.
#[test]
fn goodbyes_may_cross() {
    let (mut router, mut client) = (established(), joined());
    router.goodbye();
    client.goodbye();
    assert_eq!(router.handle(message(GOODBYE)), Accepted::Closed);
    assert_eq!(client.handle(message(GOODBYE)), Joined::Closed);
}

#[test]
fn check_15_a_hello_without_a_role_of_a_client_is_refused() {
    for details in [
        "{}",
        r#"{"roles":{}}"#,
        r#"{"roles":{"juggler":{}}}"#,
        r#"{"roles":{"broker":{}}}"#,
    ] {
        let json = format!(r#"[1,"r",{details}]"#);
        let problem = refused_by_router(&mut Accepting::new(false), &json);
        assert_eq!(
            problem,
            "HELLO announces none of the roles caller, callee, publisher, subscriber"
        );
    }
}

#[test]
fn check_17_a_welcome_without_a_role_of_a_router_is_refused() {
    for roles in ["{}", r#"{"caller":{}}"#] {
        let json = format!(r#"[2,1,{{"roles":{roles}}}]"#);
        let problem = refused_by_client(&mut Joining::new(), &json);
        assert_eq!(problem, "WELCOME announces neither a broker nor a dealer");
    }
    for role in ["broker", "dealer"] {
        let json = format!(r#"[2,{ID_MAX},{{"roles":{{"{role}":{{}}}}}}]"#);
        assert!(matches!(
            Joining::new().handle(message(&json)),
            Joined::Welcome(_)
        ));
    }
}

/// A transport may carry one session after another; request ids begin anew with each.
#[test]
fn request_ids_begin_anew_with_the_next_session() {
    let mut side = established();
    side.handle(message(CALL));
    assert!(matches!(side.handle(message(GOODBYE)), Accepted::Leave(_)));
    assert!(matches!(side.handle(message(HELLO)), Accepted::Hello(_)));
    side.welcome();
    assert!(matches!(side.handle(message(CALL)), Accepted::Route(_)));
}

#[test]
fn undecodable_bytes_end_every_session_that_is_not_over() {
    for mut side in [Accepting::new(false), challenging(), established()] {
        let abort = side.undecodable("the bytes end too early").unwrap();
        assert_eq!(abort.reason, "wamp.error.protocol_violation");
        assert_eq!(
            abort.details.message.as_deref(),
            Some("the bytes end too early")
        );
        assert_eq!(side.undecodable("more"), None);
        assert_eq!(side.handle(message(HELLO)), Accepted::Ignored);
    }
    for mut side in [Joining::new(), joined()] {
        assert!(side.undecodable("the bytes end too early").is_some());
        assert_eq!(side.undecodable("more"), None);
        assert_eq!(side.handle(message(WELCOME)), Joined::Ignored);
    }
}

#[test]
fn a_refused_client_is_heard_no_more() {
    let mut side = challenging();
    side.handle(message(AUTHENTICATE));
    side.abort();
    assert_eq!(side.handle(message(HELLO)), Accepted::Ignored);
    assert_eq!(side.undecodable("bytes"), None);
}

#[test]
fn what_is_admitted_is_what_would_be_routed() {
    let others = [HELLO, GOODBYE, ABORT, r#"[48,2,{},"p"]"#];
    let all = REQUESTS
        .iter()
        .chain(&ANSWERS_OF_A_CLIENT)
        .chain(&OF_A_ROUTER)
        .chain(&others);
    for json in all {
        let (mut by_handle, mut by_admit) = (established(), established());
        let is_routed = matches!(by_handle.handle(message(json)), Accepted::Route(_));
        let is_admitted = by_admit.admit(&message(json));
        assert!(is_routed || !is_admitted, "{json}");
        if is_admitted {
            // Both have counted the request: the next one has the same id for both.
            let next = r#"[48,2,{},"p"]"#;
            assert_eq!(
                by_admit.handle(message(next)),
                by_handle.handle(message(next)),
                "{json}"
            );
        } else {
            assert_eq!(
                by_admit.handle(message(json)),
                established().handle(message(json))
            );
        }
    }
    assert!(established().admit(&message(CALL)));
    assert!(!Accepting::new(true).admit(&message(CALL)));
}
