//! Reading dicts of a node configuration key by key, as [`Section`](super::super::section::Section)
//! does with TOML: what has another type than it must have becomes a problem and counts as absent,
//! and keys that nobody asked for are problems in the end.
//!
//! Beside that, what has no counterpart here is said in one of three ways: it is *ignored* where that
//! does no harm, *left out* if the user has agreed to that, or *refused*.

use std::path::PathBuf;

use super::super::source::{Located, Place, Source, unknown_key};
use super::node::{Node, Value};

/// What all of the reading has in common.
pub(super) struct Scope<'n> {
    pub(super) source: &'n Source<'n>,
    /// Whether what is no part of the router may be left out.
    pub(super) router_only: bool,
    /// What relative paths are relative to.
    pub(super) directory: PathBuf,
}

/// A dict that is read.
pub(super) struct Item<'n> {
    pub(super) scope: &'n Scope<'n>,
    place: Place,
    entries: &'n [(String, Node)],
    asked: Vec<&'static str>,
}

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Field<'n> {
    pub(super) place: Place,
    pub(super) node: &'n Node,
}

impl<'n> Scope<'n> {
    /// Warns of something that has no effect here and does no harm by that.
    pub(super) fn ignore(&self, place: &Place, why: &str) {
        self.source.warn_at(place, format!("ignored: {why}"));
    }

    /// Says that a part of the node is no part of a router.
    pub(super) fn leave_out(&self, place: &Place, what: &str) {
        if self.router_only {
            self.source.warn_at(place, format!("left out: {what}"));
        } else {
            let text = format!("{what}; router_only leaves it out");
            self.source.report_at(place, text);
        }
    }

    pub(super) fn refuse(&self, place: &Place, why: impl Into<String>) {
        self.source.report_at(place, why);
    }

    /// `field` as a dict.
    pub(super) fn item(&'n self, field: Field<'n>) -> Option<Item<'n>> {
        match &field.node.value {
            Value::Dict(entries) => Some(Item {
                scope: self,
                place: field.place,
                entries,
                asked: Vec::new(),
            }),
            _ => {
                self.mistyped(&field, "a dict");
                None
            }
        }
    }

    pub(super) fn mistyped(&self, field: &Field<'_>, expected: &str) {
        let text = format!("expected {expected}, found {}", field.node.name());
        self.source.report_at(&field.place, text);
    }

    /// The value of the environment variable that `text` names, which stands at `place`: `${NAME}`, or
    /// where Crossbar.io has it so `$NAME`.
    pub(super) fn environment(&self, place: &Place, name: &str) -> Option<String> {
        match std::env::var(name) {
            Ok(value) => Some(value),
            Err(_) => {
                let text = format!("the environment variable {name} is not set");
                self.source.report_at(place, text);
                None
            }
        }
    }
}

impl<'n> Item<'n> {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// Reports a mistake of the dict itself.
    pub(super) fn problem(&self, text: impl Into<String>) {
        self.scope.source.report_at(&self.place, text);
    }

    pub(super) fn field(&mut self, key: &'static str) -> Option<Field<'n>> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (_, node) = self.entries.iter().find(|(name, _)| name == key)?;
        Some(Field {
            place: self.place.inner(node.offset, key),
            node,
        })
    }

    /// Knows the key, which only names something or says what is so anyway.
    pub(super) fn know(&mut self, key: &'static str) {
        self.field(key);
    }

    /// Knows the key, and warns that it has no effect.
    pub(super) fn ignore(&mut self, key: &'static str, why: &str) {
        if let Some(field) = self.field(key) {
            self.scope.ignore(&field.place, why);
        }
    }

    /// Knows the key, which is no part of a router.
    pub(super) fn leave_out(&mut self, key: &'static str, what: &str) {
        if let Some(field) = self.field(key) {
            self.scope.leave_out(&field.place, what);
        }
    }

    /// Knows the key, and refuses it.
    pub(super) fn refuse(&mut self, key: &'static str, why: &str) {
        if let Some(field) = self.field(key) {
            self.scope.refuse(&field.place, why);
        }
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let field = self.field(key)?;
        match field.node.text() {
            Some(text) => Some(Located {
                value: text.to_owned(),
                place: field.place,
            }),
            None => {
                self.scope.mistyped(&field, "text");
                None
            }
        }
    }

    /// Text that must be there.
    pub(super) fn required_text(&mut self, key: &'static str) -> Option<Located<String>> {
        if self.field(key).is_none() {
            self.problem(format!("{key} is missing"));
        }
        self.text(key)
    }

    /// Text that must be there and may be the name of an environment variable, as `${NAME}`.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<Located<String>> {
        let text = self.required_text(key)?;
        let name = text.value.strip_prefix("${");
        match name.and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if !name.is_empty() => {
                let value = self.scope.environment(&text.place, name)?;
                let why = format!("taken from the environment variable {name}");
                self.scope.source.warn_at(&text.place, why);
                Some(Located { value, ..text })
            }
            _ => Some(text),
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<Located<bool>> {
        let field = self.field(key)?;
        match field.node.value {
            Value::Flag(value) => Some(Located {
                value,
                place: field.place,
            }),
            _ => {
                self.scope.mistyped(&field, "true or false");
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self, key: &'static str) -> Option<Located<u64>> {
        let field = self.field(key)?;
        let Value::Integer(integer) = field.node.value else {
            self.scope.mistyped(&field, "a whole number");
            return None;
        };
        match integer.try_into() {
            Ok(value) => Some(Located {
                value,
                place: field.place,
            }),
            Err(_) => {
                let text = format!("{integer} is out of range");
                self.scope.source.report_at(&field.place, text);
                None
            }
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Located<T>> {
        let text = self.text(key)?;
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let problem = format!("{:?} is none of {}", text.value, names.join(", "));
            self.scope.source.report_at(&text.place, problem);
        }
        found.map(|&(_, value)| Located {
            value,
            place: text.place,
        })
    }

    pub(super) fn item(&mut self, key: &'static str) -> Option<Item<'n>> {
        let field = self.field(key)?;
        self.scope.item(field)
    }

    /// The items of a list, whatever they are.
    pub(super) fn fields(&mut self, key: &'static str) -> Vec<Field<'n>> {
        let Some(field) = self.field(key) else {
            return Vec::new();
        };
        let Value::List(items) = &field.node.value else {
            self.scope.mistyped(&field, "a list");
            return Vec::new();
        };
        let items = items.iter().enumerate();
        items
            .map(|(at, node)| Field {
                place: field.place.inner(node.offset, &format!("[{at}]")),
                node,
            })
            .collect()
    }

    /// A list of dicts.
    pub(super) fn items(&mut self, key: &'static str) -> Vec<Item<'n>> {
        let fields = self.fields(key).into_iter();
        fields.filter_map(|field| self.scope.item(field)).collect()
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Located<Vec<Located<String>>>> {
        let place = self.field(key)?.place;
        let mut texts = Vec::new();
        for field in self.fields(key) {
            match field.node.text() {
                Some(text) => texts.push(Located {
                    value: text.to_owned(),
                    place: field.place,
                }),
                None => self.scope.mistyped(&field, "text"),
            }
        }
        Some(Located {
            value: texts,
            place,
        })
    }

    /// The entries of a dict whose keys are names, such as those of users.
    pub(super) fn named(&mut self, key: &'static str) -> Vec<(&'n str, Field<'n>)> {
        let Some(field) = self.field(key) else {
            return Vec::new();
        };
        let Value::Dict(entries) = &field.node.value else {
            self.scope.mistyped(&field, "a dict");
            return Vec::new();
        };
        let entries = entries.iter().map(|(name, node)| {
            let place = field.place.inner(node.offset, name);
            (name.as_str(), Field { place, node })
        });
        entries.collect()
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn end(self) {
        for (name, node) in self.entries {
            if !self.asked.contains(&name.as_str()) {
                let place = self.place.inner(node.offset, name);
                let text = unknown_key(name, &self.asked);
                self.scope.source.report_at(&place, text);
            }
        }
    }

    /// Warns of the keys that nobody asked for, in a dict that Crossbar.io does not check.
    pub(super) fn end_unchecked(self) {
        for (name, node) in self.entries {
            if !self.asked.contains(&name.as_str()) {
                let place = self.place.inner(node.offset, name);
                let text = unknown_key(name, &self.asked);
                self.scope.ignore(&place, &text);
            }
        }
    }

    /// Lets everything else in the dict be: it belongs to something that was left out.
    pub(super) fn forget(self) {}
}
