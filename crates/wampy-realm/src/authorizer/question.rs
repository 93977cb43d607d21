//! What an authorizer is asked, and what it may answer.

use wampy_proto::message::SubscribeOptions;
use wampy_proto::serializer::Writer;
use wampy_proto::serializer::msgpack::MsgPackWriter;
use wampy_proto::{Message, Payload, Serializer, Value};

use super::requirements::Requirement;
use crate::meta;
use crate::session::SessionDetails;

/// The longest answer that is read, in bytes; a longer one counts as malformed.
const ANSWER_BYTES_MAX: usize = 4096;

/// What an authorizer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Answer {
    pub(super) allow: bool,
    pub(super) disclose: bool,
    pub(super) cache: bool,
}

/// The arguments `session`, `uri`, `action` and `options`.
pub(super) fn arguments(
    realm: &str,
    session: &SessionDetails,
    requirement: &Requirement<'_>,
    message: Option<&Message<'_>>,
) -> Payload<'static> {
    let mut bytes = Vec::new();
    let writer = &mut MsgPackWriter::new(&mut bytes);
    writer.begin_list(4);
    let mut details = meta::session_details(session);
    details.push(("realm".to_owned(), Value::Text(realm.to_owned())));
    Value::Map(details).write_to(writer);
    writer.text(&requirement.uri);
    writer.text(requirement.action.as_str());
    match message {
        Some(Message::Call(call)) => call.options.write(writer),
        Some(Message::Publish(publish)) => publish.options.write(writer),
        Some(Message::Register(register)) => register.options.write(writer),
        Some(Message::Subscribe(subscribe)) => subscribe.options.write(writer),
        _ => {
            let options = SubscribeOptions {
                match_policy: requirement.match_policy,
                ..SubscribeOptions::default()
            };
            options.write(writer);
        }
    }
    writer.end_list();
    Payload::from_encoded(Serializer::MsgPack, bytes, Vec::new())
}

impl Answer {
    /// Reads an answer: a boolean, or a dict of `allow` and, if there, `disclose` and `cache`.
    pub(super) fn read(payload: &Payload<'_>) -> Result<Self, String> {
        if payload.encoded_args().len() > ANSWER_BYTES_MAX {
            return Err(format!("it is longer than {ANSWER_BYTES_MAX} bytes"));
        }
        let args: Vec<Value> = payload.args().map_err(|error| error.to_string())?;
        match args.into_iter().next() {
            Some(Value::Bool(allow)) => Ok(Self {
                allow,
                ..Self::default()
            }),
            Some(Value::Map(entries)) => Self::from_entries(entries),
            _ => Err("it is neither a boolean nor a dict".to_owned()),
        }
    }

    fn from_entries(entries: Vec<(String, Value)>) -> Result<Self, String> {
        let mut answer = Self::default();
        let mut has_allow = false;
        for (key, value) in entries {
            let place = match key.as_str() {
                "allow" => {
                    has_allow = true;
                    &mut answer.allow
                }
                "disclose" => &mut answer.disclose,
                "cache" => &mut answer.cache,
                // Crossbar's check of payloads, which nobody does here.
                "validate" if value == Value::Null => continue,
                _ => return Err(format!("{key:?} is not known")),
            };
            match value {
                Value::Bool(value) => *place = value,
                _ => return Err(format!("{key:?} is no boolean")),
            }
        }
        match has_allow {
            true => Ok(answer),
            false => Err("\"allow\" is missing".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn answers_are_booleans_or_dicts() {
        let read = |answer: serde_json::Value| {
            Answer::read(&Payload::encode(Serializer::Json, &(answer,), &()).unwrap())
        };
        let answer = |allow, disclose, cache| {
            Ok(Answer {
                allow,
                disclose,
                cache,
            })
        };
        assert_eq!(read(json!(true)), answer(true, false, false));
        assert_eq!(read(json!(false)), answer(false, false, false));
        assert_eq!(read(json!({"allow": true})), answer(true, false, false));
        let all = json!({"allow": true, "disclose": true, "cache": true, "validate": null});
        assert_eq!(read(all), answer(true, true, true));
        for malformed in [
            json!(null),
            json!(1),
            json!("true"),
            json!([]),
            json!({}),
            json!({"allow": 1}),
            json!({"allow": null}),
            json!({"disclose": true}),
            json!({"allow": true, "alow": false}),
            json!({"allow": true, "validate": {"call": "x"}}),
            json!({"allow": true, "cache": "x".repeat(5000)}),
        ] {
            assert!(read(malformed.clone()).is_err(), "{malformed}");
        }
        assert!(Answer::read(&Payload::EMPTY).is_err());
    }
}
