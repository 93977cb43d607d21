//! What the registration and the subscription meta API have in common: records by id and pattern.

use jiff::Timestamp;
use wampy_proto::{MatchPolicy, Value};

use super::arguments::{Arguments, invalid};
use super::{Answer, Change, Revocable, Revoke, session};
use crate::realm::Realm;
use crate::records::{Record, RecordId, Records};
use crate::refusal::Refusal;
use crate::session::Session;

/// The ids of all records by match policy: `{exact, prefix, wildcard}`.
pub(super) fn list<I: RecordId, M>(records: &Records<I, M>) -> Value {
    let lists = MatchPolicy::ALL.map(|policy| {
        let mut ids: Vec<I> = records
            .iter()
            .filter(|(_, record)| record.match_policy == policy)
            .map(|(id, _)| id)
            .collect();
        ids.sort_unstable();
        (policy.as_str().to_owned(), id_list(ids))
    });
    Value::Map(lists.into())
}

/// `lookup(uri, options?)`: the id of the record of exactly this URI and match policy, or null.
pub(super) fn lookup<I: RecordId, M>(
    records: &Records<I, M>,
    arguments: &Arguments,
) -> Result<Value, Refusal> {
    let uri = arguments.text(0, "uri")?;
    let options = arguments.optional_map(1, "options")?;
    let policy = match options.and_then(|options| options.get("match")) {
        None | Some(Value::Null) => MatchPolicy::Exact,
        Some(word) => word
            .as_str()
            .unwrap_or_default()
            .parse()
            .map_err(|problem| invalid(format!("the option match: {problem}")))?,
    };
    Ok(id_or_null(records.lookup(uri, policy)))
}

/// The record that the first argument names, or `missing`.
pub(super) fn named<'r, I: RecordId, M>(
    records: &'r Records<I, M>,
    arguments: &Arguments,
    missing: &'static str,
) -> Result<(I, &'r Record<M>), Refusal> {
    I::from_number(arguments.id(0, "id")?)
        .and_then(|id| Some((id, records.get(id)?)))
        .ok_or_else(|| Refusal::new(missing))
}

/// `remove_callee`, `remove_subscriber`: takes the record that the first argument names from the session
/// that the second names; `missing` if the session does not hold it.
pub(super) fn remove_member<I: RecordId, M>(
    realm: &Realm,
    records: &Records<I, M>,
    arguments: &Arguments,
    missing: &'static str,
    holds: impl FnOnce(&Session, I) -> bool,
    of: impl FnOnce(I) -> Revocable,
) -> Result<Answer, Refusal> {
    let (id, _) = named(records, arguments, missing)?;
    let (key, session) = session::named_at(realm, arguments, 1)?;
    let reason = arguments.optional_keyword_text("reason")?;
    if !holds(session, id) {
        return Err(Refusal::new(missing));
    }
    Ok(Answer::change(Change::Revoke(Revoke {
        of: of(id),
        session: key,
        reason: reason.map(str::to_owned),
    })))
}

/// What `get` and `on_create` tell of a record: `{id, created, uri, match}`.
pub(super) fn details<I: RecordId, M>(id: I, record: &Record<M>) -> Vec<(String, Value)> {
    vec![
        ("id".to_owned(), Value::Unsigned(id.number())),
        (
            "created".to_owned(),
            Value::Text(iso_8601(record.created_unix_ms)),
        ),
        ("uri".to_owned(), Value::Text((*record.uri).to_owned())),
        (
            "match".to_owned(),
            Value::Text(record.match_policy.as_str().to_owned()),
        ),
    ]
}

pub(super) fn id_or_null<I: RecordId>(id: Option<I>) -> Value {
    id.map_or(Value::Null, |id| Value::Unsigned(id.number()))
}

pub(super) fn id_list<I: RecordId>(ids: Vec<I>) -> Value {
    Value::List(
        ids.into_iter()
            .map(|id| Value::Unsigned(id.number()))
            .collect(),
    )
}

/// A time in milliseconds since 1970, at most the end of the year 9999.
pub(super) fn timestamp(unix_ms: u64) -> Timestamp {
    let timestamp = i64::try_from(unix_ms).ok();
    let timestamp = timestamp.and_then(|unix_ms| Timestamp::from_millisecond(unix_ms).ok());
    timestamp.unwrap_or(Timestamp::MAX)
}

/// A date as ISO 8601 and RFC 3339 have it, in UTC.
pub(super) fn iso_8601(unix_ms: u64) -> String {
    format!("{:.3}", timestamp(unix_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_iso_8601_in_utc() {
        assert_eq!(iso_8601(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_8601(1_582_934_399_999), "2020-02-28T23:59:59.999Z");
        assert!(iso_8601(u64::MAX).starts_with("9999-12-"));
    }
}
