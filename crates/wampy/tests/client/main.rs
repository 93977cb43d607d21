//! The client over real sockets: against the embedded router, and against routers of a script that
//! show what the client puts on the wire.

// What must hold is checked by unwrapping it.
#![allow(clippy::unwrap_used)]

mod callee;
mod caller;
mod fake_router;
mod fixture;
mod goodbye;
mod keepalive;
mod limits;
mod pubsub;
mod rawsocket;
mod reconnect;
mod transports;
mod violations;
mod websocket;
mod wire;
