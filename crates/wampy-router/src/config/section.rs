//! Reading tables of TOML key by key, so that every mistake is found and named by its line.
//!
//! A [`Section`] is asked for the keys that it may have, each with the type that its value must have.
//! What has another type becomes a [`Problem`](super::Problem) and counts as absent; keys that nobody asked for become
//! problems at the end ([`Section::end`]). Deliberately absent: deserialization by serde, which stops
//! at the first mistake.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue, ValueDeserializer};

use super::source::{Located, Place, Source, unknown_key};

/// A value that may be said in a word or at length.
pub(super) enum TextOrTable<'s> {
    Text(Located<String>),
    Table(Section<'s>),
}

/// A table that is read.
pub(super) struct Section<'s> {
    source: &'s Source<'s>,
    place: Place,
    table: &'s DeTable<'s>,
    asked: Vec<&'static str>,
}

impl<'s> Source<'s> {
    /// The tables of the file, as far as they can be read.
    pub(super) fn parse(&self) -> Spanned<DeTable<'s>> {
        let (root, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            self.report_at(&Place::ROOT.inner(offset, ""), error.message());
            self.is_broken.set(true);
        }
        root
    }

    /// The outermost table.
    pub(super) fn root(&'s self, table: &'s Spanned<DeTable<'s>>) -> Section<'s> {
        Section {
            source: self,
            place: Place::ROOT.inner(table.span().start, ""),
            table: table.get_ref(),
            asked: Vec::new(),
        }
    }
}

/// What a value is called when something else was expected.
fn name_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// What serde says of a value, without the value, and in the words of a configuration file.
fn without_value(message: &str) -> String {
    let message = &message.replace("struct Record", "a table");
    match (
        message.starts_with("invalid "),
        message.split_once(", expected "),
    ) {
        (true, Some((_, expected))) => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}

impl<'s> Section<'s> {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) fn source(&self) -> &'s Source<'s> {
        self.source
    }

    /// Reports a mistake of the table itself.
    pub(super) fn problem(&self, text: impl Into<String>) {
        self.source.report_at(&self.place, text);
    }

    fn entry(&mut self, key: &'static str) -> Option<(Place, &'s DeValue<'s>)> {
        if !self.asked.contains(&key) {
            self.asked.push(key);
        }
        let (name, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        Some((self.place.inner(name.span().start, key), value.get_ref()))
    }

    fn mistyped(&self, place: &Place, expected: &str, found: &DeValue<'_>) {
        let text = format!("expected {expected}, found {}", name_of(found));
        self.source.report_at(place, text);
    }

    /// Whether the table has this key, whatever its value.
    pub(super) fn has(&mut self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    pub(super) fn text(&mut self, key: &'static str) -> Option<Located<String>> {
        let (place, value) = self.entry(key)?;
        match value {
            DeValue::String(text) => Some(Located {
                value: text.to_string(),
                place,
            }),
            other => {
                self.mistyped(&place, "text", other);
                None
            }
        }
    }

    /// Text that must be there.
    pub(super) fn required_text(&mut self, key: &'static str) -> Option<Located<String>> {
        if !self.has(key) {
            self.problem(format!("{key} is missing"));
        }
        self.text(key)
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        let (place, value) = self.entry(key)?;
        match value {
            DeValue::Boolean(flag) => Some(*flag),
            other => {
                self.mistyped(&place, "true or false", other);
                None
            }
        }
    }

    pub(super) fn number<T: TryFrom<u64>>(&mut self, key: &'static str) -> Option<T> {
        let (place, value) = self.entry(key)?;
        let DeValue::Integer(integer) = value else {
            self.mistyped(&place, "a whole number", value);
            return None;
        };
        let number = u64::from_str_radix(integer.as_str(), integer.radix())
            .ok()
            .and_then(|number| number.try_into().ok());
        if number.is_none() {
            let text = format!("{} is out of range", integer.as_str());
            self.source.report_at(&place, text);
        }
        number
    }

    /// Reports that 0 makes no sense here, if the key has that value.
    pub(super) fn refuse_zero(&mut self, key: &'static str, text: &str) {
        if let Some((place, DeValue::Integer(integer))) = self.entry(key)
            && u64::from_str_radix(integer.as_str(), integer.radix()) == Ok(0)
        {
            self.source.report_at(&place, text);
        }
    }

    /// One of a few words.
    pub(super) fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        self.find_word(&text, words)
    }

    /// A list of words.
    pub(super) fn words<T: Copy>(
        &mut self,
        key: &'static str,
        words: &[(&str, T)],
    ) -> Option<Vec<Located<T>>> {
        let texts = self.texts(key)?;
        let found = texts.into_iter().filter_map(|text| {
            self.find_word(&text, words).map(|value| Located {
                value,
                place: text.place,
            })
        });
        Some(found.collect())
    }

    fn find_word<T: Copy>(&self, text: &Located<String>, words: &[(&str, T)]) -> Option<T> {
        let found = words.iter().find(|(word, _)| *word == text.value);
        if found.is_none() {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let problem = format!("{:?} is none of {}", text.value, names.join(", "));
            self.source.report_at(&text.place, problem);
        }
        found.map(|&(_, value)| value)
    }

    fn list(&mut self, key: &'static str, of: &str) -> Option<(Place, &'s DeArray<'s>)> {
        let (place, value) = self.entry(key)?;
        match value {
            DeValue::Array(list) => Some((place, list)),
            other => {
                self.mistyped(&place, &format!("a list of {of}"), other);
                None
            }
        }
    }

    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<Located<String>>> {
        let (place, list) = self.list(key, "texts")?;
        let mut texts = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let place = place.inner(item.span().start, &format!("[{at}]"));
            match item.get_ref() {
                DeValue::String(text) => texts.push(Located {
                    value: text.to_string(),
                    place,
                }),
                other => self.mistyped(&place, "text", other),
            }
        }
        Some(texts)
    }

    pub(super) fn table(&mut self, key: &'static str) -> Option<Section<'s>> {
        let (place, value) = self.entry(key)?;
        self.section(place, value)
    }

    /// A list of tables, such as `[[realms]]` writes.
    pub(super) fn tables(&mut self, key: &'static str) -> Vec<Section<'s>> {
        let Some((place, list)) = self.list(key, "tables") else {
            return Vec::new();
        };
        let items = list.iter().enumerate();
        items
            .filter_map(|(at, item)| {
                let place = place.inner(item.span().start, &format!("[{at}]"));
                self.section(place, item.get_ref())
            })
            .collect()
    }

    /// A list of texts and tables.
    pub(super) fn texts_or_tables(&mut self, key: &'static str) -> Vec<TextOrTable<'s>> {
        let Some((place, list)) = self.list(key, "texts and tables") else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (at, item) in list.iter().enumerate() {
            let place = place.inner(item.span().start, &format!("[{at}]"));
            match item.get_ref() {
                DeValue::String(text) => found.push(TextOrTable::Text(Located {
                    value: text.to_string(),
                    place,
                })),
                DeValue::Table(_) => {
                    found.extend(self.section(place, item.get_ref()).map(TextOrTable::Table));
                }
                other => self.mistyped(&place, "text or a table", other),
            }
        }
        found
    }

    /// A value whose type knows how to be read. With `is_secret` nothing of it is ever repeated.
    pub(super) fn parsed<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
        is_secret: bool,
    ) -> Option<T> {
        let (place, _) = self.entry(key)?;
        let (_, value) = self.table.iter().find(|(name, _)| name.get_ref() == key)?;
        self.deserialize(&place, value, is_secret)
    }

    /// A list of values whose type knows how to be read; those with mistakes are left out.
    pub(super) fn parsed_items<T: DeserializeOwned>(
        &mut self,
        key: &'static str,
    ) -> Option<Vec<T>> {
        let (place, list) = self.list(key, "tables")?;
        let items = list.iter().enumerate();
        let parsed = items.filter_map(|(at, item)| {
            let place = place.inner(item.span().start, &format!("[{at}]"));
            self.deserialize(&place, item, false)
        });
        Some(parsed.collect())
    }

    fn deserialize<T: DeserializeOwned>(
        &self,
        place: &Place,
        value: &Spanned<DeValue<'_>>,
        is_secret: bool,
    ) -> Option<T> {
        match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(parsed) => Some(parsed),
            Err(error) => {
                let offset = error.span().map_or(place.offset, |span| span.start);
                let message = match is_secret {
                    true => without_value(error.message()),
                    false => error.message().to_owned(),
                };
                let place = Place {
                    offset,
                    key: place.key.clone(),
                };
                self.source.report_at(&place, message);
                None
            }
        }
    }

    fn section(&self, place: Place, value: &'s DeValue<'s>) -> Option<Section<'s>> {
        match value {
            DeValue::Table(table) => Some(Section {
                source: self.source,
                place,
                table,
                asked: Vec::new(),
            }),
            other => {
                self.mistyped(&place, "a table", other);
                None
            }
        }
    }

    /// A value of either shape: `None` if it is no table.
    pub(super) fn is_table(&mut self, key: &'static str) -> bool {
        matches!(self.entry(key), Some((_, DeValue::Table(_))))
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn end(self) {
        for name in self.table.keys() {
            let key: &str = name.get_ref();
            if self.asked.contains(&key) {
                continue;
            }
            let place = self.place.inner(name.span().start, key);
            let text = unknown_key(key, &self.asked);
            self.source.report_at(&place, text);
        }
    }
}
