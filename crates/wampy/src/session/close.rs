//! The end of a session: asked for by the program, or found out by the owner.

use std::sync::Arc;

use super::Shared;
use super::join::Joined;
use super::lost::Cause;
use super::send::wake_owner;
use super::state::{Online, Phase};
use crate::error::Error;
use crate::status::Status;

impl Shared {
    /// Asks the owner to say goodbye and to end. Requests that wait fail now, because the router's
    /// answers count for nothing after the goodbye.
    pub(crate) fn request_close(&self, reason: &str) {
        let mut state = self.lock();
        if state.closing || matches!(state.phase, Phase::Closed(_)) {
            return;
        }
        state.closing = true;
        state.goodbye = Some(reason.to_owned());
        let pending = match &mut state.phase {
            Phase::Online(online) => std::mem::take(&mut online.pending),
            _ => Default::default(),
        };
        wake_owner(state);
        self.close_requested.notify_one();
        self.room.notify_waiters();
        for (_, pending) in pending {
            pending.fail(Error::Closed);
        }
    }

    /// What [`Client::close`](crate::Client::close) returns once the client is closed.
    pub(crate) fn farewell(&self) -> Result<(), Error> {
        let url = self.options.url.to_string();
        match &self.lock().phase {
            Phase::Closed(Cause::ClosedWithoutAnswer(reason)) => Err(Error::ConnectionLost {
                url,
                reason: reason.clone(),
            }),
            _ => Ok(()),
        }
    }

    /// Whether a new session is to be had after one that ended by `cause`.
    pub(super) fn comes_back_from(&self, cause: &Cause) -> bool {
        self.options.reconnect.is_some() && cause.is_temporary() && !self.lock().closing
    }

    /// Ends the current session: whoever waits for something of it gets an error, handlers stop.
    pub(super) fn take_offline(&self, cause: &Cause) {
        let comes_back = self.comes_back_from(cause);
        let reason = cause.text(self.options.url.as_str());
        let mut state = self.lock();
        let phase = std::mem::replace(&mut state.phase, Phase::Offline(cause.clone()));
        // Whoever gets an error below and waits for the next session must not see the old status,
        // and whoever finds an id gone must see whether the session has gone with it.
        // A program that closes waits for the connection too, and so for `finish`.
        match (comes_back, state.closing) {
            (true, _) => self.set_status(Status::Reconnecting { attempt: 1, reason }),
            (false, false) => self.set_status(Status::Closed { reason }),
            (false, true) => {}
        }
        for record in state.registrations.values() {
            record.set_id(None);
        }
        for record in state.subscriptions.values() {
            record.set_id(None);
        }
        drop(state);
        self.room.notify_waiters();
        if let Phase::Online(online) = phase {
            dissolve(*online, &cause.error(self.options.url.as_str()));
        }
    }

    /// Begins the next session.
    pub(super) fn go_online(&self, joined: &Joined, epoch: u64) {
        let mut state = self.lock();
        state.serializer = joined.serializer;
        state.welcome = Arc::clone(&joined.welcome);
        state.phase = Phase::Online(Box::new(Online::new(epoch, joined)));
    }

    pub(super) fn set_status(&self, status: Status) {
        self.status.send_replace(status);
    }

    /// Ends the client for good.
    pub(super) fn finish(&self, cause: Cause) {
        self.take_offline(&cause);
        let reason = cause.text(self.options.url.as_str());
        let mut state = self.lock();
        state.phase = Phase::Closed(cause);
        // The handlers may hold the last handles of this client.
        let registrations = std::mem::take(&mut state.registrations);
        let subscriptions = std::mem::take(&mut state.subscriptions);
        state.testaments = Vec::new();
        drop(state);
        for record in subscriptions.values() {
            record.sink.end();
        }
        drop(registrations);
        self.set_status(Status::Closed { reason });
    }
}

/// Fails what waits for answers of a session that is over, and stops its handlers.
fn dissolve(online: Online, error: &Error) {
    for (_, pending) in online.pending {
        pending.fail(error.clone());
    }
    for (_, in_work) in online.invocations {
        in_work.stop();
    }
}
