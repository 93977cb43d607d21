//! Wildcard patterns: a tree over components.
//!
//! A lookup follows, at each component, the literal branch and the wildcard branch: it visits only
//! nodes whose patterns agree with the begin of the URI. Patterns have at most
//! [`WILDCARD_COMPONENTS_MAX`](super::WILDCARD_COMPONENTS_MAX) components, so recursion is shallow.

use hashbrown::HashMap;

use crate::hash::RandomState;

/// The tree; its root stands before the first component.
#[derive(Debug)]
pub(super) struct WildcardTree<V> {
    root: Node<V>,
    hash: RandomState,
    /// How many patterns there are: most realms have none, and then nothing is walked.
    len: usize,
}

#[derive(Debug)]
struct Node<V> {
    literals: HashMap<Box<str>, Node<V>, RandomState>,
    wildcard: Option<Box<Node<V>>>,
    value: Option<V>,
}

impl<V: Copy> Node<V> {
    const fn new(hash: RandomState) -> Self {
        Self {
            literals: HashMap::with_hasher(hash),
            wildcard: None,
            value: None,
        }
    }

    fn is_empty(&self) -> bool {
        self.literals.is_empty() && self.wildcard.is_none() && self.value.is_none()
    }

    fn next(&self, component: &str) -> Option<&Self> {
        if component.is_empty() {
            self.wildcard.as_deref()
        } else {
            self.literals.get(component)
        }
    }

    fn next_or_new(&mut self, component: &str, hash: &RandomState) -> &mut Self {
        if component.is_empty() {
            return self
                .wildcard
                .get_or_insert_with(|| Box::new(Self::new(hash.clone())));
        }
        self.literals
            .entry_ref(component)
            .or_insert_with(|| Self::new(hash.clone()))
    }

    /// Takes the value at the end of `rest`, and what is empty on the way back.
    fn remove(&mut self, rest: Option<&str>) -> Option<V> {
        let Some(rest) = rest else {
            return self.value.take();
        };
        let (component, rest) = split(rest);
        if component.is_empty() {
            let next = self.wildcard.as_mut()?;
            let value = next.remove(rest);
            if next.is_empty() {
                self.wildcard = None;
            }
            return value;
        }
        let next = self.literals.get_mut(component)?;
        let value = next.remove(rest);
        if next.is_empty() {
            self.literals.remove(component);
        }
        value
    }

    /// Visits the values that match `rest`, the literal branch first, until `found` says stop.
    fn visit(&self, rest: Option<&str>, found: &mut impl FnMut(V) -> bool) -> bool {
        let Some(rest) = rest else {
            return self.value.is_some_and(found);
        };
        let (component, rest) = split(rest);
        if !self.literals.is_empty()
            && let Some(next) = self.literals.get(component)
            && next.visit(rest, found)
        {
            return true;
        }
        self.wildcard
            .as_ref()
            .is_some_and(|next| next.visit(rest, found))
    }

    #[cfg(test)]
    fn nodes(&self) -> usize {
        1 + self.literals.values().map(Self::nodes).sum::<usize>()
            + self.wildcard.as_ref().map_or(0, |next| next.nodes())
    }
}

/// The first component of a URI, and the rest if there is more.
fn split(uri: &str) -> (&str, Option<&str>) {
    match uri.split_once('.') {
        Some((component, rest)) => (component, Some(rest)),
        None => (uri, None),
    }
}

impl<V: Copy> WildcardTree<V> {
    /// Whether there are no patterns.
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn new(hash: RandomState) -> Self {
        Self {
            root: Node::new(hash.clone()),
            hash,
            len: 0,
        }
    }

    pub(super) fn get(&self, pattern: &str) -> Option<V> {
        let mut node = &self.root;
        for component in pattern.split('.') {
            node = node.next(component)?;
        }
        node.value
    }

    pub(super) fn insert(&mut self, pattern: &str, value: V) {
        let mut node = &mut self.root;
        for component in pattern.split('.') {
            node = node.next_or_new(component, &self.hash);
        }
        if node.value.replace(value).is_none() {
            self.len += 1;
        }
    }

    pub(super) fn remove(&mut self, pattern: &str) {
        if self.root.remove(Some(pattern)).is_some() {
            self.len -= 1;
        }
    }

    pub(super) fn for_each_match(&self, uri: &str, found: &mut impl FnMut(V)) {
        if self.len > 0 {
            self.root.visit(Some(uri), &mut |value| {
                found(value);
                false
            });
        }
    }

    /// The match that the literal-first walk finds first: at the first component where two
    /// matching patterns differ, the literal one has the longer run before its wildcard.
    pub(super) fn best_match(&self, uri: &str) -> Option<V> {
        let mut best = None;
        if self.len > 0 {
            self.root.visit(Some(uri), &mut |value| {
                best = Some(value);
                true
            });
        }
        best
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> usize {
        self.root.nodes()
    }
}
