//! What is sent: one positional argument that carries a number, small or a record.
//!
//! Deliberately absent: checking of what a callee of the measured client echoes beyond its number;
//! the number says whose answer it is, and the tests of the clients check payloads.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wampy::Event;

/// A payload of its kind.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// The number and 16 letters.
    Small(u64, String),
    /// What an application might send: a map with maps and lists in it.
    Record(Record),
}

/// The larger kind of payload.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    number: u64,
    symbol: String,
    name: String,
    price: f64,
    volume: u64,
    open: bool,
    note: Option<String>,
    tags: Vec<String>,
    bids: Vec<(f64, u64)>,
    venue: Venue,
}

/// A map within a record.
#[derive(Debug, Serialize, Deserialize)]
pub struct Venue {
    id: u64,
    city: String,
}

impl Value {
    /// The payload `number` of the kind that clients call `kind`.
    pub fn new(kind: &str, number: u64) -> Self {
        if kind != "record" {
            return Self::Small(number, "0123456789abcdef".to_owned());
        }
        Self::Record(Record {
            number,
            symbol: "ACME".to_owned(),
            name: "A Company that Makes Everything".to_owned(),
            price: 101.25,
            volume: 120_000,
            open: true,
            note: None,
            tags: vec!["industry".to_owned(), "anvils".to_owned()],
            bids: vec![(101.0, 300), (100.75, 1200), (100.5, 40)],
            venue: Venue {
                id: 7,
                city: "Zürich".to_owned(),
            },
        })
    }

    /// Which one it is.
    pub fn number(&self) -> u64 {
        match self {
            Self::Small(number, _) | Self::Record(Record { number, .. }) => *number,
        }
    }
}

/// What an event carries: its argument, or the keyword `value` of clients that publish no other.
pub fn published<T: DeserializeOwned>(event: &Event) -> Option<T> {
    #[derive(Deserialize)]
    struct ByKeyword<T> {
        value: T,
    }
    match event.args::<(T,)>() {
        Ok((value,)) => Some(value),
        Err(_) => event.kwargs::<ByKeyword<T>>().ok().map(|by| by.value),
    }
}
