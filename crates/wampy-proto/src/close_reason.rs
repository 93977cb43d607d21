//! The reasons a GOODBYE gives (`wamp.close.*`).

/// The session ends because its client is done; the usual reason of a client.
pub const CLOSE_REALM: &str = "wamp.close.close_realm";
/// The answer to every GOODBYE.
pub const GOODBYE_AND_OUT: &str = "wamp.close.goodbye_and_out";
/// The peer shuts down.
pub const SYSTEM_SHUTDOWN: &str = "wamp.close.system_shutdown";
/// Somebody ended the session by the session meta API.
pub const KILLED: &str = "wamp.close.killed";
/// The router has no room for another session (this router's own reason).
pub const TOO_MANY_SESSIONS: &str = "wamp.close.too_many_sessions";
