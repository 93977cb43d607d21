//! A value of a node configuration, and where it stands: what JSON and YAML have in common.
//!
//! Deliberately absent: the meaning of anything.

/// The most lists and dicts within each other. What has more is refused.
pub(super) const DEPTH_MAX: usize = 64;

/// A value, with the offset of its first byte.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) offset: usize,
    pub(super) value: Value,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Dict(Vec<(String, Node)>),
}

/// Why a text is neither JSON nor YAML, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) offset: usize,
    pub(super) text: String,
}

impl Node {
    /// A dict with nothing in it.
    pub(super) const fn empty_dict() -> Self {
        Self {
            offset: 0,
            value: Value::Dict(Vec::new()),
        }
    }

    /// What the value is called when something else was expected.
    pub(super) const fn name(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Flag(_) => "true or false",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number with a fraction",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Dict(_) => "a dict",
        }
    }

    /// The value of a dict under `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Value::Dict(entries) = &self.value else {
            return None;
        };
        let found = entries.iter().find(|(name, _)| name == key);
        found.map(|(_, node)| node)
    }

    /// Text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Two nodes that say the same, wherever they stand and in whatever order their keys are.
impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        match (&self.value, &other.value) {
            (Value::Dict(ours), Value::Dict(theirs)) => {
                ours.len() == theirs.len()
                    && ours.iter().all(|(key, node)| other.get(key) == Some(node))
            }
            (ours, theirs) => ours == theirs,
        }
    }
}
