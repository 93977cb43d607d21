//! Tests of `wampy_proto::framing` through its public interface.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod autobahn;
mod batched;
mod deflate;
mod deflate_negotiation;
mod deflate_properties;
mod drive;
mod handshake_client;
mod handshake_server;
mod messages;
mod oracle;
mod properties;
mod rawsocket;
mod violations;
