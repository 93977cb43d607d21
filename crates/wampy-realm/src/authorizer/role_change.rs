//! New roles for a realm in which sessions are already: they count at once.
//!
//! What a session holds and may not hold any longer is taken from it; about what it holds by the word
//! of an authorizer that has changed, the new one is asked. Calls that are under way go on. A session
//! keeps its authrole: if the role is no more, the session may do nothing.

use super::asking::Tap;
use super::gate::{Answered, Handled, NOT_ASKED};
use super::permission::Action;
use super::requirements::Requirement;
use super::role::RealmRoles;
use super::waiting::{Item, Queue};
use crate::config::RealmConfig;
use crate::outbox::Outbox;
use crate::realm::{Now, Realm};
use crate::session::SessionKey;

/// Why something is taken from a session, where it is told.
const REASON: &str = wampy_proto::error_uri::NOT_AUTHORIZED;

impl Realm {
    /// Gives the realm other roles. Registrations and subscriptions that are not allowed any more are
    /// revoked; answers of authorizers that were remembered are forgotten, also if the roles are the
    /// same as before. Without roles everybody may do everything.
    pub fn set_roles(&mut self, now: Now, roles: RealmRoles, outbox: &mut impl Outbox) {
        let before = std::mem::replace(&mut self.config.roles, roles);
        self.authorizer.set_roles(&self.config);
        self.prepare_asking();
        self.listening(now, outbox, |realm, tap| {
            let keys: Vec<SessionKey> = realm.sessions.iter().map(|(key, _)| key).collect();
            // What waits for one session may be about any other.
            for &key in &keys {
                realm.renew_authority(key);
            }
            for key in keys {
                realm.change_role(now, key, &before, tap);
            }
        });
    }

    /// Gives the realm other policies and limits, and roles as [`set_roles`](Self::set_roles) does.
    /// What is there already stays, also where a limit is lower now. Which events are kept stays as
    /// it was; returns whether that is as `config` says.
    pub fn reconfigure(
        &mut self,
        now: Now,
        mut config: RealmConfig,
        outbox: &mut impl Outbox,
    ) -> bool {
        let roles = std::mem::replace(&mut config.roles, self.config.roles.clone());
        let kept = (&self.config.event_retention, &self.config.event_history);
        let keeps_alike = kept == (&config.event_retention, &config.event_history);
        let before = std::mem::replace(&mut self.config, config);
        self.config.event_retention = before.event_retention;
        self.config.event_history = before.event_history;
        self.broker.subscriptions.forget_patterns();
        self.set_roles(now, roles, outbox);
        keeps_alike
    }

    /// Lets the new roles decide for a session. What it waits for stays.
    fn renew_authority(&mut self, key: SessionKey) {
        let waiting = self.take_waiting(key);
        if let Some(session) = self.sessions.get_mut(key) {
            session.authority = self.authorizer.authority(&session.details);
            if let Some(waiting) = waiting {
                session.authority.set_waiting(waiting);
            }
        }
    }

    fn change_role(&mut self, now: Now, key: SessionKey, before: &RealmRoles, tap: &mut Tap<'_>) {
        let waiting = self.take_waiting(key);
        if let Some(waiting) = &waiting {
            self.withdraw(waiting.question, tap);
        }
        let Some(session) = self.sessions.get(key) else {
            return;
        };
        let authrole = &session.details.authrole;
        // Where there were no roles, everybody could do everything, whatever its role.
        let has_changed =
            before.is_empty() || self.authorizer.roles.get(authrole) != before.get(authrole);
        let is_affected = self.authorizer.is_on() && has_changed;
        let mut queue = waiting.map_or_else(Queue::default, |waiting| waiting.queue);
        if is_affected {
            let mut registrations: Vec<_> = session.registrations.iter().copied().collect();
            let mut subscriptions: Vec<_> = session.subscriptions.keys().copied().collect();
            registrations.sort_unstable();
            subscriptions.sort_unstable();
            let registrations = registrations.into_iter().map(Item::Registration);
            let subscriptions = subscriptions.into_iter().map(Item::Subscription);
            queue.recheck(subscriptions.chain(registrations));
        }
        self.go_on(now, key, NOT_ASKED, queue, tap);
    }

    /// What a session needs for what it holds, if it still holds it.
    pub(super) fn requirement_of_held(&self, held: &Item) -> Option<Requirement<'static>> {
        let (action, uri, match_policy) = match *held {
            Item::Registration(id) => {
                let record = self.dealer.registrations.get(id)?;
                (Action::Register, &record.uri, record.match_policy)
            }
            Item::Subscription(id) => {
                let record = self.broker.subscriptions.get(id)?;
                (Action::Subscribe, &record.uri, record.match_policy)
            }
            Item::Message(_) | Item::Nothing => return None,
        };
        Some(Requirement::new(action, uri, match_policy).into_owned())
    }

    /// Decides whether a session may keep what it holds.
    pub(super) fn recheck(
        &mut self,
        now: Now,
        holder: SessionKey,
        held: &Item,
        answered: &Answered,
        tap: &mut Tap<'_>,
    ) -> Handled {
        let Some(requirement) = self.requirement_of_held(held) else {
            return Handled::Done;
        };
        let [None, _] = answered else {
            return Handled::Done;
        };
        match self.decide(now, holder, &requirement) {
            Ok(Some(_)) => Handled::Done,
            Ok(None) => Handled::MustAsk { place: 0 },
            Err(_) => {
                self.revoke_held(holder, held, tap);
                Handled::Done
            }
        }
    }

    /// Takes from a session what it may not hold any more.
    pub(super) fn revoke_held(&mut self, holder: SessionKey, held: &Item, tap: &mut Tap<'_>) {
        match *held {
            Item::Registration(id) => self.revoke_registration(id, holder, Some(REASON), tap),
            Item::Subscription(id) => self.revoke_subscription(id, holder, Some(REASON), tap),
            Item::Message(_) | Item::Nothing => {}
        }
    }
}
