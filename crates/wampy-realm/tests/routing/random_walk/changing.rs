//! What is not done by sessions: the realm gets other roles and policies, the router ends, time passes.

use wampy_realm::RealmConfig;

use super::config::{other_policies, some_roles};
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

    /// The router ends, and another begins with the same store.
    pub fn restart(&mut self) {
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

    pub fn pass(&mut self) {
        let ms = match self.dice.roll(20) {
            0 => self.dice.roll(1500) as u64,
            // Until the very moment at which something becomes too old.
            1..8 => match self.model.next_expiry() {
                Some(expires) => expires.saturating_sub(self.model.unix_ms()).min(1500),
                None => return,
            },
            _ => self.dice.roll(60) as u64,
        };
        self.network.pass(ms);
        self.gather();
        self.model.pass(ms);
        self.compare("time passing");
    }
}
