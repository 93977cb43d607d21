//! Sessions that hold subscriptions or registrations which nobody's messages match: in any number,
//! spread over as many sessions as the router's limits ask for.

use std::net::SocketAddr;

use super::member::Member;
use super::wire::{Framing, Match};

/// Subscriptions or registrations of one session: the router's default limit.
pub const PER_SESSION: usize = 10_000;

/// What is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    Subscriptions,
    Registrations,
}

/// A kind of URIs that are held.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    pub matching: Match,
    /// The URI with this number.
    pub uri: fn(usize) -> String,
    /// How many are held at most.
    pub most: usize,
}

/// All kinds. The URIs resemble each other, and those of [`topic`], so that a table cannot dismiss
/// them by their first component.
pub const KINDS: [Kind; 3] = [
    Kind {
        name: "exact",
        matching: Match::Exact,
        uri: exact,
        most: 1_000_000,
    },
    Kind {
        name: "prefix",
        matching: Match::Prefix,
        uri: prefix,
        most: 100_000,
    },
    Kind {
        name: "wildcard",
        matching: Match::Wildcard,
        uri: wildcard,
        most: 100_000,
    },
];

/// A topic that none of the held URIs matches.
pub fn topic(number: usize) -> String {
    format!("scale.device.t{number}.value.now")
}

fn exact(number: usize) -> String {
    format!("scale.device.d{number}.value.now")
}

fn prefix(number: usize) -> String {
    format!("scale.device.p{number}.")
}

/// Wildcards of all 15 shapes over the first four components; the last one never matches.
fn wildcard(number: usize) -> String {
    const NAMED: usize = 1000;
    let shape = 1 + number % 15;
    let third = format!("t{}", number % NAMED);
    let names = ["scale", "device", &third, "value"];
    let shown = |(at, name)| if shape >> at & 1 == 1 { "" } else { name };
    let names: Vec<&str> = names.into_iter().enumerate().map(shown).collect();
    format!("{}.w{number}", names.join("."))
}

/// Sessions of one realm that hold something.
#[derive(Debug)]
pub struct Holders {
    address: SocketAddr,
    realm: &'static str,
    held: Held,
    members: Vec<Member>,
    /// How many the last member holds.
    of_last: usize,
}

impl Holders {
    pub fn new(address: SocketAddr, realm: &'static str, held: Held) -> Self {
        Self {
            address,
            realm,
            held,
            members: Vec::new(),
            of_last: PER_SESSION,
        }
    }

    /// Holds the URIs of a kind from one number up to before another.
    pub fn hold(&mut self, kind: &Kind, from: usize, to: usize) -> Result<(), String> {
        let mut next = from;
        while next < to {
            if self.of_last == PER_SESSION {
                let member = Member::join(self.address, Framing::RawSocket, self.realm)?;
                self.members.push(member);
                self.of_last = 0;
            }
            let now = (to - next).min(PER_SESSION - self.of_last);
            let uris = (next..next + now).map(kind.uri);
            if let Some(member) = self.members.last_mut() {
                match self.held {
                    Held::Subscriptions => member.subscribe(uris, kind.matching)?,
                    Held::Registrations => member.register(uris, kind.matching)?,
                }
            }
            next += now;
            self.of_last += now;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a wildcard gets what is sent to a topic.
    fn matches(pattern: &str, topic: &str) -> bool {
        let (pattern, topic): (Vec<&str>, Vec<&str>) =
            (pattern.split('.').collect(), topic.split('.').collect());
        let same = |(pattern, topic): (&&str, &&str)| pattern.is_empty() || pattern == topic;
        pattern.len() == topic.len() && pattern.iter().zip(&topic).all(same)
    }

    #[test]
    fn what_others_hold_never_matches_and_is_never_the_same() {
        let topics: Vec<String> = (0..1000).map(topic).collect();
        let mut all = Vec::new();
        for number in 0..300 {
            assert!(!topics.contains(&exact(number)));
            let (prefix, wildcard) = (prefix(number), wildcard(number));
            assert!(topics.iter().all(|topic| !topic.starts_with(&prefix)));
            assert!(topics.iter().all(|topic| !matches(&wildcard, topic)));
            all.extend([exact(number), prefix, wildcard]);
        }
        let length = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), length);
    }

    #[test]
    fn a_wildcard_differs_from_a_topic_only_in_its_last_component() {
        let (pattern, topic) = (wildcard(7), topic(7));
        let (pattern, _) = pattern.rsplit_once('.').unwrap();
        let (topic, _) = topic.rsplit_once('.').unwrap();
        assert!(matches(pattern, topic), "{pattern} {topic}");
    }
}
