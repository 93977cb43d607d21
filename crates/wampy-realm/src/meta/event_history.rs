//! `wamp.subscription.get_events`: the event history of a subscription.
//!
//! The filters are conditions that must all hold. As the specification has it, the positional results
//! are the events themselves, one map each; the keyword result `more` tells whether others would
//! follow that the limits left out. Lists of authids and authroles that the publisher gave apply to
//! the caller, whether or not it was there then. Deliberately absent: progressive results; a caller
//! gets the next page by `after_publication` (or, in reverse, `before_publication`).

use std::ops::Range;
use std::sync::Arc;

use jiff::Timestamp;
use wampy_proto::serializer::cbor::CborWriter;
use wampy_proto::serializer::json::JsonWriter;
use wampy_proto::serializer::msgpack::MsgPackWriter;
use wampy_proto::serializer::{DEPTH_MAX, Writer, transcode};
use wampy_proto::{MatchPolicy, Payload, Serializer, SubscriptionId, Value, error_uri};

use super::arguments::{Arguments, invalid};
use super::{Answer, record, subscription};
use crate::authorizer::{Action, Requirement};
use crate::broker::{KeptEvent, KeptEvents};
use crate::config::RealmConfig;
use crate::realm::Realm;
use crate::records::Record;
use crate::refusal::Refusal;
use crate::session::SessionKey;

/// The deepest nesting of a payload's args or kwargs among the results of a call, which are two levels
/// around them: readers accept no more levels in all.
const PAYLOAD_DEPTH_MAX: usize = DEPTH_MAX - 2;

/// The procedure's URI.
pub(super) const GET_EVENTS: &str = "wamp.subscription.get_events";

/// `wamp.subscription.get_events(subscription; reverse, limit, from_time, after_time, before_time,
/// until_time, topic, from_publication, after_publication, before_publication, until_publication)`
/// → the events, each as `{timestamp, subscription, publication, details, args?, kwargs?}`; more
pub(super) fn get_events(
    realm: &Realm,
    caller: SessionKey,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let (id, record) = subscription::named(realm, arguments)?;
    let history = history_of(realm, record)?;
    let filter = Filter::read(arguments)?;
    let visible = history.matching(arguments.now(), &record.uri, record.match_policy, |event| {
        event.admits(caller, &realm.sessions)
    });
    let page = filter.page(&visible, &realm.config)?;
    let origin = (id, record.match_policy);
    let serializer = arguments.serializer();
    let (mut args, mut kwargs) = (Vec::new(), Vec::new());
    match serializer {
        Serializer::Json => {
            write_events(&mut JsonWriter::new(&mut args), origin, &page.events);
            write_more(&mut JsonWriter::new(&mut kwargs), page.more);
        }
        Serializer::MsgPack => {
            write_events(&mut MsgPackWriter::new(&mut args), origin, &page.events);
            write_more(&mut MsgPackWriter::new(&mut kwargs), page.more);
        }
        Serializer::Cbor => {
            write_events(&mut CborWriter::new(&mut args), origin, &page.events);
            write_more(&mut CborWriter::new(&mut kwargs), page.more);
        }
    }
    Ok(Answer::encoded(Payload::from_encoded(
        serializer, args, kwargs,
    )))
}

/// What a caller of `get_events` has to be allowed besides: to subscribe like those whose subscription
/// it is.
pub(super) fn requirement(
    realm: &Realm,
    arguments: &Arguments<'_>,
) -> Option<Requirement<'static>> {
    let (_, record) = subscription::named(realm, arguments).ok()?;
    let uri = record.uri.to_string();
    let action = Action::Subscribe;
    Some(Requirement::of_caller(action, uri, record.match_policy))
}

/// The history that covers a subscription. A pattern is covered by any rule: it has the history of
/// those topics among its own that have one.
fn history_of<'r, M>(realm: &'r Realm, record: &Record<M>) -> Result<&'r KeptEvents, Refusal> {
    realm
        .broker
        .history
        .as_deref()
        .filter(|history| record.match_policy != MatchPolicy::Exact || history.keeps(&record.uri))
        .ok_or_else(|| {
            let message = format!("the router keeps no event history of {:?}", record.uri);
            Refusal::explained(error_uri::FEATURE_NOT_SUPPORTED, message)
        })
}

/// Which events a caller wants.
#[derive(Debug)]
struct Filter<'a> {
    reverse: bool,
    limit: usize,
    from_time: Option<Timestamp>,
    after_time: Option<Timestamp>,
    before_time: Option<Timestamp>,
    until_time: Option<Timestamp>,
    topic: Option<&'a str>,
    from_publication: Option<u64>,
    after_publication: Option<u64>,
    before_publication: Option<u64>,
    until_publication: Option<u64>,
}

/// The events that one call returns.
struct Page<'e> {
    events: Vec<&'e KeptEvent>,
    /// Whether others would follow.
    more: bool,
}

impl<'a> Filter<'a> {
    fn read(arguments: &'a Arguments<'_>) -> Result<Self, Refusal> {
        let time = |name| time(arguments, name);
        let publication = |name| positive(arguments, name);
        let limit = positive(arguments, "limit")?;
        Ok(Self {
            reverse: flag(arguments, "reverse")?,
            limit: limit.map_or(usize::MAX, |limit| {
                usize::try_from(limit).unwrap_or(usize::MAX)
            }),
            from_time: time("from_time")?,
            after_time: time("after_time")?,
            before_time: time("before_time")?,
            until_time: time("until_time")?,
            topic: text(arguments, "topic")?,
            from_publication: publication("from_publication")?,
            after_publication: publication("after_publication")?,
            before_publication: publication("before_publication")?,
            until_publication: publication("until_publication")?,
        })
    }

    /// The first of the events that pass, in the wanted order; `events` are the oldest first.
    fn page<'e>(
        &self,
        events: &'e [&Arc<KeptEvent>],
        config: &RealmConfig,
    ) -> Result<Page<'e>, Refusal> {
        let range = self.range(events)?;
        let within = events.get(range).unwrap_or_default();
        let mut passing = within.iter().filter(|event| self.passes(event));
        let count_max = self.limit.min(config.history_events_per_call_max);
        let mut page = Page {
            events: Vec::new(),
            more: false,
        };
        let mut bytes = 0;
        let next = || match self.reverse {
            true => passing.next_back(),
            false => passing.next(),
        };
        // What would make the result unreadable is left out.
        let readable = |event: &&&Arc<KeptEvent>| event.payload.is_nested_within(PAYLOAD_DEPTH_MAX);
        for event in std::iter::from_fn(next).filter(readable) {
            bytes += event.payload.encoded_len();
            let fits = page.events.is_empty() || bytes <= config.history_bytes_per_call_max;
            if page.events.len() == count_max || !fits {
                page.more = true;
                break;
            }
            page.events.push(event);
        }
        Ok(page)
    }

    /// Which events are between the publications that the filter names.
    fn range(&self, events: &[&Arc<KeptEvent>]) -> Result<Range<usize>, Refusal> {
        let position = |name: &str, publication: Option<u64>| match publication {
            None => Ok(None),
            Some(id) => events
                .iter()
                .position(|event| event.publication.value() == id)
                .map(Some)
                .ok_or_else(|| invalid(format!("{name}: the history has no publication {id}"))),
        };
        let from = position("from_publication", self.from_publication)?;
        let after = position("after_publication", self.after_publication)?;
        let before = position("before_publication", self.before_publication)?;
        let until = position("until_publication", self.until_publication)?;
        let start = from.unwrap_or(0).max(after.map_or(0, |at| at + 1));
        let end = events.len();
        let end = end
            .min(before.unwrap_or(end))
            .min(until.map_or(end, |at| at + 1));
        Ok(start..end.max(start))
    }

    fn passes(&self, event: &KeptEvent) -> bool {
        let time = record::timestamp(event.unix_ms);
        self.topic.is_none_or(|topic| topic == &*event.topic)
            && self.from_time.is_none_or(|from| time >= from)
            && self.after_time.is_none_or(|after| time > after)
            && self.before_time.is_none_or(|before| time < before)
            && self.until_time.is_none_or(|until| time <= until)
    }
}

fn flag(arguments: &Arguments<'_>, name: &str) -> Result<bool, Refusal> {
    match arguments.keyword(name)? {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(invalid(format!("{name} must be a boolean"))),
    }
}

fn text<'a>(arguments: &'a Arguments<'_>, name: &str) -> Result<Option<&'a str>, Refusal> {
    let wrong = || invalid(format!("{name} must be a string"));
    let value = arguments.keyword(name)?;
    value
        .map(|value| value.as_str().ok_or_else(wrong))
        .transpose()
}

fn positive(arguments: &Arguments<'_>, name: &str) -> Result<Option<u64>, Refusal> {
    let wrong = || invalid(format!("{name} must be an integer of 1 or more"));
    let number = |value: &Value| value.as_u64().filter(|&number| number > 0);
    let value = arguments.keyword(name)?;
    value
        .map(|value| number(value).ok_or_else(wrong))
        .transpose()
}

fn time(arguments: &Arguments<'_>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    let Some(text) = text(arguments, name)? else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        let example = "such as 2020-02-28T23:59:59.999Z";
        invalid(format!("{name} must be a time of RFC 3339, {example}"))
    })
}

/// Writes the positional results.
fn write_events<W: Writer>(
    writer: &mut W,
    (id, match_policy): (SubscriptionId, MatchPolicy),
    events: &[&KeptEvent],
) {
    writer.begin_list(events.len());
    for event in events {
        let payload = &event.payload;
        let parts = [
            ("args", payload.encoded_args()),
            ("kwargs", payload.encoded_kwargs()),
        ];
        let parts = parts.into_iter().filter(|(_, encoded)| !encoded.is_empty());
        writer.begin_map(4 + parts.clone().count());
        writer.key("timestamp");
        writer.text(&record::iso_8601(event.unix_ms));
        writer.key("subscription");
        writer.unsigned(id.value());
        writer.key("publication");
        writer.unsigned(event.publication.value());
        writer.key("details");
        event.details_for(match_policy).write(writer);
        for (name, encoded) in parts {
            writer.key(name);
            write_part(writer, payload.serializer(), encoded);
        }
        writer.end_map();
    }
    writer.end_list();
}

fn write_part<W: Writer>(writer: &mut W, from: Serializer, encoded: &[u8]) {
    if from == W::SERIALIZER {
        writer.raw(encoded);
    } else {
        // It cannot fail: what is malformed or nested too deeply is on no page.
        _ = transcode(from, encoded, writer);
    }
}

fn write_more<W: Writer>(writer: &mut W, more: bool) {
    writer.begin_map(1);
    writer.key("more");
    writer.bool(more);
    writer.end_map();
}
