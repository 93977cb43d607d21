//! What a router puts up with: every limit by name, with its default and what happens at it.

/// The limits of a router.
///
/// A peer that reaches a limit is the only one to notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at once, sessions or not. One more is refused in the words of its
    /// protocol (HTTP 503, RawSocket's error 4); beyond 64 such refusals at once it is closed
    /// unheard. Default: 100 000.
    pub connections_max: usize,
    /// The most connections at once from one address (IPv6: one /64), with or without a session. One more
    /// is refused as one beyond [`connections_max`](Self::connections_max). Behind a proxy or a NAT all
    /// clients have its address; loopback addresses and Unix sockets do not count. Default: 100 000, as
    /// many as there may be in all.
    pub connections_per_address_max: usize,
    /// The most sessions at once, over all realms. One more HELLO gets ABORT
    /// `wamp.close.too_many_sessions`. Default: 100 000.
    pub sessions_max: usize,
    /// The most realms that clients may bring into being where that is allowed
    /// ([`Builder::auto_create_realms`](crate::Builder::auto_create_realms)). A further one gets
    /// ABORT `wamp.error.no_such_realm`. Default: 1000.
    pub auto_created_realms_max: usize,
    /// The largest message that a client may send, in bytes. A larger one fails its connection:
    /// WebSocket with close code 1009, RawSocket (which announces the largest power of two that is
    /// not above this) by closing. Default: 16 MiB.
    pub message_bytes_max: usize,
    /// The most fragments of one WebSocket message. More fail the connection with close code 1008.
    /// Default: 65 536.
    pub fragments_max: u32,
    /// The largest head of an HTTP request, in bytes. A larger one gets HTTP 431.
    /// Default: 16 KiB.
    pub http_head_bytes_max: usize,
    /// The most headers of an HTTP request. More get HTTP 431. Default: 100.
    pub http_headers_max: usize,
    /// How long a connection that speaks HTTP may take for the head of its next request, in
    /// milliseconds. Then it is closed. Default: 60 000.
    pub http_idle_timeout_ms: u64,
    /// The largest body of an HTTP request that is no WAMP message, in bytes. A larger one gets HTTP
    /// 413. Default: 64 KiB.
    pub http_body_bytes_max: usize,
    /// The most long-poll transports. One more gets HTTP 503. Default: 10 000.
    pub longpoll_transports_max: usize,
    /// The most long-poll transports of clients at one address (IPv6: one /64). One more gets HTTP 429. Behind a
    /// proxy all clients have its address. Default: 1000.
    pub longpoll_transports_per_address_max: usize,
    /// The most bytes that are on their way to the client of a long-poll transport, and about the
    /// most of one answer to a poll if messages come in batches. More wait for the session as they do
    /// for one whose socket is full. As many may be on their way to the router: a request with more
    /// waits. Default: 256 KiB.
    pub longpoll_pending_bytes_max: usize,
    /// How long a poll waits for messages, in milliseconds, before it ends without any. autobahn-js
    /// gives up after 12 seconds. Default: 10 000.
    pub longpoll_poll_timeout_ms: u64,
    /// How long a long-poll transport may go without being polled, in milliseconds. Then it is gone,
    /// and its session ends. Default: 30 000.
    pub longpoll_session_timeout_ms: u64,
    /// The most cookies that the router remembers, each of somebody who has authenticated with it.
    /// One more takes the place of the one that expires first. Default: 100 000.
    pub cookies_max: usize,
    /// How long a connection may take for the handshake of its transport, and again until its session
    /// stands (HELLO, and all that authentication takes), and after a GOODBYE for the next session, in
    /// milliseconds. Then it is closed; where HELLO has come, with ABORT
    /// `wamp.error.authentication_failed`.
    /// Default: 10 000.
    pub handshake_timeout_ms: u64,
    /// The largest message of a client that has no session yet, in bytes: its HELLO or AUTHENTICATE. A
    /// larger one gets ABORT `wamp.error.protocol_violation`. Default: 64 KiB.
    pub handshake_message_bytes_max: usize,
    /// How many failures to authenticate cost an address, and an authid in its realm, nothing. Each
    /// further one doubles the time that the next attempt has to wait, from 100 milliseconds up to
    /// [`authentication_delay_ms_max`](Self::authentication_delay_ms_max). Default: 5.
    pub authentication_failures_free: u32,
    /// The longest that an attempt to authenticate waits because others failed before it, in
    /// milliseconds. Attempts for one authid wait side by side, so that nobody can shut out its owner;
    /// those from one address (IPv6: one /64) wait for each other, and one that would have to wait
    /// longer than four times this (or than half of
    /// [`handshake_timeout_ms`](Self::handshake_timeout_ms)) gets ABORT `wamp.error.authentication_denied`. Loopback addresses and
    /// Unix sockets, where a proxy may stand for everybody, count like authids. 0 for no delays.
    /// Default: 1000.
    pub authentication_delay_ms_max: u64,
    /// After how many milliseconds one failure to authenticate is forgotten. Default: 60 000.
    pub authentication_failure_forgotten_ms: u64,
    /// How many addresses and authids with failures are remembered, in all. When there are more, those
    /// that failed longest ago are forgotten. Default: 20 000.
    pub authentication_failures_remembered_max: usize,
    /// How often it is looked whether a file with users has changed, in milliseconds. 0 for never.
    /// Default: 1000.
    pub users_file_poll_ms: u64,
    /// How long a peer may take to answer the router's GOODBYE, and to read what is left for it
    /// before the socket closes, in milliseconds. Default: 2000.
    pub close_timeout_ms: u64,
    /// How long [`Router::shutdown`](crate::Router::shutdown) waits for all sessions to answer
    /// GOODBYE, in milliseconds. Connections that are still open then are closed. Default: 2000.
    pub shutdown_timeout_ms: u64,
    /// The most bytes that wait for one session because it does not read. A session that would need
    /// more is cut off: its connection is closed, its subscriptions, registrations and calls end.
    /// Nobody waits for it. A single message larger than this counts as too long for its receiver.
    /// Default: 32 MiB, so that a message of the largest size fits.
    pub outbound_bytes_per_session_max: usize,
    /// How many bytes wait for all sessions together that do not read, before those are cut off that
    /// need more and have more than their even share (this, divided by
    /// [`connections_max`](Self::connections_max)). So at most twice as much waits in all.
    /// Default: 1 GiB.
    pub outbound_bytes_max: usize,
    /// While more bytes than this wait for a session, nothing is read from it: who floods the
    /// router with requests without reading the answers is slowed down. Default: 256 KiB.
    pub outbound_bytes_pause: usize,
    /// How long a peer may take no byte at all while it is not read from for that reason, in
    /// milliseconds. Then it is cut off. Peers that are pinged are closed by
    /// [`keepalive_timeout_ms`](Self::keepalive_timeout_ms) instead. Holds for the answers to HTTP
    /// requests as well. Default: 60 000.
    pub paused_timeout_ms: u64,
    /// The most bytes that wait to be written to the store, while the disk is slow: events to be kept whose
    /// publishers do not ask for an acknowledgement, and what is forgotten. They are in no danger but that
    /// of a kill of the process. Beyond, and for acknowledged events, the realm waits for the disk. Takes
    /// effect when the router starts. Default: 16 MiB.
    pub store_queue_bytes_max: usize,
    /// The most messages of one session that are routed in one go, before others have their turn.
    /// Default: 256.
    pub messages_per_batch_max: usize,
    /// How long the router looks for the next message before it sleeps, in microseconds, where the
    /// last one came within that time and was alone: it costs less time to stay awake than to be woken.
    /// 0 for never. Takes effect when the router starts. Default: 100.
    pub busy_poll_us: u64,
    /// After how much silence of a WebSocket peer (or a RawSocket peer, if
    /// [`rawsocket_ping`](crate::Builder::rawsocket_ping) is on) a ping is sent, in milliseconds;
    /// 0 for never. Looked at once in this interval, so a ping comes after one to two of them.
    /// Default: 30 000.
    pub keepalive_interval_ms: u64,
    /// How long a peer may take to answer a ping, or to say anything else, in milliseconds. Then
    /// its connection is closed. Default: 30 000.
    pub keepalive_timeout_ms: u64,
    /// The most calls of one session that have not ended. One more gets ERROR
    /// `wamp.error.unavailable`. Default: 10 000.
    pub pending_calls_per_session_max: usize,
    /// The most registrations of one session. One more gets ERROR `wamp.error.not_authorized`.
    /// Default: 10 000.
    pub registrations_per_session_max: usize,
    /// The most subscriptions of one session. One more gets ERROR `wamp.error.not_authorized`.
    /// Default: 10 000.
    pub subscriptions_per_session_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 100_000,
            connections_per_address_max: 100_000,
            sessions_max: 100_000,
            auto_created_realms_max: 1000,
            message_bytes_max: 16 << 20,
            fragments_max: 1 << 16,
            http_head_bytes_max: 16 << 10,
            http_headers_max: 100,
            http_idle_timeout_ms: 60_000,
            http_body_bytes_max: 64 << 10,
            longpoll_transports_max: 10_000,
            longpoll_transports_per_address_max: 1000,
            longpoll_pending_bytes_max: 256 << 10,
            longpoll_poll_timeout_ms: 10_000,
            longpoll_session_timeout_ms: 30_000,
            cookies_max: 100_000,
            handshake_timeout_ms: 10_000,
            handshake_message_bytes_max: 64 << 10,
            authentication_failures_free: 5,
            authentication_delay_ms_max: 1000,
            authentication_failure_forgotten_ms: 60_000,
            authentication_failures_remembered_max: 20_000,
            users_file_poll_ms: 1000,
            close_timeout_ms: 2000,
            shutdown_timeout_ms: 2000,
            outbound_bytes_per_session_max: 32 << 20,
            outbound_bytes_max: 1 << 30,
            outbound_bytes_pause: 256 << 10,
            paused_timeout_ms: 60_000,
            store_queue_bytes_max: 16 << 20,
            messages_per_batch_max: 256,
            busy_poll_us: 100,
            keepalive_interval_ms: 30_000,
            keepalive_timeout_ms: 30_000,
            pending_calls_per_session_max: 10_000,
            registrations_per_session_max: 10_000,
            subscriptions_per_session_max: 10_000,
        }
    }
}

impl Limits {
    /// What makes no sense in these limits.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.message_bytes_max < 512 {
            return Some("message_bytes_max is below 512, the least that RawSocket can announce");
        }
        if self.outbound_bytes_per_session_max < self.message_bytes_max {
            return Some("outbound_bytes_per_session_max is below message_bytes_max");
        }
        if self.outbound_bytes_max < self.outbound_bytes_per_session_max {
            return Some("outbound_bytes_max is below outbound_bytes_per_session_max");
        }
        if self.paused_timeout_ms == 0 {
            return Some("paused_timeout_ms is 0, so that nobody could be slow for a moment");
        }
        if self.messages_per_batch_max == 0 {
            return Some("messages_per_batch_max is 0");
        }
        if self.handshake_timeout_ms == 0 {
            return Some("handshake_timeout_ms is 0, so that nobody could connect");
        }
        if self.http_idle_timeout_ms == 0 || self.longpoll_session_timeout_ms == 0 {
            let problem = "http_idle_timeout_ms or longpoll_session_timeout_ms is 0, so that nobody \
                           could send a second request";
            return Some(problem);
        }
        if self.longpoll_pending_bytes_max == 0 {
            return Some("longpoll_pending_bytes_max is 0, so that nothing could be on its way");
        }
        if self.cookies_max == 0 {
            return Some("cookies_max is 0; without a cookie configured there are none anyway");
        }
        if self.authentication_failure_forgotten_ms == 0 {
            return Some(
                "authentication_failure_forgotten_ms is 0, so that no failure would count",
            );
        }
        if self.handshake_message_bytes_max < 512 {
            return Some("handshake_message_bytes_max is below 512, too little for a HELLO");
        }
        if self.connections_max == 0 || self.sessions_max == 0 {
            return Some("connections_max or sessions_max is 0, so that nobody could connect");
        }
        if self.connections_per_address_max == 0 {
            return Some("connections_per_address_max is 0, so that nobody could connect");
        }
        if self.keepalive_interval_ms != 0 && self.keepalive_timeout_ms == 0 {
            return Some("keepalive_timeout_ms is 0, so that nobody could answer a ping");
        }
        None
    }
}
