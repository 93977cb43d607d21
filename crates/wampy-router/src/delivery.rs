//! From the realm's decisions to the sessions' outlets: the router's [`Outbox`].
//!
//! Each message is encoded straight into its receiver's outlet. Writing to sockets is not done
//! here: the outlets that were touched are flushed when the realm is unlocked.

use std::marker::PhantomData;
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
    held: HeldSeat,
    /// The buffer in which the messages of this turn came, if it can be shared.
    source: Option<&'a Bytes>,
    pub(crate) turn: Turn<'a>,
}

/// The session whose outlet stays locked, because the last message was for it.
///
/// While there is one, its seat is not changed and its outlet not touched in any other way. It stays on
/// its thread, as a guard of the lock would.
#[derive(Debug, Default)]
struct HeldSeat(Option<SessionKey>, PhantomData<*const ()>);

impl HeldSeat {
    /// Appends a message to the outlet of `to`, which `seats` say is `outlet`, and holds that from now
    /// on.
    #[inline]
    #[allow(unsafe_code)]
    fn append(
        &mut self,
        seats: &Seats,
        to: SessionKey,
        outlet: &Outlet,
        message: &Message<'_>,
    ) -> Result<Appended, SendError> {
        if self.0 != Some(to) {
            self.let_go(seats);
            outlet.hold();
            self.0 = Some(to);
        }
        debug_assert!(
            seats
                .get(to)
                .is_some_and(|seated| std::ptr::eq(&**seated, outlet))
        );
        // SAFETY: `outlet` is the one of `to`, which was held when `to` was put down here, on this
        // thread, and has not been let go since. It still is the same, as seats change only when none
        // is held.
        unsafe { outlet.append_to_held(message) }
    }

    /// Unlocks the outlet, if one is held.
    #[inline]
    #[allow(unsafe_code)]
    fn let_go(&mut self, seats: &Seats) {
        if let Some(held) = self.0.take()
            && let Some(outlet) = seats.get(held)
        {
            // SAFETY: it is held since it was put down here, on this thread: it still is the outlet of
            // `held`, as seats change only when none is held. Nothing is put down here any more.
            unsafe { outlet.let_go() };
        }
    }
}

impl Drop for Delivery<'_> {
    fn drop(&mut self) {
        self.let_go();
    }
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
            held: HeldSeat::default(),
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
        self.let_go();
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

    /// Unlocks the outlet that the last message was for.
    #[inline]
    fn let_go(&mut self) {
        self.held.let_go(self.seats);
    }

    pub(crate) fn unseat(&mut self, key: SessionKey) {
        self.let_go();
        self.seats.remove(key);
    }

    /// Sends a message that is encoded once for all who share a serializer and a framing.
    #[inline(never)]
    fn send_to_several(&mut self, to: &[SessionKey], message: &Message<'_>) {
        self.let_go();
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
            false => self.held.append(self.seats, to, outlet, message)?,
            true => {
                self.held.let_go(self.seats);
                append_large(outlet, message, self.source)?
            }
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
        self.let_go();
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

#[cfg(test)]
mod tests {
    use std::thread;

    use wampy_proto::Roles;
    use wampy_proto::framing::rawsocket::RawSocketEncoder;
    use wampy_proto::message::{Error, MessageType};
    use wampy_realm::{Now, RealmConfig, SessionDetails};
    use wampy_transport::{MemoryStream, Stream};

    use super::*;
    use crate::backlog::Backlog;

    const BYTES_MAX: usize = 1 << 10;

    fn session(id: u64) -> SessionDetails {
        SessionDetails {
            id: SessionId::try_from(id).unwrap(),
            authid: "a".into(),
            authrole: "a".into(),
            authmethod: "a".into(),
            authprovider: "a".into(),
            trust_level: None,
            authextra: None,
            roles: Roles::default(),
            transport: None,
        }
    }

    /// Sessions with outlets, and the other ends of their connections.
    fn seats(count: u64) -> (Seats, Vec<SessionKey>, Vec<MemoryStream>) {
        let mut realm = Realm::new("realm1", RealmConfig::default(), 42);
        let (mut seats, mut touched) = (Seats::default(), Vec::new());
        let (mut keys, mut peers) = (Vec::new(), Vec::new());
        for id in 1..=count {
            let now = Now {
                monotonic_ms: 0,
                unix_ms: 0,
            };
            let mut delivery = Delivery::new(&mut seats, &mut touched, None);
            let key = realm.join(now, session(id), &mut delivery).unwrap();
            let (ours, theirs) = MemoryStream::pair(1 << 20, "test");
            let (_, write) = Stream::from(ours).into_halves();
            let backlog = Arc::new(Backlog::new(BYTES_MAX, 1));
            let encoder = RawSocketEncoder::default().into();
            let outlet = Outlet::new(write, encoder, Serializer::Json, BYTES_MAX, &backlog);
            delivery.let_go();
            delivery.seats.insert(key, Arc::new(outlet));
            keys.push(key);
            peers.push(theirs);
        }
        (seats, keys, peers)
    }

    fn error(number: u64, text: &str) -> Message<'static> {
        let request = number.try_into().unwrap();
        Error::new(MessageType::Call, request, text.to_owned()).into()
    }

    /// What waits for a session, without locking anything for longer.
    fn waiting(seats: &Seats, key: SessionKey) -> usize {
        seats.get(key).unwrap().waiting_bytes()
    }

    #[test]
    fn messages_in_any_order_reach_their_outlets_and_leave_them_unlocked() {
        let (mut seats, keys, _peers) = seats(3);
        let mut touched = Vec::new();
        let mut delivery = Delivery::new(&mut seats, &mut touched, None);
        let mut sent = [0; 3];
        for (number, to) in (1..).zip([0, 0, 1, 0, 2, 2, 1]) {
            delivery.send(keys[to], &error(number, "a.b")).unwrap();
            sent[to] += 1;
            if number == 4 {
                // Touches the outlet that is held, and all others.
                delivery.send_to_many(&keys, &error(number, "a.b"));
                sent = sent.map(|sent| sent + 1);
            }
        }
        drop(delivery);
        let bytes = waiting(&seats, keys[1]) / sent[1];
        for (key, sent) in keys.iter().zip(sent) {
            assert_eq!(waiting(&seats, *key), sent * bytes);
        }
        assert_eq!(touched.len(), 3);
    }

    #[test]
    fn a_session_ends_or_overflows_while_its_outlet_is_held() {
        let (mut seats, keys, _peers) = seats(2);
        let mut touched = Vec::new();
        let mut delivery = Delivery::new(&mut seats, &mut touched, None);
        delivery.send(keys[0], &error(1, "a.b")).unwrap();
        delivery.end(keys[0], Goodbye::new("a.b"));
        assert!(!delivery.is_seated(keys[0]));
        let too_long = error(2, &"a".repeat(BYTES_MAX));
        assert!(delivery.send(keys[1], &too_long).is_err());
        for number in 3..20 {
            delivery
                .send(keys[1], &error(number, &"a".repeat(99)))
                .unwrap();
        }
        assert_eq!(delivery.turn.overflowed, [keys[1]]);
        delivery.unseat(keys[1]);
        drop(delivery);
        assert!(touched.iter().all(|outlet| outlet.waiting_bytes() < 100));
    }

    #[test]
    fn who_else_needs_a_held_outlet_gets_it_afterwards() {
        let (mut seats, keys, _peers) = seats(1);
        let outlet = Arc::clone(seats.get(keys[0]).unwrap());
        let mut touched = Vec::new();
        let mut delivery = Delivery::new(&mut seats, &mut touched, None);
        delivery.send(keys[0], &error(1, "a.b")).unwrap();
        let other = thread::spawn(move || outlet.append(&error(2, "a.b")));
        delivery.send(keys[0], &error(3, "a.b")).unwrap();
        drop(delivery);
        other.join().unwrap().unwrap();
        let frame = waiting(&seats, keys[0]) / 3;
        assert_eq!(waiting(&seats, keys[0]), 3 * frame);
    }
}
