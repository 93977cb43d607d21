//! The realms of a router, by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use wampy_realm::{RealmConfig, RealmRoles};

use crate::authenticator::Access;
use crate::hosted_realm::{Clock, HostedRealm};
use crate::stats::RealmStats;
use crate::store::{Store, StoreError};

/// The realms that there are, and how to make another.
#[derive(Debug)]
pub(crate) struct Realms {
    by_name: RwLock<HashMap<Box<str>, Hosted>>,
    clock: Clock,
    /// How many realms there may be in all; those that are configured are always there.
    realms_max: usize,
    /// What the realms are like that clients bring into being.
    template: Template,
    /// Where their events are kept, if they are to outlive the router.
    store: Option<Arc<Store>>,
}

/// A realm and who may join it.
#[derive(Debug, Clone)]
struct Hosted {
    realm: Arc<HostedRealm>,
    access: Arc<Access>,
}

/// What a realm is made from.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) config: RealmConfig,
    pub(crate) access: Arc<Access>,
}

impl Template {
    fn host(
        &self,
        name: &str,
        clock: Clock,
        store: Option<&Arc<Store>>,
    ) -> Result<Hosted, StoreError> {
        Ok(Hosted {
            realm: HostedRealm::host(name, self.config.clone(), clock, store)?,
            access: Arc::clone(&self.access),
        })
    }
}

impl Realms {
    /// These realms, and room for `auto_created_max` like `template` that clients ask for.
    pub(crate) fn new(
        realms: &[(String, Template)],
        template: Template,
        clock: Clock,
        auto_created_max: usize,
        store: Option<Arc<Store>>,
    ) -> Result<Self, StoreError> {
        let host = |(name, template): &(String, Template)| {
            let hosted = template.host(name, clock, store.as_ref())?;
            Ok((name.as_str().into(), hosted))
        };
        let by_name = realms.iter().map(host);
        let by_name = by_name.collect::<Result<HashMap<_, _>, StoreError>>()?;
        let realms_max = by_name.len().saturating_add(auto_created_max);
        Ok(Self {
            by_name: RwLock::new(by_name),
            clock,
            realms_max,
            template,
            store,
        })
    }

    /// The longest name that a realm may have, in bytes: it is a URI, as long as any other.
    pub(crate) fn name_bytes_max(&self) -> usize {
        self.template.config.uri_bytes_max
    }

    /// Who may join the realm called `name`, a valid URI, if there is one or may be one. It is not
    /// brought into being: nobody has joined yet.
    pub(crate) fn access(&self, name: &str) -> Option<Arc<Access>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        match by_name.get(name) {
            Some(hosted) => Some(Arc::clone(&hosted.access)),
            None if by_name.len() < self.realms_max => Some(Arc::clone(&self.template.access)),
            None => None,
        }
    }

    /// The realm called `name`, a valid URI, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<HostedRealm>> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        by_name.get(name).map(|hosted| Arc::clone(&hosted.realm))
    }

    /// Gives the realm called `name` other roles; whether there is such a realm.
    pub(crate) fn set_roles(&self, name: &str, roles: RealmRoles) -> bool {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let Some(Hosted { realm, access }) = by_name.get(name).cloned() else {
            return false;
        };
        drop(by_name);
        // Those that clients bring into being share who may join.
        if !Arc::ptr_eq(&access, &self.template.access) {
            access.set_roles(roles.clone());
        }
        realm.set_roles(roles);
        true
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
        if let Some(hosted) = by_name.get(name) {
            return Some(Arc::clone(&hosted.realm));
        }
        tracing::info!(realm = name, "realm created for a client");
        // What the store has of it is read here and now: limits keep that small.
        match self.template.host(name, self.clock, self.store.as_ref()) {
            Ok(hosted) => {
                let realm = Arc::clone(&hosted.realm);
                by_name.insert(name.into(), hosted);
                Some(realm)
            }
            Err(error) => {
                tracing::error!(realm = name, %error, "a realm cannot be created");
                None
            }
        }
    }

    /// The realms' numbers, by name in alphabetical order.
    pub(crate) fn stats(&self) -> Vec<RealmStats> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        let mut stats: Vec<_> = by_name
            .values()
            .map(|hosted| hosted.realm.stats())
            .collect();
        stats.sort_by(|a, b| a.name.cmp(&b.name));
        stats
    }
}
