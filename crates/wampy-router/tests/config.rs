//! The configuration file: what it sets, and how its mistakes are named.

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
use wampy_router::{Builder, Limits, RealmConfig, Router};

impl Files {
    fn builder(&self, text: &str) -> Builder {
        match Builder::from_config_file(self.write("wampy.toml", text)) {
            Ok(builder) => builder,
            Err(error) => panic!("{error}"),
        }
    }

    fn host(&self, text: &str) -> Host {
        Host::start(self.builder(text))
    }

    /// The mistakes of a file, without the directory.
    fn mistakes(&self, text: &str) -> Vec<String> {
        let path = self.write("wampy.toml", text);
        let error = Builder::from_config_file(path).unwrap_err();
        self.lines(&error.to_string())
    }
}

const SHOP: &str = r#"
listen = ["127.0.0.1:0"]

[[realms]]
name = "com.example.shop"

[[realms.roles]]
name = "guest"
permissions = [{ uri = "com.example.", match = "prefix", allow = { call = true } }]

[[realms.roles]]
name = "clerk"
trust_level = 3
permissions = [{ uri = "*", allow = { call = true, register = true, publish = true, subscribe = true } }]

[realms.authentication]
methods = ["anonymous", "ticket", "wampcra"]
anonymous_role = "guest"
users_file = "users.toml"

[[realms.authentication.users]]
authid = "joe"
role = "clerk"
ticket = "secret!!!"
extra = { floor = 3 }
"#;

#[test]
fn a_file_says_who_may_join() {
    let files = Files::new();
    files.write(
        "users.toml",
        "[[users]]\nauthid = 'ann'\nrole = 'clerk'\nticket = 't'\n",
    );
    let host = files.host(SHOP);
    let mut guest = host.rawsocket(Serializer::Json);
    let welcome = guest.greet("com.example.shop", &json!({}));
    assert_eq!(welcome[2]["authrole"], "guest");
    for (authid, ticket) in [("joe", "secret!!!"), ("ann", "t")] {
        let (_, welcome) = with_ticket(&host, "com.example.shop", authid, ticket);
        assert_eq!(welcome[2]["authrole"], "clerk", "{welcome}");
        if authid == "joe" {
            assert_eq!(welcome[2]["authextra"], json!({"floor": 3}));
        }
    }
}

fn ticket_is_good(host: &Host, authid: &str, ticket: &str) -> bool {
    with_ticket(host, "realm1", authid, ticket).1[0] == 2
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + peer::PATIENCE;
    while !is_so() {
        assert!(
            std::time::Instant::now() < deadline,
            "never happened: {what}"
        );
    }
}

#[test]
fn an_empty_secret_is_none() {
    let files = Files::new();
    let user = |means: &str| {
        let realm = "[[realms]]\nname = 'realm1'\n[realms.authentication]\n\
                     methods = ['ticket', 'wampcra']\n[[realms.authentication.users]]\n";
        files.mistakes(&format!("{realm}authid = 'joe'\nrole = 'user'\n{means}\n"))
    };
    let place = "realms[0].authentication.users[0]";
    for (means, line, problem) in [
        (
            "ticket = ''",
            5,
            ": the ticket is empty: anybody could say it",
        ),
        (
            "wampcra = { secret = '' }",
            8,
            ".wampcra: the secret is empty: anybody could sign with it",
        ),
    ] {
        let expected = format!("wampy.toml:{line}: {place}{problem}");
        assert_eq!(user(means), [expected]);
    }
    let typed = "wampy.toml:8: realms[0].authentication.users[0].wampcra: expected a table";
    assert_eq!(user("wampcra = 'secret'"), [typed]);
}

#[test]
fn an_authid_or_a_role_that_is_none_is_a_mistake() {
    let files = Files::new();
    let mistakes = files.mistakes(
        r#"[[realms]]
name = "open"
[realms.authentication]
methods = ["anonymous", "ticket"]
anonymous_role = ""
[[realms.authentication.users]]
authid = ""
role = "user"
ticket = "x"
[[realms.authentication.users]]
authid = "joe\u0000"
role = "\u001b[2J"
ticket = "x"
[[realms]]
name = "closed"
[[realms.roles]]
name = "\u009b"
[realms.authentication]
methods = ["ticket"]
"#,
    );
    let users = "realms[0].authentication.users";
    assert_eq!(
        mistakes,
        [
            "wampy.toml:5: realms[0].authentication.anonymous_role: the role is empty".to_owned(),
            format!("wampy.toml:7: {users}[0].authid: the authid is empty"),
            format!("wampy.toml:11: {users}[1].authid: the authid has control characters"),
            format!("wampy.toml:12: {users}[1].role: the role has control characters"),
            "wampy.toml:17: realms[1].roles[0].name: the name has control characters".to_owned(),
        ]
    );
}

#[test]
fn a_file_without_a_realm_opens_none() {
    let files = Files::new();
    for text in [
        "",
        "listen = ['127.0.0.1:0']\n",
        "realms = []",
        "auto_create_realms = false",
    ] {
        let mistakes = files.mistakes(text);
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        assert!(
            mistakes[0].starts_with("wampy.toml:1: there is no realm"),
            "{mistakes:?}"
        );
        assert!(mistakes[0].contains("[[realms]]"), "{mistakes:?}");
    }
    // What cannot be read may be the realms.
    let mistakes = files.mistakes("[[realms]\nname = 'realm1'\n");
    let is_told = |mistake: &String| mistake.contains("there is no realm");
    assert!(!mistakes.iter().any(is_told), "{mistakes:?}");
    // Where clients bring realms into being, realm1 is like any other.
    let host = files.host(
        r#"
        listen = ["127.0.0.1:0"]
        auto_create_realms = true
        [auto_created_realms.authentication]
        methods = ["ticket"]
        [[auto_created_realms.authentication.users]]
        authid = "joe"
        role = "user"
        ticket = "secret"
        "#,
    );
    let mut anybody = host.rawsocket(Serializer::Json);
    let answer = anybody.greet("realm1", &json!({}));
    assert_eq!(answer[2], "wamp.error.authentication_required", "{answer}");
    assert!(ticket_is_good(&host, "joe", "secret"));
}

fn reload(host: &Host, builder: Builder) -> Result<Vec<String>, String> {
    let _guard = host.runtime.enter();
    let reloaded = host.router.reload(builder);
    reloaded
        .map(|it| it.needs_restart)
        .map_err(|error| error.to_string())
}

#[test]
fn half_a_file_that_is_read_again_opens_no_realm() {
    let files = Files::new();
    files.write("users.toml", "");
    let host = files.host(SHOP);
    let name = SHOP.find("[[realms.roles]]").unwrap();
    let problem = reload(&host, files.builder(&SHOP[..name])).unwrap_err();
    assert!(problem.contains("com.example.shop"), "{problem}");
    assert!(problem.contains("roles = []"), "{problem}");
    let users_only = &SHOP[SHOP.find("[realms.authentication]").unwrap()..];
    let problem = reload(
        &host,
        files.builder(&format!("{}{users_only}", &SHOP[..name])),
    );
    assert!(problem.unwrap_err().contains("roles = []"));
    // In words it may be opened.
    let opened = format!("{}roles = []\n{users_only}", &SHOP[..name]);
    assert_eq!(reload(&host, files.builder(&opened)), Ok(Vec::new()));

    let closed = "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'realm1'\n";
    let ticket = "[realms.authentication]\nmethods = ['ticket']\n[[realms.authentication.users]]\n\
                  authid = 'joe'\nrole = 'user'\nticket = 'secret'\n";
    let host = files.host(&format!("{closed}{ticket}"));
    let problem = reload(&host, files.builder(closed)).unwrap_err();
    assert!(problem.contains("authentication"), "{problem}");
    let mut anybody = host.rawsocket(Serializer::Json);
    assert_eq!(anybody.greet("realm1", &json!({}))[0], 3);
    let anonymous = "authentication = { methods = ['anonymous'] }\n";
    let opened = files.builder(&format!("{closed}{anonymous}"));
    assert_eq!(reload(&host, opened), Ok(Vec::new()));
    host.session();
}

#[test]
fn exactly_the_files_with_users_that_are_in_use_are_watched() {
    let files = Files::new();
    let user =
        |ticket: &str| format!("[[users]]\nauthid = 'joe'\nrole = 'user'\nticket = '{ticket}'\n");
    let realm = |name: &str, file: &str| {
        format!(
            "[[realms]]\nname = '{name}'\n[realms.authentication]\nmethods = ['ticket']\n\
             users_file = '{file}'\n"
        )
    };
    let head = "listen = ['127.0.0.1:0']\nlimits = { users_file_poll_ms = 5, \
                authentication_delay_ms_max = 0 }\n";
    for file in ["a.toml", "b.toml", "c.toml"] {
        files.write(file, &user("first"));
    }
    let is_good =
        |host: &Host, realm: &str, ticket: &str| with_ticket(host, realm, "joe", ticket).1[0] == 2;
    let host = files.host(&format!(
        "{head}{}{}",
        realm("r1", "a.toml"),
        realm("r2", "b.toml")
    ));
    // r1 goes with the next start only, r2 has another file, and r3 the same.
    let other = format!("{head}{}{}", realm("r2", "c.toml"), realm("r3", "c.toml"));
    let waiting = reload(&host, files.builder(&other)).unwrap();
    assert_eq!(waiting, ["realm \"r1\": goes"]);
    for (file, ticket) in [("a.toml", "of a"), ("b.toml", "of b"), ("c.toml", "of c")] {
        files.write(file, &user(ticket));
    }
    for (realm, ticket) in [("r1", "of a"), ("r2", "of c"), ("r3", "of c")] {
        eventually("the file is read again", || is_good(&host, realm, ticket));
    }
    assert!(!is_good(&host, "r2", "of b"));
}

#[test]
fn a_file_with_users_is_read_again_when_it_has_changed() {
    let files = Files::new();
    let user = |authid: &str, ticket: &str| {
        format!("[[users]]\nauthid = '{authid}'\nrole = 'user'\nticket = '{ticket}'\n")
    };
    files.write("users.toml", &user("joe", "one"));
    let host = files.host(
        r#"
        listen = ["127.0.0.1:0"]
        limits = { users_file_poll_ms = 5, authentication_delay_ms_max = 0 }
        [[realms]]
        name = "realm1"
        [realms.authentication]
        methods = ["ticket"]
        users_file = "users.toml"
        "#,
    );
    assert!(ticket_is_good(&host, "joe", "one"));
    files.write("users.toml", &(user("joe", "two") + &user("ann", "three")));
    eventually("the new users are known", || {
        ticket_is_good(&host, "ann", "three")
    });
    assert!(!ticket_is_good(&host, "joe", "one"));
    files.write("users.toml", &user("eve", "six"));
    eventually("others take their place", || {
        ticket_is_good(&host, "eve", "six")
    });
    assert!(!ticket_is_good(&host, "joe", "two"));
}

#[test]
fn every_mistake_is_named_by_line_and_key_and_all_at_once() {
    let files = Files::new();
    let mistakes = files.mistakes(
        r#"listen = ["localhost:8080", "nonsense"]
compres = true
serializers = ["json", "ubjson"]
rawsocket_ping = "yes"
lenient = ["request-ids", "everything"]

[tls]
certificate = "missing.pem"

[limits]
sessions_max = -1
conections_max = 5
message_bytes_max = 0x1_0000_0000_0000_0000

[[realms]]
name = "a shop"
caller_disclosure = "sometimes"

[[realms]]
name = "shop"
[[realms.roles]]
name = "user"
permissions = [
    { uri = "a.b", allow = { cal = true } },
    { uri = "a b", allow = { call = true } },
]
[[realms.roles]]
name = "user"
[realms.authentication]
methods = ["ticket", "wampcra", "telepathy"]
anonymous_role = "guest"
users_file = "nowhere.toml"
authenticator = { procedure = "a b", realm = "other" }
[[realms.authentication.users]]
authid = "joe"
role = "boss"
ticket = 5
[[realms.authentication.users]]
role = "user"
scram = { kdf = "md5" }

[[realms]]
name = "shop"
"#,
    );
    let expected = [
        "wampy.toml:1: listen[1]: ",
        "wampy.toml:2: compres: there is no such key; did you mean compress?",
        "wampy.toml:3: serializers[1]: \"ubjson\" is none of msgpack, cbor, json",
        "wampy.toml:4: rawsocket_ping: expected true or false, found text",
        "wampy.toml:5: lenient[1]: \"everything\" is none of request-ids, ",
        "wampy.toml:7: tls: key is missing",
        "wampy.toml:8: tls.certificate: ",
        "wampy.toml:11: limits.sessions_max: -1 is out of range",
        "wampy.toml:12: limits.conections_max: there is no such key; did you mean connections_max?",
        "wampy.toml:13: limits.message_bytes_max: ",
        "wampy.toml:16: realms[0].name: \"a shop\" is no name for a realm: it must be a URI",
        "wampy.toml:17: realms[0].caller_disclosure: \"sometimes\" is none of denied, on-request, always",
        "wampy.toml:24: realms[1].roles[0].permissions[0]: ",
        "wampy.toml:25: realms[1].roles[0].permissions[1]: ",
        "wampy.toml:28: realms[1].roles[1].name: there are two roles called \"user\"",
        "wampy.toml:30: realms[1].authentication.methods[2]: \"telepathy\" is none of anonymous, ",
        "wampy.toml:31: realms[1].authentication.anonymous_role: the realm has no role \"guest\"; it has user",
        "wampy.toml:32: realms[1].authentication.users_file: ",
        "wampy.toml:33: realms[1].authentication.authenticator.procedure: \"a b\" is no URI of a procedure",
        "wampy.toml:33: realms[1].authentication.authenticator.realm: there is no realm \"other\"",
        "wampy.toml:36: realms[1].authentication.users[0].role: the realm has no role \"boss\"; it has user",
        "wampy.toml:37: realms[1].authentication.users[0].ticket: expected ",
        "wampy.toml:38: realms[1].authentication.users[1]: authid is missing",
        "wampy.toml:40: realms[1].authentication.users[1].scram: ",
        "wampy.toml:43: realms[2].name: there are two realms called \"shop\"",
    ];
    for (found, expected) in mistakes.iter().zip(expected) {
        assert!(
            found.starts_with(expected),
            "{found}\n{expected}\n{mistakes:#?}"
        );
    }
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
}

#[test]
fn a_port_may_have_some_of_the_methods() {
    let files = Files::new();
    let realm = "[[realms]]\nname = 'realm1'\n[realms.authentication]\nmethods = ['anonymous', 'ticket']\n\
                 [[realms.authentication.users]]\nauthid = 'joe'\nrole = 'user'\nticket = 'secret!!!'\n";
    let listen = "listen = [{ address = 'unix:inside', methods = ['anonymous'] }, \
                  { address = '127.0.0.1:0', methods = ['ticket'] }]\n";
    let written = files.builder(&format!("{listen}{realm}"));
    assert_eq!(written.url().unwrap().as_deref(), None);
    let listen = "listen = [{ address = '127.0.0.1:0', methods = ['ticket'] }]\n";
    let host = files.host(&format!("{listen}{realm}"));
    assert!(ticket_is_good(&host, "joe", "secret!!!"));
    let mut nobody = host.rawsocket(Serializer::Json);
    let refused = nobody.greet("realm1", &json!({}));
    assert_eq!(
        refused[2], "wamp.error.authentication_required",
        "{refused}"
    );
    // Without methods it is like an address alone.
    let host = files.host(&format!(
        "listen = [{{ address = '127.0.0.1:0' }}]\n{realm}"
    ));
    host.session();

    let mistakes = files.mistakes(&format!(
        "listen = [\n{{ addres = 'localhost:1' }},\n{{ address = 'x', methods = [] }},\n7,\n\
         {{ address = 'localhost:1', methods = ['cookie', 'telepathy'] }},\n]\n{realm}"
    ));
    let expected = [
        "wampy.toml:2: listen[0]: address is missing",
        "wampy.toml:2: listen[0].addres: there is no such key; did you mean address?",
        "wampy.toml:3: listen[1]: methods is empty: nobody could join",
        "wampy.toml:3: listen[1].address: ",
        "wampy.toml:4: listen[2]: expected text or a table, found a whole number",
        "wampy.toml:5: listen[3].methods[1]: \"telepathy\" is none of anonymous, ",
        "wampy.toml:5: listen[3].methods[0]: no realm has the method cookie",
    ];
    for (found, expected) in mistakes.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found}\n{expected}");
    }
    assert_eq!(mistakes.len(), expected.len(), "{mistakes:#?}");
    let port = "listen = [{ address = 'localhost:1', methods = ['ticket'] }]\n";
    let mistakes = files.mistakes(&format!("{port}[[realms]]\nname = 'realm1'\n"));
    assert_eq!(
        mistakes,
        ["wampy.toml:1: listen[0].methods[0]: no realm has the method ticket"]
    );
}

#[test]
fn the_store_of_events_is_beside_the_file() {
    let files = Files::new();
    let text = "listen = ['127.0.0.1:0']\nstore = 'kept'\n[[realms]]\nname = 'realm1'\n";
    let host = files.host(text);
    assert!(files.path("kept").is_dir());
    drop(host);
    files.host(text).session();
}

#[test]
fn mistakes_that_take_two_keys_are_named_by_line_too() {
    let files = Files::new();
    let realm = "[[realms]]\nname = 'shop'\n";
    let login = "[realms.authentication]\nmethods = ['cryptosign', 'tls']\n";
    let user = |authid: &str, means: &str| {
        format!("[[realms.authentication.users]]\nauthid = '{authid}'\nrole = 'r'\n{means}\n")
    };
    let same = |means: &str| format!("{login}{}{}", user("joe", means), user("ann", means));
    let key = format!("58{}", "66".repeat(31)); // The base point of the curve.
    files.write(
        "people.toml",
        "[[users]]\nauthid = 'joe'\nrole = 'r'\ncertificate_name = ['x']\n",
    );
    for (text, expected) in [
        (
            "[[realms.event_history.rules]]\ntopic = 'a'\nage_ms_max = 0\n".to_owned(),
            "5: realms[0].event_history.rules[0].age_ms_max: 0 keeps nothing",
        ),
        (
            "[realms.event_retention]\nbytes_max = 0\n".to_owned(),
            "4: realms[0].event_retention.bytes_max: 0 keeps nothing",
        ),
        (
            "[realms.authentication]\nmethods = ['cookie']\n".to_owned(),
            "4: realms[0].authentication.methods[0]: the authmethod `cookie` needs a cookie",
        ),
        (
            same(&format!("cryptosign = ['{key}']")),
            "9: realms[0].authentication.users[1]: two users have the same public key: \"joe\" and \"ann\"",
        ),
        (
            same("certificate_name = ['x']"),
            "9: realms[0].authentication.users[1]: two users have the same certificate name: \"joe\" and \"ann\"",
        ),
        (
            format!("{login}{0}{0}", user("joe", "certificate_name = ['x']")),
            "9: realms[0].authentication.users[1]: two users have the same authid: \"joe\" and \"joe\"",
        ),
        (
            format!(
                "{login}users_file = 'people.toml'\n{}",
                user("ann", "certificate_name = ['x']")
            ),
            "5: realms[0].authentication.users_file: two users have the same certificate name: \"ann\" and \"joe\"",
        ),
    ] {
        let mistakes = files.mistakes(&format!("{realm}{text}"));
        assert_eq!(mistakes.len(), 1, "{mistakes:?}");
        let expected = format!("wampy.toml:{expected}");
        assert!(
            mistakes[0].starts_with(&expected),
            "{expected}\n{mistakes:?}"
        );
    }
}

#[test]
fn secrets_are_among_the_keys_that_are_known() {
    let files = Files::new();
    let mistakes = files.mistakes(
        "[[realms]]\nname = 'a'\n[realms.authentication]\nmethods = ['wamp-scram']\nunknown_users_sed = 'x'\n\
         [[realms.authentication.users]]\nauthid = 'joe'\nrole = 'r'\nscrm = {}\ntelepathy = 1\n",
    );
    let text = mistakes.join("\n");
    for hint in [
        "did you mean unknown_users_seed?",
        "did you mean scram?",
        "known here: authid, role, ticket, wampcra, scram, cryptosign, ",
    ] {
        assert!(text.contains(hint), "{hint}\n{text}");
    }
}

#[test]
fn mistakes_of_toml_itself_are_named_by_line() {
    let files = Files::new();
    for (text, line) in [
        ("compress = true\nlisten = [\n", 2),
        ("compress = true\n\ncompress = false\n", 3),
        ("[limits]\nsessions_max = \n", 2),
        (
            "[[realms]]\nname = 'a'\n[realms.authentication]\nmethods = []\n[realms]\n",
            5,
        ),
    ] {
        let mistakes = files.mistakes(text);
        let begin = format!("wampy.toml:{line}:");
        assert!(
            mistakes.iter().any(|mistake| mistake.starts_with(&begin)),
            "{text}: {mistakes:?}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let files = Files::new();
    let error = Builder::from_config_file(files.path("no.toml")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no.toml: cannot be read: "), "{text}");
}

#[test]
fn mistakes_of_a_users_file_are_named_in_it() {
    let files = Files::new();
    files.write(
        "people.toml",
        "[[users]]\nauthid = 'joe'\nrole = 'user'\ntiket = 'x'\n",
    );
    let mistakes = files.mistakes(
        "[[realms]]\nname = 'a'\n[realms.authentication]\nmethods = ['ticket']\nusers_file = 'people.toml'\n",
    );
    assert_eq!(
        mistakes,
        [
            "people.toml:1: users[0]: the user needs one of ticket, wampcra, scram, cryptosign, certificate_sha256, certificate_name",
            "people.toml:4: users[0].tiket: there is no such key; did you mean ticket?",
        ]
    );
}

#[test]
fn no_mistake_repeats_a_secret() {
    let files = Files::new();
    let realm =
        "[[realms]]\nname = 'a'\n[realms.authentication]\nmethods = ['ticket', 'wampcra']\n";
    for user in [
        "ticket = 8675309",
        "ticket = ['8675309']",
        "ticket = { secret = '8675309' }",
        "wampcra = '8675309'",
        "wampcra = { secret = 8675309 }",
        "wampcra = { key = '8675309' }",
        "wampcra = { secret = '8675309', iterations = 5 }",
        "scram = '8675309'",
        "scram = { kdf = 'pbkdf2', salt = 'AAAA', iterations = 4096, stored_key = '8675309', server_key = '8675309' }",
    ] {
        let text = format!(
            "{realm}[[realms.authentication.users]]\nauthid = 'joe'\nrole = 'user'\n{user}\n"
        );
        let mistakes = files.mistakes(&text);
        assert!(mistakes[0].starts_with("wampy.toml:8:"), "{mistakes:?}");
        assert!(!mistakes.join("\n").contains("8675309"), "{mistakes:?}");
    }
}

#[test]
fn users_who_could_never_come_in_are_mistakes() {
    let files = Files::new();
    let realm = "[[realms]]\nname = 'a'\n[realms.authentication]\nmethods = ['wampcra']\n";
    for (user, expected) in [
        (
            "ticket = 'x'",
            "the user can prove itself by none of the realm's methods",
        ),
        (
            "wampcra = { secret = 'x' }\nsecond_factor = 'ticket'",
            "the second factor, ticket, is missing",
        ),
        (
            "wampcra = { secret = 'x' }\nsecond_factor = 'wampcra'",
            "by none of the realm's methods",
        ),
        (
            "wampcra = { secret = 'x' }\nticket = 'y'\nsecond_factor = 'ticket'",
            "the second factor, ticket, is none of the realm's methods",
        ),
        (
            "certificate_sha256 = ['abc']",
            "\"abc\" is no SHA-256: 64 hex digits",
        ),
    ] {
        let text = format!(
            "{realm}[[realms.authentication.users]]\nauthid = 'joe'\nrole = 'user'\n{user}\n"
        );
        let mistakes = files.mistakes(&text);
        assert!(
            mistakes.join("\n").contains(expected),
            "{user}: {mistakes:?}"
        );
    }
}

#[test]
fn an_authenticator_of_realms_that_do_not_exist_yet_is_in_another() {
    let files = Files::new();
    let mistakes = files.mistakes(
        "auto_create_realms = true\n[auto_created_realms.authentication]\nmethods = ['ticket']\n\
         authenticator = 'com.example.authenticate'\n",
    );
    assert!(
        mistakes[0].contains("the authenticator needs a realm"),
        "{mistakes:?}"
    );
}

#[test]
fn limits_and_policies_reach_the_router() {
    let files = Files::new();
    let host = files.host(
        r#"
        listen = ["127.0.0.1:0"]
        serializers = ["json"]
        auto_create_realms = true
        limits = { sessions_max = 2, auto_created_realms_max = 1 }
        [auto_created_realms]
        uri_grammar = "strict"
        [[realms]]
        name = "open"
        publisher_disclosure = "denied"
        limits = { uri_bytes_max = 20 }
        "#,
    );
    let mut open = host.session_in("open");
    open.send(&json!([16, 1, {"acknowledge": true, "disclose_me": true}, "a.b"]));
    assert_eq!(
        open.message()[4],
        "wamp.error.option_disallowed.disclose_me"
    );
    open.id();
    let error = open.call("com.example.a_long_one", json!([]));
    assert_eq!(error[4], "wamp.error.invalid_uri");
    let mut new = host.session_in("new");
    let error = new.call("com.Example", json!([]));
    assert_eq!(error[4], "wamp.error.invalid_uri");
    let mut third = host.rawsocket(Serializer::Json);
    third.send(&Peer::hello("open"));
    third.expect_abort("wamp.close.too_many_sessions");
    drop(open);
    host.eventually("a session is free", |stats| stats.sessions == 1);
    let mut newer = host.rawsocket(Serializer::Json);
    newer.send(&Peer::hello("newer"));
    newer.expect_abort("wamp.error.no_such_realm");
}

/// Every example of the documentation is a file that can be used, with what it names beside it.
#[test]
fn the_examples_of_the_documentation_work() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let files = Files::new();
    let signed = Authority::new().sign("router", &["localhost"]);
    files.write("fullchain.pem", &signed.certificate.pem());
    files.write("privkey.pem", &signed.key.serialize_pem());
    files.write("router.key", &"02".repeat(32));
    let blocks: Vec<_> = docs.split("```toml").skip(1).collect();
    assert!(blocks.len() >= 5, "{} examples", blocks.len());
    let blocks: Vec<_> = blocks
        .iter()
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let (users, configs): (Vec<_>, Vec<_>) = blocks
        .iter()
        .partition(|text| text.trim_start().starts_with("# users.toml"));
    files.write("users.toml", users[0]);
    for config in configs {
        let builder = files.builder(config);
        if let Err(error) = builder.check() {
            panic!("{error}\n{config}");
        }
    }
}

/// What the documentation says of each key is not forgotten.
#[test]
fn every_key_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let files = Files::new();
    // What is known where a key is not, is told by the mistake.
    let text = "zzz = 1\nlisten = [{ address = 'localhost:1', zzz = 1 }]\n[cookie]\nzzz = 1\n[tls]\nzzz = 1\n[limits]\nzzz = 1\n[[realms]]\nname = 'a'\nzzz = 1\n\
                [realms.limits]\nzzz = 1\n[[realms.roles]]\nname = 'anonymous'\nzzz = 1\n\
                [realms.authentication]\nmethods = ['ticket']\nzzz = 1\n\
                authenticator = { procedure = 'a', zzz = 1 }\n\
                [[realms.authentication.users]]\nauthid = 'a'\nrole = 'anonymous'\nticket = 'x'\nzzz = 1\n";
    let mut keys = 0;
    for mistake in files.mistakes(text) {
        let Some((_, known)) = mistake.split_once("known here: ") else {
            continue;
        };
        for key in known.split(", ") {
            keys += 1;
            assert!(
                docs.contains(&format!("`{key}`")),
                "{key} is not documented"
            );
        }
    }
    assert!(keys > 50, "{keys} keys");
}

/// A new limit or policy must become a key.
#[test]
fn every_setting_has_a_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let docs = std::fs::read_to_string(path).unwrap();
    // What the router sets in every realm has a key of the router; the leniencies have names.
    let elsewhere = ["silent_cancel", "progress_without_canceling"];
    let settings = format!("{:#?}{:#?}", Limits::default(), RealmConfig::default());
    let mut fields = 0;
    for line in settings.lines() {
        let Some(field) = line
            .strip_prefix("    ")
            .and_then(|line| line.split_once(':'))
        else {
            continue;
        };
        if !field.0.starts_with(' ') && !elsewhere.contains(&field.0) {
            fields += 1;
            assert!(
                docs.contains(&format!("`{}`", field.0)),
                "{} is not documented",
                field.0
            );
        }
    }
    assert!(fields > 40, "{fields} fields");
}

#[test]
fn history_is_kept_as_the_file_says() {
    let files = Files::new();
    let host = files.host(
        r#"
        listen = ["127.0.0.1:0"]
        [[realms]]
        name = "realm1"
        [realms.event_history]
        rules = [{ topic = "com.example.", match = "prefix", events_per_topic_max = 2 }]
        [realms.event_retention]
        rules = []
        "#,
    );
    let mut peer = host.session();
    let subscription = peer.subscribe("com.example.log");
    for number in 1..=3 {
        let id = peer.id();
        peer.send(
            &json!([16, id, {"acknowledge": true, "retain": true}, "com.example.log", [number]]),
        );
        assert_eq!(peer.message()[0], 17);
    }
    let events = peer.call("wamp.subscription.get_events", json!([subscription]));
    let args: Vec<_> = events[3]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["args"])
        .collect();
    assert_eq!(args, [&json!([2]), &json!([3])], "{events}");
    let mut late = host.session();
    late.send(&json!([32, 1, {"get_retained": true}, "com.example.log"]));
    assert_eq!(late.message()[0], 33);
    late.id();
    late.nothing_came();
    let mistakes = files.mistakes(
        "[[realms]]\nname = 'a'\n[realms.event_history]\nrules = [{ topic = 'a b' }, {}]\n",
    );
    assert!(
        mistakes[0].contains("event_history.rules[0].topic: \"a b\" is no pattern"),
        "{mistakes:?}"
    );
    assert!(
        mistakes[1].contains("event_history.rules[1]: topic is missing"),
        "{mistakes:?}"
    );
}

#[test]
fn a_builder_from_a_file_can_be_changed() {
    let files = Files::new();
    let text = "listen = ['127.0.0.1:0']\n[[realms]]\nname = 'first'\n";
    let builder = files.builder(text).realm("more");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let router: Router = runtime.block_on(builder.start()).unwrap();
    let realms = router.stats().realms;
    assert_eq!([&realms[0].name, &realms[1].name], ["first", "more"]);
}
