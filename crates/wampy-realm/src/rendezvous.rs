//! Which node a key belongs to: rendezvous hashing.
//!
//! Of all nodes, a key belongs to the one whose weight for it is the greatest. So every router that
//! knows the same nodes finds the same one, in whatever order they came; when a node goes, only its own
//! keys move, and when one comes, only those that it takes over. The hash has no seed and must never
//! change: keys would move when a router is replaced by a newer one.
//!
//! Deliberately absent: protection against keys that are chosen to be all of one node. Who chooses
//! them could as well use one key again and again.

/// The hash of a key or of a node's name: FNV-1a of its bytes, in 64 bits.
pub(crate) const fn hash(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = 0xCBF2_9CE4_8422_2325;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        at += 1;
    }
    hash
}

/// The weight that a node has for a key, both given by their hashes.
///
/// FNV-1a leaves the high bits of short texts alike, so the bits are mixed as SplitMix64 does.
pub(crate) const fn weight(key: u64, node: u64) -> u64 {
    mix(mix(key).wrapping_add(node))
}

const fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The node of each of 10 000 keys.
    fn owners(nodes: &[&str]) -> Vec<String> {
        let owner = |key: String| {
            let key = hash(&key);
            let owner = nodes.iter().max_by_key(|node| weight(key, hash(node)));
            (*owner.unwrap()).to_owned()
        };
        (0..10_000)
            .map(|number| owner(format!("sn{number}")))
            .collect()
    }

    #[test]
    fn hashes_and_weights_never_change() {
        assert_eq!(hash(""), 0xCBF2_9CE4_8422_2325);
        // The published test vectors of FNV-1a.
        assert_eq!(hash("a"), 0xAF63_DC4C_8601_EC8C);
        assert_eq!(hash("foobar"), 0x8594_4171_F739_67E8);
        // SplitMix64 of the seed 0, published as well.
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(weight(0, 0), mix(0xE220_A839_7B1D_CDAF));
    }

    #[test]
    fn keys_are_spread_evenly() {
        let nodes = ["node1", "node2", "node3", "node4"];
        let owners = owners(&nodes);
        for node in nodes {
            let count = owners.iter().filter(|owner| *owner == node).count();
            assert!((2300..2700).contains(&count), "{node} has {count}");
        }
    }

    #[test]
    fn few_keys_move() {
        let before = owners(&["node1", "node2", "node3", "node4"]);
        let without = owners(&["node1", "node2", "node4"]);
        for (before, after) in before.iter().zip(&without) {
            assert!(before == after || before == "node3", "{before} to {after}");
        }
        let with = owners(&["node5", "node1", "node2", "node3", "node4"]);
        let mut moved = 0;
        for (before, after) in before.iter().zip(&with) {
            assert!(before == after || after == "node5", "{before} to {after}");
            moved += usize::from(before != after);
        }
        assert!((1800..2200).contains(&moved), "{moved} keys moved");
    }
}
