//! What a session asks for, and the message by which it does.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::{Filter, Register, Subject, Testament, is_large};

#[derive(Clone)]
pub enum Request {
    Subscribe {
        uri: &'static str,
        policy: MatchPolicy,
        options: Json,
    },
    Unsubscribe(u64),
    Register(Register),
    Unregister(u64),
    Publish {
        topic: &'static str,
        options: Json,
        args: Json,
    },
    Call {
        procedure: &'static str,
        options: Json,
        args: Json,
    },
    /// A further part of a call.
    Part {
        procedure: &'static str,
        progress: bool,
        args: Json,
    },
    /// A call of the meta API.
    Ask(Ask),
}

/// A call of the meta API.
#[derive(Clone)]
pub struct Ask {
    /// The procedure, without `wamp.`.
    pub name: &'static str,
    pub args: Json,
    pub kwargs: Json,
    pub wish: Wish,
}

/// What the arguments of a call of the meta API mean, where that is not plain.
#[derive(Clone)]
pub enum Wish {
    /// It is plain.
    Plain,
    AddTestament(Testament),
    Define(Subject, Json),
    Undefine {
        uri: &'static str,
        kind: Option<&'static str>,
        policy: Option<MatchPolicy>,
    },
    GetEvents(u64, Filter),
}

impl Ask {
    pub fn plain(name: &'static str, args: Json, kwargs: Json) -> Self {
        let wish = Wish::Plain;
        Self {
            name,
            args,
            kwargs,
            wish,
        }
    }

    pub fn procedure(&self) -> String {
        format!("wamp.{}", self.name)
    }
}

impl Request {
    pub fn message(&self, number: u64) -> Json {
        match self {
            Self::Subscribe { uri, options, .. } => json!([32, number, options, uri]),
            Self::Unsubscribe(id) => json!([34, number, id]),
            Self::Register(wanted) => json!([64, number, wanted.options(), wanted.uri]),
            Self::Unregister(id) => json!([66, number, id]),
            Self::Publish {
                topic,
                options,
                args,
            } => json!([16, number, options, topic, args]),
            Self::Call {
                procedure,
                options,
                args,
            } => json!([48, number, options, procedure, args]),
            Self::Part {
                procedure,
                progress,
                args,
            } => json!([48, number, {"progress": progress}, procedure, args]),
            Self::Ask(ask) => json!([48, number, {}, ask.procedure(), ask.args, ask.kwargs]),
        }
    }

    /// The type of its message, by which an ERROR refers to it.
    pub fn message_type(&self) -> u64 {
        match self {
            Self::Subscribe { .. } => 32,
            Self::Unsubscribe(_) => 34,
            Self::Register(_) => 64,
            Self::Unregister(_) => 66,
            Self::Publish { .. } => 16,
            Self::Call { .. } | Self::Part { .. } | Self::Ask(_) => 48,
        }
    }

    /// Whether its sender hears of a refusal.
    pub fn is_answered(&self) -> bool {
        !matches!(self, Self::Publish { options, .. } if options["acknowledge"] != true)
    }

    /// Whether it begins or goes on with a call that is made in parts, and is not the last one.
    pub fn has_more_parts(&self) -> bool {
        match self {
            Self::Call { options, .. } => options["progress"] == true,
            Self::Part { progress, .. } => *progress,
            _ => false,
        }
    }

    /// How many large payloads it has.
    pub fn large_payloads(&self) -> usize {
        match self {
            Self::Publish { args, .. } | Self::Call { args, .. } | Self::Part { args, .. } => {
                let args = args.as_array().unwrap().iter();
                args.filter(|it| is_large(it)).count()
            }
            Self::Ask(ask) => usize::from(is_large(&ask.args)),
            _ => 0,
        }
    }

    /// The options as the realm tells them to an authorizer: without those that say what goes without
    /// saying.
    pub fn options(&self) -> Json {
        let mut options = match self {
            Self::Subscribe { options, .. }
            | Self::Publish { options, .. }
            | Self::Call { options, .. } => options.clone(),
            Self::Register(wanted) => wanted.options(),
            _ => json!({}),
        };
        let pairs = options.as_object_mut().unwrap();
        pairs.retain(|key, value| {
            let is_default = *value == false && key != "exclude_me"
                || *value == "exact" && key == "match"
                || *value == 0 && key == "timeout";
            !is_default
        });
        options
    }
}
