//! Interface reflection: what the procedures and topics of a client are, for people and tools, and
//! reading what others say of theirs. `docs/reflection.md` has the form of a definition.
//!
//! Deliberately absent: checking values against a schema.

use serde::{Deserialize, Serialize};
use wampy_proto::{EncodeError, MatchPolicy, Payload, Serializer, Value};

use crate::client::Client;
use crate::error::Error;

/// The procedure that makes and takes back definitions.
pub(crate) const DEFINE: &str = "wamp.reflect.define";

/// What a procedure or topic is: published by [`Register::describe`](crate::Register::describe) and
/// [`Subscribe::describe`](crate::Subscribe::describe), so that anybody who browses the realm can
/// read it.
///
/// With the feature `reflection` the schemas are made from types; without, they are given as values.
///
/// ```
/// use wampy::Description;
///
/// # wampy::doc_example(async |url| {
/// # let client = wampy::Client::connect(url).await?;
/// client.register("com.example.add", async |call: wampy::Invocation| {
///     let (a, b): (i64, i64) = call.args()?;
///     Ok(a + b)
/// }).describe(Description::new("Adds two numbers.")).await?;
/// let found = client.describe("com.example.add").await?;
/// assert_eq!(found[0].doc.as_deref(), Some("Adds two numbers."));
/// # client.close().await });
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Description {
    #[serde(skip_serializing_if = "Option::is_none")]
    doc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kwargs: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
}

impl Description {
    /// A description with a text for people.
    ///
    /// ```
    /// let description = wampy::Description::new("Tells the temperature, in degrees Celsius.");
    /// # drop(description);
    /// ```
    pub fn new(doc: impl Into<String>) -> Self {
        Self {
            doc: Some(doc.into()),
            ..Self::default()
        }
    }

    /// The JSON Schema (2020-12) of the positional arguments, of the call or event: a list.
    ///
    /// ```
    /// use wampy::Description;
    /// use wampy::proto::Value;
    ///
    /// let description = Description::new("Anything goes.").args(Value::Bool(true));
    /// # drop(description);
    /// ```
    #[must_use]
    pub fn args(mut self, schema: Value) -> Self {
        self.args = Some(schema);
        self
    }

    /// The type of the positional arguments, of the call or event: a list.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// let description = Description::new("Of a type.").args_of::<(i64, i64)>();
    /// # drop(description);
    /// ```
    #[cfg(feature = "reflection")]
    #[must_use]
    pub fn args_of<T: schemars::JsonSchema>(self) -> Self {
        self.args(schema_of::<T>())
    }

    /// The JSON Schema (2020-12) of the named arguments, of the call or event: a map.
    ///
    /// ```
    /// use wampy::Description;
    /// use wampy::proto::Value;
    ///
    /// let description = Description::new("Anything goes.").kwargs(Value::Bool(true));
    /// # drop(description);
    /// ```
    #[must_use]
    pub fn kwargs(mut self, schema: Value) -> Self {
        self.kwargs = Some(schema);
        self
    }

    /// The type of the named arguments, of the call or event: a map.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// let description = Description::new("Of a type.").kwargs_of::<std::collections::BTreeMap<String, i64>>();
    /// # drop(description);
    /// ```
    #[cfg(feature = "reflection")]
    #[must_use]
    pub fn kwargs_of<T: schemars::JsonSchema>(self) -> Self {
        self.kwargs(schema_of::<T>())
    }

    /// The JSON Schema (2020-12) of the result: of its first positional value.
    ///
    /// ```
    /// use wampy::Description;
    /// use wampy::proto::Value;
    ///
    /// let description = Description::new("Anything goes.").result(Value::Bool(true));
    /// # drop(description);
    /// ```
    #[must_use]
    pub fn result(mut self, schema: Value) -> Self {
        self.result = Some(schema);
        self
    }

    /// The type of the result: of its first positional value.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// let description = Description::new("Of a type.").result_of::<f64>();
    /// # drop(description);
    /// ```
    #[cfg(feature = "reflection")]
    #[must_use]
    pub fn result_of<T: schemars::JsonSchema>(self) -> Self {
        self.result(schema_of::<T>())
    }

    /// The JSON Schema (2020-12) of a part of a progressive result: of its first positional value.
    ///
    /// ```
    /// use wampy::Description;
    /// use wampy::proto::Value;
    ///
    /// let description = Description::new("Anything goes.").progress(Value::Bool(true));
    /// # drop(description);
    /// ```
    #[must_use]
    pub fn progress(mut self, schema: Value) -> Self {
        self.progress = Some(schema);
        self
    }

    /// The type of a part of a progressive result: of its first positional value.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// let description = Description::new("Of a type.").progress_of::<String>();
    /// # drop(description);
    /// ```
    #[cfg(feature = "reflection")]
    #[must_use]
    pub fn progress_of<T: schemars::JsonSchema>(self) -> Self {
        self.progress(schema_of::<T>())
    }

    /// The URI of an error that the procedure is known to raise.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// let description = Description::new("Divides.").error("com.example.error.by_zero");
    /// # drop(description);
    /// ```
    #[must_use]
    pub fn error(mut self, uri: impl Into<String>) -> Self {
        self.errors.push(uri.into());
        self
    }
}

/// What can be defined here.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Procedure,
    Topic,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Procedure => "procedure",
            Self::Topic => "topic",
        }
    }
}

/// A definition as the router gets it.
#[derive(Serialize)]
struct Definition<'a> {
    kind: &'static str,
    r#match: &'static str,
    #[serde(flatten)]
    description: Option<&'a Description>,
}

/// What a definition is of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Interface<'a> {
    pub(crate) uri: &'a str,
    pub(crate) kind: Kind,
    pub(crate) match_policy: MatchPolicy,
}

impl Interface<'_> {
    /// The arguments of [`DEFINE`]: the definition, or, without a description, its being taken back.
    pub(crate) fn arguments(
        self,
        serializer: Serializer,
        description: Option<&Description>,
    ) -> Result<Payload<'static>, EncodeError> {
        let definition = Definition {
            kind: self.kind.as_str(),
            r#match: self.match_policy.as_str(),
            description,
        };
        match description {
            Some(_) => Payload::encode(serializer, &(self.uri, definition), &()),
            None => Payload::encode(serializer, &(self.uri, ()), &definition),
        }
    }
}

/// What is known of a procedure, topic or error; see [`Client::describe`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Described {
    /// The URI or pattern.
    pub uri: String,
    /// `procedure`, `topic` or `error`.
    pub kind: String,
    /// How the URI is matched: `exact`, `prefix` or `wildcard`; errors have none.
    #[serde(default, rename = "match")]
    pub match_policy: Option<String>,
    /// What the router sees of it at this moment, such as how many callees there are.
    #[serde(default)]
    pub live: Option<Value>,
    /// Text for people.
    #[serde(default)]
    pub doc: Option<String>,
    /// JSON Schema of the positional arguments.
    #[serde(default)]
    pub args: Option<Value>,
    /// JSON Schema of the named arguments.
    #[serde(default)]
    pub kwargs: Option<Value>,
    /// JSON Schema of the result.
    #[serde(default)]
    pub result: Option<Value>,
    /// JSON Schema of a part of a progressive result.
    #[serde(default)]
    pub progress: Option<Value>,
    /// The URIs of errors that are known to be raised.
    #[serde(default)]
    pub errors: Vec<String>,
}

impl Client {
    /// What the realm knows of `uri`: one description for each of procedure, topic and error that has
    /// it. Where nothing has exactly this URI, of the pattern that matches best.
    ///
    /// ```
    /// use wampy::Description;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let description = Description::new("Greets.").error("com.example.error.shy");
    /// client.register("com.example.greet", async |_| Ok("hello")).describe(description).await?;
    /// let found = client.describe("com.example.greet").await?;
    /// assert_eq!(found[0].kind, "procedure");
    /// assert_eq!(found[0].errors, ["com.example.error.shy"]);
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The router knows no reflection, or refuses, or there is no session.
    pub async fn describe(&self, uri: &str) -> Result<Vec<Described>, Error> {
        Ok(self
            .call("wamp.reflect.describe")
            .args((uri,))
            .await?
            .value()?)
    }
}

#[cfg(feature = "reflection")]
fn schema_of<T: schemars::JsonSchema>() -> Value {
    let mut schema = schemars::schema_for!(T);
    // The router speaks of one version, which definitions need not repeat.
    schema.remove("$schema");
    // A schema is JSON, of which each value is one of WAMP.
    serde_json::from_value(schema.to_value()).unwrap_or_default()
}
