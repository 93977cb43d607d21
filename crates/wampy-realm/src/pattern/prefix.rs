//! Prefixes: a radix tree over bytes.
//!
//! Nodes live in a vector and refer to each other by index, so that neither walking nor dropping a
//! tree of long, nested prefixes recurses.

/// The tree; its root is the empty prefix.
#[derive(Debug)]
pub(super) struct PrefixTree<V> {
    nodes: Vec<Node<V>>,
    free: Vec<u32>,
    /// How many prefixes there are: most realms have none, and then nothing is walked.
    len: usize,
}

/// A node stands for the labels from the root to it, put together.
#[derive(Debug)]
struct Node<V> {
    label: Box<[u8]>,
    /// The first byte of each child's label, sorted, and where the child is.
    children: Vec<(u8, u32)>,
    value: Option<V>,
}

impl<V> Node<V> {
    const fn new(label: Box<[u8]>, value: Option<V>) -> Self {
        Self {
            label,
            children: Vec::new(),
            value,
        }
    }

    /// The child whose label begins with `byte`, or where it would be inserted.
    fn child(&self, byte: u8) -> Result<u32, usize> {
        self.children
            .binary_search_by_key(&byte, |&(first, _)| first)
            .map(|position| self.children[position].1)
    }

    fn add_child(&mut self, byte: u8, child: u32) {
        let position = self.children.partition_point(|&(first, _)| first < byte);
        self.children.insert(position, (byte, child));
    }
}

const ROOT: u32 = 0;

impl<V: Copy> PrefixTree<V> {
    /// Whether there are no patterns.
    pub(super) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new(Box::default(), None)],
            free: Vec::new(),
            len: 0,
        }
    }

    fn node(&self, index: u32) -> &Node<V> {
        &self.nodes[index as usize]
    }

    fn node_mut(&mut self, index: u32) -> &mut Node<V> {
        &mut self.nodes[index as usize]
    }

    fn add(&mut self, node: Node<V>) -> u32 {
        match self.free.pop() {
            Some(index) => {
                *self.node_mut(index) = node;
                index
            }
            None => {
                self.nodes.push(node);
                (self.nodes.len() - 1) as u32
            }
        }
    }

    /// The child of `index` that is on the way to `rest`, and what is left of `rest` after it.
    fn step<'u>(&self, index: u32, rest: &'u [u8]) -> Option<(u32, &'u [u8])> {
        let child = self.node(index).child(*rest.first()?).ok()?;
        let rest = rest.strip_prefix(&*self.node(child).label)?;
        Some((child, rest))
    }

    /// The nodes from the root to the node that stands for exactly `prefix`.
    fn path(&self, prefix: &str) -> Option<Vec<u32>> {
        let mut path = vec![ROOT];
        let (mut index, mut rest) = (ROOT, prefix.as_bytes());
        while !rest.is_empty() {
            (index, rest) = self.step(index, rest)?;
            path.push(index);
        }
        Some(path)
    }

    pub(super) fn get(&self, prefix: &str) -> Option<V> {
        let (mut index, mut rest) = (ROOT, prefix.as_bytes());
        while !rest.is_empty() {
            (index, rest) = self.step(index, rest)?;
        }
        self.node(index).value
    }

    pub(super) fn for_each_match(&self, uri: &str, found: &mut impl FnMut(V)) {
        if self.len == 0 {
            return;
        }
        let mut next = Some((ROOT, uri.as_bytes()));
        while let Some((index, rest)) = next {
            if let Some(value) = self.node(index).value {
                found(value);
            }
            next = self.step(index, rest);
        }
    }

    pub(super) fn longest_match(&self, uri: &str) -> Option<V> {
        let mut longest = None;
        self.for_each_match(uri, &mut |value| longest = Some(value));
        longest
    }

    pub(super) fn insert(&mut self, prefix: &str, value: V) {
        let (mut index, mut rest) = (ROOT, prefix.as_bytes());
        while let Some(&first) = rest.first() {
            let Ok(child) = self.node(index).child(first) else {
                let leaf = self.add(Node::new(rest.into(), None));
                self.node_mut(index).add_child(first, leaf);
                index = leaf;
                break;
            };
            let label = &self.node(child).label;
            let shared = label.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if shared < label.len() {
                self.split(child, shared);
            }
            (index, rest) = (child, &rest[shared..]);
        }
        if self.node_mut(index).value.replace(value).is_none() {
            self.len += 1;
        }
    }

    /// Cuts the label of `index` after `at` bytes; what it had goes to a new child.
    fn split(&mut self, index: u32, at: usize) {
        let node = self.node_mut(index);
        let lower_label: Box<[u8]> = node.label[at..].into();
        node.label = node.label[..at].into();
        let lower = Node {
            children: std::mem::take(&mut node.children),
            value: node.value.take(),
            label: lower_label,
        };
        let first = lower.label[0];
        let lower = self.add(lower);
        self.node_mut(index).add_child(first, lower);
    }

    pub(super) fn remove(&mut self, prefix: &str) {
        let Some(path) = self.path(prefix) else {
            return;
        };
        let Some(&index) = path.last() else { return };
        if self.node_mut(index).value.take().is_none() {
            return;
        }
        self.len -= 1;
        self.tidy(index);
        if let [.., parent, _] = path[..]
            && self.node(index).children.is_empty()
            && self.node(index).value.is_none()
        {
            self.cut_leaf(parent, index);
            self.tidy(parent);
        }
    }

    /// Takes the empty leaf `index` from its parent.
    fn cut_leaf(&mut self, parent: u32, index: u32) {
        self.node_mut(parent)
            .children
            .retain(|&(_, child)| child != index);
        self.node_mut(index).label = Box::default();
        self.free.push(index);
    }

    /// Joins `index` with its child if it has just one and no value of its own.
    fn tidy(&mut self, index: u32) {
        let node = self.node(index);
        let [(_, child)] = node.children[..] else {
            return;
        };
        if index == ROOT || node.value.is_some() {
            return;
        }
        let lower = std::mem::replace(self.node_mut(child), Node::new(Box::default(), None));
        self.free.push(child);
        let node = self.node_mut(index);
        node.label = [&*node.label, &*lower.label].concat().into();
        node.children = lower.children;
        node.value = lower.value;
    }

    #[cfg(test)]
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len() - self.free.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_nested_thousands_deep_are_walked_and_dropped() {
        let mut tree = PrefixTree::new();
        let long = "a".repeat(5_000);
        // From the longest to the shortest, so that every insertion splits.
        for len in (1..=long.len()).rev() {
            tree.insert(&long[..len], len);
        }
        assert_eq!(tree.longest_match(&long), Some(5_000));
        assert_eq!(tree.longest_match("aaaaaaaaaaaaaab"), Some(14));
        drop(tree);
    }

    #[test]
    fn removing_joins_what_was_split() {
        let mut tree = PrefixTree::new();
        tree.insert("com.app.one", 1);
        tree.insert("com.app.two", 2);
        tree.insert("com", 3);
        assert_eq!(tree.nodes(), 5);
        tree.remove("com.app.two");
        assert_eq!(tree.nodes(), 3);
        tree.remove("com");
        assert_eq!(tree.nodes(), 2);
        assert_eq!(tree.get("com.app.one"), Some(1));
        tree.remove("com.app");
        assert_eq!(
            tree.get("com.app.one"),
            Some(1),
            "nothing is registered under com.app"
        );
    }
}
