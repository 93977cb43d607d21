//! The authorizer: what the sessions of each role may do.

mod coverage;
mod crossbar_syntax;
mod permission;
mod placeholder;
mod role;

pub use permission::{Action, Allow, Disclose, Permission, PermissionError};
pub use role::{Authorization, RealmRole, RealmRoles, RoleError};
