//! Where a realm puts the messages that it decides to send, and what it wants to have stored.

use wampy_proto::framing::TooLong;
use wampy_proto::message::Goodbye;
use wampy_proto::{EncodeError, Message};

use crate::broker::KeptEvent;
use crate::session::SessionKey;

/// Takes the messages that a realm sends, in order.
///
/// An implementation encodes each message into the receiver's buffer and returns; it never calls
/// the realm. Messages to one session must stay in the order in which they came.
pub trait Outbox {
    /// Sends one message to one session.
    ///
    /// # Errors
    /// The message cannot be encoded for the receiver, or is larger than the receiver takes;
    /// nothing was sent then. A receiver that is about to be cut off is no error.
    fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError>;

    /// Sends the same message to many sessions, encoded once per serializer. A group of receivers
    /// for whom it cannot be encoded or is too large is left out.
    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>);

    /// The realm has ended this session, which is in none of its tables any more: say GOODBYE,
    /// then close. The key will not be used again by this session.
    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>);

    /// Changes the store of the realm's events, if it has one: what a later realm of this name takes
    /// in by [`Realm::restore`](crate::Realm::restore). When this returns, the change outlives the
    /// process; an acknowledgement of it may follow. By default there is no store.
    ///
    /// # Errors
    /// The change could not be written.
    fn store(&mut self, change: StoreChange<'_>) -> Result<(), StoreFailed> {
        _ = change;
        Ok(())
    }
}

/// What an event is kept for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Shelf {
    /// Event retention.
    Retained,
    /// Event history.
    History,
}

/// A change of what a realm keeps. Numbers of a shelf only grow.
#[derive(Debug)]
pub enum StoreChange<'e> {
    /// An event is kept.
    Keep {
        /// What for.
        shelf: Shelf,
        /// Its number on the shelf, by which it will be forgotten.
        number: u64,
        /// Whether it is acknowledged, and so has to be written when this returns; else it may be written
        /// later, in its turn.
        must_be_stored: bool,
        /// The event.
        event: &'e KeptEvent,
    },
    /// An event is not kept any longer.
    Forget {
        /// What it was kept for.
        shelf: Shelf,
        /// Its number on the shelf.
        number: u64,
    },
}

/// The store could not be written; it has said why in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the router's store of events cannot be written")]
pub struct StoreFailed;

/// Why a message could not be sent to its receiver.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The payload has no form in the receiver's serializer.
    #[error(transparent)]
    Unencodable(#[from] EncodeError),
    /// The message is larger than the receiver takes.
    #[error("the message is larger than its receiver takes")]
    TooLong,
}

impl From<TooLong> for SendError {
    fn from(_: TooLong) -> Self {
        Self::TooLong
    }
}
