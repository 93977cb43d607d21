//! YAML, with the place of every value.
//!
//! Words mean what they mean to Crossbar.io, which reads YAML 1.1: `yes` and `off` are true and false,
//! 010 is eight. Anchors, aliases and merge keys (`<<`) are read. Deliberately absent: tags but
//! `!!str`, several documents, times, and numbers to the base of 60.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use super::node::{DEPTH_MAX, Node, Unreadable, Value};

/// The most values of a file, where what an alias stands for counts as often as it is named. A file
/// with more is refused.
const VALUES_MAX: usize = 100_000;

/// A list or dict whose end has not come.
struct Open {
    offset: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Dict(Vec<(String, Node)>, Option<String>),
}

/// What was read so far.
#[derive(Default)]
struct Tree {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    values: usize,
    root: Option<Node>,
}

/// Reads a whole text.
///
/// # Errors
/// Where it stops being YAML, or has what is not read.
pub(super) fn parse(text: &str) -> Result<Node, Unreadable> {
    let lines: Vec<usize> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some(start)
        })
        .collect();
    let start_of = |line: usize| lines.get(line.saturating_sub(1)).copied();
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Unreadable {
            offset: start_of(error.marker().line()).unwrap_or(text.len()),
            text: format!("this is no YAML: {}", error.info()),
        })?;
        // Only the line counts; columns are in characters.
        let offset = start_of(span.start.line()).unwrap_or(text.len());
        tree.take(event, offset)
            .map_err(|text| Unreadable { offset, text })?;
    }
    tree.root.ok_or_else(|| Unreadable {
        offset: 0,
        text: "the file is empty".to_owned(),
    })
}

impl Tree {
    fn take(&mut self, event: Event<'_>, offset: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) if self.root.is_some() => {
                Err("a second document begins; there can be one".to_owned())
            }
            Event::SequenceStart(anchor, tag) => {
                no_tag(tag.as_deref())?;
                self.begin(offset, anchor, Content::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                no_tag(tag.as_deref())?;
                self.begin(offset, anchor, Content::Dict(Vec::new(), None))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Scalar(text, style, anchor, tag) => {
                self.scalar(&text, style, anchor, tag, offset)
            }
            Event::Alias(anchor) => {
                let known = self.anchors.get(&anchor).cloned();
                let node = known.ok_or("an alias of what has not come to its end")?;
                self.values += size_of(&node);
                self.add(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn begin(&mut self, offset: usize, anchor: usize, content: Content) -> Result<(), String> {
        if self.open.len() >= DEPTH_MAX {
            return Err(format!("more than {DEPTH_MAX} lists and dicts deep"));
        }
        self.open.push(Open {
            offset,
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::List(items) => Value::List(items),
            Content::Dict(entries, _) => Value::Dict(merged(entries)?),
        };
        let offset = open.offset;
        self.values += 1;
        self.add(Node { offset, value }, open.anchor)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<std::borrow::Cow<'_, Tag>>,
        offset: usize,
    ) -> Result<(), String> {
        let is_text = match tag.as_deref() {
            Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => true,
            tag => {
                no_tag(tag)?;
                style != ScalarStyle::Plain
            }
        };
        if let Some(Open {
            content: Content::Dict(entries, key @ None),
            ..
        }) = self.open.last_mut()
        {
            if text != MERGE && entries.iter().any(|(earlier, _)| earlier == text) {
                return Err(format!("the key {text:?} is there twice"));
            }
            *key = Some(text.to_owned());
            return Ok(());
        }
        let value = match is_text {
            true => Value::Text(text.to_owned()),
            false => meaning(text),
        };
        self.values += 1;
        self.add(Node { offset, value }, anchor)
    }

    /// Adds a value to what is open.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), String> {
        if self.values > VALUES_MAX {
            return Err(format!("the file has more than {VALUES_MAX} values"));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Content::List(items)) => items.push(node),
            Some(Content::Dict(entries, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => return Err("a key must be text".to_owned()),
            },
        }
        Ok(())
    }
}

/// The key that brings in the entries of another dict.
const MERGE: &str = "<<";

/// The entries with those that merge keys bring in, among which the dict's own win.
fn merged(entries: Vec<(String, Node)>) -> Result<Vec<(String, Node)>, String> {
    if entries.iter().all(|(key, _)| key != MERGE) {
        return Ok(entries);
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key == MERGE);
    let sources = merges.into_iter().flat_map(|(_, node)| match node.value {
        Value::List(items) => items,
        _ => vec![node],
    });
    for source in sources {
        let Value::Dict(entries) = source.value else {
            return Err(format!("{MERGE} needs a dict, or a list of dicts"));
        };
        for (key, node) in entries {
            if own.iter().all(|(earlier, _)| *earlier != key) {
                own.push((key, node));
            }
        }
    }
    Ok(own)
}

fn no_tag(tag: Option<&Tag>) -> Result<(), String> {
    match tag {
        None => Ok(()),
        Some(tag) => Err(format!("the tag {}{} is not read", tag.handle, tag.suffix)),
    }
}

fn size_of(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(size_of).sum(),
        Value::Dict(entries) => entries.iter().map(|(_, node)| size_of(node)).sum(),
        _ => 0,
    }
}

/// What a word without quotation marks means in YAML 1.1.
fn meaning(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Value::Flag(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Value::Flag(false);
        }
        _ => {}
    }
    if let Some(integer) = integer(text) {
        return Value::Integer(integer);
    }
    let begins = |c: char| c.is_ascii_digit() || "+-.".contains(c);
    let is_number = text.contains('.') && text.starts_with(begins) && text != ".";
    match text.replace('_', "").parse() {
        Ok(float) if is_number => Value::Float(float),
        _ => Value::Text(text.to_owned()),
    }
}

fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        [b'0', _, ..] => (8, &digits[1..]),
        [b'0'..=b'9', ..] => (10, digits),
        _ => return None,
    };
    i64::from_str_radix(&format!("{sign}{}", digits.replace('_', "")), radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        parse(text)
            .unwrap_or_else(|error| panic!("{error:?}"))
            .value
    }

    #[test]
    fn words_mean_what_they_mean_to_crossbar() {
        for (text, expected) in [
            ("8080", Value::Integer(8080)),
            ("-1", Value::Integer(-1)),
            ("0x1f", Value::Integer(31)),
            ("010", Value::Integer(8)),
            ("1_000", Value::Integer(1000)),
            ("1.5", Value::Float(1.5)),
            ("yes", Value::Flag(true)),
            ("off", Value::Flag(false)),
            ("~", Value::Null),
            ("com.example", Value::Text("com.example".to_owned())),
            ("1.2.3", Value::Text("1.2.3".to_owned())),
            ("127.0.0.1", Value::Text("127.0.0.1".to_owned())),
            ("'8080'", Value::Text("8080".to_owned())),
            ("!!str 8080", Value::Text("8080".to_owned())),
            ("0z", Value::Text("0z".to_owned())),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn a_file_of_lists_dicts_anchors_and_merges() {
        let text = "base: &all\n  call: true\n  publish: false\nlist:\n- a\n- {b: 1}\nuse: *all\nown:\n  <<: *all\n  publish: true\n";
        let root = parse(text).unwrap();
        assert_eq!(root.get("use"), root.get("base"));
        let own = root.get("own").unwrap();
        assert_eq!(own.get("call").unwrap().value, Value::Flag(true));
        assert_eq!(own.get("publish").unwrap().value, Value::Flag(true));
        let list = root.get("list").unwrap();
        let Value::List(items) = &list.value else {
            panic!("{list:?}");
        };
        assert_eq!(items.len(), 2);
        assert!(text[items[1].offset..].starts_with("- {b: 1}"));
    }

    #[test]
    fn json_is_yaml() {
        let text = "{\"version\": 2, \"workers\": [{\"type\": \"router\", \"x\": null}]}";
        assert_eq!(
            parse(text).unwrap(),
            super::super::json::parse(text).unwrap()
        );
    }

    #[test]
    fn what_is_not_read_is_named() {
        for (text, named) in [
            ("a: 1\na: 2\n", "there twice"),
            ("a: !!binary x\n", "tag"),
            ("a: 1\n---\nb: 1\n", "second document"),
            ("a: [1\n", "no YAML"),
            ("", "empty"),
            ("? [a]\n: 1\n", "must be text"),
            ("<<: 1\n", "needs a dict"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.text.contains(named), "{text}: {error:?}");
        }
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert!(parse(&deep).unwrap_err().text.contains("deep"));
    }

    #[test]
    fn aliases_of_aliases_do_not_grow_without_end() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let names = vec![format!("*a{}", level - 1); 10].join(", ");
            text += &format!("a{level}: &a{level} [{names}]\n");
        }
        let error = parse(&text).unwrap_err();
        assert!(error.text.contains("100000 values"), "{error:?}");
    }
}
