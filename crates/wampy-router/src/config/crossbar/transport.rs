//! The transports of a router worker: where it listens, and by which doors clients come in.
//!
//! A *door* is a WebSocket or RawSocket with settings of its own: a transport, or a part of one.
//! Deliberately absent: that the doors' settings become those of the router (`doors`).

use wampy_proto::Serializer;

use super::super::source::{Located, Place};
use super::cookie::{self, Cookie};
use super::endpoint::{self, Endpoint};
use super::item::{Field, Item, Scope};
use super::options::{self, Options};

/// All ways into the router.
#[derive(Default)]
pub(super) struct Ways<'n> {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) doors: Vec<Door<'n>>,
    pub(super) longpoll: Option<LongPoll>,
    pub(super) client_timeout: Option<Located<u64>>,
}

/// A WebSocket or RawSocket.
pub(super) struct Door<'n> {
    pub(super) place: Place,
    pub(super) is_websocket: bool,
    pub(super) auth: Option<Field<'n>>,
    pub(super) serializers: Option<Located<Vec<Serializer>>>,
    pub(super) options: Options,
    pub(super) cookie: Option<Located<Cookie>>,
}

/// Long-polling. Times are in seconds.
pub(super) struct LongPoll {
    pub(super) place: Place,
    pub(super) request_timeout: Option<Located<u64>>,
    pub(super) session_timeout: Option<Located<u64>>,
}

#[derive(Clone, Copy)]
enum Kind {
    WebSocket,
    RawSocket,
    Universal,
    Web,
    Mqtt,
    FlashPolicy,
    Testee,
}

const KINDS: [(&str, Kind); 8] = [
    ("websocket", Kind::WebSocket),
    ("rawsocket", Kind::RawSocket),
    ("universal", Kind::Universal),
    ("web", Kind::Web),
    ("mqtt", Kind::Mqtt),
    ("flashpolicy", Kind::FlashPolicy),
    ("websocket.testee", Kind::Testee),
    ("stream.testee", Kind::Testee),
];

/// The base paths of long-polling here.
const LONGPOLL_PATHS: [&str; 2] = ["lp", "longpoll"];

impl<'n> Ways<'n> {
    /// Reads one of `transports`.
    pub(super) fn read(&mut self, mut item: Item<'n>) {
        item.know("id");
        if item.field("type").is_none() {
            item.problem("type is missing");
        }
        let Some(kind) = item.word("type", &KINDS) else {
            return item.forget();
        };
        let unknown = match kind.value {
            Kind::Mqtt => "there is no MQTT",
            Kind::FlashPolicy => "there are no policies for Flash",
            Kind::Testee => "there is no testee for test suites",
            _ => "",
        };
        if !unknown.is_empty() {
            item.scope.leave_out(item.place(), unknown);
            return item.forget();
        }
        let (endpoint, first) = (endpoint::read(&mut item), self.doors.len());
        match kind.value {
            Kind::WebSocket => self.websocket(item),
            Kind::RawSocket => self.rawsocket(item),
            Kind::Web => self.web(item),
            _ => self.universal(item),
        }
        let doors = first..self.doors.len();
        self.endpoints
            .extend(endpoint.map(|it| Endpoint { doors, ..it }));
    }

    fn universal(&mut self, mut item: Item<'n>) {
        if let Some(rawsocket) = item.item("rawsocket") {
            self.rawsocket(rawsocket);
        }
        for (_, field) in item.named("websocket") {
            if let Some(mut websocket) = item.scope.item(field) {
                websocket.know("type");
                self.websocket(websocket);
            }
        }
        item.leave_out("mqtt", "there is no MQTT");
        if let Some(web) = item.item("web") {
            self.web(web);
        }
        item.end();
    }

    fn websocket(&mut self, mut item: Item<'n>) {
        item.know("id");
        item.know("url");
        item.know("debug");
        let door = Door {
            place: item.place().clone(),
            is_websocket: true,
            auth: item.field("auth"),
            serializers: serializers(&mut item),
            options: options::websocket(&mut item),
            cookie: cookie::read(&mut item),
        };
        self.doors.push(door);
        item.end();
    }

    fn rawsocket(&mut self, mut item: Item<'n>) {
        item.know("id");
        item.know("type");
        item.know("debug");
        let door = Door {
            place: item.place().clone(),
            is_websocket: false,
            auth: item.field("auth"),
            serializers: serializers(&mut item),
            options: options::rawsocket(&mut item),
            cookie: None,
        };
        self.doors.push(door);
        item.end();
    }

    fn web(&mut self, mut item: Item<'n>) {
        item.know("id");
        item.know("type");
        if let Some(mut options) = item.item("options") {
            options.ignore("access_log", "requests are not logged");
            options.know("display_tracebacks");
            options.ignore(
                "hsts",
                "no pages are served, so no browser is told about TLS",
            );
            options.know("hsts_max_age");
            let timeout = options.field("client_timeout");
            if timeout.is_some_and(|it| it.node.value != super::node::Value::Null) {
                self.client_timeout = options.number("client_timeout");
            }
            options.end();
        }
        if item.field("paths").is_none() {
            item.problem("paths is missing");
        }
        self.paths(&mut item, true);
        item.end();
    }

    /// Reads `paths`, the services of a web transport or below one of its paths.
    fn paths(&mut self, item: &mut Item<'n>, is_top: bool) {
        let scope = item.scope;
        for (path, field) in item.named("paths") {
            if let Some(service) = scope.item(field) {
                self.service(service, path, is_top);
            }
        }
    }

    fn service(&mut self, mut item: Item<'n>, path: &str, is_top: bool) {
        item.know("id");
        let scope = item.scope;
        let Some(kind) = item.required_text("type") else {
            return item.forget();
        };
        match kind.value.as_str() {
            "websocket" => self.websocket(item),
            "path" => {
                self.paths(&mut item, false);
                item.end();
            }
            "longpoll" if is_top && LONGPOLL_PATHS.contains(&path) => self.longpoll(item),
            "longpoll" => {
                let text = "long-polling is served at /lp and /longpoll only";
                scope.leave_out(item.place(), text);
                item.forget();
            }
            "nodeinfo" => {
                scope.ignore(item.place(), "there is no page about the node");
                item.forget();
            }
            other => {
                let what = format!("there is no web service {other:?}");
                scope.leave_out(item.place(), &what);
                item.forget();
            }
        }
    }

    fn longpoll(&mut self, mut item: Item<'n>) {
        let place = item.place().clone();
        let mut longpoll = LongPoll {
            place,
            request_timeout: None,
            session_timeout: None,
        };
        if let Some(mut options) = item.item("options") {
            longpoll.request_timeout = options.number("request_timeout");
            longpoll.session_timeout = options.number("session_timeout");
            let why = "what may wait for a client is limited as for every session";
            options.ignore("queue_limit_bytes", why);
            options.ignore("queue_limit_messages", why);
            options.know("debug");
            options.refuse(
                "debug_transport_id",
                "an id that is known beforehand would let anybody take over a session",
            );
            options.end();
        }
        self.longpoll = Some(longpoll);
        item.end();
    }
}

fn serializers(item: &mut Item<'_>) -> Option<Located<Vec<Serializer>>> {
    let texts = item.texts("serializers")?;
    let scope: &Scope<'_> = item.scope;
    let mut serializers = Vec::new();
    for text in &texts.value {
        let found = Serializer::ALL
            .into_iter()
            .find(|serializer| serializer.row().name == text.value);
        match (found, text.value.as_str()) {
            (Some(serializer), _) => serializers.push(serializer),
            (None, "ubjson" | "flatbuffers") => {
                scope.ignore(text.place(), "this serializer is not spoken");
            }
            (None, other) => {
                let problem = format!("there is no serializer {other:?}");
                scope.refuse(text.place(), problem);
            }
        }
    }
    if serializers.is_empty() {
        scope.refuse(texts.place(), "none of json, msgpack and cbor is left");
    }
    Some(Located {
        value: serializers,
        place: texts.place,
    })
}
