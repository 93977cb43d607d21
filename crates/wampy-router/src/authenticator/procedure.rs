//! The dynamic authenticator: a procedure that knows users.

use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use wampy_proto::auth::{AuthMethod, CraCredential, Credentials, PublicKey, ScramCredential};
use wampy_proto::message::Abort;
use wampy_proto::{Payload, Serializer, Value, error_uri};

use super::conversation::{Conversation, failed};
use super::users::{Candidate, DYNAMIC};
use crate::internal_session::CallFailed;
use crate::settings::{Authenticator, Method, User, problem_of_name};

/// What an authenticator said.
#[derive(Debug)]
pub(super) enum Answer {
    Known(Known),
    /// There is no such user, or its ticket or certificate is wrong.
    Unknown,
}

/// A user that an authenticator knows.
#[derive(Debug)]
pub(super) struct Known {
    /// Another realm than the client asked for.
    pub(super) realm: Option<Box<str>>,
    pub(super) candidate: Candidate,
}

/// The part of an answer that is the same for every method. What is left over belongs to the method.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Common {
    role: Option<Box<str>>,
    authid: Option<Box<str>>,
    realm: Option<Box<str>>,
    extra: Option<Value>,
    second_factor: Option<String>,
    #[serde(flatten)]
    credentials: Credentials,
}

/// The keys of [`Common`], and those that are known and count for nothing.
const COMMON: [&str; 10] = [
    "role",
    "authid",
    "realm",
    "extra",
    "second_factor",
    "ticket",
    "wampcra",
    "scram",
    "cryptosign",
    "cache",
];

impl Conversation {
    /// Asks the realm's authenticator about the client that claims to be `authid`.
    pub(super) async fn ask_authenticator(
        &self,
        authenticator: &Authenticator,
        method: Method,
        authid: &str,
        ticket: Option<&str>,
    ) -> Result<Answer, Abort<'static>> {
        let name = authenticator.realm.as_deref().unwrap_or(&self.hello.realm);
        let Some(realm) = self.router.realms.get(name) else {
            return Err(self.authenticator_failed(&format!("there is no realm {name:?}")));
        };
        let details = self.details(method, authid, ticket);
        let args = (&*self.hello.realm, authid, details);
        let payload = match Payload::encode(Serializer::MsgPack, &args, &()) {
            Ok(payload) => payload,
            Err(error) => return Err(self.authenticator_failed(&error.to_string())),
        };
        let timeout_ms = self.router.terms().limits.handshake_timeout_ms;
        match realm
            .call(&authenticator.procedure, payload, timeout_ms)
            .await
        {
            Ok(payload) => read(&payload, method, authid)
                .map(Answer::Known)
                .map_err(|problem| self.authenticator_failed(&problem)),
            Err(failure) if turns_away(&failure) => Ok(Answer::Unknown),
            Err(failure) => Err(self.authenticator_failed(&failure.to_string())),
        }
    }

    fn authenticator_failed(&self, problem: &str) -> Abort<'static> {
        // An answer can be as long as a message.
        let problem = format!("{problem:.500}");
        tracing::warn!(
            realm = &*self.hello.realm,
            problem,
            "the authenticator failed"
        );
        failed("the authenticator failed")
    }

    /// What the authenticator learns beside realm and authid.
    fn details(&self, method: Method, authid: &str, ticket: Option<&str>) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        let session = Value::Unsigned(self.client.session.value());
        let mut details = vec![
            ("authmethod".to_owned(), text(method.as_str())),
            ("authid".to_owned(), text(authid)),
            ("session".to_owned(), session.clone()),
            ("session_id".to_owned(), session),
            ("transport".to_owned(), self.client.facts()),
        ];
        if let Some(ticket) = ticket {
            details.push(("ticket".to_owned(), text(ticket)));
        }
        if let Some(role) = &self.hello.details.authrole {
            details.push(("authrole".to_owned(), text(role)));
        }
        if let Some(extra) = &self.hello.details.authextra {
            details.push(("authextra".to_owned(), extra.clone()));
        }
        Value::Map(details)
    }
}

/// Whether the authenticator says by this error that it does not let the client in.
fn turns_away(failure: &CallFailed) -> bool {
    [
        error_uri::NO_SUCH_PRINCIPAL,
        error_uri::AUTHENTICATION_DENIED,
        error_uri::NOT_AUTHORIZED,
    ]
    .contains(&&*failure.uri)
}

/// Reads an answer: a role, or a dict.
fn read(payload: &Payload<'_>, method: Method, authid: &str) -> Result<Known, String> {
    let mut results: Vec<Value> = payload.args().map_err(|error| error.to_string())?;
    let answer = if results.is_empty() {
        Value::Null
    } else {
        results.swap_remove(0)
    };
    let (common, rest) = match answer {
        Value::Text(role) => {
            let common = Common {
                role: Some(role.into()),
                ..Common::default()
            };
            (common, Vec::new())
        }
        Value::Map(map) => {
            let (common, rest) = map
                .into_iter()
                .partition(|(key, _)| COMMON.contains(&key.as_str()));
            (convert(Value::Map(common))?, rest)
        }
        _ => return Err("it answered neither a role nor a dict".to_owned()),
    };
    known(common, rest, method, authid)
}

fn known(
    common: Common,
    rest: Vec<(String, Value)>,
    method: Method,
    authid: &str,
) -> Result<Known, String> {
    let role = common.role.ok_or("its answer has no role")?;
    if let Some(problem) = problem_of_name(&role) {
        return Err(format!("the role in its answer {problem}"));
    }
    let mut user = User::new(authid_of(common.authid, authid)?, role);
    user.credentials = common.credentials;
    if let Some(method) = method.proof()
        && user.credentials.get(method).is_none()
        && !rest.is_empty()
    {
        add_credential(&mut user.credentials, method, Value::Map(rest))?;
    }
    match common.extra {
        Some(Value::Map(extra)) => user.extra = extra,
        Some(Value::Null) | None => {}
        Some(_) => return Err("extra in its answer is no dict".to_owned()),
    }
    if let Some(name) = common.second_factor {
        let method = AuthMethod::from_name(&name);
        user.second_factor =
            Some(method.ok_or_else(|| format!("second_factor: no method {name:?}"))?);
    }
    Ok(Known {
        realm: common.realm,
        candidate: Candidate::known(Arc::new(user), DYNAMIC),
    })
}

/// Who the client is: what the answer says, or else what the client `claimed`.
fn authid_of(answered: Option<Box<str>>, claimed: &str) -> Result<Box<str>, String> {
    let whose = match answered {
        Some(_) => "the authid in its answer",
        None => "its answer has no authid, and the client's",
    };
    let authid = answered.unwrap_or_else(|| claimed.into());
    match problem_of_name(&authid) {
        None => Ok(authid),
        Some(problem) => Err(format!("{whose} {problem}")),
    }
}

/// Crossbar.io's form: what the one method needs stands beside the role.
fn add_credential(
    credentials: &mut Credentials,
    method: AuthMethod,
    fields: Value,
) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Keys {
        #[serde(alias = "authorized_keys")]
        pubkey: OneOrMany,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(PublicKey),
        Many(Vec<PublicKey>),
    }
    match method {
        // The authenticator has seen the ticket itself.
        AuthMethod::Ticket => {}
        AuthMethod::WampCra => credentials.wampcra = Some(convert::<CraCredential>(fields)?),
        AuthMethod::Scram => credentials.scram = Some(convert::<ScramCredential>(fields)?),
        AuthMethod::Cryptosign => {
            credentials.cryptosign = match convert::<Keys>(fields)?.pubkey {
                OneOrMany::One(key) => vec![key],
                OneOrMany::Many(keys) => keys,
            };
        }
    }
    Ok(())
}

fn convert<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    let payload = Payload::encode(Serializer::MsgPack, &(value,), &());
    let payload = payload.map_err(|error| error.to_string())?;
    match payload.args() {
        Ok((converted,)) => Ok(converted),
        Err(error) => Err(format!("its answer cannot be read: {error}")),
    }
}
