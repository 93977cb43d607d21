//! Where a transport listens: `endpoint`.

use std::ops::Range;

use super::super::source::{Located, Place};
use super::item::{Field, Item, Scope};
use super::node::{Node, Value};

/// What a transport listens on.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) place: Place,
    /// `HOST:PORT` or `unix:PATH`.
    pub(super) address: String,
    pub(super) is_tcp: bool,
    pub(super) tls: Option<Located<Tls>>,
    /// The doors that are there, by their places among all.
    pub(super) doors: Range<usize>,
    /// The only methods by which clients may authenticate there, if these differ from port to port.
    pub(super) methods: Option<Vec<&'static str>>,
}

/// The files of an endpoint with TLS, as they are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tls {
    pub(super) certificate: String,
    pub(super) key: String,
    pub(super) client_authorities: Option<String>,
}

#[derive(Clone, Copy)]
enum Kind {
    Tcp,
    Unix,
    Other,
}

const KINDS: [(&str, Kind); 4] = [
    ("tcp", Kind::Tcp),
    ("unix", Kind::Unix),
    ("twisted", Kind::Other),
    ("onion", Kind::Other),
];

/// Reads the endpoint of a transport, which must have one.
pub(super) fn read(transport: &mut Item<'_>) -> Option<Endpoint> {
    if transport.field("endpoint").is_none() {
        transport.problem("endpoint is missing");
    }
    let mut item = transport.item("endpoint")?;
    if item.field("type").is_none() {
        item.problem("type is missing");
    }
    match item.word("type", &KINDS) {
        Some(Located {
            value: Kind::Tcp, ..
        }) => tcp(item),
        Some(Located {
            value: Kind::Unix, ..
        }) => unix(item),
        Some(Located {
            value: Kind::Other, ..
        }) => {
            item.problem("this router listens on TCP ports and Unix sockets only");
            item.forget();
            None
        }
        None => {
            item.forget();
            None
        }
    }
}

fn tcp(mut item: Item<'_>) -> Option<Endpoint> {
    item.refuse(
        "portrange",
        "this router does not look for a port within a range: give one, or an endpoint for each",
    );
    let is_6 = match item.number("version") {
        None => false,
        Some(version) => {
            if !matches!(version.value, 4 | 6) {
                let text = format!("{} is neither 4 nor 6", version.value);
                item.scope.source.report_at(version.place(), text);
            }
            version.value == 6
        }
    };
    let interface = item.text("interface").map(|text| text.value);
    let host = match (
        interface.as_deref().map(str::trim).unwrap_or_default(),
        is_6,
    ) {
        ("", false) => "0.0.0.0",
        ("", true) => "::",
        ("localhost", false) => "127.0.0.1",
        ("localhost", true) => "::1",
        (interface, _) => interface,
    };
    let host = match host.contains(':') && !host.starts_with('[') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let port = port(&mut item);
    item.ignore(
        "backlog",
        "the queue of a port is as long as the system lets it be",
    );
    item.ignore("shared", "one process takes all connections of a port");
    item.ignore(
        "user_timeout",
        "who has vanished is found out by pings and TCP's keepalive",
    );
    let tls = item.item("tls").and_then(tls);
    let place = item.place().clone();
    item.end();
    Some(Endpoint {
        place,
        address: format!("{host}:{}", port?),
        is_tcp: true,
        tls,
        doors: 0..0,
        methods: None,
    })
}

fn port(item: &mut Item<'_>) -> Option<u16> {
    let scope = item.scope;
    let Some(field) = item.field("port") else {
        item.problem("port is missing");
        return None;
    };
    let number = match &field.node.value {
        Value::Integer(integer) => Some(*integer),
        Value::Text(text) => from_environment(scope, &field, text)?.parse().ok(),
        _ => {
            scope.mistyped(&field, "a port");
            return None;
        }
    };
    let port = number.and_then(|number| number.try_into().ok());
    if port.is_none() {
        scope.refuse(&field.place, "a port is a number up to 65535");
    }
    port
}

/// A port that stands in an environment variable: `$NAME`.
fn from_environment(scope: &Scope<'_>, field: &Field<'_>, text: &str) -> Option<String> {
    let Some(name) = text.strip_prefix('$').filter(|name| !name.is_empty()) else {
        let text = format!("{text:?} is neither a port nor $ and the name of a variable");
        scope.refuse(&field.place, text);
        return None;
    };
    let value = scope.environment(&field.place, name)?;
    let why = format!("taken from the environment variable {name}");
    scope.source.warn_at(&field.place, why);
    Some(value)
}

fn unix(mut item: Item<'_>) -> Option<Endpoint> {
    let path = item.required_text("path");
    item.ignore(
        "backlog",
        "the queue of a socket is as long as the system lets it be",
    );
    let place = item.place().clone();
    let directory = &item.scope.directory;
    let path = path.map(|path| directory.join(path.value));
    item.end();
    Some(Endpoint {
        place,
        address: format!("unix:{}", path?.display()),
        is_tcp: false,
        tls: None,
        doors: 0..0,
        methods: None,
    })
}

fn tls(mut item: Item<'_>) -> Option<Located<Tls>> {
    let (certificate, key) = (item.required_text("certificate"), item.required_text("key"));
    let chain = item.field("chain_certificates");
    if let Some(chain) = chain.filter(|chain| !is_empty(chain.node)) {
        let text = "the certificates between the server's and a trusted one stand behind it, in the \
                    same file: `cat cert.pem chain.pem > fullchain.pem`";
        item.scope.refuse(&chain.place, text);
    }
    item.ignore("dhparam", "key exchange is by elliptic curves only");
    item.ignore(
        "ciphers",
        "TLS 1.2 and 1.3 are spoken, with today's ciphers only",
    );
    let authorities = item.texts("ca_certificates");
    let client_authorities = authorities.and_then(|files| match files.value.as_slice() {
        [] => None,
        [file] => Some(file.value.clone()),
        _ => {
            let text =
                "who signs clients' certificates stands in one file: `cat a.pem b.pem > ca.pem`";
            item.scope.refuse(files.place(), text);
            None
        }
    });
    let place = item.place().clone();
    item.end();
    Some(Located {
        value: Tls {
            certificate: certificate?.value,
            key: key?.value,
            client_authorities,
        },
        place,
    })
}

fn is_empty(node: &Node) -> bool {
    matches!(&node.value, Value::List(items) if items.is_empty())
}
