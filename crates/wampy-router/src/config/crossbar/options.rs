//! The options of transports: sizes, times, pings, compression, and the origins of web pages.

use super::super::source::{Located, Place};
use super::item::Item;

/// What the options of a transport say that has a counterpart.
#[derive(Default)]
pub(super) struct Options {
    pub(super) max_message_size: Option<Located<u64>>,
    pub(super) allowed_origins: Option<Located<Vec<Located<String>>>>,
    pub(super) open_handshake_timeout: Option<Located<u64>>,
    pub(super) close_handshake_timeout: Option<Located<u64>>,
    pub(super) auto_ping_interval: Option<Located<u64>>,
    pub(super) auto_ping_timeout: Option<Located<u64>>,
    pub(super) compression: Option<Place>,
}

/// Options of WebSocket that say how something is done which this router does one way: what it is if
/// it is done so here, and why else it is ignored.
const ONE_WAY: [(&str, Option<bool>, &str); 16] = [
    (
        "validate_utf8",
        Some(true),
        "text is always checked to be UTF-8",
    ),
    (
        "tcp_nodelay",
        Some(true),
        "what is written is always sent at once",
    ),
    (
        "require_masked_client_frames",
        Some(true),
        "frames of clients must be masked",
    ),
    ("apply_mask", Some(true), "masks are always applied"),
    (
        "mask_server_frames",
        Some(false),
        "frames to clients are never masked",
    ),
    ("enable_rfc6455", Some(true), "RFC 6455 is what is spoken"),
    ("enable_hybi10", None, "RFC 6455 is what is spoken"),
    (
        "enable_webstatus",
        None,
        "there is no page that shows the status",
    ),
    (
        "enable_flash_policy",
        Some(false),
        "there is no Flash any more",
    ),
    ("flash_policy", None, "there is no Flash any more"),
    ("show_server_version", None, "no version is shown"),
    (
        "external_port",
        None,
        "the port in the URL of a request is not looked at",
    ),
    (
        "fail_by_drop",
        None,
        "who misbehaves is told why before the connection is closed",
    ),
    (
        "echo_close_codereason",
        None,
        "a close frame is answered by one with the same code",
    ),
    (
        "require_websocket_subprotocol",
        Some(true),
        "a client must name a WAMP subprotocol",
    ),
    (
        "auto_ping_restart_on_any_traffic",
        Some(true),
        "pings are sent into silence only",
    ),
];

/// Reads `options` of a WebSocket.
pub(super) fn websocket(transport: &mut Item<'_>) -> Options {
    let Some(mut item) = transport.item("options") else {
        return Options::default();
    };
    let options = Options {
        max_message_size: item.number("max_message_size"),
        allowed_origins: item.texts("allowed_origins"),
        open_handshake_timeout: item.number("open_handshake_timeout"),
        close_handshake_timeout: item.number("close_handshake_timeout"),
        auto_ping_interval: item.number("auto_ping_interval"),
        auto_ping_timeout: item.number("auto_ping_timeout"),
        compression: item.item("compression").and_then(compression),
    };
    null_origin(&mut item, options.allowed_origins.as_ref());
    item.ignore("auto_ping_size", "the size of a ping says nothing");
    item.ignore("max_frame_size", "frames may be as large as messages");
    item.ignore("auto_fragment_size", "messages are sent in one frame each");
    for (key, here, why) in ONE_WAY {
        one_way(&mut item, key, here, why);
    }
    item.end();
    options
}

fn one_way(item: &mut Item<'_>, key: &'static str, here: Option<bool>, why: &str) {
    let Some(field) = item.field(key) else {
        return;
    };
    let is_so = here.is_some_and(|here| field.node.value == super::node::Value::Flag(here));
    if !is_so {
        item.scope.ignore(&field.place, why);
    }
}

/// Whether pages without an origin may come. Where there is no list of origins everybody may; by a
/// list they may here only if it has `null`, and with Crossbar.io unless that is forbidden.
fn null_origin(item: &mut Item<'_>, origins: Option<&Located<Vec<Located<String>>>>) {
    let allowed = item.flag("allow_null_origin").is_none_or(|it| it.value);
    let Some(origins) = origins.filter(|_| allowed) else {
        return;
    };
    let says_so = |text: &Located<String>| text.value == "*" || text.value == "null";
    if !origins.value.iter().any(says_so) {
        let text = "pages without an origin (`null`) are refused here unless the list has them";
        item.scope.source.warn_at(origins.place(), text);
    }
}

/// Whether anything is to be compressed.
fn compression(mut item: Item<'_>) -> Option<Place> {
    let deflate = item.field("deflate")?;
    let why = "window sizes and contexts are not configured: no context is kept between messages";
    if deflate.node != &super::node::Node::empty_dict() {
        item.scope.ignore(&deflate.place, why);
    }
    let place = item.place().clone();
    item.end();
    Some(place)
}

/// Reads `options` of a RawSocket.
pub(super) fn rawsocket(transport: &mut Item<'_>) -> Options {
    let Some(mut item) = transport.item("options") else {
        return Options::default();
    };
    let options = Options {
        max_message_size: item.number("max_message_size"),
        ..Options::default()
    };
    item.end();
    options
}
