//! Roles of a realm: what the sessions of each authrole may do.

use std::sync::Arc;

use wampy_proto::MatchPolicy;
use wampy_proto::uri::Grammar;

use super::coverage;
use super::permission::{Permission, PermissionError};

/// How it is decided what the sessions of a role may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// By these permissions. The longest that matches wins: an exact one, else the longest prefix,
    /// else the wildcard with the longest run of components before its first wildcard, and so on. What
    /// none matches is refused.
    Permissions(Vec<Permission>),
    /// By the answers of this procedure, which somebody has to register in the realm, by exactly its
    /// URI. It is called with the arguments `session` (a dict of `session`, `authid`, `authrole`,
    /// `authmethod`, `authprovider` and `realm`), `uri`, `action` (`call`, `register`, `publish` or
    /// `subscribe`) and `options` (those of the request), and answers `true`, `false`, or a dict of
    /// `allow` and, if it likes, `disclose` and `cache`.
    Authorizer(Box<str>),
}

/// A role of a realm, and what its sessions may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RealmRole {
    name: Box<str>,
    authorization: Authorization,
}

/// The roles of a realm.
///
/// Without any, everybody may do everything: the default, for development. With some, sessions of
/// other roles may do nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RealmRoles(Arc<[RealmRole]>);

/// Roles that make no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// A permission makes no sense.
    #[error("role {role:?}: {error}")]
    Permission {
        /// The role's name.
        role: Box<str>,
        /// What is wrong with which permission.
        error: PermissionError,
    },
    /// Two permissions are for the same URI.
    #[error("role {role:?} has two permissions for {permission}")]
    Twice {
        /// The role's name.
        role: Box<str>,
        /// The URI.
        permission: String,
    },
    /// A permission never applies, and would have meant something else.
    #[error(
        "role {role:?}: the permission for {wildcard} never applies: the one for {prefix} matches all \
         of it, and prefixes come before wildcards"
    )]
    Shadowed {
        /// The role's name.
        role: Box<str>,
        /// The permission that never applies.
        wildcard: String,
        /// The one that comes before it.
        prefix: String,
    },
    /// The procedure of an authorizer is malformed.
    #[error("role {role:?}: the authorizer {procedure:?} is no well-formed URI")]
    Authorizer {
        /// The role's name.
        role: Box<str>,
        /// The procedure.
        procedure: Box<str>,
    },
    /// Two roles have one name.
    #[error("there are two roles called {0:?}")]
    SameName(Box<str>),
}

impl RealmRole {
    /// A role of these permissions.
    ///
    /// # Errors
    /// Two of them are for the same URI, or one of them never applies.
    pub fn with_permissions(
        name: impl Into<Box<str>>,
        permissions: Vec<Permission>,
    ) -> Result<Self, RoleError> {
        let role = name.into();
        for (at, permission) in permissions.iter().enumerate() {
            for earlier in &permissions[..at] {
                check_pair(&role, earlier, permission)?;
            }
        }
        Ok(Self {
            name: role,
            authorization: Authorization::Permissions(permissions),
        })
    }

    /// A role about which `procedure` is asked.
    ///
    /// # Errors
    /// `procedure` is no URI.
    pub fn with_authorizer(
        name: impl Into<Box<str>>,
        procedure: impl Into<Box<str>>,
    ) -> Result<Self, RoleError> {
        let (role, procedure) = (name.into(), procedure.into());
        if !Grammar::Loose.accepts(&procedure) {
            return Err(RoleError::Authorizer { role, procedure });
        }
        Ok(Self {
            name: role,
            authorization: Authorization::Authorizer(procedure),
        })
    }

    /// The role's name: the authrole of its sessions.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it is decided what its sessions may do.
    pub const fn authorization(&self) -> &Authorization {
        &self.authorization
    }
}

/// Checks that two permissions of a role do not stand in each other's way.
fn check_pair(role: &str, one: &Permission, other: &Permission) -> Result<(), RoleError> {
    if one.uri() == other.uri() && one.match_policy() == other.match_policy() {
        return Err(RoleError::Twice {
            role: role.into(),
            permission: one.to_string(),
        });
    }
    for (prefix, wildcard) in [(one, other), (other, one)] {
        let means_something_else =
            (prefix.allow(), prefix.disclose()) != (wildcard.allow(), wildcard.disclose());
        if prefix.match_policy() == MatchPolicy::Prefix
            && wildcard.match_policy() == MatchPolicy::Wildcard
            && coverage::literal_head(wildcard.uri()).starts_with(prefix.uri())
            && means_something_else
        {
            return Err(RoleError::Shadowed {
                role: role.into(),
                wildcard: wildcard.to_string(),
                prefix: prefix.to_string(),
            });
        }
    }
    Ok(())
}

impl RealmRoles {
    /// These roles.
    ///
    /// # Errors
    /// Two have the same name.
    pub fn new(roles: Vec<RealmRole>) -> Result<Self, RoleError> {
        for (at, role) in roles.iter().enumerate() {
            if roles[..at].iter().any(|earlier| earlier.name == role.name) {
                return Err(RoleError::SameName(role.name.clone()));
            }
        }
        Ok(Self(roles.into()))
    }

    /// Whether there are no roles, so that everybody may do everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roles.
    pub fn iter(&self) -> std::slice::Iter<'_, RealmRole> {
        self.0.iter()
    }

    /// The role called `name`.
    pub fn get(&self, name: &str) -> Option<&RealmRole> {
        self.iter().find(|role| *role.name == *name)
    }
}

impl<'r> IntoIterator for &'r RealmRoles {
    type Item = &'r RealmRole;
    type IntoIter = std::slice::Iter<'r, RealmRole>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizer::Allow;

    fn permission(starred: &str, allow: Allow) -> Permission {
        Permission::starred(starred, allow).unwrap()
    }

    #[test]
    fn permissions_that_contradict_each_other_are_refused() {
        let role = |permissions| RealmRole::with_permissions("user", permissions);
        let twice = role(vec![
            permission("a.b", Allow::NOTHING),
            permission("a.b", Allow::EVERYTHING),
        ]);
        let text = twice.unwrap_err().to_string();
        assert!(
            text.contains("\"user\"") && text.contains("\"a.b\""),
            "{text}"
        );
        // Crossbar would take the wildcard here.
        let shadowed = |allow| {
            role(vec![
                permission("a.*.secret", allow),
                permission("a.*", Allow::EVERYTHING),
            ])
        };
        let text = shadowed(Allow::NOTHING).unwrap_err().to_string();
        assert!(
            text.contains("\"a..secret\" (match: wildcard) never applies"),
            "{text}"
        );
        assert!(shadowed(Allow::EVERYTHING).is_ok(), "it means the same");
        let beside = role(vec![
            permission("a.*.secret", Allow::NOTHING),
            permission("a.b.*", Allow::EVERYTHING),
        ]);
        assert!(beside.is_ok(), "it applies elsewhere");
    }

    #[test]
    fn roles_have_names_of_their_own_and_authorizers_are_procedures() {
        let role = |name| RealmRole::with_authorizer(name, "com.example.authorize").unwrap();
        let roles = RealmRoles::new(vec![role("user"), role("guest")]).unwrap();
        assert_eq!(roles.get("guest"), Some(&role("guest")));
        assert_eq!(roles.get("nobody"), None);
        let same = RealmRoles::new(vec![role("user"), role("user")]);
        assert_eq!(same, Err(RoleError::SameName("user".into())));
        assert!(RealmRole::with_authorizer("user", "a..b").is_err());
    }
}
