//! Sessions of the walk join and leave.

use wampy_proto::{Feature, Role, Roles, SessionId};
use wampy_realm::{JoinRefused, SessionDetails, Transport};

use super::dice::Dice;
use super::model::{LARGE, Session};
use super::{SESSIONS_MAX, Walk};
use crate::simulated::{Client, every_feature, no_features, without};

impl Walk {
    pub fn join(&mut self) {
        let roles = some_features(&mut self.dice);
        let authid = self
            .dice
            .pick(&["joe", "joe", "ann", "ann", "eve", "eve", "e.v"]);
        let authrole = self.dice.pick(&["user", "admin"]);
        let trust_level = self.dice.pick(&[None, Some(0), Some(5)]);
        // Ids are used again, as permissions with `{session}` name some of them.
        let taken: Vec<u64> = self.model.sessions.iter().map(|it| it.id).collect();
        let id = loop {
            let id = 1 + self.dice.roll(2 * SESSIONS_MAX) as u64;
            if !taken.contains(&id) || self.dice.chance(5) {
                break id;
            }
        };
        let details = SessionDetails {
            id: SessionId::try_from(id).unwrap(),
            authid: authid.into(),
            authrole: authrole.into(),
            authmethod: "ticket".into(),
            authprovider: "static".into(),
            trust_level,
            authextra: None,
            roles,
            transport: Some(Transport {
                kind: "simulated",
                serializer: "json",
            }),
        };
        let client = match self.network.join_details(details) {
            Ok(client) => client,
            Err(refused) => {
                let is_full = taken.len() >= self.model.config.sessions_max;
                assert!(is_full || taken.contains(&id), "{refused}");
                assert_eq!(refused == JoinRefused::TooManySessions, is_full);
                return self.compare("a refused join");
            }
        };
        let is_small = self.dice.chance(20);
        if is_small {
            self.network.limit_messages(client, LARGE / 2);
        }
        let is_picky = self.dice.chance(20);
        if is_picky {
            self.network.make_picky(client);
        }
        self.gather();
        self.model.join(Session {
            client,
            id,
            authid,
            authrole,
            trust_level,
            roles,
            last_invocation: 0,
            testaments: Vec::new(),
            is_small,
            is_picky,
            is_silent: self.model.config.silent_cancel && cancels_silently(&roles),
        });
        self.compare("join");
    }

    /// The router gets a session of its own.
    pub fn join_internal(&mut self) {
        let id = 900;
        let client = self.network.join_internal(id);
        self.model.internal = Some(Session::of_router(client, id));
        self.compare("the router joins its realm");
    }

    /// The router's own session goes.
    pub fn leave_internal(&mut self) {
        if let Some(client) = self.model.internal.as_ref().map(|it| it.client) {
            self.network.leave(client);
            self.gather();
            self.model.leave(client);
            self.compare("the router leaves its realm");
        }
    }

    /// Mostly somebody who leaves something behind.
    pub fn leave(&mut self) {
        let client = match self.dice.chance(40) {
            true => self.anybody_who(|it| it.testaments.len() > 1),
            false => self.anybody(),
        };
        self.network.leave(client);
        self.gather();
        self.model.leave(client);
        self.compare("leave");
    }

    /// A session is gone: its calls need not end any more.
    pub fn forget(&mut self, client: Client) {
        self.open_calls.retain(|&(caller, _)| caller != client);
        self.calls_in_parts.retain(|&(caller, ..)| caller != client);
    }
}

/// What a client announces: often everything.
fn some_features(dice: &mut Dice) -> Roles {
    match dice.roll(8) {
        0 => no_features(),
        1 => without(every_feature(), &[Feature::CallCanceling]),
        2 => without(
            every_feature(),
            &[Feature::ProgressiveCallResults, Feature::CallTrustlevels],
        ),
        3 => without(
            every_feature(),
            &[Feature::ProgressiveCallInvocations, Feature::CallTimeout],
        ),
        4 => without(
            every_feature(),
            &[
                Feature::PayloadPassthruMode,
                Feature::CallReroute,
                Feature::RegistrationRevocation,
                Feature::SubscriptionRevocation,
            ],
        ),
        _ => every_feature(),
    }
}

/// Whether a client has every feature of its kind but that to cancel calls.
fn cancels_silently(roles: &Roles) -> bool {
    let features = Role::CLIENT.map(|role| roles.get(role).unwrap());
    features.into_iter().all(|features| {
        features.contains(Feature::CallTimeout) && !features.contains(Feature::CallCanceling)
    })
}
