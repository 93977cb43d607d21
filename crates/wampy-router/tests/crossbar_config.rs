//! Node configurations of Crossbar.io: what they set, and what is said of the rest.

#![allow(clippy::unwrap_used)]

#[path = "../../wampy-transport/tests/authority/mod.rs"]
mod authority;
mod peer;

use std::path::Path;

use authority::Authority;
use peer::files::Files;
use peer::joining::with_ticket;
use peer::{Host, Peer, json};
use wampy_proto::Serializer;
use wampy_router::{Builder, Converted, CrossbarConfig};

impl Files {
    fn convert(&self, text: &str) -> Converted {
        match CrossbarConfig::new(self.write("config.json", text)).convert() {
            Ok(converted) => self.same(converted),
            Err(error) => panic!("{error}"),
        }
    }

    /// What was converted, after it was seen that the file that is written says the same.
    fn same(&self, converted: Converted) -> Converted {
        let path = self.write("converted.toml", &converted.toml);
        let read = Builder::from_config_file(path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(format!("{read:?}"), format!("{:?}", converted.builder));
        converted
    }

    /// A router that was set up from the file that is written.
    fn host(&self, text: &str) -> Host {
        let toml = self.convert(text).toml;
        let builder = Builder::from_config_file(self.write("wampy.toml", &toml)).unwrap();
        Host::start(builder)
    }

    fn mistakes(&self, name: &str, text: &str) -> Vec<String> {
        let error = CrossbarConfig::new(self.write(name, text)).convert();
        let error = error.unwrap_err();
        self.lines(&error.to_string())
    }

    fn warnings(&self, converted: &Converted) -> Vec<String> {
        let warnings = converted.warnings.iter();
        let warnings: Vec<_> = warnings.map(ToString::to_string).collect();
        self.lines(&warnings.join("\n"))
    }
}

const EVERYTHING: &str = r#"{"uri": "", "match": "prefix", "cache": true,
    "allow": {"call": true, "register": true, "publish": true, "subscribe": true}}"#;

/// A node with one realm of these roles, one transport, and these other keys of the worker.
fn node(roles: &str, transport: &str, more: &str) -> String {
    format!(
        r#"{{"version": 2, "controller": {{}}, "workers": [{{
            "type": "router",
            "realms": [{{"name": "realm1", "roles": {roles}}}],
            "transports": [{transport}]
            {more}
        }}]}}"#
    )
}

fn websocket(more: &str) -> String {
    format!(
        r#"{{"type": "websocket", "endpoint": {{"type": "tcp", "port": 0, "interface": "127.0.0.1"}}{more}}}"#
    )
}

const SHOP: &str = r#"{"version": 2, "workers": [{
    "type": "router",
    "realms": [
        {"name": "shop", "options": {"uri_check": "strict"}, "roles": [
            {"name": "guest", "permissions": [
                {"uri": "com.shop.prices", "allow": {"call": true, "subscribe": true}},
                {"uri": "com.shop.*", "allow": {"subscribe": true}, "disclose": {"caller": true}}
            ]},
            {"name": "clerk", "permissions": [{"uri": "", "match": "prefix",
                "allow": {"call": true, "register": true, "publish": true, "subscribe": true}}]},
            {"name": "asked", "authorizer": "com.shop.authorize"}
        ]},
        {"name": "office", "roles": [{"name": "clerk", "permissions": []}]}
    ],
    "transports": [{
        "type": "universal",
        "endpoint": {"type": "tcp", "port": 0, "interface": "127.0.0.1"},
        "rawsocket": {"serializers": ["json"], "auth": AUTH},
        "websocket": {"ws": {"type": "websocket", "serializers": ["json", "cbor"], "auth": AUTH,
            "options": {"auto_ping_interval": 10000, "auto_ping_timeout": 5000}}}
    }]
}]}"#;

const SHOP_AUTH: &str = r#"{
    "anonymous": {"type": "static", "role": "guest"},
    "ticket": {"type": "static", "principals": {
        "joe": {"ticket": "secret!!!", "role": "clerk"},
        "ann": {"ticket": "abc", "role": "guest"}
    }},
    "wampcra": {"type": "static", "users": {
        "joe": {"secret": "p4ss", "role": "clerk", "salt": "salt123", "iterations": 100, "keylen": 16}
    }}
}"#;

#[test]
fn what_was_converted_can_be_logged_without_its_secrets() {
    let converted = Files::new().convert(&SHOP.replace("AUTH", SHOP_AUTH));
    assert!(converted.toml.contains("secret!!!"));
    let logged = format!("{converted:?}");
    for secret in ["secret!!!", "p4ss"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}

#[test]
fn who_may_join_and_what_they_may_do_is_what_the_node_says() {
    let node = Files::new();
    let host = node.host(&SHOP.replace("AUTH", SHOP_AUTH));
    let mut guest = host.rawsocket(Serializer::Json);
    let welcome = guest.greet("shop", &json!({}));
    assert_eq!(welcome[2]["authrole"], "guest", "{welcome}");
    // What it may do, and what not: the exact permission wins over the prefix.
    guest.subscribe("com.shop.news");
    let denied = guest.call("com.shop.news", json!([]));
    assert_eq!(denied[4], "wamp.error.not_authorized", "{denied}");
    let missing = guest.call("com.shop.prices", json!([]));
    assert_eq!(missing[4], "wamp.error.no_such_procedure", "{missing}");
    // A principal of two realms, and by two methods.
    let (mut joe, welcome) = with_ticket(&host, "shop", "joe", "secret!!!");
    assert_eq!(welcome[2]["authrole"], "clerk", "{welcome}");
    let id = joe.id();
    joe.send(&json!([64, id, {}, "Com.Shop.Loose"]));
    assert_eq!(joe.message()[4], "wamp.error.invalid_uri");
    let (mut joe, welcome) = with_ticket(&host, "office", "joe", "secret!!!");
    assert_eq!(welcome[2]["authrole"], "clerk", "{welcome}");
    let denied = joe.call("com.office.anything", json!([]));
    assert_eq!(denied[4], "wamp.error.not_authorized", "{denied}");
    let mut peer = host.rawsocket(Serializer::Json);
    let details = json!({"authmethods": ["wampcra"], "authid": "joe"});
    let challenge = peer.greet("shop", &details);
    assert_eq!(challenge[2]["salt"], "salt123", "{challenge}");
    // Wrong secrets, and realms that do not have the role.
    let (_, abort) = with_ticket(&host, "shop", "joe", "secret");
    assert_eq!(abort[0], 3, "{abort}");
    let (_, abort) = with_ticket(&host, "office", "ann", "abc");
    assert_eq!(abort[0], 3, "{abort}");
    let mut nobody = host.rawsocket(Serializer::Json);
    assert_eq!(nobody.greet("office", &json!({}))[0], 3);
}

#[test]
fn without_auth_everybody_is_anonymous_and_may_do_what_that_role_may() {
    let node_ = Files::new();
    let roles = format!(r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]"#);
    let host = node_.host(&node(&roles, &websocket(""), ""));
    let mut peer = host.rawsocket(Serializer::Json);
    assert_eq!(peer.greet("realm1", &json!({}))[2]["authrole"], "anonymous");
    // As lenient as Crossbar.io is where nothing else is said, with URIs and with ids.
    peer.send(&json!([64, 4711, {}, "com.example.add"]));
    assert_eq!(peer.message()[0], 65);
    peer.send(&json!([64, 815, {}, "com.Example.add"]));
    assert_eq!(peer.message()[0], 65);

    // A realm without the role: clients come in, and may do nothing.
    let roles = format!(r#"[{{"name": "other", "permissions": [{EVERYTHING}]}}]"#);
    let host = node_.host(&node(&roles, &websocket(""), ""));
    let mut peer = host.rawsocket(Serializer::Json);
    assert_eq!(peer.greet("realm1", &json!({}))[0], 2);
    assert_eq!(
        peer.call("com.example.add", json!([]))[4],
        "wamp.error.not_authorized"
    );
}

#[test]
fn an_authenticator_and_an_authorizer_are_asked() {
    let node_ = Files::new();
    let roles = format!(
        r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}},
            {{"name": "asked", "authorizer": "com.example.authorize"}}]"#
    );
    let auth = r#", "auth": {
        "anonymous": {"type": "static"},
        "ticket": {"type": "dynamic", "authenticator": "com.example.authenticate",
                   "authenticator-realm": "realm1"},
        "wampcra": {"type": "dynamic", "authenticator": "com.example.authenticate",
                    "authenticator-realm": "realm1"}}"#;
    let host = node_.host(&node(&roles, &websocket(auth), ""));
    let mut knows = host.rawsocket(Serializer::Json);
    assert_eq!(knows.greet("realm1", &json!({}))[0], 2);
    for procedure in ["com.example.authenticate", "com.example.authorize"] {
        let id = knows.id();
        knows.send(&json!([64, id, {}, procedure]));
        assert_eq!(knows.message()[0], 65);
    }
    let mut peer = host.rawsocket(Serializer::Json);
    let details = json!({"authmethods": ["ticket"], "authid": "joe"});
    assert_eq!(peer.greet("realm1", &details)[0], 4);
    peer.send(&json!([5, "t", {}]));
    let invocation = knows.message();
    assert_eq!(invocation[4][1], "joe", "{invocation}");
    assert_eq!(invocation[4][2]["ticket"], "t", "{invocation}");
    knows.send(&json!([70, invocation[1], {}, ["asked"]]));
    assert_eq!(peer.message()[2]["authrole"], "asked");
    let id = peer.id();
    peer.send(&json!([32, id, {}, "com.example.topic"]));
    let invocation = knows.message();
    assert_eq!(invocation[4][1], "com.example.topic", "{invocation}");
    knows.send(&json!([70, invocation[1], {}, [true]]));
    assert_eq!(peer.message()[0], 33);
}

#[test]
fn yaml_says_the_same_as_json() {
    let node = Files::new();
    let yaml = r#"
version: 2
workers:
- type: router
  realms:
  - name: realm1
    roles:
    - name: anonymous
      permissions:
      - uri: com.example.*
        allow: &all {call: yes, register: yes}
  transports:
  - type: websocket
    endpoint: {type: tcp, port: 8081, version: 6, interface: localhost}
"#;
    let config = CrossbarConfig::new(node.write("config.yaml", yaml));
    let read = node.same(config.convert().unwrap());
    let roles = r#"[{"name": "anonymous", "permissions": [
        {"uri": "com.example.*", "allow": {"call": true, "register": true}}]}]"#;
    let transport = r#"{"type": "websocket", "endpoint":
        {"type": "tcp", "port": 8081, "version": 6, "interface": "localhost"}}"#;
    let json = format!(
        r#"{{"version": 2, "workers": [{{"type": "router",
            "realms": [{{"name": "realm1", "roles": {roles}}}], "transports": [{transport}]}}]}}"#
    );
    let same = node.convert(&json);
    assert_eq!(format!("{:?}", read.builder), format!("{:?}", same.builder));
    assert!(read.toml.contains("\"[::1]:8081\""), "{}", read.toml);
    let ours: peer::Value = serde_json::from_str(&config.to_json().unwrap()).unwrap();
    assert_eq!(ours, serde_json::from_str::<peer::Value>(&json).unwrap());
    // Of a directory it is the file that Crossbar.io would take.
    let found = CrossbarConfig::new(node.directory()).convert().unwrap();
    assert_eq!(found.toml, same.toml);
}

#[test]
fn what_is_wrong_is_named_by_line_and_key_all_at_once() {
    let node = Files::new();
    let text = r#"{"version": 3,
"workers": [{"type": "router",
"realms": [{"name": "a b", "roles": [
 {"name": "guest", "permissions": [
  {"uri": "com..x.", "match": "sufix"},
  {"uri": "x", "allow": {"cal": true}},
  {"uri": "x", "validate": {"call": "y"}}]},
 {"name": "both", "permissions": [], "authorizer": "a.b"}]}],
"transports": [
 {"type": "websocket", "endpoint": {"type": "tcp", "prt": 8080},
  "options": {"allowed_origin": ["x"], "allowed_origins": ["https://*.x.*"]},
  "auth": {"ticket": {"type": "static", "principals": {
   "joe": {"ticket": 7, "role": "guest"},
   "ann": {"ticket": "t"}}},
  "tls": {"type": "static", "principals": {"eve": {"certificate-sha1": "00", "role": "guest"}}},
  "scram": {"type": "function", "create": "a.b"}}}]}]}"#;
    let mistakes = node.mistakes("config.json", text);
    let expected = [
        "config.json:1: version: version 3 is not known; 1 and 2 are",
        "config.json:3: workers[0].realms[0].name: \"a b\" is no name for a realm",
        "config.json:5: workers[0].realms[0].roles[0].permissions[0]: \"com..x.\": match: ",
        "config.json:6: workers[0].realms[0].roles[0].permissions[1]: unknown field `cal`",
        "config.json:7: workers[0].realms[0].roles[0].permissions[2].validate: payloads are not",
        "config.json:8: workers[0].realms[0].roles[1]: a role has either permissions or",
        "config.json:10: workers[0].transports[0].endpoint: port is missing",
        "config.json:10: workers[0].transports[0].endpoint.prt: there is no such key; did you mean port?",
        "config.json:11: workers[0].transports[0].options.allowed_origin: there is no such key; did you",
        "config.json:11: workers[0].transports[0].options.allowed_origins[0]: \"https://*.x.*\" is no origin",
        "config.json:13: workers[0].transports[0].auth.ticket.principals.joe.ticket: expected text, found",
        "config.json:14: workers[0].transports[0].auth.ticket.principals.ann: role is missing",
        "config.json:15: workers[0].transports[0].auth.tls.principals.eve.certificate-sha1: who has a",
        "config.json:16: workers[0].transports[0].auth.scram.type: a Python function cannot be asked",
    ];
    for expected in expected {
        assert!(
            mistakes.iter().any(|line| line.starts_with(expected)),
            "{expected} is not among:\n{}",
            mistakes.join("\n")
        );
    }
    let yaml =
        "version: 2\nworkers:\n- type: router\n  realms: []\n  transports:\n  - type: mqtt\n";
    let mistakes = node.mistakes("config.yaml", yaml);
    assert_eq!(
        mistakes,
        [
            "config.yaml:3: workers[0]: there are no realms: nobody could join",
            "config.yaml:3: workers[0]: no transport is left by which a client could come",
            "config.yaml:6: workers[0].transports[0]: there is no MQTT; router_only leaves it out",
        ]
    );
    for (name, text, expected) in [
        (
            "config.json",
            "{\"a\":\n 1,}",
            "config.json:2: this is no JSON",
        ),
        ("config.yaml", "a: [1\n", "this is no YAML"),
        (
            "config.json",
            "[]",
            "config.json:1: expected a dict, found a list",
        ),
        ("config.json", "{\"workers\": []}", "there is nothing in it"),
        ("config.yaml", "", "config.yaml:1: the file is empty"),
    ] {
        let mistakes = node.mistakes(name, text).join("\n");
        assert!(mistakes.contains(expected), "{mistakes}");
    }
    let missing = CrossbarConfig::new(node.path("none.json")).convert();
    assert!(missing.unwrap_err().to_string().contains("cannot be read"));
}

/// What would let somebody in who is kept out elsewhere is no setting of this router.
/// The usual case: whoever is inside needs no secret.
#[test]
fn each_port_offers_the_methods_of_its_transport() {
    let node_ = Files::new();
    let roles = format!(
        r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}},
            {{"name": "user", "permissions": []}}]"#
    );
    let unix = r#"{"type": "rawsocket", "endpoint": {"type": "unix", "path": "inside.sock"}}"#;
    let users = r#", "auth": {
        "ticket": {"type": "static", "principals": {"joe": {"ticket": "t", "role": "user"}}},
        "wampcra": {"type": "static", "users": {"ann": {"secret": "s", "role": "nobody's"}}}}"#;
    let transports = format!("{unix}, {}", websocket(users));
    let text = node(&roles, &transports, "");
    let converted = node_.convert(&text);
    let socket = node_.path("inside.sock");
    let inside = format!(
        r#"{{ address = "unix:{}", methods = ["anonymous"] }}"#,
        socket.display()
    );
    assert!(converted.toml.contains(&inside), "{}", converted.toml);
    // Of a method that is nobody's nothing is left.
    let outside = r#"{ address = "127.0.0.1:0", methods = ["ticket"] }"#;
    assert!(converted.toml.contains(outside), "{}", converted.toml);

    let host = node_.host(&text);
    let mut guest = host.rawsocket(Serializer::Json);
    let refused = guest.greet("realm1", &json!({}));
    assert_eq!(
        refused[2], "wamp.error.authentication_required",
        "{refused}"
    );
    let (_, welcome) = with_ticket(&host, "realm1", "joe", "t");
    assert_eq!(welcome[2]["authrole"], "user", "{welcome}");
    let stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    let mut guest = Peer::rawsocket(Box::new(stream), Serializer::Json);
    let welcome = guest.greet("realm1", &json!({}));
    assert_eq!(welcome[2]["authrole"], "anonymous", "{welcome}");

    // What is the same everywhere is no matter of ports.
    let explicit = r#", "auth": {"anonymous": {"type": "static"}}"#;
    let same = node(&roles, &[websocket(""), websocket(explicit)].join(", "), "");
    assert!(!node_.convert(&same).toml.contains("address ="));
}

#[test]
fn transports_that_differ_in_who_may_join_are_refused() {
    let node_ = Files::new();
    let roles = format!(r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]"#);
    let mistakes = |one: &str, other: &str| {
        let transports = format!("{}, {}", websocket(one), websocket(other));
        node_
            .mistakes("config.json", &node(&roles, &transports, ""))
            .join("\n")
    };
    let ticket = r#", "auth": {"ticket": {"type": "static", "principals": {
        "joe": {"ticket": "t", "role": "anonymous"}}}}"#;
    let other = ticket.replace(r#""t""#, r#""u""#);
    let differs = "transports[1].auth.ticket: not the same as workers[0].transports[0].auth.ticket";
    assert!(mistakes(ticket, &other).contains(differs));
    let guest = r#", "auth": {"anonymous": {"type": "static", "role": "guest"}}"#;
    let differs = "transports[1].auth.anonymous.role: another role than \"anonymous\"";
    assert!(mistakes("", guest).contains(differs));
    let listed = r#", "options": {"allowed_origins": ["https://example.com"]}"#;
    assert!(mistakes("", listed).contains("other origins than those of workers[0].transports[0]"));
    let cookie = |name: &str| format!(r#", "cookie": {{"name": "{name}"}}"#);
    assert!(mistakes(&cookie("one"), &cookie("two")).contains("another cookie than that of"));
    // The paths of a port, and one at which only long-polling is.
    let endpoint = r#""endpoint": {"type": "tcp", "port": 0}"#;
    let web = format!(
        r#"{{"type": "web", {endpoint}, "paths": {{"a": {{"type": "websocket"}},
                                                 "b": {{"type": "websocket"{ticket}}}}}}}"#
    );
    let found = node_.mistakes("config.json", &node(&roles, &web, ""));
    let differs = "paths.b.auth: other methods than those of workers[0].transports[0].paths.a";
    assert!(found.join("\n").contains(differs), "{found:?}");
    let polled =
        format!(r#"{{"type": "web", {endpoint}, "paths": {{"lp": {{"type": "longpoll"}}}}}}"#);
    let three = [websocket(""), websocket(ticket), polled].join(", ");
    let found = node_.mistakes("config.json", &node(&roles, &three, ""));
    let unsaid =
        "transports[2].endpoint: there is no auth here, and that of the other ports differs";
    assert!(found.join("\n").contains(unsaid), "{found:?}");
    let second = r#", "components": []}, {"type": "router", "realms": [], "transports": []"#;
    let two = node(&roles, &websocket(""), second);
    let found = node_.mistakes("config.json", &two).join("\n");
    assert!(found.contains("workers[1]: a second router"), "{found}");

    // A ticket of the file, and a procedure for the rest: it would be asked about unknown tickets.
    let auth = r#", "auth": {
        "ticket": {"type": "static", "principals": {"joe": {"ticket": "t", "role": "anonymous"}}},
        "wampcra": {"type": "dynamic", "authenticator": "a.b"}}"#;
    let found = node_.mistakes("config.json", &node(&roles, &websocket(auth), ""));
    assert!(
        found
            .join("\n")
            .contains("auth.ticket: beside a dynamic method"),
        "{found:?}"
    );
    let auth = r#", "auth": {
        "scram": {"type": "dynamic", "authenticator": "a.c"},
        "wampcra": {"type": "dynamic", "authenticator": "a.b"}}"#;
    let found = node_.mistakes("config.json", &node(&roles, &websocket(auth), ""));
    assert!(
        found.join("\n").contains("another procedure than"),
        "{found:?}"
    );
    let auth = r#", "auth": {
        "ticket": {"type": "static", "principals": {"joe": {"ticket": "t", "role": "anonymous"}}},
        "wampcra": {"type": "static", "users": {"joe": {"secret": "t", "role": "boss"}}}}"#;
    let found = node_.mistakes("config.json", &node(&roles, &websocket(auth), ""));
    assert!(
        found.join("\n").contains("\"joe\" is somebody else"),
        "{found:?}"
    );
}

#[test]
fn what_is_no_router_is_left_out_only_if_that_is_agreed_to() {
    let node_ = Files::new();
    let roles = format!(r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]"#);
    let web = r#"{"type": "web", "endpoint": {"type": "tcp", "port": 0},
        "paths": {
            "/": {"type": "static", "directory": "../web"},
            "info": {"type": "nodeinfo"},
            "deep": {"type": "path", "paths": {"ws": {"type": "websocket"},
                                               "app": {"type": "wsgi", "module": "a", "object": "b"}}},
            "lp": {"type": "longpoll", "options": {"session_timeout": 60}}}}"#;
    let more = r#", "components": [{"type": "class", "classname": "a.B", "realm": "realm1"}]},
        {"type": "container", "components": []},
        {"type": "guest", "executable": "node""#;
    let text = node(&roles, web, more);
    let mistakes = node_.mistakes("config.json", &text);
    let leaves_out = |line: &String| line.ends_with("; router_only leaves it out");
    assert_eq!(
        mistakes.iter().filter(|it| leaves_out(it)).count(),
        5,
        "{mistakes:?}"
    );
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");

    let config = CrossbarConfig::new(node_.write("config.json", &text)).router_only(true);
    let converted = node_.same(config.convert().unwrap());
    let warnings = node_.warnings(&converted).join("\n");
    for expected in [
        "paths./: left out: there is no web service \"static\"",
        "paths.deep.paths.app: left out: there is no web service \"wsgi\"",
        "paths.info: ignored: there is no page about the node",
        "components[0]: left out: a component",
        "workers[1]: left out: a worker of the type \"container\"",
        "workers[2]: left out: a worker of the type \"guest\"",
    ] {
        assert!(warnings.contains(expected), "{expected}: {warnings}");
        let comment = expected.split_once(": ").unwrap().1;
        assert!(converted.toml.contains(comment), "{}", converted.toml);
    }
    assert!(
        converted
            .toml
            .contains("longpoll_session_timeout_ms = 60000")
    );
    assert!(converted.toml.contains("\"0.0.0.0:0\""));
}

#[test]
fn settings_of_all_ports_are_put_together() {
    let node_ = Files::new();
    let roles = format!(r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]"#);
    let one = r#"{"type": "websocket", "id": "one", "url": "ws://x", "debug": false,
        "endpoint": {"type": "tcp", "port": 8080, "backlog": 5, "shared": true},
        "serializers": ["json", "ubjson"],
        "cookie": {"name": "cbtid", "secure": true, "store": {"type": "file", "filename": "x"}, "length": 24},
        "options": {"max_message_size": 1048576, "auto_ping_interval": 10000,
            "open_handshake_timeout": 2500, "close_handshake_timeout": 1000, "validate_utf8": true,
            "fail_by_drop": true, "allowed_origins": ["https://*.example.com"],
            "compression": {"deflate": {}}}}"#;
    let other = r#"{"type": "websocket", "endpoint": {"type": "unix", "path": "sockets/x"},
        "serializers": ["cbor"],
        "options": {"max_message_size": 50000000, "auto_ping_interval": 20000,
            "allowed_origins": ["https://*.example.com"]}}"#;
    let more = r#", "options": {"title": "x", "pythonpath": [".."]}, "manhole": {}"#;
    let text = node(&roles, &format!("{one}, {other}"), more);
    let converted = node_.convert(&text);
    let directory = node_.directory().display();
    for expected in [
        "    \"0.0.0.0:8080\",",
        &format!("    \"unix:{directory}/sockets/x\","),
        "serializers = [\"cbor\", \"json\"]",
        "compress = true",
        "longpoll = false",
        "    \"https://*.example.com\",",
        "message_bytes_max = 50000000",
        "outbound_bytes_per_session_max = 100000000",
        "handshake_timeout_ms = 2500",
        "close_timeout_ms = 1000",
        "keepalive_interval_ms = 10000",
        "name = \"cbtid\"",
        "same_site = \"Lax\"",
        "secure = true",
        "lenient = [\"request-ids\", \"silent-cancel\", \"progress-without-canceling\"]",
    ] {
        assert!(
            converted.toml.lines().any(|line| line == expected),
            "{expected} is not in\n{}",
            converted.toml
        );
    }
    let warnings = node_.warnings(&converted).join("\n");
    for expected in [
        "endpoint.backlog: ignored",
        "endpoint.shared: ignored",
        "serializers[1]: ignored: this serializer is not spoken",
        "cookie.store.type: ignored: cookies are kept in memory",
        "options.fail_by_drop: ignored",
        "options.pythonpath: ignored",
        "manhole: ignored",
        "options.max_message_size: all ports have one limit here",
        "options.allowed_origins: pages without an origin",
    ] {
        assert!(warnings.contains(expected), "{expected}: {warnings}");
    }
    for unexpected in ["validate_utf8", "title", ".id", ".url", "version"] {
        assert!(!warnings.contains(unexpected), "{unexpected}: {warnings}");
    }
}

#[test]
fn tls_ports_have_the_files_of_the_node() {
    let node_ = Files::new();
    let signed = Authority::new().sign("router", &["localhost"]);
    node_.write("keys/cert.pem", &signed.certificate.pem());
    node_.write("keys/key.pem", &signed.key.serialize_pem());
    let roles = format!(r#"[{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]"#);
    let tls = |key: &str| {
        format!(
            r#"{{"type": "websocket", "endpoint": {{"type": "tcp", "port": 0, "interface": "127.0.0.1",
                "tls": {{"certificate": "keys/cert.pem", "key": "{key}", "dhparam": "x", "ciphers": "y",
                         "ca_certificates": ["keys/cert.pem"]}}}}}}"#
        )
    };
    let text = node(
        &roles,
        &format!("{}, {}", tls("keys/key.pem"), websocket("")),
        "",
    );
    let converted = node_.convert(&text);
    let toml = &converted.toml;
    assert!(
        toml.contains("    \"127.0.0.1:0\",\n    \"plain:127.0.0.1:0\","),
        "{toml}"
    );
    assert!(
        toml.contains("client_certificates = \"required\""),
        "{toml}"
    );
    converted.builder.check().unwrap();
    // From elsewhere, with the node's directory.
    let elsewhere = Files::new();
    let config =
        CrossbarConfig::new(elsewhere.write("node.json", &text)).directory(node_.directory());
    config.convert().unwrap().builder.check().unwrap();

    let mistakes = node_.mistakes("config.json", &node(&roles, &tls("keys/none.pem"), ""));
    let expected = "config.json:6: workers[0].transports[0].endpoint.tls: ";
    assert!(mistakes[0].starts_with(expected), "{mistakes:?}");
    assert!(mistakes[0].contains("none.pem"), "{mistakes:?}");
    let both = format!("{}, {}", tls("keys/key.pem"), tls("keys/cert.pem"));
    let mistakes = node_.mistakes("config.json", &node(&roles, &both, ""));
    assert!(
        mistakes
            .join("")
            .contains("another certificate than that of"),
        "{mistakes:?}"
    );
}

#[test]
fn events_are_kept_as_the_store_says() {
    let node = Files::new();
    let text = format!(
        r#"{{"version": 2, "workers": [{{"type": "router", "realms": [{{"name": "realm1",
            "roles": [{{"name": "anonymous", "permissions": [{EVERYTHING}]}}],
            "store": {{"type": "memory", "limit": 2, "event-history": [
                {{"uri": "com.example.", "match": "prefix"}}]}}}}],
            "transports": [{}]}}]}}"#,
        websocket("")
    );
    let host = node.host(&text);
    let mut peer = host.session();
    let subscription = peer.subscribe("com.example.log");
    for number in 1..=3 {
        let id = peer.id();
        peer.send(&json!([16, id, {"acknowledge": true}, "com.example.log", [number]]));
        assert_eq!(peer.message()[0], 17);
    }
    let events = peer.call("wamp.subscription.get_events", json!([subscription]));
    assert_eq!(events[3].as_array().unwrap().len(), 2, "{events}");

    let other = text.replace("\"memory\"", "\"cfxdb\"");
    let mistakes = node.mistakes("config.json", &other);
    assert!(
        mistakes[0].contains("store.type: a store of the kind \"cfxdb\""),
        "{mistakes:?}"
    );
}

#[test]
fn a_realm_without_the_meta_api_does_not_show_it() {
    let node = Files::new();
    let realm = |options: &str| {
        format!(
            r#"{{"version": 2, "workers": [{{"type": "router", "realms": [{{"name": "realm1",
                "options": {options},
                "roles": [{{"name": "anonymous", "permissions": [{EVERYTHING}]}}]}}],
                "transports": [{}]}}]}}"#,
            websocket("")
        )
    };
    let host = node.host(&realm("{}"));
    let answer = host.session().call("wamp.session.count", json!([]));
    assert_eq!(answer[0], 50, "{answer}");
    let host = node.host(&realm(r#"{"enable_meta_api": false}"#));
    let answer = host.session().call("wamp.session.count", json!([]));
    assert_eq!(answer[4], "wamp.error.not_authorized", "{answer}");
}

#[test]
fn the_first_version_is_read_too() {
    let node = Files::new();
    let text = format!(
        r#"{{"workers": [{{"type": "router", "realms": [{{"name": "realm1", "roles": [
            {{"name": "anonymous", "permissions": [{{"uri": "com.*", "call": true}}]}}]}}],
            "transports": [{}]}}]}}"#,
        websocket("")
    );
    let host = node.host(&text);
    let mut peer = host.session();
    assert_eq!(
        peer.call("com.x", json!([]))[4],
        "wamp.error.no_such_procedure"
    );
    assert_eq!(
        peer.call("org.x", json!([]))[4],
        "wamp.error.not_authorized"
    );
}

/// Every key that is read is documented.
#[test]
fn the_documentation_names_every_key() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_to_string(manifest.join("../../docs/crossbar-config.md")).unwrap();
    let sources = manifest.join("src/config/crossbar");
    let mut keys = 0;
    for file in std::fs::read_dir(sources).unwrap() {
        let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let readers = [
            "know",
            "ignore",
            "leave_out",
            "refuse",
            "text",
            "required_text",
            "secret",
            "flag",
            "number",
            "word",
            "item",
            "items",
            "fields",
            "texts",
            "named",
            "field",
        ];
        for reader in readers {
            let call = format!(".{reader}(");
            for found in source.split(&call).skip(1) {
                let argument = found.trim_start();
                let Some(key) = argument.strip_prefix('"').and_then(|it| it.split_once('"')) else {
                    continue;
                };
                keys += 1;
                assert!(
                    docs.contains(&format!("`{}`", key.0)),
                    "{} is not documented",
                    key.0
                );
            }
        }
    }
    assert!(keys > 80, "{keys} keys");
}
