//! What each message looks like on the wire, in each serializer.
//!
//! The binary forms were computed from the JSON by other implementations of the two formats.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use wampy_proto::message::{self, *};
use wampy_proto::serializer::{deserialize, serialize};
use wampy_proto::{
    Feature, FeatureSet, ID_MAX, IdOutOfRange, MatchPolicy, Message, Payload, Role, Roles,
    Serializer, Value,
};

use super::messages::{encode, meaning};
use super::values::{from_hex, hex};

struct Row {
    message: Message<'static>,
    json: &'static str,
    msgpack: &'static str,
    cbor: &'static str,
}

fn row(
    message: impl Into<Message<'static>>,
    json: &'static str,
    msgpack: &'static str,
    cbor: &'static str,
) -> Row {
    Row {
        message: message.into(),
        json,
        msgpack,
        cbor,
    }
}

fn id<T: TryFrom<u64, Error = IdOutOfRange>>(id: u64) -> T {
    T::try_from(id).unwrap()
}

fn word(word: &str) -> Option<Box<str>> {
    Some(word.into())
}

fn roles(list: &[(Role, &[Feature])]) -> Roles {
    let mut roles = Roles::default();
    for (role, features) in list {
        let mut set = FeatureSet::EMPTY;
        features.iter().for_each(|&feature| set.insert(feature));
        roles.set(*role, set);
    }
    roles
}

fn map(pairs: &[(&str, Value)]) -> Value {
    Value::Map(
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.clone()))
            .collect(),
    )
}

/// A payload that is transcoded on its way into two of the three forms.
fn payload(args: &impl Serialize, kwargs: &impl Serialize) -> Payload<'static> {
    Payload::encode(Serializer::Cbor, args, kwargs).unwrap()
}

/// The messages of the session.
fn of_session() -> Vec<Row> {
    vec![
        row(
            Hello {
                realm: "realm1".into(),
                details: HelloDetails {
                    roles: roles(&[
                        (Role::Caller, &[Feature::CallTimeout]),
                        (Role::Publisher, &[]),
                    ]),
                    authid: word("joe"),
                    ..Default::default()
                },
            },
            r#"[1,"realm1",{"roles":{"caller":{"features":{"call_timeout":true}},"publisher":{}},"authid":"joe"}]"#,
            "9301a67265616c6d3182a5726f6c657382a663616c6c657281a8666561747572657381ac63616c6c5f74696d656f7574c3a97075626c697368657280a6617574686964a36a6f65",
            "8301667265616c6d31a265726f6c6573a26663616c6c6572a1686665617475726573a16c63616c6c5f74696d656f7574f5697075626c6973686572a066617574686964636a6f65",
        ),
        row(
            Welcome {
                session: id(9129137332),
                details: WelcomeDetails {
                    roles: roles(&[(Role::Broker, &[])]),
                    realm: word("realm1"),
                    ..Default::default()
                },
            },
            r#"[2,9129137332,{"roles":{"broker":{}},"realm":"realm1"}]"#,
            "9302cf00000002202394b482a5726f6c657381a662726f6b657280a57265616c6da67265616c6d31",
            "83021b00000002202394b4a265726f6c6573a16662726f6b6572a0657265616c6d667265616c6d31",
        ),
        row(
            Abort::new("wamp.error.no_such_realm", "No."),
            r#"[3,{"message":"No."},"wamp.error.no_such_realm"]"#,
            "930381a76d657373616765a34e6f2eb877616d702e6572726f722e6e6f5f737563685f7265616c6d",
            "8303a1676d657373616765634e6f2e781877616d702e6572726f722e6e6f5f737563685f7265616c6d",
        ),
        row(
            Challenge {
                authmethod: "ticket".into(),
                extra: ChallengeExtra::default(),
            },
            r#"[4,"ticket",{}]"#,
            "9304a67469636b657480",
            "8304667469636b6574a0",
        ),
        row(
            Authenticate {
                signature: "secret".into(),
                extra: AuthenticateExtra::default(),
            },
            r#"[5,"secret",{}]"#,
            "9305a673656372657480",
            "830566736563726574a0",
        ),
        row(
            Goodbye::new("wamp.close.close_realm"),
            r#"[6,{},"wamp.close.close_realm"]"#,
            "930680b677616d702e636c6f73652e636c6f73655f7265616c6d",
            "8306a07677616d702e636c6f73652e636c6f73655f7265616c6d",
        ),
        row(
            Error {
                payload: payload(&("x",), &map(&[("n", Value::Signed(-1))])),
                ..Error::new(MessageType::Call, id(7), "a.b.error")
            },
            r#"[8,48,7,{},"a.b.error",["x"],{"n":-1}]"#,
            "9708300780a9612e622e6572726f7291a17881a16eff",
            "8708183007a069612e622e6572726f72816178a1616e20",
        ),
    ]
}

/// The messages of the broker.
fn of_broker() -> Vec<Row> {
    vec![
        row(
            Publish {
                request: id(239714735),
                options: PublishOptions {
                    acknowledge: true,
                    exclude_me: Some(false),
                    ..Default::default()
                },
                topic: "a.topic".into(),
                payload: payload(&(1.5, ()), &()),
            },
            r#"[16,239714735,{"acknowledge":true,"exclude_me":false},"a.topic",[1.5,null]]"#,
            "9510ce0e49c1af82ab61636b6e6f776c65646765c3aa6578636c7564655f6d65c2a7612e746f70696392cb3ff8000000000000c0",
            "85101a0e49c1afa26b61636b6e6f776c65646765f56a6578636c7564655f6d65f467612e746f70696382fb3ff8000000000000f6",
        ),
        row(
            Published {
                request: id(239714735),
                publication: id(4429313566),
            },
            r#"[17,239714735,4429313566]"#,
            "9311ce0e49c1afcf000000010801f61e",
            "83111a0e49c1af1b000000010801f61e",
        ),
        row(
            Subscribe {
                request: id(1),
                options: SubscribeOptions {
                    match_policy: MatchPolicy::Wildcard,
                    ..Default::default()
                },
                topic: "a..b".into(),
            },
            r#"[32,1,{"match":"wildcard"},"a..b"]"#,
            "94200181a56d61746368a877696c6463617264a4612e2e62",
            "84182001a1656d617463686877696c646361726464612e2e62",
        ),
        row(
            Subscribed {
                request: id(1),
                subscription: id(5512315355),
            },
            r#"[33,1,5512315355]"#,
            "932101cf00000001488f41db",
            "831821011b00000001488f41db",
        ),
        row(
            Unsubscribe {
                request: id(2),
                subscription: id(5512315355),
            },
            r#"[34,2,5512315355]"#,
            "932202cf00000001488f41db",
            "831822021b00000001488f41db",
        ),
        row(
            Unsubscribed {
                request: Some(id(2)),
                details: None,
            },
            r#"[35,2]"#,
            "922302",
            "82182302",
        ),
        row(
            Unsubscribed {
                request: None,
                details: Some(RevocationDetails {
                    subscription: Some(5512315355),
                    reason: word("a.b"),
                    ..Default::default()
                }),
            },
            r#"[35,0,{"subscription":5512315355,"reason":"a.b"}]"#,
            "93230082ac737562736372697074696f6ecf00000001488f41dba6726561736f6ea3612e62",
            "83182300a26c737562736372697074696f6e1b00000001488f41db66726561736f6e63612e62",
        ),
        row(
            Event {
                subscription: id(5512315355),
                publication: id(4429313566),
                details: EventDetails {
                    rare: RareEventDetails {
                        publisher: Some(3),
                        ..Default::default()
                    }
                    .into(),
                    ..Default::default()
                },
                payload: payload(&(), &map(&[("color", Value::Text("orange".into()))])),
            },
            r#"[36,5512315355,4429313566,{"publisher":3},[],{"color":"orange"}]"#,
            "9624cf00000001488f41dbcf000000010801f61e81a97075626c6973686572039081a5636f6c6f72a66f72616e6765",
            "8618241b00000001488f41db1b000000010801f61ea1697075626c69736865720380a165636f6c6f72666f72616e6765",
        ),
    ]
}

/// The messages of the dealer.
fn of_dealer() -> Vec<Row> {
    vec![
        row(
            Call {
                request: id(7814135),
                options: CallOptions {
                    receive_progress: true,
                    timeout_ms: 500,
                    ..Default::default()
                },
                procedure: "com.müller.sum".into(),
                payload: payload(&(23, -7, "€"), &()),
            },
            r#"[48,7814135,{"receive_progress":true,"timeout":500},"com.müller.sum",[23,-7,"€"]]"#,
            "9530ce00773bf782b0726563656976655f70726f6772657373c3a774696d656f7574cd01f4af636f6d2e6dc3bc6c6c65722e73756d9317f9a3e282ac",
            "8518301a00773bf7a270726563656976655f70726f6772657373f56774696d656f75741901f46f636f6d2e6dc3bc6c6c65722e73756d83172663e282ac",
        ),
        row(
            Cancel {
                request: id(7814135),
                options: CancelOptions {
                    mode: Some(CancelMode::KillNoWait),
                    ..Default::default()
                },
            },
            r#"[49,7814135,{"mode":"killnowait"}]"#,
            "9331ce00773bf781a46d6f6465aa6b696c6c6e6f77616974",
            "8318311a00773bf7a1646d6f64656a6b696c6c6e6f77616974",
        ),
        row(
            message::Result {
                request: id(7814135),
                details: ResultDetails {
                    progress: true,
                    ..Default::default()
                },
                payload: payload(&(30,), &()),
            },
            r#"[50,7814135,{"progress":true},[30]]"#,
            "9432ce00773bf781a870726f6772657373c3911e",
            "8418321a00773bf7a16870726f6772657373f581181e",
        ),
        row(
            Register {
                request: id(25349185),
                options: RegisterOptions {
                    match_policy: MatchPolicy::Prefix,
                    invoke: Some(InvocationPolicy::RoundRobin),
                    ..Default::default()
                },
                procedure: "a.proc".into(),
            },
            r#"[64,25349185,{"match":"prefix","invoke":"roundrobin"},"a.proc"]"#,
            "9440ce0182cc4182a56d61746368a6707265666978a6696e766f6b65aa726f756e64726f62696ea6612e70726f63",
            "8418401a0182cc41a2656d617463686670726566697866696e766f6b656a726f756e64726f62696e66612e70726f63",
        ),
        row(
            Registered {
                request: id(25349185),
                registration: id(2103333224),
            },
            r#"[65,25349185,2103333224]"#,
            "9341ce0182cc41ce7d5e5168",
            "8318411a0182cc411a7d5e5168",
        ),
        row(
            Unregister {
                request: id(788923562),
                registration: id(2103333224),
            },
            r#"[66,788923562,2103333224]"#,
            "9342ce2f0604aace7d5e5168",
            "8318421a2f0604aa1a7d5e5168",
        ),
        row(
            Unregistered {
                request: Some(id(788923562)),
                details: None,
            },
            r#"[67,788923562]"#,
            "9243ce2f0604aa",
            "8218431a2f0604aa",
        ),
        row(
            Unregistered {
                request: None,
                details: Some(RevocationDetails {
                    registration: Some(2103333224),
                    ..Default::default()
                }),
            },
            r#"[67,0,{"registration":2103333224}]"#,
            "93430081ac726567697374726174696f6ece7d5e5168",
            "83184300a16c726567697374726174696f6e1a7d5e5168",
        ),
        row(
            Invocation {
                request: id(6131533),
                registration: id(9823526),
                details: InvocationDetails {
                    rare: RareInvocationDetails {
                        caller: Some(ID_MAX),
                        ..Default::default()
                    }
                    .into(),
                    ..Default::default()
                },
                payload: payload(&(true,), &map(&[("a", map(&[("b", Value::List(vec![]))]))])),
            },
            r#"[68,6131533,9823526,{"caller":9007199254740992},[true],{"a":{"b":[]}}]"#,
            "9644ce005d8f4dce0095e52681a663616c6c6572cf002000000000000091c381a16181a16290",
            "8618441a005d8f4d1a0095e526a16663616c6c65721b002000000000000081f5a16161a1616280",
        ),
        row(
            Interrupt {
                request: id(6131533),
                options: InterruptOptions {
                    mode: Some(CancelMode::Kill),
                    reason: word("wamp.error.canceled"),
                    ..Default::default()
                },
            },
            r#"[69,6131533,{"mode":"kill","reason":"wamp.error.canceled"}]"#,
            "9345ce005d8f4d82a46d6f6465a46b696c6ca6726561736f6eb377616d702e6572726f722e63616e63656c6564",
            "8318451a005d8f4da2646d6f6465646b696c6c66726561736f6e7377616d702e6572726f722e63616e63656c6564",
        ),
        row(
            Yield {
                request: id(6131533),
                options: YieldOptions::default(),
                payload: Payload::EMPTY,
            },
            r#"[70,6131533,{}]"#,
            "9346ce005d8f4d80",
            "8318461a005d8f4da0",
        ),
    ]
}

fn rows() -> Vec<Row> {
    [of_session(), of_broker(), of_dealer()]
        .into_iter()
        .flatten()
        .collect()
}

#[test]
fn each_message_has_its_form_on_the_wire() {
    for Row {
        message,
        json,
        msgpack,
        cbor,
    } in rows()
    {
        let forms = [
            (Serializer::Json, json.as_bytes().to_vec()),
            (Serializer::MsgPack, from_hex(msgpack)),
            (Serializer::Cbor, from_hex(cbor)),
        ];
        for (serializer, form) in forms {
            let encoded = encode(serializer, &message);
            assert_eq!(hex(&encoded), hex(&form), "{json} in {serializer:?}");
            let decoded = Message::decode(serializer, &form).unwrap();
            assert_eq!(
                meaning(decoded),
                meaning(message.clone()),
                "{json} in {serializer:?}"
            );
        }
    }
}

/// Every type has a row, so that a new message cannot be forgotten here.
#[test]
fn each_message_type_has_a_row() {
    let rows = rows();
    for message_type in MessageType::ALL {
        assert!(
            rows.iter()
                .any(|row| row.message.message_type() == message_type)
        );
    }
}

/// Wire check 44: kwargs alone are preceded by empty args.
#[test]
fn kwargs_alone_follow_empty_args() {
    let event = Message::from(Event {
        subscription: id(1),
        publication: id(2),
        details: EventDetails::default(),
        payload: Payload::from_encoded(Serializer::Json, &b""[..], &br#"{"a":1}"#[..]),
    });
    assert_eq!(
        encode(Serializer::Json, &event),
        br#"[36,1,2,{},[],{"a":1}]"#
    );
    assert_eq!(
        hex(&encode(Serializer::MsgPack, &event)),
        "9624010280 90 81a16101".replace(' ', "")
    );
}

/// Wire check 101: bytes in JSON are text of U+0000 and base64.
#[test]
fn bytes_take_their_form_in_json() {
    let bytes = from_hex("10e3ff9053075c526f5fc06d4fe37cdb");
    let payload = Payload::encode(Serializer::Json, &(Value::Bytes(bytes.clone()),), &()).unwrap();
    assert_eq!(
        payload.encoded_args(),
        br#"["\u0000EOP/kFMHXFJvX8BtT+N82w=="]"#
    );
    let decoded: Value = payload.args().unwrap();
    assert_eq!(decoded, Value::List(vec![Value::Bytes(bytes)]));
}

#[test]
fn bytes_of_any_length_take_their_form_in_json() {
    for len in [0, 1, 2, 3, 767, 768, 769, 770, 100_000] {
        let bytes: Vec<u8> = (0..len).map(|at| (at * 7 % 256) as u8).collect();
        let json = serialize(Serializer::Json, &Value::Bytes(bytes.clone())).unwrap();
        let expected = format!("\"\\u0000{}\"", STANDARD.encode(&bytes));
        assert_eq!(String::from_utf8(json.clone()).unwrap(), expected);
        assert_eq!(
            deserialize(Serializer::Json, &json),
            Ok(Value::Bytes(bytes))
        );
    }
}
