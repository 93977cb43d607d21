//! HTTP on the ports of the router, for requests that open no WebSocket.
//!
//! hyper speaks HTTP; here requests are led to services by their paths. To add a service: a variant
//! of [`Service`], a row in [`MOUNTS`] and an arm in [`dispatch`]. Everything is answered with
//! the headers that browsers need (`origins`), and nothing may be kept by caches.
//!
//! Deliberately absent: HTTP/2, files, bodies that are not whole in memory, and compression.

pub(crate) mod cookies;
pub(crate) mod longpoll;
pub(crate) mod origins;
mod response;
mod stream;

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue, SEC_WEBSOCKET_VERSION, UPGRADE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use wampy_proto::framing::websocket::handshake::Refusal;
use wampy_transport::Stream;

use crate::registry::Ticket;
use crate::settings::Methods;
use crate::shared::Shared;
use longpoll::Done;
use response::{Response, text};
use stream::HttpStream;

pub(crate) type Request = hyper::Request<Incoming>;

/// The least that hyper reads at once.
const BUFFER_BYTES_MIN: usize = 8 << 10;

/// Who sends requests.
#[derive(Debug)]
pub(crate) struct Visitor {
    /// For logs.
    pub(crate) peer: Box<str>,
    /// What limits per address count.
    pub(crate) ip: Option<IpAddr>,
    pub(crate) is_tls: bool,
    /// By which methods clients of the listener may authenticate.
    pub(crate) methods: Methods,
}

/// A connection that speaks HTTP, and the bytes of it that were read already.
pub(crate) struct HttpConnection {
    pub(crate) stream: Stream,
    pub(crate) received: Vec<u8>,
    pub(crate) visitor: Visitor,
}

/// What serves requests.
#[derive(Debug, Clone, Copy)]
enum Service {
    /// The HTTP long-poll transport, which says [`Done`] like this.
    LongPoll(Done),
}

/// Where services are. The first path that fits a request counts.
const MOUNTS: [(&str, Service); 2] = [
    ("/longpoll", Service::LongPoll(Done::Accepted)),
    ("/lp", Service::LongPoll(Done::NoContent)),
];

/// Serves the requests of one connection, until it ends or the router does.
pub(crate) async fn serve(router: Arc<Shared>, connection: HttpConnection, ticket: Ticket) {
    let terms = router.terms();
    let limits = &terms.limits;
    let mut end = ticket.serves_http();
    let visitor = Arc::new(connection.visitor);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_millis(limits.http_idle_timeout_ms))
        .max_headers(limits.http_headers_max)
        .max_buf_size(limits.http_head_bytes_max.max(BUFFER_BYTES_MIN));
    let service = service_fn(|request| {
        let (router, visitor) = (Arc::clone(&router), Arc::clone(&visitor));
        async move { Ok::<_, Infallible>(answer(&router, &visitor, request).await) }
    });
    let patience = Duration::from_millis(limits.paused_timeout_ms);
    let stream = HttpStream::new(connection.received, connection.stream, patience);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
    let has_to_end = async { end.wait_for(|&ended| ended).await.is_ok() };
    let outcome = tokio::select! {
        outcome = serving.as_mut() => Some(outcome),
        _ = has_to_end => None,
    };
    let outcome = match outcome {
        Some(outcome) => outcome,
        None => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    let problem = outcome.err().map(|error| error.to_string());
    tracing::debug!(peer = visitor.peer, problem, "HTTP connection closed");
}

/// Answers one request.
async fn answer(router: &Arc<Shared>, visitor: &Visitor, request: Request) -> Response {
    let origin = request.headers().get(hyper::header::ORIGIN).cloned();
    let mut response = match router
        .terms()
        .origins
        .refusal(origin.as_ref().map(HeaderValue::as_bytes))
    {
        Some(refusal) => text(StatusCode::FORBIDDEN, &refusal),
        None if request.method() == Method::OPTIONS => response::preflight(),
        None => dispatch(router, visitor, request).await,
    };
    response::for_browsers(origin, &mut response);
    response
}

async fn dispatch(router: &Arc<Shared>, visitor: &Visitor, request: Request) -> Response {
    let path = request.uri().path();
    let found = MOUNTS.iter().find_map(|(at, service)| {
        let rest = path.strip_prefix(at)?;
        (rest.is_empty() || rest.starts_with('/')).then(|| (*service, rest.to_owned()))
    });
    match found {
        Some((Service::LongPoll(done), rest)) if router.terms().is_longpoll_served => {
            longpoll::answer(router, visitor, done, &rest, request).await
        }
        _ if path == "/" => welcome(router),
        _ => text(
            StatusCode::NOT_FOUND,
            &format!("This WAMP router has nothing at {path}."),
        ),
    }
}

/// What a browser gets that looks at a WAMP router.
fn welcome(router: &Shared) -> Response {
    let refusal = Refusal::not_a_websocket(&router.terms().accept.subprotocols());
    let mut response = text(StatusCode::UPGRADE_REQUIRED, &refusal.text);
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade, close"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    response
}

/// The whole body of a request, or the answer that says why not.
async fn body(request: Request, bytes_max: usize, patience: Duration) -> Result<Bytes, Response> {
    let too_large = || {
        let problem = format!("The body of this request may have {bytes_max} bytes at most.");
        text(StatusCode::PAYLOAD_TOO_LARGE, &problem)
    };
    let announced = hyper::body::Body::size_hint(request.body()).lower();
    if announced > bytes_max as u64 {
        return Err(too_large());
    }
    let whole = Limited::new(request.into_body(), bytes_max).collect();
    match tokio::time::timeout(patience, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(error)) => {
            let problem = format!("The body of this request cannot be read: {error}.");
            Err(text(StatusCode::BAD_REQUEST, &problem))
        }
        Err(_) => {
            let problem = "The body of this request took too long.";
            Err(text(StatusCode::REQUEST_TIMEOUT, problem))
        }
    }
}

/// A whole body to answer with.
fn full(body: impl Into<Bytes>) -> Full<Bytes> {
    Full::new(body.into())
}
