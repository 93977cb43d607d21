//! What always holds between the tables of a realm, for tests and simulations.
//!
//! A session that is gone is mentioned nowhere; every reference has its counterpart.

use wampy_proto::message::InvocationPolicy;

use crate::definitions::{Kind, OwnDefinitions};
use crate::realm::Realm;
use crate::session::{Session, SessionKey};

/// Returns with an error unless the condition holds.
macro_rules! check {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}

impl Realm {
    /// Checks that the tables agree with each other. Its cost grows with everything that the realm
    /// holds: it is for tests.
    ///
    /// # Errors
    /// They do not agree; the text says where.
    #[doc(hidden)]
    pub fn check_invariants(&self) -> Result<(), String> {
        check!(
            self.sessions.all_have_ids(),
            "an id belongs to a session that is gone"
        );
        for (key, session) in self.sessions.iter() {
            self.check_session(key, session)?;
            self.check_waiting(key, session)?;
        }
        self.check_questions()?;
        self.check_calls()?;
        self.check_timers()?;
        self.check_registrations()?;
        self.check_waiting_calls()?;
        for kept in [&self.broker.retained, &self.broker.history] {
            kept.as_ref().map_or(Ok(()), |kept| kept.check())?;
        }
        self.check_subscriptions()?;
        self.check_definitions()
    }

    fn check_session(&self, key: SessionKey, session: &Session) -> Result<(), String> {
        let id = session.details.id;
        check!(
            self.sessions.key_of(id) == Some(key),
            "session {id} is not found by its id"
        );
        for (request, slot) in session.calls.sorted() {
            let call = self.dealer.calls.get(slot);
            check!(
                call.is_some_and(|call| call.caller == key && call.request == request),
                "session {id} has call {request}: {call:?}"
            );
        }
        for (invocation, slot) in session.invocations.sorted() {
            let call = self.dealer.calls.get(slot);
            check!(
                call.is_some_and(|call| call.callee == key && call.invocation == invocation),
                "session {id} has invocation {invocation}: {call:?}"
            );
        }
        for &registration in &session.registrations {
            let record = self.dealer.registrations.get(registration);
            check!(
                record.is_some_and(|r| r.members.list.iter().any(|c| c.session == key)),
                "session {id} has registration {registration}: {record:?}"
            );
        }
        for (&subscription, &at) in &session.subscriptions {
            let record = self.broker.subscriptions.get(subscription);
            check!(
                record.is_some_and(|record| record.members.get(at) == Some(&key)),
                "session {id} has subscription {subscription} at {at}: {record:?}"
            );
        }
        Ok(())
    }

    fn check_calls(&self) -> Result<(), String> {
        for (slot, call) in self.dealer.calls.iter() {
            let caller = self.sessions.get(call.caller);
            check!(
                caller.is_some_and(|caller| caller.calls.get(call.request) == Some(slot)),
                "the caller does not know {call:?}"
            );
            let callee = self.sessions.get(call.callee);
            let is_waiting = call
                .rare
                .as_ref()
                .is_some_and(|rare| rare.waiting.is_some());
            check!(
                is_waiting
                    != callee.is_some_and(|c| c.invocations.get(call.invocation) == Some(slot)),
                "the callee does not know {call:?}"
            );
        }
        Ok(())
    }

    /// Checks the calls that wait, how many count for their callee's `concurrency`, and what is kept.
    fn check_waiting_calls(&self) -> Result<(), String> {
        let rare = || {
            self.dealer
                .calls
                .iter()
                .filter_map(|(slot, call)| Some((slot, call, call.rare.as_ref()?)))
        };
        let kept: usize = rare().map(|(_, _, rare)| rare.kept_bytes()).sum();
        check!(kept == self.dealer.kept_call_bytes, "{kept} bytes are kept");
        let mut waiting_calls = 0;
        for (id, record) in self.dealer.registrations.iter() {
            for callee in &record.members.list {
                let running = rare().filter(|(_, call, rare)| {
                    rare.counted && rare.registration == id && call.callee == callee.session
                });
                let running = running.count();
                check!(
                    callee.running as usize == running,
                    "{running} calls are at {callee:?}"
                );
            }
            let Some(waiting) = &record.members.waiting else {
                continue;
            };
            check!(!waiting.line.is_empty(), "{record:?} has an empty line");
            let mut bytes = 0;
            for (&number, &slot) in &waiting.line {
                let rare = self
                    .dealer
                    .calls
                    .get(slot)
                    .and_then(|call| call.rare.as_ref());
                let is_here = rare
                    .is_some_and(|rare| rare.waiting == Some(number) && rare.registration == id);
                check!(is_here, "{record:?} has {number} in its line");
                bytes += rare.map_or(0, |rare| rare.kept_bytes());
            }
            check!(
                bytes == waiting.bytes,
                "{bytes} bytes wait, not {}",
                waiting.bytes
            );
            waiting_calls += waiting.line.len();
        }
        check!(
            waiting_calls == self.dealer.waiting_calls,
            "{waiting_calls} calls wait"
        );
        let waiting = rare().filter(|(_, _, rare)| rare.waiting.is_some()).count();
        check!(
            waiting == waiting_calls,
            "{waiting} calls believe that they wait"
        );
        Ok(())
    }

    fn check_registrations(&self) -> Result<(), String> {
        for (id, record) in self.dealer.registrations.iter() {
            let known = self
                .dealer
                .registrations
                .lookup(&record.uri, record.match_policy);
            check!(known == Some(id), "{record:?} is not found by its pattern");
            let callees = &record.members;
            check!(!callees.list.is_empty(), "{record:?} has no callee");
            check!(
                callees.policy != InvocationPolicy::Single || callees.list.len() == 1,
                "{record:?} has more than one callee"
            );
            for callee in &callees.list {
                let session = self.sessions.get(callee.session);
                check!(
                    session.is_some_and(|session| session.registrations.contains(&id)),
                    "{callee:?} does not know registration {id}"
                );
            }
        }
        Ok(())
    }

    fn check_subscriptions(&self) -> Result<(), String> {
        for (id, record) in self.broker.subscriptions.iter() {
            let known = self
                .broker
                .subscriptions
                .lookup(&record.uri, record.match_policy);
            check!(known == Some(id), "{record:?} is not found by its pattern");
            check!(!record.members.is_empty(), "{record:?} has no subscriber");
            for (at, &key) in record.members.iter().enumerate() {
                let session = self.sessions.get(key);
                check!(
                    session.is_some_and(|session| session.subscriptions.get(&id) == Some(&at)),
                    "{key:?} does not know subscription {id}"
                );
            }
        }
        for (id, key) in self.broker.sharded.iter() {
            let session = self.sessions.get(key);
            check!(
                session.is_some_and(|session| session.subscriptions.contains_key(&id)),
                "{key:?} is a node of subscription {id}, which it does not know"
            );
        }
        Ok(())
    }

    fn check_definitions(&self) -> Result<(), String> {
        for (kind, (id, record)) in Kind::ALL
            .into_iter()
            .flat_map(|kind| self.definitions.of(kind).iter().map(move |it| (kind, it)))
        {
            check!(!record.members.is_empty(), "{record:?} has no definition");
            for definition in &record.members {
                let own = self.own_definitions(definition.session);
                check!(
                    own.is_some_and(|own| own.list.contains(&(kind, id))),
                    "{definition:?} of {record:?} is unknown to its session"
                );
            }
        }
        for (key, _) in self.sessions.iter() {
            let Some(own) = self.own_definitions(key) else {
                continue;
            };
            let bytes = own.list.iter().map(|&(kind, id)| {
                let record = self.definitions.of(kind).get(id)?;
                let mut members = record.members.iter();
                let definition = members.find(|definition| definition.session == key)?;
                Some(record.uri.len() + definition.encoded.len())
            });
            let bytes: Option<usize> = bytes.sum();
            check!(
                bytes == Some(own.bytes),
                "{key:?} has other definitions than {own:?}"
            );
        }
        Ok(())
    }

    fn own_definitions(&self, key: SessionKey) -> Option<&OwnDefinitions> {
        Some(&self.sessions.get(key)?.rare.as_ref()?.definitions)
    }
}
