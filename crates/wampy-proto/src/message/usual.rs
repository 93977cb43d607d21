//! The messages that are sent again and again, decoded in their usual form.
//!
//! This is `decode.rs` once more without what is rare: without errors, other codes, and forms of a
//! value that encoders do not choose. What is given up here, `decode.rs` decodes. Tests compare the two.

use std::borrow::Cow;

use super::{
    Call, CallOptions, Event, EventDetails, Invocation, InvocationDetails, Message, MessageType,
    Publish, PublishOptions, Result as ResultMessage, ResultDetails, Yield, YieldOptions,
};
use crate::id::IdOutOfRange;
use crate::payload::Payload;
use crate::serializer::{DecodeError, UsualReader};

const PUBLISH: u8 = MessageType::Publish as u8;
const EVENT: u8 = MessageType::Event as u8;
const CALL: u8 = MessageType::Call as u8;
const RESULT: u8 = MessageType::Result as u8;
const INVOCATION: u8 = MessageType::Invocation as u8;
const YIELD: u8 = MessageType::Yield as u8;

/// The message, all of the reader's bytes, if it is in its usual form.
#[inline]
pub(super) fn message<'a, R: UsualReader<'a>>(reader: &mut R) -> Option<Message<'a>> {
    let (code, elements) = reader.usual_code()?;
    Some(match code {
        CALL => Message::Call(Call {
            request: id(reader)?,
            options: options(reader, CallOptions::read)?,
            procedure: text(reader)?,
            payload: payload(reader, elements.checked_sub(3)?)?,
        }),
        YIELD => Message::Yield(Yield {
            request: id(reader)?,
            options: options(reader, YieldOptions::read)?,
            payload: payload(reader, elements.checked_sub(2)?)?,
        }),
        PUBLISH => Message::Publish(Publish {
            request: id(reader)?,
            options: options(reader, PublishOptions::read)?,
            topic: text(reader)?,
            payload: payload(reader, elements.checked_sub(3)?)?,
        }),
        EVENT => Message::Event(Event {
            subscription: id(reader)?,
            publication: id(reader)?,
            details: options(reader, EventDetails::read)?,
            payload: payload(reader, elements.checked_sub(3)?)?,
        }),
        INVOCATION => Message::Invocation(Invocation {
            request: id(reader)?,
            registration: id(reader)?,
            details: options(reader, InvocationDetails::read)?,
            payload: payload(reader, elements.checked_sub(3)?)?,
        }),
        RESULT => Message::Result(ResultMessage {
            request: id(reader)?,
            details: options(reader, ResultDetails::read)?,
            payload: payload(reader, elements.checked_sub(2)?)?,
        }),
        _ => return None,
    })
}

#[inline(always)]
fn id<'a, R: UsualReader<'a>, T: TryFrom<u64, Error = IdOutOfRange>>(reader: &mut R) -> Option<T> {
    reader.usual_separator()?;
    T::try_from(reader.short_unsigned()?).ok()
}

#[inline(always)]
fn text<'a, R: UsualReader<'a>>(reader: &mut R) -> Option<Cow<'a, str>> {
    reader.usual_separator()?;
    reader.short_text().map(Cow::Borrowed)
}

#[inline(always)]
fn options<'a, R: UsualReader<'a>, T: Default>(
    reader: &mut R,
    read: impl FnOnce(&mut R) -> Result<T, DecodeError>,
) -> Option<T> {
    reader.usual_separator()?;
    if reader.usual_empty_map() {
        return Some(T::default());
    }
    let options;
    (options, *reader) = some_options(reader.clone(), read)?;
    Some(options)
}

/// Options that have keys, in a function of their own, which a message without them does not enter.
/// It takes the reader by value: else it would have to be in memory for all messages.
#[inline(never)]
fn some_options<'a, R: UsualReader<'a>, T>(
    mut reader: R,
    read: impl FnOnce(&mut R) -> Result<T, DecodeError>,
) -> Option<(T, R)> {
    let options = read(&mut reader).ok()?;
    Some((options, reader))
}

#[inline(always)]
fn payload<'a, R: UsualReader<'a>>(reader: &mut R, elements: u8) -> Option<Payload<'a>> {
    let (args, kwargs) = reader.usual_payload(elements)?;
    Some(Payload::from_encoded(R::SERIALIZER, args, kwargs))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::decode;
    use super::*;
    use crate::serializer::{self, Serializer};

    /// Pieces of messages, each as it may stand in JSON, and the codes by number.
    const CODES: [u8; 8] = [PUBLISH, EVENT, CALL, RESULT, INVOCATION, YIELD, 8, 17];
    const ELEMENTS: [&str; 26] = [
        "1",
        "1234",
        "0",
        "12345678",
        "9007199254740992",
        "9007199254740993",
        "1.5",
        "{}",
        "{}",
        "{ }",
        r#"{"acknowledge":true,"timeout":100,"retained":false}"#,
        r#"{"progress":null,"_private":[1]}"#,
        r#"{"progress":1}"#,
        r#""""#,
        r#""com.example.date.weekday""#,
        r#""com.example.müller.straße""#,
        r#""com\u002eexample""#,
        r#"["xxxxxxxxxxxxxxxx"]"#,
        r#"["xxxxxxxxxxxxxxxx"]"#,
        r#"[]"#,
        r#"[1,[2,"drei"],{"vier":5}, "ünf", -1.5e3 ]"#,
        r#"[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]"#,
        r#"{"key":"value","other":[true,null]}"#,
        r#"{"":{}}"#,
        "[1,]",
        "null",
    ];

    /// What the usual way makes of bytes, and what every way makes of them.
    fn decoded(
        serializer: Serializer,
        bytes: &[u8],
    ) -> (Option<Message<'_>>, Result<Message<'_>, DecodeError>) {
        serializer::with_reader!(serializer, bytes, |reader| {
            (message(&mut reader.clone()), decode::message(&mut reader))
        })
    }

    fn space() -> impl Strategy<Value = &'static str> {
        prop_oneof![12 => Just(""), 2 => Just(" "), 1 => Just("\n\t ")]
    }

    /// Text that is a message more often than not.
    fn near_message() -> impl Strategy<Value = String> {
        let code = prop::sample::select(&CODES[..]);
        let element = (space(), prop::sample::select(&ELEMENTS[..]), space());
        let elements = prop::collection::vec(element, 1..6);
        (code, elements, space()).prop_map(|(code, elements, end)| {
            let elements: Vec<_> = elements
                .iter()
                .map(|(before, element, behind)| format!(",{before}{element}{behind}"))
                .collect();
            format!("[{code}{}]{end}", elements.concat())
        })
    }

    /// The same in another serializer, if it is a value.
    fn transcoded(serializer: Serializer, json: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let all = serializer::with_writer!(serializer, &mut bytes, |writer| {
            serializer::transcode(Serializer::Json, json.as_bytes(), &mut writer)
        });
        match (all, serializer) {
            (_, Serializer::Json) | (Err(_), _) => json.as_bytes().to_vec(),
            (Ok(()), _) => bytes,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn the_usual_way_agrees_with_every_way(
            json in near_message(),
            serializer in prop::sample::select(&Serializer::ALL[..]),
            damage in proptest::option::of((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8)),
        ) {
            let mut bytes = transcoded(serializer, &json);
            if let Some((at, byte, kind)) = damage {
                let at = at.index(bytes.len());
                match kind {
                    0 => bytes[at] = byte,
                    1 => bytes.truncate(at),
                    _ => bytes.insert(at, byte),
                }
            }
            let (usual, any) = decoded(serializer, &bytes);
            if let Some(usual) = usual {
                prop_assert_eq!(Ok(usual), any);
            }
        }
    }

    /// Without this the test above would say nothing.
    #[test]
    fn usual_messages_are_taken() {
        for json in [
            r#"[48,1234,{},"com.example.date.weekday",["xxxxxxxxxxxxxxxx"]]"#,
            r#"[48, 1, {"timeout": 100}, "a.b"]"#,
            r#"[16,12345678,{"acknowledge":true},"com.müller",[1,"ü"],{"k":[{}]}]"#,
            r#"[70,7,{}]"#,
            r#"[70,7,{},[],{}]"#,
            r#"[36,7,4471935826587908,{},[1.5]]"#,
            r#"[68,7,8,{"progress":true},[true]]"#,
            r#"[50,9,{},[null]]"#,
        ] {
            for serializer in Serializer::ALL {
                let bytes = transcoded(serializer, json);
                let (usual, any) = decoded(serializer, &bytes);
                assert!(any.is_ok() && usual == any.ok(), "{json}");
            }
        }
        let (usual, any) = decoded(Serializer::Json, br#"[48,1,{},"a"] []"#);
        assert!(usual.is_none() && any.is_err());
    }
}
