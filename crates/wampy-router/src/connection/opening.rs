//! What comes before a connection: the handshakes of a stream, or the opening of a long-poll transport.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use wampy_proto::framing::websocket::handshake::{Refusal, RequestHead};
use wampy_transport::{AcceptError, Accepted, Opening, Stream, accept};

use super::{Caller, Connection};
use crate::http::cookies::CookieId;
use crate::http::longpoll::Listed;
use crate::http::{self, HttpConnection, Visitor};
use crate::registry::Ticket;
use crate::settings::Methods;
use crate::shared::{Shared, count};
use crate::terms::Terms;

/// A stream that was taken in, and how.
pub(crate) struct Incoming {
    pub(crate) stream: Stream,
    /// Whether its listener speaks TLS.
    pub(crate) is_tls: bool,
    /// By which methods clients of its listener may authenticate.
    pub(crate) methods: Methods,
    /// Whether the router has room for another connection.
    pub(crate) has_room: bool,
}

/// What a stream turned out to be.
enum Opened {
    Wamp(Box<Connection>),
    Http(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Serves one stream until it ends. What an open connection does not need, such as its handshake,
/// is in allocations of its own, so that it does not hold their memory.
pub(crate) fn serve(
    router: Arc<Shared>,
    incoming: Incoming,
    ticket: Ticket,
) -> impl Future<Output = ()> {
    let opening = Box::pin(open(router, incoming, ticket));
    async move {
        match opening.await {
            Some(Opened::Wamp(connection)) => run(connection).await,
            Some(Opened::Http(serving)) => serving.await,
            None => {}
        }
    }
}

async fn run(mut connection: Box<Connection>) {
    let end = connection.run().await;
    Box::pin(connection.close(end)).await;
}

/// A connection whose peer comes and goes by long-polling.
pub(crate) struct Polled {
    pub(crate) accepted: Accepted,
    pub(crate) peer: Box<str>,
    pub(crate) cookie: Option<CookieId>,
    pub(crate) methods: Methods,
    pub(crate) listed: Listed,
    pub(crate) terms: Arc<Terms>,
}

/// Serves a long-poll transport until its session is over and the client knows it, or nobody polls
/// any more.
pub(crate) fn serve_polled(
    router: Arc<Shared>,
    polled: Polled,
    ticket: Ticket,
) -> impl Future<Output = ()> {
    let Polled {
        accepted,
        peer,
        cookie,
        methods,
        listed,
        terms,
    } = polled;
    let timeout = Duration::from_millis(terms.limits.longpoll_session_timeout_ms);
    let caller = Caller {
        peer,
        methods,
        cookie: cookie.map(Box::new),
    };
    let connection = Connection::new(router, terms, caller, accepted, ticket);
    Box::pin(async move {
        let transport = Arc::clone(listed.transport());
        let mut session = Box::pin(run(connection));
        tokio::select! {
            () = &mut session => {}
            () = transport.expired(timeout) => {
                drop(listed);
                return session.await;
            }
        }
        // The last words of the session wait for a poll.
        tokio::select! {
            () = transport.drained() => {}
            () = transport.expired(timeout) => {}
        }
    })
}

/// Makes a connection of a stream, if it comes to that.
async fn open(router: Arc<Shared>, incoming: Incoming, ticket: Ticket) -> Option<Opened> {
    let visitor = Visitor {
        peer: incoming.stream.peer().into(),
        ip: incoming.stream.peer_ip(),
        is_tls: incoming.is_tls,
        methods: incoming.methods,
    };
    let terms = router.terms();
    let patience = Duration::from_millis(terms.limits.handshake_timeout_ms);
    let shaking = shake_hands(&router, &terms, incoming);
    let problem = match tokio::time::timeout(patience, shaking).await {
        Ok(Ok((Opening::Wamp(accepted), cookie))) => {
            let caller = Caller {
                peer: visitor.peer,
                methods: visitor.methods,
                cookie: cookie.map(Box::new),
            };
            let connection = Connection::new(router, terms, caller, accepted, ticket);
            return Some(Opened::Wamp(connection));
        }
        Ok(Ok((Opening::Http { stream, received }, _))) => {
            let connection = HttpConnection {
                stream,
                received,
                visitor,
            };
            let serving = http::serve(router, connection, ticket);
            return Some(Opened::Http(Box::pin(serving)));
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the handshake took too long".to_owned(),
    };
    count(&router.counters.connections_refused);
    tracing::debug!(peer = visitor.peer, problem, "no connection");
    None
}

/// The handshakes of a new stream: first that of TLS where it is spoken, then that of its transport.
async fn shake_hands(
    router: &Shared,
    terms: &Terms,
    incoming: Incoming,
) -> Result<(Opening, Option<CookieId>), AcceptError> {
    let Incoming {
        stream,
        is_tls,
        has_room,
        ..
    } = incoming;
    let stream = match &terms.tls {
        Some(tls) if is_tls => tls.accept(stream).await?,
        _ => stream,
    };
    let mut cookie = None;
    let judge = &mut |head: &RequestHead<'_>| {
        let origin = head.headers.values("Origin").next();
        if let Some(problem) = terms.origins.refusal(origin) {
            return Err(Refusal::new(403, problem));
        }
        let Some(cookies) = &router.cookies else {
            return Ok(Vec::new());
        };
        let presented = cookies.present(head.headers.values("Cookie"), is_tls);
        cookie = Some(presented.id);
        let set_cookie = presented.set_cookie.map(|value| ("Set-Cookie", value));
        Ok(set_cookie.into_iter().collect())
    };
    let opening = accept(stream, &terms.accept, has_room, judge).await?;
    Ok((opening, cookie))
}
