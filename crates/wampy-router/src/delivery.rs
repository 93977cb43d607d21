//! From the realm's decisions to the sessions' outlets: the router's [`Outbox`].
//!
//! Each message is encoded straight into its receiver's outlet. Writing to sockets is not done
//! here: the outlets that were touched are flushed when the realm is unlocked.

use std::sync::Arc;

use bytes::Bytes;
use wampy_proto::framing::FrameFormat;
use wampy_proto::message::Goodbye;
use wampy_proto::{Message, Payload, Serializer, SessionId};
use wampy_realm::{Outbox, Realm, SendError, SessionKey, StoreChange, StoreFailed};

use crate::internal_session::InternalSession;
use crate::large_frame::LargeFrame;
use crate::outlet::{Appended, Outlet, Signal};
use crate::store::RealmStore;

/// Where the messages to a realm's sessions go.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    /// The outlets of clients, by the dense index of their keys.
    outlets: Vec<Option<(SessionKey, Arc<Outlet>)>>,
    /// The router's own session, if it has called a procedure of this realm.
    pub(crate) internal: Option<Box<InternalSession>>,
    /// Where the realm's events are kept, if they are to outlive the router.
    pub(crate) store: Option<RealmStore>,
}

impl Seats {
    pub(crate) fn insert(&mut self, key: SessionKey, outlet: Arc<Outlet>) {
        if self.outlets.len() <= key.index() {
            self.outlets.resize(key.index() + 1, None);
        }
        self.outlets[key.index()] = Some((key, outlet));
    }

    #[inline]
    pub(crate) fn get(&self, key: SessionKey) -> Option<&Arc<Outlet>> {
        match self.outlets.get(key.index()) {
            Some(Some((seated, outlet))) if *seated == key => Some(outlet),
            _ => None,
        }
    }

    pub(crate) fn remove(&mut self, key: SessionKey) -> Option<Arc<Outlet>> {
        self.get(key)?;
        self.outlets[key.index()].take().map(|(_, outlet)| outlet)
    }

    /// A message to nobody's outlet: to the router itself, or to a session that is gone.
    #[cold]
    fn take_internal(&mut self, to: SessionKey, message: &Message<'_>) {
        if let Some(internal) = &mut self.internal
            && internal.key() == to
        {
            internal.take(message);
        }
    }
}

/// A message encoded once for all receivers that share a serializer and a framing.
#[derive(Debug, Default)]
enum Shared {
    #[default]
    NotYet,
    Unencodable,
    /// The frame, and how many of its bytes are the message.
    Frame(Bytes, usize),
    Large(LargeFrame),
}

/// How many bytes a message usually has beside its payload.
const DETAILS_BYTES_USUAL: usize = 48;

/// WebSocket, WebSocket with compression, and RawSocket.
const FRAMINGS: usize = 3;
/// One place for each combination of a serializer with a framing.
const COMBINATIONS: usize = Serializer::ALL.len() * FRAMINGS;

/// Where one turn of the realm puts its messages.
pub(crate) struct Delivery<'a> {
    seats: &'a mut Seats,
    /// The buffer in which the messages of this turn came, if it can be shared.
    source: Option<&'a Bytes>,
    pub(crate) turn: Turn<'a>,
}

/// What one turn of the realm leaves to be done, and what it has done.
pub(crate) struct Turn<'a> {
    /// The outlets that the caller has to flush.
    touched: &'a mut Vec<Arc<Outlet>>,
    /// Whether so much waits for a session that it should be written soon.
    pub(crate) flush_at_once: bool,
    /// The sessions that do not read: the caller has to take them from the realm.
    pub(crate) overflowed: Vec<SessionKey>,
    /// How many messages came from sessions.
    pub(crate) received: u64,
    /// How many messages were sent to sessions.
    pub(crate) sent: u64,
}

impl Turn<'_> {
    /// A frame was appended.
    #[inline]
    fn note(&mut self, appended: Appended, to: SessionKey, outlet: &Arc<Outlet>) {
        self.sent += 1;
        // Most frames stand behind others that wait for a flush.
        if appended != Appended::Done {
            self.note_what_follows(appended, to, outlet);
        }
    }

    #[inline(never)]
    fn note_what_follows(&mut self, appended: Appended, to: SessionKey, outlet: &Arc<Outlet>) {
        match appended {
            Appended::Done => {}
            Appended::Flush => self.touched.push(Arc::clone(outlet)),
            Appended::FlushAtOnce => {
                self.flush_at_once = true;
                self.touched.push(Arc::clone(outlet));
            }
            Appended::Overflow => self.overflowed.push(to),
        }
    }
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(
        seats: &'a mut Seats,
        touched: &'a mut Vec<Arc<Outlet>>,
        source: Option<&'a Bytes>,
    ) -> Self {
        Self {
            seats,
            source,
            turn: Turn {
                touched,
                flush_at_once: false,
                overflowed: Vec::new(),
                received: 0,
                sent: 0,
            },
        }
    }

    /// Gives a session its outlet, and sends its first message.
    pub(crate) fn seat(&mut self, key: SessionKey, outlet: &Arc<Outlet>, first: &Message<'_>) {
        self.seats.insert(key, Arc::clone(outlet));
        if self.send(key, first).is_err() {
            // A peer that takes less than a WELCOME can have no session.
            outlet.signal(Signal::Lost);
        }
    }

    /// The router's own session in `realm`, which joins when it is first needed.
    pub(crate) fn internal<T>(
        &mut self,
        realm: &mut Realm,
        turn: impl FnOnce(&mut InternalSession) -> T,
    ) -> T {
        let internal = self.seats.internal.get_or_insert_with(|| {
            let id = SessionId::from_random_bits(rand::random());
            let key = realm.join_internal(InternalSession::details(id));
            Box::new(InternalSession::new(key))
        });
        turn(internal)
    }

    /// Whether the session is there and will be: one that overflowed leaves after this turn.
    pub(crate) fn is_seated(&self, key: SessionKey) -> bool {
        self.seats.get(key).is_some() && !self.turn.overflowed.contains(&key)
    }

    pub(crate) fn unseat(&mut self, key: SessionKey) {
        self.seats.remove(key);
    }

    /// Sends a message that is encoded once for all who share a serializer and a framing.
    #[inline(never)]
    fn send_to_several(&mut self, to: &[SessionKey], message: &Message<'_>) {
        let mut shared: [Shared; COMBINATIONS] = Default::default();
        for &key in to {
            let Some(outlet) = self.seats.get(key) else {
                continue;
            };
            let Some(format) = outlet.format() else {
                // Its frames are like nobody else's. What cannot be encoded is left out.
                let _ = self.send(key, message);
                continue;
            };
            let serializer = outlet.serializer();
            let place = place(serializer, format);
            if matches!(shared[place], Shared::NotYet) {
                shared[place] = encode(format, serializer, message, self.source);
            }
            let appended = match &shared[place] {
                Shared::Frame(frame, message_bytes) => outlet.append_encoded(frame, *message_bytes),
                Shared::Large(frame) => outlet.append_large(frame),
                Shared::NotYet | Shared::Unencodable => continue,
            };
            if let Ok(appended) = appended {
                self.turn.note(appended, key, outlet);
            }
        }
    }
}

impl Outbox for Delivery<'_> {
    #[inline]
    fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        let Some(outlet) = self.seats.get(to) else {
            self.seats.take_internal(to, message);
            return Ok(());
        };
        let appended = match LargeFrame::suits(message) {
            false => outlet.append(message)?,
            true => append_large(outlet, message, self.source)?,
        };
        self.turn.note(appended, to, outlet);
        Ok(())
    }

    #[inline]
    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
        if let [to] = to {
            // An event that cannot be encoded for its only receiver is left out for all of them.
            let _ = self.send(*to, message);
        } else {
            self.send_to_several(to, message);
        }
    }

    fn store(&mut self, change: StoreChange<'_>) -> Result<(), StoreFailed> {
        match &self.seats.store {
            Some(store) => store.write(change),
            None => Ok(()),
        }
    }

    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
        let Some(outlet) = self.seats.remove(session) else {
            return;
        };
        outlet.append_last(&Message::Goodbye(goodbye));
        outlet.signal(Signal::Ended);
        self.turn.touched.push(outlet);
    }
}

/// Where a frame is kept. A serializer is either text or binary, so these need not be told apart.
#[inline]
fn place(serializer: Serializer, format: FrameFormat) -> usize {
    let framing = match format {
        FrameFormat::WebSocketText | FrameFormat::WebSocketBinary => 0,
        FrameFormat::WebSocketTextDeflate | FrameFormat::WebSocketBinaryDeflate => 1,
        FrameFormat::RawSocket => 2,
    };
    serializer as usize * FRAMINGS + framing
}

/// Appends a message with a large payload, without a copy of it if that is possible.
#[cold]
fn append_large(
    outlet: &Outlet,
    message: &Message<'_>,
    source: Option<&Bytes>,
) -> Result<Appended, SendError> {
    let format = outlet.format();
    let large =
        format.and_then(|format| LargeFrame::encode(format, outlet.serializer(), message, source));
    match large {
        Some(large) => outlet.append_large(&large),
        None => outlet.append(message),
    }
}

fn encode(
    format: FrameFormat,
    serializer: Serializer,
    message: &Message<'_>,
    source: Option<&Bytes>,
) -> Shared {
    if LargeFrame::suits(message)
        && let Some(large) = LargeFrame::encode(format, serializer, message, source)
    {
        return Shared::Large(large);
    }
    let encoder = format.encoder();
    // Ids and details take some bytes beside the payload.
    let hint = message.payload().map_or(0, Payload::encoded_len) + DETAILS_BYTES_USUAL;
    let mut frame = Vec::with_capacity(hint + DETAILS_BYTES_USUAL);
    let mark = encoder.begin_message(&mut frame, hint);
    let header_bytes = frame.len();
    if message.encode(serializer, &mut frame).is_err() {
        return Shared::Unencodable;
    }
    let message_bytes = frame.len() - header_bytes;
    match encoder.finish_message(mark, &mut frame) {
        Ok(()) => Shared::Frame(frame.into(), message_bytes),
        Err(_) => Shared::Unencodable,
    }
}
