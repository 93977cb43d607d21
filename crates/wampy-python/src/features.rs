//! What the router has announced.
//!
//! Deliberately absent: what follows from it.

use wampy::Client;
use wampy_proto::{Feature, Role};

/// Whether the router announced a feature for a role, both by name.
pub fn router_has(client: &Client, role: &str, feature: &str) -> bool {
    let role = Role::ROUTER
        .into_iter()
        .find(|known| known.as_str() == role);
    let feature = Feature::ALL
        .into_iter()
        .find(|known| known.as_str() == feature);
    let announced = &client.welcome().details.roles;
    role.zip(feature)
        .is_some_and(|(role, feature)| announced.supports(role, feature))
}
