//! What a router knows about itself, as plain data.

/// A router at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Open connections, sessions or not.
    pub connections: usize,
    /// Sessions, over all realms.
    pub sessions: usize,
    /// All connections since the start.
    pub connections_accepted: u64,
    /// Connections that were refused: no room, or no handshake that the router understands.
    pub connections_refused: u64,
    /// Sessions that were cut off because they did not read.
    pub sessions_cut_off: u64,
    /// Sessions that ended because the peer broke WAMP or its framing.
    pub violations: u64,
    /// The realms, in alphabetical order.
    pub realms: Vec<RealmStats>,
}

/// A realm at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RealmStats {
    /// The realm's name.
    pub name: String,
    /// Its sessions.
    pub sessions: usize,
    /// Its registrations; one that several callees share counts once.
    pub registrations: usize,
    /// Its subscriptions; one that several subscribers share counts once.
    pub subscriptions: usize,
    /// Calls that have not ended.
    pub pending_calls: usize,
    /// Messages that established sessions have sent since the start.
    pub messages_received: u64,
    /// Messages that went to sessions since the start.
    pub messages_sent: u64,
}
