//! JSON from the command line to payloads, and payloads to JSON on standard output.
//!
//! Payloads are passed through as JSON text and never become trees; bytes are text of U+0000 and
//! base64, as everywhere in WAMP's JSON.

use std::collections::HashSet;
use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::Context;
use serde_json::value::RawValue;
use wampy::proto::serializer::{self, json::JsonWriter};
use wampy::proto::{Payload, Serializer};

use crate::exit::{ReaderGone, UsageError};

/// Builds a payload of the arguments of a command: each is JSON, or else text; `-` stands for
/// the JSON on standard input. Keyword arguments have the form `KEY=VALUE`.
pub(crate) fn payload(args: &[String], kwargs: &[String]) -> anyhow::Result<Payload<'static>> {
    if args.iter().filter(|arg| *arg == "-").count() > 1 {
        let problem = "`-` can be given once: standard input has one JSON value".to_owned();
        return Err(UsageError(problem).into());
    }
    let mut list = String::new();
    for arg in args {
        list.push(if list.is_empty() { '[' } else { ',' });
        match arg.as_str() {
            "-" => list.push_str(&standard_input()?),
            other => list.push_str(&json_or_text(other)?),
        }
    }
    if !list.is_empty() {
        list.push(']');
    }
    Ok(Payload::from_encoded(
        Serializer::Json,
        list.into_bytes(),
        keyword_arguments(kwargs)?.into_bytes(),
    ))
}

/// The JSON object of arguments in the form `KEY=VALUE`; empty if there are none.
fn keyword_arguments(kwargs: &[String]) -> anyhow::Result<String> {
    let mut map = String::new();
    let mut keys = HashSet::new();
    for kwarg in kwargs {
        let Some((key, value)) = kwarg.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let problem = format!("a keyword argument must be KEY=VALUE, found {kwarg:?}");
            return Err(UsageError(problem).into());
        };
        if !keys.insert(key) {
            let problem = format!("the keyword argument {key:?} is given twice");
            return Err(UsageError(problem).into());
        }
        map.push(if map.is_empty() { '{' } else { ',' });
        map.push_str(&serde_json::to_string(key)?);
        map.push(':');
        map.push_str(&json_or_text(value)?);
    }
    if !map.is_empty() {
        map.push('}');
    }
    Ok(map)
}

/// The payload of one line of input: one JSON value, the only argument.
pub(crate) fn line_payload(line: &str) -> anyhow::Result<Payload<'static>> {
    let value = json_or_text(line)?;
    Ok(Payload::from_encoded(
        Serializer::Json,
        format!("[{value}]").into_bytes(),
        Vec::new(),
    ))
}

/// `text` itself if it is JSON, else `text` as a JSON string.
pub(crate) fn json_or_text(text: &str) -> anyhow::Result<String> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(value) => Ok(value.get().to_owned()),
        Err(_) => Ok(serde_json::to_string(text)?),
    }
}

fn standard_input() -> anyhow::Result<String> {
    let text = std::io::read_to_string(std::io::stdin()).context("cannot read standard input")?;
    serde_json::from_str::<&RawValue>(&text)
        .map(|value| value.get().to_owned())
        .map_err(|error| UsageError(format!("standard input is no JSON: {error}")).into())
}

/// `args` of a payload as JSON text; an absent one as `[]`.
pub(crate) fn args_text(payload: &Payload<'_>) -> anyhow::Result<String> {
    text(payload, payload.encoded_args(), "[]")
}

/// `kwargs` of a payload as JSON text; an absent one as `{}`.
pub(crate) fn kwargs_text(payload: &Payload<'_>) -> anyhow::Result<String> {
    text(payload, payload.encoded_kwargs(), "{}")
}

fn text(payload: &Payload<'_>, encoded: &[u8], absent: &str) -> anyhow::Result<String> {
    if encoded.is_empty() {
        return Ok(absent.to_owned());
    }
    let mut json = Vec::new();
    serializer::transcode(
        payload.serializer(),
        encoded,
        &mut JsonWriter::new(&mut json),
    )
    .context("the payload has no form in JSON")?;
    String::from_utf8(json).context("the payload has no form in JSON")
}

/// A result as people and pipes want it: the only argument if there is just one and no keyword
/// argument, `null` if there is nothing, else an object of `args` and `kwargs`.
pub(crate) fn result_text(payload: &Payload<'_>, whole: bool) -> anyhow::Result<String> {
    let args = args_text(payload)?;
    let kwargs = kwargs_text(payload)?;
    if !whole && kwargs == "{}" {
        let list: Vec<&RawValue> = serde_json::from_str(&args)?;
        match list.as_slice() {
            [] => return Ok("null".to_owned()),
            [only] => return Ok(only.get().to_owned()),
            _ => {}
        }
    }
    Ok(format!(r#"{{"args":{args},"kwargs":{kwargs}}}"#))
}

/// Prints one JSON value: indented on a terminal, else on one line.
///
/// # Errors
/// Standard output is gone.
pub(crate) fn print(json: &str) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        let value: serde_json::Value = serde_json::from_str(json)?;
        print_line(&serde_json::to_string_pretty(&value)?)
    } else {
        print_line(json)
    }
}

/// Prints `line` and its end at once.
///
/// # Errors
/// [`ReaderGone`], or standard output takes nothing.
pub(crate) fn print_line(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        other => other.context("cannot write to standard output"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(args: &[&str], kwargs: &[&str]) -> (String, String) {
        let strings = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
        let payload = payload(&strings(args), &strings(kwargs)).unwrap();
        (args_text(&payload).unwrap(), kwargs_text(&payload).unwrap())
    }

    #[test]
    fn arguments_are_json_or_else_text() {
        let (args, kwargs) = built(
            &["1", "two", "[3]", "\"4\"", "{bad", "null"],
            &["a=1", "b=x=y"],
        );
        assert_eq!(args, r#"[1,"two",[3],"4","{bad",null]"#);
        assert_eq!(kwargs, r#"{"a":1,"b":"x=y"}"#);
    }

    #[test]
    fn no_arguments_are_an_absent_payload() {
        assert!(payload(&[], &[]).unwrap().is_empty());
    }

    #[test]
    fn a_keyword_argument_without_a_value_is_a_usage_error() {
        let error = payload(&[], &["novalue".to_owned()]).unwrap_err();
        assert!(error.is::<UsageError>(), "{error}");
    }

    #[test]
    fn keyword_arguments_have_keys_of_their_own() {
        for kwargs in [["=1", "b=1"], ["a=1", "a=2"]] {
            let error = payload(&[], &kwargs.map(str::to_owned)).unwrap_err();
            assert!(error.is::<UsageError>(), "{error}");
        }
    }

    #[test]
    fn standard_input_is_one_argument() {
        let error = payload(&["-".to_owned(), "-".to_owned()], &[]).unwrap_err();
        assert!(error.is::<UsageError>(), "{error}");
    }

    #[test]
    fn a_single_result_is_printed_bare() {
        let result = |args: &str, kwargs: &str, whole| {
            let (args, kwargs) = (args.as_bytes().to_vec(), kwargs.as_bytes().to_vec());
            result_text(
                &Payload::from_encoded(Serializer::Json, args, kwargs),
                whole,
            )
            .unwrap()
        };
        assert_eq!(result("[5]", "", false), "5");
        assert_eq!(result("", "", false), "null");
        assert_eq!(result("[5]", "", true), r#"{"args":[5],"kwargs":{}}"#);
        assert_eq!(result("[1,2]", "", false), r#"{"args":[1,2],"kwargs":{}}"#);
        assert_eq!(
            result("[]", r#"{"a":1}"#, false),
            r#"{"args":[],"kwargs":{"a":1}}"#
        );
    }
}
