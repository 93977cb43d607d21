//! The HTTP long-poll transport: a session whose messages come and go by POST requests.
//!
//! | request | does |
//! |---|---|
//! | `POST BASE/open` | begins: `{"protocols": [..]}` is answered by `{"protocol": .., "transport": ID}` |
//! | `POST BASE/ID/receive` | waits for messages, at most for a while |
//! | `POST BASE/ID/send` | brings a message, or a batch |
//! | `POST BASE/ID/close` | ends |
//!
//! Between these requests and the session is a stream in memory that carries WebSocket frames: a
//! body is the payload of a frame. So a session is served by the same connection as on a socket,
//! with the same limits, and knows nothing of HTTP.
//!
//! A poll that ends without messages is answered with 204. A body that is no message, or no batch of
//! them, is answered with 400 and ends the session as it would on any other transport. Of two polls
//! at a time the later one counts: the earlier one's client may be gone without anybody knowing.
//!
//! Deliberately absent: an order of requests that overtake each other, which the specification has
//! no numbers for.

mod transport;
mod transports;

use std::sync::Arc;
use std::time::Duration;

use hyper::header::{COOKIE, HeaderValue, SET_COOKIE};
use hyper::{Method, StatusCode};
use wampy_proto::framing::websocket::batched::{self, BatchedDecoder, BatchedEncoder};
use wampy_proto::framing::websocket::{Subprotocol, WebSocketDecoder, WebSocketEncoder};
use wampy_proto::serializer::deserialize;
use wampy_proto::{Message, Serializer, Value};
use wampy_transport::{Accepted, Connection, Framing, MemoryStream};

use super::response::{Response, empty, text, with_body, wrong_method};
use super::{Request, Visitor, body};
use crate::connection::{self, Polled};
use crate::shared::Shared;
use transport::Polling;
pub(crate) use transport::Transport;
pub(crate) use transports::{Listed, Transports};

/// How success without content is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// 202, as the specification says.
    Accepted,
    /// 204, which the specification calls this by name ("no content"): autobahn-js takes nothing
    /// else, and Crossbar.io answers so.
    NoContent,
}

impl Done {
    fn response(self) -> Response {
        empty(match self {
            Self::Accepted => StatusCode::ACCEPTED,
            Self::NoContent => StatusCode::NO_CONTENT,
        })
    }
}

/// Answers a request below the base path, of which `rest` is what follows.
pub(super) async fn answer(
    router: &Arc<Shared>,
    visitor: &Visitor,
    done: Done,
    rest: &str,
    request: Request,
) -> Response {
    let parts: Vec<&str> = rest.split('/').skip(1).collect();
    let is_known = matches!(parts[..], ["open"] | [_, "receive" | "send" | "close"]);
    if is_known && request.method() != Method::POST {
        return wrong_method("POST");
    }
    match parts[..] {
        ["open"] => open(router, visitor, request).await,
        [id, verb @ ("receive" | "send" | "close")] => {
            let Some(transport) = router.transports.find(id) else {
                let problem = "There is no such transport: it is over, or was never opened.";
                return text(StatusCode::NOT_FOUND, problem);
            };
            match verb {
                "receive" => receive(router, &transport).await,
                "send" => send(router, &transport, done, request).await,
                _ => {
                    router.transports.remove(id);
                    transport.close();
                    done.response()
                }
            }
        }
        _ => {
            let problem = "Long-polling has the paths /open, /ID/receive, /ID/send and /ID/close.";
            text(StatusCode::NOT_FOUND, problem)
        }
    }
}

/// Opens a transport, and a connection at the other end of it.
async fn open(router: &Arc<Shared>, visitor: &Visitor, request: Request) -> Response {
    let terms = router.terms();
    let limits = &terms.limits;
    let patience = Duration::from_millis(limits.handshake_timeout_ms);
    let brought: Vec<_> = request.headers().get_all(COOKIE).iter().cloned().collect();
    let body = match body(request, limits.http_body_bytes_max, patience).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let subprotocol = match choose(router, &body) {
        Ok(subprotocol) => subprotocol,
        Err(problem) => return text(StatusCode::BAD_REQUEST, &problem),
    };
    if router.registry.len() >= limits.connections_max {
        let problem = "This WAMP router has no room for another connection.";
        return text(StatusCode::SERVICE_UNAVAILABLE, problem);
    }
    let (near, far) = MemoryStream::pair(limits.longpoll_pending_bytes_max, &visitor.peer);
    let transport = Transport::new(subprotocol, far);
    let listed = match router.transports.insert(transport, visitor.ip, limits) {
        Ok(listed) => listed,
        Err((status, problem)) => return text(status, problem),
    };
    let opened = format!(
        r#"{{"protocol":"{}","transport":"{}"}}"#,
        subprotocol.name(),
        listed.transport().id()
    );
    // Not before the answer is sure to tell of a new cookie.
    let cookies = router.cookies.as_ref();
    let cookie = cookies.map(|cookies| cookies.present(brought, visitor.is_tls));
    let (cookie, set_cookie) = cookie.map_or((None, None), |it| (Some(it.id), it.set_cookie));
    let polled = Polled {
        accepted: accepted(router, subprotocol, near),
        peer: visitor.peer.clone(),
        cookie,
        methods: visitor.methods,
        listed,
        terms,
    };
    let serve = |ticket| connection::serve_polled(Arc::clone(router), polled, ticket);
    // It has no socket of its own, and a limit of its own.
    router.registry.spawn(&router.lanes, None, serve);
    let mut response = with_body(StatusCode::OK, "application/json", opened);
    // A cookie consists of characters that a header can have.
    if let Some(Ok(set_cookie)) = set_cookie.map(HeaderValue::try_from) {
        response.headers_mut().insert(SET_COOKIE, set_cookie);
    }
    response
}

/// The first protocol of the client that the router has.
fn choose(router: &Shared, body: &[u8]) -> Result<Subprotocol, String> {
    let supported = router.terms().accept.subprotocols();
    let wanted = r#"The body must be JSON such as {"protocols": ["wamp.2.json"]}"#;
    let request: Value =
        deserialize(Serializer::Json, body).map_err(|error| format!("{wanted}: {error}."))?;
    let Value::Map(entries) = request else {
        return Err(format!("{wanted}."));
    };
    let protocols = entries.into_iter().find(|(key, _)| key == "protocols");
    let Some((_, Value::List(offered))) = protocols else {
        return Err(format!("{wanted}: \"protocols\" is no list."));
    };
    let chosen = offered.iter().find_map(|offered| match offered {
        Value::Text(name) if supported.contains(&name.as_str()) => Subprotocol::from_name(name),
        _ => None,
    });
    chosen.ok_or_else(|| {
        let supported = supported.join(", ");
        format!("This WAMP router supports none of these protocols. It supports: {supported}.")
    })
}

/// The router's end of a transport, as if its handshake had been made.
fn accepted(router: &Shared, subprotocol: Subprotocol, near: MemoryStream) -> Accepted {
    let binary = subprotocol.serializer.row().binary;
    // These frames come without masks, as those of a server do.
    let decoder = WebSocketDecoder::client(router.terms().accept.messages).leaving_text_unchecked();
    let encoder = WebSocketEncoder::server(binary);
    let (decoder, encoder) = match subprotocol.batched {
        false => (decoder.into(), encoder.into()),
        true => (
            BatchedDecoder::new(decoder, binary).into(),
            BatchedEncoder::new(encoder).into(),
        ),
    };
    let connection = Connection {
        stream: near.into(),
        decoder,
        encoder,
        serializer: subprotocol.serializer,
        received: Vec::new(),
    };
    Accepted {
        connection,
        framing: Framing::LongPoll,
    }
}

/// Waits for messages.
async fn receive(router: &Shared, transport: &Transport) -> Response {
    let terms = router.terms();
    let limits = &terms.limits;
    let patience = Duration::from_millis(limits.longpoll_poll_timeout_ms);
    let polled = transport.poll(patience, limits.longpoll_pending_bytes_max);
    match polled.await {
        Polling::Messages(body) => {
            let content_type = content_type(transport.subprotocol().serializer);
            with_body(StatusCode::OK, content_type, body)
        }
        Polling::Nothing => empty(StatusCode::NO_CONTENT),
        Polling::Over(reason) => {
            let problem = match &*reason {
                "" => "The router has ended this session.".to_owned(),
                reason => format!("The router has ended this session: {reason}."),
            };
            text(StatusCode::GONE, &problem)
        }
    }
}

/// Takes a message, or a batch.
async fn send(router: &Shared, transport: &Transport, done: Done, request: Request) -> Response {
    let terms = router.terms();
    let limits = &terms.limits;
    let patience = Duration::from_millis(limits.handshake_timeout_ms);
    let body = match body(request, limits.message_bytes_max, patience).await {
        Ok(body) => body,
        Err(refusal) => return refusal,
    };
    let problem = problem_of(transport.subprotocol(), &body);
    if transport.send(&body).await.is_err() {
        return text(StatusCode::GONE, "The router has ended this session.");
    }
    match problem {
        None => done.response(),
        Some(problem) => text(StatusCode::BAD_REQUEST, &problem),
    }
}

/// What is wrong with what a client sends. The session gets to see it in any case, and ends.
fn problem_of(subprotocol: Subprotocol, body: &[u8]) -> Option<String> {
    let serializer = subprotocol.serializer;
    let undecodable = |message: &[u8]| {
        let error = Message::decode(serializer, message).err()?;
        Some(format!(
            "This is no WAMP message in {}: {error}.",
            serializer.row().name
        ))
    };
    if !subprotocol.batched {
        return undecodable(body);
    }
    batched::messages(body, serializer.row().binary).find_map(|message| match message {
        Ok(message) => undecodable(message),
        Err(error) => Some(format!("This is no batch of messages: {error}.")),
    })
}

fn content_type(serializer: Serializer) -> &'static str {
    match serializer {
        Serializer::Json => "application/json",
        Serializer::MsgPack => "application/x-msgpack",
        Serializer::Cbor => "application/cbor",
    }
}
