//! What is not done by sessions: the realm gets other roles and policies, the router ends, time passes.

use wampy_realm::{RealmConfig, Shelf};

use super::config::{other_policies, some_roles};
use super::model::Due;
use super::{Walk, model};
use crate::authorization::roles as realm_roles;

impl Walk {
    pub fn set_roles(&mut self) {
        let roles = some_roles(&mut self.dice);
        self.network
            .set_roles(realm_roles(model::syntax(roles.as_ref())));
        self.gather();
        self.model.set_roles(roles);
        self.compare("other roles");
    }

    /// Other policies, while the walk goes on.
    pub fn reconfigure(&mut self) {
        let config = other_policies(self.model.config.clone(), &mut self.dice);
        self.network.reconfigure(RealmConfig {
            roles: realm_roles(model::syntax(self.model.roles.as_ref())),
            ..config.clone()
        });
        self.gather();
        self.model.reconfigure(config);
        self.compare("other policies");
    }

    /// The router ends, its store fails or is mended, or it begins to call.
    pub fn change_router(&mut self) {
        match self.dice.roll(20) {
            0 => self.restart(),
            1..4 => self.break_store(),
            4..9 => self.mend_store(),
            9 => self.leave_internal(),
            _ if self.model.internal.is_none() => self.join_internal(),
            _ => {}
        }
    }

    /// The router ends, and another begins with the same store.
    fn restart(&mut self) {
        self.network.restart(RealmConfig {
            roles: realm_roles(model::syntax(self.model.roles.as_ref())),
            ..self.model.config.clone()
        });
        self.model.restart();
        self.open_calls.clear();
        self.calls_in_parts.clear();
        self.last_heard.clear();
        self.compare("a restart");
    }

    /// From now on the store cannot be written, or a part of it.
    fn break_store(&mut self) {
        let parts = [(Shelf::Retained, true), (Shelf::History, false)];
        let parts = self
            .dice
            .pick(&[&parts[..], &parts[..1], &parts[..1], &parts[1..]]);
        for &(shelf, is_retained) in parts {
            if !self.model.shelf(is_retained).is_broken {
                self.network.break_shelf(shelf);
                self.model.shelf(is_retained).is_broken = true;
            }
        }
    }

    fn mend_store(&mut self) {
        self.network.mend_store();
        for is_retained in [true, false] {
            self.model.shelf(is_retained).is_broken = false;
        }
    }

    /// Time passes, mostly until the very moment at which something is over, or to the last one before.
    pub fn pass(&mut self) {
        let moments = self.model.moments();
        let near = moments.into_iter();
        let near: Vec<_> = near
            .filter(|(moment, _)| moment - self.model.now <= 1500)
            .collect();
        let (ms, due) = match self.dice.roll(20) {
            0 => (self.dice.roll(1500) as u64, None),
            1..15 if !near.is_empty() => {
                let (moment, due) = near[self.dice.roll(near.len())].clone();
                let early = u64::from(self.dice.chance(30));
                (moment - self.model.now - early, Some(due))
            }
            _ => (self.dice.roll(60) as u64, None),
        };
        self.network.pass(ms);
        self.gather();
        self.model.pass(ms);
        self.compare("time passing");
        match due {
            Some(Due::Answer(about, need)) => self.need_again(about, &need),
            Some(Due::Event(topic)) => self.look_for_events(&topic),
            Some(Due::Other) | None => {}
        }
    }
}
