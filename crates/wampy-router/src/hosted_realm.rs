//! A realm among tasks: the lock around it, the outlets of its sessions, and its timer.
//!
//! Any connection task takes the lock for a short time, routes a whole batch, and flushes what it
//! touched after giving the lock back. Decoding is done before, writing to sockets after.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::Notify;
use wampy_proto::message::Welcome;
use wampy_proto::{Message, Roles, SessionId};
use wampy_realm::{
    JoinRefused, Now, Realm, RealmConfig, RealmRoles, SessionDetails, SessionKey, Shelf, Violation,
};

use crate::delivery::{Delivery, Seats};
use crate::outlet::Outlet;
use crate::registry::SessionPermit;
use crate::stats::RealmStats;
use crate::store::{RealmStore, Store, StoreError};
use crate::unflushed;

/// How long one session may keep the realm to itself, give or take a few messages, when others wait.
const TURN_MAX: Duration = Duration::from_millis(1);

/// After how many messages of a turn the clock is looked at.
const MESSAGES_PER_LOOK: usize = 8;

/// The time as the router's realms see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// Milliseconds since the router started.
    #[inline]
    pub(crate) fn monotonic_ms(&self) -> u64 {
        self.start.elapsed().as_millis() as u64
    }
}

/// The date, which a realm reads once in a millisecond: when it is busy, every turn asks.
#[derive(Debug, Default)]
struct Date {
    /// When it was read last, on the monotonic clock.
    read_ms: Option<u64>,
    unix_ms: u64,
}

impl Date {
    #[inline]
    fn now(&mut self, monotonic_ms: u64) -> Now {
        if self.read_ms != Some(monotonic_ms) {
            self.read(monotonic_ms);
        }
        Now {
            monotonic_ms,
            unix_ms: self.unix_ms,
        }
    }

    fn read(&mut self, monotonic_ms: u64) {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH);
        self.unix_ms = unix.unwrap_or_default().as_millis() as u64;
        self.read_ms = Some(monotonic_ms);
    }
}

#[derive(Debug)]
pub(crate) struct HostedRealm {
    name: Box<str>,
    welcome_roles: Roles,
    clock: Clock,
    state: Mutex<State>,
    /// Wakes the timer's task: its time has become an earlier one.
    timer_changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    realm: Realm,
    seats: Seats,
    date: Date,
    /// When the timer's task wakes, on the monotonic clock.
    timer_ms: Option<u64>,
    received: u64,
    sent: u64,
}

impl HostedRealm {
    /// A realm with the events that the store has of it, and the task of its timer, which ends with
    /// it.
    pub(crate) fn host(
        name: &str,
        config: RealmConfig,
        clock: Clock,
        store: Option<&Arc<Store>>,
    ) -> Result<Arc<Self>, StoreError> {
        let realm = Realm::new(name, config, rand::random());
        let welcome_roles = realm.welcome_roles();
        let mut seats = Seats::default();
        seats.store = store.map(|store| store.of_realm(name)).transpose()?;
        let state = State {
            realm,
            seats,
            date: Date::default(),
            timer_ms: None,
            received: 0,
            sent: 0,
        };
        let timer_changed = Arc::new(Notify::new());
        let hosted = Arc::new(Self {
            name: name.into(),
            welcome_roles,
            clock,
            state: Mutex::new(state),
            timer_changed: Arc::clone(&timer_changed),
        });
        if let Some(store) = store {
            hosted.restore(&store.of_realm(name)?)?;
        }
        tokio::spawn(run_timer(Arc::downgrade(&hosted), timer_changed));
        Ok(hosted)
    }

    /// Takes in the events of a store.
    fn restore(&self, store: &RealmStore) -> Result<(), StoreError> {
        self.with_realm(|realm, delivery, now| {
            for shelf in [Shelf::Retained, Shelf::History] {
                for kept in store.events(shelf) {
                    let (number, event) = kept?;
                    realm.restore(now, shelf, number, event, delivery);
                }
            }
            Ok(())
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn welcome_roles(&self) -> Roles {
        self.welcome_roles
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Runs `turn` with the realm locked; what it touched is flushed afterwards, or at the end of
    /// the lane's pass.
    pub(crate) fn with_realm<T>(
        &self,
        turn: impl FnOnce(&mut Realm, &mut Delivery<'_>, Now) -> T,
    ) -> T {
        self.with_realm_from(None, turn)
    }

    /// The same for messages that came in the buffer `source`.
    fn with_realm_from<T>(
        &self,
        source: Option<&Bytes>,
        turn: impl FnOnce(&mut Realm, &mut Delivery<'_>, Now) -> T,
    ) -> T {
        let mut touched = unflushed::take();
        let monotonic_ms = self.clock.monotonic_ms();
        let (result, at_once) = {
            let mut state = self.state();
            let state = &mut *state;
            let now = state.date.now(monotonic_ms);
            let mut delivery = Delivery::new(&mut state.seats, &mut touched, source);
            let result = turn(&mut state.realm, &mut delivery, now);
            while let Some(key) = delivery.turn.overflowed.pop() {
                delivery.unseat(key);
                state.realm.leave(now, key, &mut delivery);
            }
            state.received += delivery.turn.received;
            state.sent += delivery.turn.sent;
            let at_once = delivery.turn.flush_at_once;
            drop(delivery);
            self.set_timer(state);
            (result, at_once)
        };
        unflushed::put_back(touched, at_once);
        result
    }

    fn set_timer(&self, state: &mut State) {
        let next_ms = state.realm.next_timeout_ms();
        if next_ms.is_some_and(|next_ms| state.timer_ms.is_none_or(|timer_ms| next_ms < timer_ms)) {
            state.timer_ms = next_ms;
            self.timer_changed.notify_one();
        }
    }

    /// Takes a session in and sends it `welcome`.
    pub(crate) fn join(
        self: &Arc<Self>,
        details: SessionDetails,
        welcome: Welcome,
        outlet: &Arc<Outlet>,
        permit: SessionPermit,
    ) -> Result<Seat, JoinRefused> {
        let id = details.id;
        let key = self.with_realm(|realm, delivery, now| {
            let key = realm.join(now, details, delivery)?;
            delivery.seat(key, outlet, &welcome.into());
            Ok(key)
        })?;
        Ok(Seat {
            realm: Arc::clone(self),
            key,
            id,
            _permit: permit,
        })
    }

    /// Gives the realm other roles, which count at once.
    pub(crate) fn set_roles(&self, roles: RealmRoles) {
        self.with_realm(|realm, delivery, now| realm.set_roles(now, roles, delivery));
    }

    /// Gives the realm other policies, limits and roles, which count at once. Returns whether it also
    /// keeps events as `config` says: how it does that is fixed.
    pub(crate) fn reconfigure(&self, config: RealmConfig) -> bool {
        self.with_realm(|realm, delivery, now| realm.reconfigure(now, config, delivery))
    }

    pub(crate) fn stats(&self) -> RealmStats {
        let state = self.state();
        let held = state.realm.stats();
        RealmStats {
            name: self.name.to_string(),
            sessions: held.sessions,
            registrations: held.registrations,
            subscriptions: held.subscriptions,
            pending_calls: held.pending_calls,
            messages_received: state.received,
            messages_sent: state.sent,
        }
    }
}

/// A session's place in a realm. Dropping it takes the session out, with all that it holds.
#[derive(Debug)]
pub(crate) struct Seat {
    realm: Arc<HostedRealm>,
    key: SessionKey,
    id: SessionId,
    /// Given back after the session has left its realm.
    _permit: SessionPermit,
}

impl Seat {
    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    pub(crate) fn realm_name(&self) -> &str {
        self.realm.name()
    }

    /// Routes messages of this session, in order, up to the first that breaks the protocol.
    ///
    /// Messages that make the realm work hard are routed in several turns, so that others can take
    /// theirs in between and answers are on their way before there are too many of them.
    ///
    /// They came in `source`, if that is a buffer that can be shared.
    pub(crate) fn route(
        &self,
        mut messages: &mut [Message<'_>],
        source: Option<&Bytes>,
    ) -> Result<(), Violation> {
        while !messages.is_empty() {
            let routed = self.realm.with_realm_from(source, |realm, delivery, now| {
                self.turn(messages, realm, delivery, now)
            })?;
            messages = &mut messages[routed..];
        }
        Ok(())
    }

    /// One turn: routes messages until none is left or the turn has taken long enough; how many
    /// are done with.
    fn turn(
        &self,
        messages: &mut [Message<'_>],
        realm: &mut Realm,
        delivery: &mut Delivery<'_>,
        now: Now,
    ) -> Result<usize, Violation> {
        // A short turn needs no clock.
        let mut begin = None;
        for (before, message) in messages.iter_mut().enumerate() {
            // The session may end by one of its own messages, such as its outlet's overflow.
            if !delivery.is_seated(self.key) {
                break;
            }
            let mut is_late = || {
                before.is_multiple_of(MESSAGES_PER_LOOK)
                    && begin.get_or_insert_with(Instant::now).elapsed() > TURN_MAX
            };
            if before > 0 && (delivery.turn.flush_at_once || is_late()) {
                return Ok(before);
            }
            delivery.turn.received += 1;
            realm.handle(now, self.key, message, delivery)?;
        }
        Ok(messages.len())
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.realm.with_realm(|realm, delivery, now| {
            delivery.unseat(self.key);
            realm.leave(now, self.key, delivery);
        });
    }
}

impl Drop for HostedRealm {
    fn drop(&mut self) {
        self.timer_changed.notify_one();
    }
}

/// Ends the realm's overdue calls in time, until the realm is gone.
async fn run_timer(realm: Weak<HostedRealm>, changed: Arc<Notify>) {
    loop {
        // The realm must not be held while waiting, or it would never go.
        let wait_ms = match realm.upgrade() {
            Some(hosted) => hosted.run_due_timers(),
            None => return,
        };
        match wait_ms {
            Some(wait_ms) => {
                let due = tokio::time::sleep(Duration::from_millis(wait_ms));
                tokio::select! {
                    () = due => {}
                    () = changed.notified() => {}
                }
            }
            None => changed.notified().await,
        }
    }
}

impl HostedRealm {
    /// Ends the calls that are overdue; returns after how many milliseconds the next will be.
    fn run_due_timers(&self) -> Option<u64> {
        let now_ms = self.clock.monotonic_ms();
        if self.state().timer_ms? <= now_ms {
            self.with_realm(|realm, delivery, now| realm.handle_timeout(now, delivery));
            let mut state = self.state();
            state.timer_ms = state.realm.next_timeout_ms();
        }
        self.state()
            .timer_ms
            .map(|timer_ms| timer_ms.saturating_sub(now_ms))
    }
}
