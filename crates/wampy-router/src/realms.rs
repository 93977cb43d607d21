//! The realms of a router, by name.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use wampy_realm::{RealmConfig, RealmRoles};

use crate::authenticator::Access;
use crate::hosted_realm::{Clock, HostedRealm};
use crate::stats::RealmStats;
use crate::store::{Store, StoreError};

/// How many realms one line of the log names.
const REALMS_NAMED_MAX: usize = 10;

/// The realms that there are, and how to make another.
#[derive(Debug)]
pub(crate) struct Realms {
    table: RwLock<Table>,
    clock: Clock,
    /// Where their events are kept, if they are to outlive the router.
    store: Option<Arc<Store>>,
}

#[derive(Debug)]
struct Table {
    by_name: HashMap<Box<str>, Hosted>,
    /// How many realms there may be in all; those that are configured are always there.
    realms_max: usize,
    /// What the realms are like that clients bring into being.
    template: Template,
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

impl Table {
    /// Whether clients may bring another realm into being.
    fn has_room(&self) -> bool {
        self.by_name.len() < self.realms_max
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
        let table = Table {
            realms_max: by_name.len().saturating_add(auto_created_max),
            by_name,
            template,
        };
        Ok(Self {
            table: RwLock::new(table),
            clock,
            store,
        })
    }

    /// Says of which realms the store has events that are not served: they stay until they are dropped.
    pub(crate) fn tell_of_others_in_store(&self, may_come: bool) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let mut others = store.realm_names()?;
        others.retain(|name| !self.table().by_name.contains_key(name.as_str()));
        if others.is_empty() {
            return Ok(());
        }
        let count = others.len();
        others.truncate(REALMS_NAMED_MAX);
        if may_come {
            tracing::info!(count, first = ?others, "the store has events of realms that are not there yet");
        } else {
            tracing::warn!(
                count,
                first = ?others,
                "the store has events of realms that are not served; `wampy kept-events` drops them"
            );
        }
        Ok(())
    }

    fn table(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The longest name that a realm may have, in bytes: it is a URI, as long as any other.
    pub(crate) fn name_bytes_max(&self) -> usize {
        self.table().template.config.uri_bytes_max
    }

    /// Who may join the realm called `name`, a valid URI, if there is one or may be one. It is not
    /// brought into being: nobody has joined yet.
    pub(crate) fn access(&self, name: &str) -> Option<Arc<Access>> {
        let table = self.table();
        match table.by_name.get(name) {
            Some(hosted) => Some(Arc::clone(&hosted.access)),
            None if table.has_room() => Some(Arc::clone(&table.template.access)),
            None => None,
        }
    }

    /// Who may join the realm called `name`, if there is one.
    pub(crate) fn hosted_access(&self, name: &str) -> Option<Arc<Access>> {
        let table = self.table();
        let hosted = table.by_name.get(name)?;
        Some(Arc::clone(&hosted.access))
    }

    /// The realm called `name`, a valid URI, if there is one.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<HostedRealm>> {
        let table = self.table();
        let hosted = table.by_name.get(name);
        hosted.map(|hosted| Arc::clone(&hosted.realm))
    }

    /// Gives the realm called `name` other roles; whether there is such a realm.
    pub(crate) fn set_roles(&self, name: &str, roles: RealmRoles) -> bool {
        let table = self.table();
        let Some(Hosted { realm, access }) = table.by_name.get(name).cloned() else {
            return false;
        };
        // Those that clients bring into being share who may join.
        let is_shared = Arc::ptr_eq(&access, &table.template.access);
        drop(table);
        if !is_shared {
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
        let mut table = self.table_mut();
        if let Some(hosted) = table.by_name.get(name) {
            return Some(Arc::clone(&hosted.realm));
        }
        if !table.has_room() {
            return None;
        }
        tracing::info!(realm = name, "realm created for a client");
        // What the store has of it is read here and now: limits keep that small.
        let hosted = table.template.host(name, self.clock, self.store.as_ref());
        match hosted {
            Ok(hosted) => {
                let realm = Arc::clone(&hosted.realm);
                table.by_name.insert(name.into(), hosted);
                Some(realm)
            }
            Err(error) => {
                tracing::error!(realm = name, %error, "a realm cannot be created");
                None
            }
        }
    }

    /// Who may join each realm, and each that clients may bring into being.
    pub(crate) fn accesses(&self) -> Vec<Arc<Access>> {
        let table = self.table();
        let others = table.has_room().then_some(&table.template.access);
        let hosted = table.by_name.values().map(|hosted| &hosted.access);
        let mut accesses: Vec<Arc<Access>> = Vec::new();
        for access in hosted.chain(others) {
            if !accesses.iter().any(|known| Arc::ptr_eq(known, access)) {
                accesses.push(Arc::clone(access));
            }
        }
        accesses
    }

    /// Changes the realms to these, and those that clients bring into being to `template`, with room
    /// for `auto_created_max`. New ones come into being. Returns what has to wait for the router's next
    /// start.
    ///
    /// # Errors
    /// The store cannot be read for a new realm; nothing has changed then.
    pub(crate) fn reload(
        &self,
        realms: &[(String, Template)],
        template: Template,
        auto_created_max: usize,
    ) -> Result<Vec<String>, StoreError> {
        let mut table = self.table_mut();
        let mut new = Vec::new();
        for (name, template) in realms {
            if !table.by_name.contains_key(name.as_str()) {
                let hosted = template.host(name, self.clock, self.store.as_ref())?;
                new.push((name.as_str().into(), hosted));
            }
        }
        let before = std::mem::replace(&mut table.template, template);
        let mut waiting = Vec::new();
        let mut left = 0;
        let mut changed = Vec::new();
        let Table {
            by_name, template, ..
        } = &mut *table;
        for (name, hosted) in by_name.iter_mut() {
            let named = realms.iter().find(|(known, _)| **known == **name);
            let is_auto_created = Arc::ptr_eq(&hosted.access, &before.access);
            let settings = match named {
                Some((_, settings)) => settings,
                None if is_auto_created => &*template,
                None => {
                    left += 1;
                    waiting.push(format!("realm {name:?}: goes"));
                    continue;
                }
            };
            hosted.access = Arc::clone(&settings.access);
            changed.push((Arc::clone(&hosted.realm), settings.config.clone()));
        }
        by_name.extend(new);
        table.realms_max = (realms.len() + left).saturating_add(auto_created_max);
        drop(table);
        for (realm, config) in changed {
            if !realm.reconfigure(config) {
                let name = realm.name();
                waiting.push(format!("realm {name:?}: event_retention, event_history"));
            }
        }
        Ok(waiting)
    }

    /// The realms' numbers, by name in alphabetical order.
    pub(crate) fn stats(&self) -> Vec<RealmStats> {
        let table = self.table();
        let mut stats: Vec<_> = table
            .by_name
            .values()
            .map(|hosted| hosted.realm.stats())
            .collect();
        stats.sort_by(|a, b| a.name.cmp(&b.name));
        stats
    }
}
