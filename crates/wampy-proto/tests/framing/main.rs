//! Tests of `wampy_proto::framing` through its public interface.

mod drive;
mod handshake_client;
mod handshake_server;
mod messages;
mod oracle;
mod properties;
mod rawsocket;
mod violations;
