//! The realms of a router, by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wampy_realm::RealmConfig;

use crate::hosted_realm::{Clock, HostedRealm};
use crate::stats::RealmStats;

/// The realms that there are, and how to make another.
#[derive(Debug)]
pub(crate) struct Realms {
    by_name: RwLock<HashMap<Box<str>, Arc<HostedRealm>>>,
    config: RealmConfig,
    clock: Clock,
    /// How many realms there may be in all; those that are configured are always there.
    realms_max: usize,
}

impl Realms {
    /// The realms called `names`, and room for `auto_created_max` that clients ask for.
    pub(crate) fn new(
        names: &[String],
        config: RealmConfig,
        clock: Clock,
        auto_created_max: usize,
    ) -> Self {
        let host = |name: &String| {
            (
                name.as_str().into(),
                HostedRealm::host(name, config.clone(), clock),
            )
        };
        let by_name: HashMap<_, _> = names.iter().map(host).collect();
        let realms_max = by_name.len().saturating_add(auto_created_max);
        Self {
            by_name: RwLock::new(by_name),
            config,
            clock,
            realms_max,
        }
    }

    /// The longest name that a realm may have, in bytes: it is a URI, as long as any other.
    pub(crate) fn name_bytes_max(&self) -> usize {
        self.config.uri_bytes_max
    }

    /// The realm called `name`, a valid URI, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<HostedRealm>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        by_name.get(name).map(Arc::clone)
    }

    /// The realm called `name`, a valid URI, if there is one or may be one.
    pub(crate) fn find(&self, name: &str) -> Option<Arc<HostedRealm>> {
        self.get(name).or_else(|| self.create(name))
    }

    fn create(&self, name: &str) -> Option<Arc<HostedRealm>> {
        let mut by_name = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if !by_name.contains_key(name) && by_name.len() >= self.realms_max {
            return None;
        }
        let realm = by_name.entry(name.into()).or_insert_with(|| {
            tracing::info!(realm = name, "realm created for a client");
            HostedRealm::host(name, self.config.clone(), self.clock)
        });
        Some(Arc::clone(realm))
    }

    /// The realms' numbers, by name in alphabetical order.
    pub(crate) fn stats(&self) -> Vec<RealmStats> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut stats: Vec<_> = by_name.values().map(|realm| realm.stats()).collect();
        stats.sort_by(|a, b| a.name.cmp(&b.name));
        stats
    }
}
