//! Who may join a realm: its settings, in the form in which they are looked up.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use parking_lot::RwLock;
use wampy_proto::auth::{PrivateKey, Secret};
use wampy_realm::RealmRoles;

use super::users::{AmbiguousUsers, Users};
use crate::settings::{Authentication, Authenticator, Method, Silence, User};

/// Who may join a realm, or each of those realms that clients bring into being.
#[derive(Debug)]
pub(crate) struct Access {
    pub(super) methods: Vec<Method>,
    pub(super) anonymous_role: Box<str>,
    pub(super) authenticator: Option<Authenticator>,
    pub(super) reveal_unknown_users: bool,
    pub(super) unknown_users_seed: Secret,
    pub(super) router_key: Option<PrivateKey>,
    /// Replaced as a whole when the realm gets others.
    roles: RwLock<RealmRoles>,
    /// Whether the settings had roles.
    roles_were_given: bool,
    trust_levels: HashMap<Box<str>, u64>,
    settings: Authentication,
    /// Replaced as a whole when their file has changed.
    users: RwLock<Arc<Users>>,
}

impl Access {
    pub(crate) fn new(
        settings: Authentication,
        roles: RealmRoles,
        trust_levels: HashMap<Box<str>, u64>,
        users_of_file: Vec<User>,
    ) -> Result<Self, AmbiguousUsers> {
        let users = Users::new(settings.users.iter().cloned().chain(users_of_file))?;
        let seed = settings.unknown_users_seed.clone();
        Ok(Self {
            methods: settings.methods.clone(),
            anonymous_role: settings.anonymous_role.clone(),
            authenticator: settings.authenticator.clone(),
            reveal_unknown_users: settings.reveal_unknown_users,
            unknown_users_seed: seed.unwrap_or_else(|| rand::random::<[u8; 32]>().into()),
            router_key: settings.router_key.clone(),
            roles_were_given: !roles.is_empty(),
            roles: RwLock::new(roles),
            trust_levels,
            settings,
            users: RwLock::new(Arc::new(users)),
        })
    }

    pub(super) fn users(&self) -> Arc<Users> {
        Arc::clone(&self.users.read())
    }

    /// Whether clients may authenticate by `method`.
    pub(crate) fn is_by(&self, method: Method) -> bool {
        self.methods.contains(&method)
    }

    /// What would open the realm if settings that come instead were `silent` about it by mistake: the key,
    /// and how to say it.
    pub(crate) fn opened_by(&self, silent: Silence) -> Option<(&'static str, &'static str)> {
        if silent.authentication && !self.is_by(Method::Anonymous) {
            return Some((
                "authentication",
                "authentication = { methods = [\"anonymous\"] }",
            ));
        }
        (silent.roles && self.roles_were_given).then_some(("roles", "roles = []"))
    }

    /// The file that holds more users.
    pub(crate) fn users_file(&self) -> Option<&Path> {
        self.settings.users_file.as_deref()
    }

    pub(crate) fn roles(&self) -> RealmRoles {
        self.roles.read().clone()
    }

    /// The realm has other roles now.
    pub(crate) fn set_roles(&self, roles: RealmRoles) {
        *self.roles.write() = roles;
    }

    /// The users of the file are these now; returns whether that changes anything.
    pub(crate) fn replace_users(&self, users_of_file: Vec<User>) -> Result<bool, AmbiguousUsers> {
        let users = Users::new(self.settings.users.iter().cloned().chain(users_of_file))?;
        let mut current = self.users.write();
        let has_changed = users != **current;
        *current = Arc::new(users);
        Ok(has_changed)
    }

    /// Whether there is a role of this name. A realm without roles has them all.
    pub(super) fn has_role(&self, name: &str) -> bool {
        let roles = self.roles.read();
        roles.is_empty() || roles.get(name).is_some()
    }

    pub(super) fn has_roles(&self) -> bool {
        !self.roles.read().is_empty()
    }

    pub(super) fn trust_level(&self, role: &str) -> Option<u64> {
        self.trust_levels.get(role).copied()
    }

    /// The role in which users that do not exist are challenged where there are none to imitate.
    pub(super) fn nobodys_role(&self) -> Box<str> {
        let roles = self.roles.read();
        let first = roles.iter().next().map(|role| role.name());
        first.unwrap_or(&self.anonymous_role).into()
    }
}
