//! What can be set about a realm: its policies and roles, and who may join it.
//!
//! The configuration file fills these types and nothing else; a program that embeds the router fills
//! them itself.

mod authentication;
mod method;
mod user;

use std::collections::HashMap;

use wampy_proto::uri::Grammar;
use wampy_realm::{RealmConfig, RealmRoles};

use crate::authenticator::Access;
use crate::config;
use crate::error::StartError;

pub use authentication::{Authentication, Authenticator};
pub use method::Method;
pub(crate) use method::Methods;
pub use user::User;
pub(crate) use user::problem_of_name;

/// A realm, as [`Builder::realm_with`](crate::Builder::realm_with) takes it.
///
/// ```
/// use wampy_router::{Authentication, Method, RealmSettings, User};
/// use wampy_router::auth::Credentials;
///
/// let joe = User::new("joe", "frontend").credentials(Credentials {
///     ticket: Some("secret!!!".into()),
///     ..Credentials::default()
/// });
/// let shop = RealmSettings::new("com.example.shop")
///     .authentication(Authentication::by([Method::Ticket]).user(joe));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct RealmSettings {
    pub(crate) name: String,
    pub(crate) config: Option<RealmConfig>,
    pub(crate) trust_levels: HashMap<Box<str>, u64>,
    pub(crate) authentication: Authentication,
    pub(crate) silence: Silence,
}

/// What a configuration file leaves out of a realm that would open it: whoever reads it again must not
/// take half a file for a wish.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Silence {
    pub(crate) authentication: bool,
    pub(crate) roles: bool,
}

impl RealmSettings {
    /// A realm called `name`, a URI, that everybody may join and do everything in.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            config: None,
            trust_levels: HashMap::new(),
            authentication: Authentication::default(),
            silence: Silence::default(),
        }
    }

    /// Its policies and roles. Its limits of sessions, and per session, are not taken from here but from
    /// [`Limits`](crate::Limits). Default: those of [`Builder::realm_config`](crate::Builder::realm_config).
    pub fn config(mut self, config: RealmConfig) -> Self {
        self.config = Some(config);
        self
    }

    /// How far the sessions of `role` are trusted, as callees and subscribers learn it. Default: they
    /// learn nothing.
    pub fn trust_level(mut self, role: impl Into<Box<str>>, level: u64) -> Self {
        self.trust_levels.insert(role.into(), level);
        self
    }

    /// Who may join, checked against the realm's `roles`, with the users of their file.
    pub(crate) fn access(&self, roles: &RealmRoles) -> Result<Access, StartError> {
        let authentication = &self.authentication;
        self.check_names()?;
        self.check_roles(roles)?;
        if let Some(authenticator) = &authentication.authenticator
            && !Grammar::Loose.accepts(&authenticator.procedure)
        {
            return Err(StartError::Authenticator {
                realm: self.name.clone(),
                procedure: authenticator.procedure.to_string(),
            });
        }
        let users_of_file = match &authentication.users_file {
            None => Vec::new(),
            Some(path) => config::read_users(path, roles, &authentication.methods)?,
        };
        let trust_levels = self.trust_levels.clone();
        Access::new(
            authentication.clone(),
            roles.clone(),
            trust_levels,
            users_of_file,
        )
        .map_err(|error| StartError::Users {
            realm: self.name.clone(),
            error,
        })
    }

    fn check_names(&self) -> Result<(), StartError> {
        let authentication = &self.authentication;
        let users = authentication.users.iter();
        let of_user = |user: &User| {
            let problem = user.problem()?;
            Some((format!("user {:?}", user.authid), problem))
        };
        let of_anonymous = || {
            let problem = problem_of_name(&authentication.anonymous_role)?;
            Some(("anonymous".to_owned(), format!("the role {problem}")))
        };
        match users.filter_map(of_user).next().or_else(of_anonymous) {
            None => Ok(()),
            Some((who, problem)) => Err(StartError::Name {
                realm: self.name.clone(),
                who,
                problem,
            }),
        }
    }

    fn check_roles(&self, roles: &RealmRoles) -> Result<(), StartError> {
        if roles.is_empty() {
            return Ok(());
        }
        let authentication = &self.authentication;
        let anonymous = authentication.methods.contains(&Method::Anonymous);
        let anonymous = anonymous.then(|| ("anonymous".to_owned(), &authentication.anonymous_role));
        let users = authentication.users.iter();
        let users = users.map(|user| (format!("user {:?}", user.authid), &user.role));
        for (who, role) in anonymous.into_iter().chain(users) {
            if roles.get(role).is_none() {
                return Err(StartError::NoSuchRole {
                    realm: self.name.clone(),
                    who,
                    role: role.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Who may join. Default: everybody, as `anonymous`.
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.authentication = authentication;
        self
    }
}
