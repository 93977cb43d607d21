//! What counts for the connections that a router takes in. It can be changed while the router runs; a
//! connection keeps what counted when it came.

use wampy_proto::framing::websocket::WebSocketLimits;
use wampy_proto::framing::websocket::handshake::HandshakeLimits;
use wampy_transport::{AcceptOptions, ServerTls};

use crate::builder::Builder;
use crate::http::origins::Origins;
use crate::limits::Limits;

/// What a connection may do, and how.
#[derive(Debug)]
pub(crate) struct Terms {
    pub(crate) limits: Limits,
    pub(crate) accept: AcceptOptions,
    pub(crate) tls: Option<ServerTls>,
    pub(crate) any_request_id: bool,
    pub(crate) rawsocket_ping: bool,
    pub(crate) is_longpoll_served: bool,
    pub(crate) origins: Origins,
}

impl Terms {
    pub(crate) fn new(builder: &Builder, tls: Option<ServerTls>, origins: Origins) -> Self {
        let limits = builder.limits.clone();
        let accept = AcceptOptions {
            serializers: builder.serializers.clone(),
            messages: WebSocketLimits {
                message_bytes_max: limits.message_bytes_max,
                fragments_max: limits.fragments_max,
            },
            compress: builder.compress,
            http: HandshakeLimits {
                head_bytes_max: limits.http_head_bytes_max,
                headers_max: limits.http_headers_max,
            },
        };
        Self {
            limits,
            accept,
            tls,
            any_request_id: builder.any_request_id,
            rawsocket_ping: builder.rawsocket_ping,
            is_longpoll_served: builder.longpoll,
            origins,
        }
    }
}
