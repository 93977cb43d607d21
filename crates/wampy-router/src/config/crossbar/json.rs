//! JSON, with the place of every value.
//!
//! Deliberately absent: a parser. `serde_json` leaves each value as the text that it is, and where
//! that text stands in the whole says its offset.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::node::{DEPTH_MAX, Node, Unreadable, Value};

/// A dict, in its order, with every key as often as it is there.
struct Entries<'t>(Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a dict")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}

/// Reads a whole text.
///
/// # Errors
/// Where it stops being JSON, or has a key twice.
pub(super) fn parse(text: &str) -> Result<Node, Unreadable> {
    let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
        let line_at = text.split_inclusive('\n').map(str::len);
        let before: usize = line_at.take(error.line().saturating_sub(1)).sum();
        Unreadable {
            offset: before + error.column().saturating_sub(1),
            text: format!("this is no JSON: {error}"),
        }
    })?;
    node(text, raw, 0)
}

fn node(text: &str, raw: &RawValue, depth: usize) -> Result<Node, Unreadable> {
    let written = raw.get();
    let offset = written.as_ptr().addr() - text.as_ptr().addr();
    let wrong = |text: String| Unreadable { offset, text };
    if depth > DEPTH_MAX {
        return Err(wrong(format!("more than {DEPTH_MAX} lists and dicts deep")));
    }
    let unreadable = |error: serde_json::Error| wrong(error.to_string());
    let value = match written.as_bytes().first() {
        Some(b'{') => {
            let Entries(entries) = serde_json::from_str(written).map_err(unreadable)?;
            let mut read: Vec<(String, Node)> = Vec::with_capacity(entries.len());
            for (key, raw) in entries {
                let node = node(text, raw, depth + 1)?;
                if read.iter().any(|(earlier, _)| *earlier == key) {
                    return Err(Unreadable {
                        offset: node.offset,
                        text: format!("the key {key:?} is there twice"),
                    });
                }
                read.push((key, node));
            }
            Value::Dict(read)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(written).map_err(unreadable)?;
            let items = items.into_iter().map(|raw| node(text, raw, depth + 1));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        Some(b'"') => Value::Text(serde_json::from_str(written).map_err(unreadable)?),
        Some(b't') => Value::Flag(true),
        Some(b'f') => Value::Flag(false),
        Some(b'n') => Value::Null,
        _ => match written.parse() {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Float(serde_json::from_str(written).map_err(unreadable)?),
        },
    };
    Ok(Node { offset, value })
}

/// The same values as JSON.
pub(super) fn write(node: &Node) -> String {
    fn value(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Null => serde_json::Value::Null,
            Value::Flag(flag) => (*flag).into(),
            Value::Integer(integer) => (*integer).into(),
            Value::Float(float) => (*float).into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(value).collect(),
            Value::Dict(entries) => {
                let entries = entries.iter();
                entries
                    .map(|(key, node)| (key.clone(), value(node)))
                    .collect()
            }
        }
    }
    value(node).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_knows_its_place() {
        let text = "{\n  \"a\": [1, -2.5, \"\\u00e9\\n\"],\n  \"b\": {\"c\": null, \"d\": true}}\n";
        let root = parse(text).unwrap();
        let list = root.get("a").unwrap();
        let Value::List(items) = &list.value else {
            panic!("{list:?}");
        };
        assert_eq!(items[0].value, Value::Integer(1));
        assert_eq!(items[1].value, Value::Float(-2.5));
        assert_eq!(items[2].value, Value::Text("é\n".to_owned()));
        assert!(text[items[2].offset..].starts_with("\"\\u00e9"));
        let inner = root.get("b").unwrap();
        assert_eq!(inner.get("c").unwrap().value, Value::Null);
        assert!(text[inner.get("d").unwrap().offset..].starts_with("true"));
    }

    #[test]
    fn what_is_no_json_is_named_by_its_place() {
        let line = |text: &str| {
            let error = parse(text).unwrap_err();
            let line = 1 + text[..error.offset].matches('\n').count();
            (line, error.text)
        };
        let (at, text) = line("{\n\"a\": 1,\n\"b\" 2}\n");
        assert!(at == 3 && text.contains("no JSON"), "{at}: {text}");
        let (at, text) = line("{\n\"a\": 1,\n\n\"a\": 2}\n");
        assert!(
            at == 4 && text.contains("\"a\" is there twice"),
            "{at}: {text}"
        );
        let (_, text) = line(&format!("{}{}", "[".repeat(100), "]".repeat(100)));
        assert!(text.contains("deep"), "{text}");
        assert!(parse("").is_err());
        assert!(parse("{} {}").is_err());
    }

    #[test]
    fn the_order_of_keys_does_not_make_a_difference() {
        assert_eq!(
            parse("{\"a\": 1, \"b\": [{}]}").unwrap(),
            parse("{\n\"b\": [{}], \"a\": 1}").unwrap()
        );
        assert_ne!(parse("{\"a\": 1}").unwrap(), parse("{\"a\": 2}").unwrap());
        assert_ne!(parse("{\"a\": 1}").unwrap(), parse("{\"b\": 1}").unwrap());
    }
}
