//! Sharded Subscription: an event with an `rkey` goes to one of the nodes that subscribers name.
//!
//! The specification's chapter names the options and says no more; here this is decided:
//!
//! - The subscribers of one subscription that gave an `nkey` in SUBSCRIBE are its nodes; those with
//!   equal keys are one node. An event with an `rkey` goes, of all nodes, to the one to which the key
//!   belongs by rendezvous hashing, so that few keys move when a node comes or goes, and all routers
//!   agree, also after a restart.
//! - Subscribers without `nkey` get every event, and events without `rkey` go to everybody.
//! - Who else may get an event is decided apart from this: where the node to which it belongs is
//!   excluded, or is the publisher itself, no other node takes its place.
//! - The last SUBSCRIBE of a session to a topic counts: it may change or take back the `nkey`.
//!
//! An `nkey` is kept as its hash, so however long it is it takes no more memory.

use hashbrown::HashMap;
use wampy_proto::SubscriptionId;

use crate::hash::RandomState;
use crate::rendezvous;
use crate::session::SessionKey;

/// The subscribers of one subscription that gave an `nkey`, each with its hash.
type Nodes = HashMap<SessionKey, u64, RandomState>;

/// The nodes of every subscription that has any.
#[derive(Debug)]
pub(crate) struct ShardedSubscriptions {
    nodes: HashMap<SubscriptionId, Nodes, RandomState>,
    hash: RandomState,
}

/// Who gets an event with an `rkey` by one subscription.
#[derive(Debug)]
pub(super) struct Shard<'n> {
    nodes: &'n Nodes,
    owner: u64,
}

impl ShardedSubscriptions {
    pub(super) fn new(hash: RandomState) -> Self {
        Self {
            nodes: HashMap::with_hasher(hash.clone()),
            hash,
        }
    }

    /// Sets or takes back the `nkey` of a subscriber.
    pub(super) fn set(
        &mut self,
        subscription: SubscriptionId,
        subscriber: SessionKey,
        nkey: Option<&str>,
    ) {
        let Some(nkey) = nkey.filter(|nkey| !nkey.is_empty()) else {
            return self.remove(subscription, subscriber);
        };
        let nodes = self
            .nodes
            .entry(subscription)
            .or_insert_with(|| HashMap::with_hasher(self.hash.clone()));
        nodes.insert(subscriber, rendezvous::hash(nkey));
    }

    /// Forgets a subscriber, if it gave an `nkey`.
    pub(super) fn remove(&mut self, subscription: SubscriptionId, subscriber: SessionKey) {
        if self.nodes.is_empty() {
            return;
        }
        let Some(nodes) = self.nodes.get_mut(&subscription) else {
            return;
        };
        nodes.remove(&subscriber);
        if nodes.is_empty() {
            self.nodes.remove(&subscription);
        }
    }

    /// To whom an event with this hash of an `rkey` belongs; `None` if the subscription has no nodes.
    pub(super) fn shard(&self, subscription: SubscriptionId, rkey: u64) -> Option<Shard<'_>> {
        let nodes = self.nodes.get(&subscription)?;
        let weight = |&node: &u64| (rendezvous::weight(rkey, node), node);
        let owner = nodes.values().copied().max_by_key(weight)?;
        Some(Shard { nodes, owner })
    }

    /// Every subscriber with an `nkey`, for the invariants.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (SubscriptionId, SessionKey)> {
        self.nodes
            .iter()
            .flat_map(|(&id, nodes)| nodes.keys().map(move |&key| (id, key)))
    }
}

impl Shard<'_> {
    /// Whether a subscriber gets the event.
    pub(super) fn admits(&self, subscriber: SessionKey) -> bool {
        self.nodes
            .get(&subscriber)
            .is_none_or(|&node| node == self.owner)
    }
}
