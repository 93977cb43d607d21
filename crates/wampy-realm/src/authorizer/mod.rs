//! The authorizer: what the sessions of each role may do.

// The gate that uses these comes next.
#[allow(dead_code)]
mod coverage;
mod crossbar_syntax;
mod permission;
#[allow(dead_code)]
mod placeholder;
mod role;

pub use permission::{Action, Allow, Disclose, Permission, PermissionError};
pub use role::{Authorization, RealmRole, RealmRoles, RoleError};
