//! Writing the TOML that says what a node configuration says, line by line, each with the place that
//! it comes from: so what is wrong with a line is wrong there.
//!
//! Deliberately absent: a serializer. The lines have comments, an order and an origin.

use super::super::source::Place;
use super::node::{Node, Value};

/// Lines, and where each comes from.
#[derive(Default)]
pub(super) struct TomlText {
    text: String,
    origins: Vec<Place>,
}

impl TomlText {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Where the line comes from in which the byte `offset` is.
    pub(super) fn origin(&self, line: usize) -> Place {
        let origin = self.origins.get(line.saturating_sub(1));
        origin.cloned().unwrap_or(Place::ROOT)
    }

    pub(super) fn line(&mut self, origin: &Place, line: impl AsRef<str>) {
        self.text.push_str(line.as_ref());
        self.text.push('\n');
        self.origins.push(origin.clone());
    }

    pub(super) fn comment(&mut self, text: &str) {
        for line in text.lines() {
            let line: String = line.chars().filter(|c| !c.is_control()).collect();
            self.line(&Place::ROOT, format!("# {line}").trim_end());
        }
    }

    /// The header of a table, with an empty line before it.
    pub(super) fn header(&mut self, origin: &Place, header: &str) {
        if !self.text.is_empty() {
            self.line(origin, "");
        }
        self.line(origin, header);
    }

    pub(super) fn set(&mut self, origin: &Place, key: &str, value: impl AsRef<str>) {
        self.line(origin, format!("{key} = {}", value.as_ref()));
    }
}

/// Text as TOML has it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A list of texts.
pub(super) fn list<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let texts: Vec<_> = texts.into_iter().map(quoted).collect();
    format!("[{}]", texts.join(", "))
}

/// A value on one line; `None` if it has something in it that TOML cannot say.
pub(super) fn inline(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Null => return None,
        Value::Flag(flag) => flag.to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Float(float) => format!("{float:?}"),
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let items: Option<Vec<_>> = items.iter().map(inline).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Dict(entries) => {
            let entries = entries
                .iter()
                .map(|(key, node)| Some(format!("{} = {}", key_text(key), inline(node)?)));
            let entries: Option<Vec<_>> = entries.collect();
            match entries?.join(", ") {
                entries if entries.is_empty() => "{}".to_owned(),
                entries => format!("{{ {entries} }}"),
            }
        }
    })
}

fn key_text(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => quoted(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let json = r#"{"a b": ["\u0000\u007f\"\\\n é", true, -1, 2.0, {}], "c": {"d": "x"}}"#;
        let node = super::super::json::parse(json).unwrap();
        let text = format!("node = {}", inline(&node).unwrap());
        let read: serde_json::Value = toml::from_str(&text).unwrap();
        let expected: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(read["node"], expected);
        let null = super::super::json::parse("[null]").unwrap();
        assert_eq!(inline(&null), None);
    }
}
