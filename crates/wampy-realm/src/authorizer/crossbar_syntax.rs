//! Roles and permissions as they stand in configuration files, in Crossbar's syntax.
//!
//! ```toml
//! [[roles]]
//! name = "frontend"
//! permissions = [
//!     { uri = "com.example.", match = "prefix", allow = { call = true, subscribe = true } },
//!     { uri = "com.example.users.{authid}.*", allow = { publish = true }, disclose = { publisher = true } },
//! ]
//!
//! [[roles]]
//! name = "guest"
//! authorizer = "com.example.authorize"
//! ```
//!
//! Without `match` a star in the URI says what is meant, as in [`Permission::starred`]. The older form
//! with the actions beside the URI (`{ uri = "com.*", call = true }`) is read, too. `cache` is read and
//! counts for nothing: what permissions say stays so until they change. Deliberately absent:
//! `validate`.

use serde::{Deserialize, Deserializer};
use wampy_proto::MatchPolicy;

use super::permission::{Allow, Disclose, Permission};
use super::role::{RealmRole, RealmRoles, RoleError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PermissionSyntax {
    uri: String,
    #[serde(rename = "match")]
    match_policy: Option<String>,
    allow: Option<AllowSyntax>,
    #[serde(default)]
    disclose: DiscloseSyntax,
    #[serde(rename = "cache")]
    _cache: Option<bool>,
    call: Option<bool>,
    register: Option<bool>,
    publish: Option<bool>,
    subscribe: Option<bool>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct AllowSyntax {
    call: bool,
    register: bool,
    publish: bool,
    subscribe: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct DiscloseSyntax {
    caller: bool,
    publisher: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleSyntax {
    name: String,
    permissions: Option<Vec<PermissionSyntax>>,
    authorizer: Option<String>,
}

impl PermissionSyntax {
    fn allow(&self) -> Result<Allow, String> {
        let beside = [self.call, self.register, self.publish, self.subscribe];
        match &self.allow {
            Some(_) if beside.iter().any(Option::is_some) => Err(format!(
                "{:?}: the actions stand either in `allow` or beside the URI, not in both places",
                self.uri
            )),
            Some(allow) => Ok(Allow {
                call: allow.call,
                register: allow.register,
                publish: allow.publish,
                subscribe: allow.subscribe,
            }),
            None => {
                let [call, register, publish, subscribe] = beside.map(Option::unwrap_or_default);
                Ok(Allow {
                    call,
                    register,
                    publish,
                    subscribe,
                })
            }
        }
    }

    fn permission(self) -> Result<Permission, String> {
        let allow = self.allow()?;
        let permission = match &self.match_policy {
            None => Permission::starred(&self.uri, allow),
            Some(word) => {
                let policy: MatchPolicy = word
                    .parse()
                    .map_err(|problem| format!("{:?}: match: {problem}", self.uri))?;
                Permission::new(self.uri, policy, allow)
            }
        };
        let disclose = Disclose {
            caller: self.disclose.caller,
            publisher: self.disclose.publisher,
        };
        permission
            .map(|permission| permission.disclosing(disclose))
            .map_err(|error| error.to_string())
    }
}

impl RoleSyntax {
    fn role(self) -> Result<RealmRole, String> {
        let name = self.name;
        let role = match (self.permissions, self.authorizer) {
            (Some(_), Some(_)) => {
                return Err(format!(
                    "role {name:?} has both permissions and an authorizer, and can have only one"
                ));
            }
            (None, Some(procedure)) => RealmRole::with_authorizer(name, procedure),
            (permissions, None) => {
                let permissions: Result<Vec<_>, String> = permissions
                    .unwrap_or_default()
                    .into_iter()
                    .map(|permission| {
                        let permission = permission.permission();
                        permission.map_err(|problem| format!("role {name:?}: {problem}"))
                    })
                    .collect();
                RealmRole::with_permissions(name, permissions?)
            }
        };
        role.map_err(|error: RoleError| error.to_string())
    }
}

macro_rules! deserialize {
    ($type:ty, $syntax:ty, $convert:path) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let syntax = <$syntax>::deserialize(deserializer)?;
                $convert(syntax).map_err(serde::de::Error::custom)
            }
        }
    };
}
deserialize!(Permission, PermissionSyntax, PermissionSyntax::permission);
deserialize!(RealmRole, RoleSyntax, RoleSyntax::role);
deserialize!(RealmRoles, Vec<RealmRole>, RealmRoles::new);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authorizer::Authorization;

    fn roles(json: &str) -> Result<RealmRoles, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn crossbars_syntax_in_its_forms() {
        let read = roles(
            r#"[
                {"name": "user", "permissions": [
                    {"uri": "com.example.", "match": "prefix", "cache": true,
                     "allow": {"call": true, "register": false, "publish": true},
                     "disclose": {"caller": true, "publisher": false}},
                    {"uri": "com.*.log", "call": true, "subscribe": true},
                    {"uri": "com.example.secret*", "match": "exact", "allow": {}}
                ]},
                {"name": "guest", "authorizer": "com.example.authorize"},
                {"name": "nobody"}
            ]"#,
        );
        let calls_and = |publish, subscribe| Allow {
            call: true,
            publish,
            subscribe,
            ..Allow::NOTHING
        };
        let discloses = Disclose {
            caller: true,
            publisher: false,
        };
        let permissions = vec![
            Permission::new("com.example.", MatchPolicy::Prefix, calls_and(true, false))
                .unwrap()
                .disclosing(discloses),
            Permission::new("com..log", MatchPolicy::Wildcard, calls_and(false, true)).unwrap(),
            // With a policy a star is a star.
            Permission::new("com.example.secret*", MatchPolicy::Exact, Allow::NOTHING).unwrap(),
        ];
        let read = read.unwrap();
        let authorization = |role: &str| read.get(role).unwrap().authorization();
        assert_eq!(
            authorization("user"),
            &Authorization::Permissions(permissions)
        );
        let procedure = Authorization::Authorizer("com.example.authorize".into());
        assert_eq!(authorization("guest"), &procedure);
        assert_eq!(
            authorization("nobody"),
            &Authorization::Permissions(Vec::new())
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (json, named) in [
            (
                r#"[{"name": "u", "permissions": [{"uri": "a", "alow": {}}]}]"#,
                "alow",
            ),
            (
                r#"[{"name": "u", "permissions": [{"uri": "a", "allow": {"cal": true}}]}]"#,
                "cal",
            ),
            (
                r#"[{"name": "u", "permissions": [{"uri": "a", "match": "suffix"}]}]"#,
                "suffix",
            ),
            (
                r#"[{"name": "u", "permissions": [{"uri": "a", "validate": {}}]}]"#,
                "validate",
            ),
            (
                r#"[{"name": "u", "permissions": [{"uri": "a b"}]}]"#,
                "role \"u\": \"a b\"",
            ),
            (
                r#"[{"name": "u", "permissions": [{"uri": "a", "call": true, "allow": {}}]}]"#,
                "both places",
            ),
            (
                r#"[{"name": "u", "permissions": [], "authorizer": "a"}]"#,
                "both permissions and",
            ),
            (r#"[{"name": "u", "authorizer": "a..b"}]"#, "a..b"),
            (r#"[{"name": "u"}, {"name": "u"}]"#, "two roles called"),
            (r#"[{"permissions": []}]"#, "name"),
        ] {
            let problem = roles(json).unwrap_err();
            assert!(problem.contains(named), "{json}: {problem}");
        }
    }
}
