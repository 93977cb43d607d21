//! What is said between HELLO and WELCOME: by which of its methods a client is tried, and as whom it is
//! let in.
//!
//! Deliberately absent: the methods themselves (`anonymous.rs`, `cookie.rs`, `proving.rs`,
//! `procedure.rs`).

use std::sync::Arc;

use wampy_proto::Value;
use wampy_proto::auth::{Proof, PublicKey, cryptosign};
use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Hello};

use super::dialog::{Line, Verdict};
use super::procedure::Known;
use super::{Access, Client, Identity, anonymous};
use crate::settings::{Authenticator, Method};
use crate::shared::Shared;

/// How much of a name that a peer gives is repeated in answers and logs.
const NAME_BYTES_SHOWN: usize = 64;

/// One client that wants to join a realm.
pub(super) struct Conversation {
    pub(super) router: Arc<Shared>,
    pub(super) access: Arc<Access>,
    pub(super) hello: Hello<'static>,
    pub(super) client: Client,
    pub(super) line: Line,
}

impl Conversation {
    /// Finds out who the client is.
    pub(super) async fn run(self) -> Verdict {
        let verdict = self.identify().await;
        if let Ok(identity) = &verdict {
            self.remember(identity);
        }
        verdict
    }

    async fn identify(&self) -> Verdict {
        let methods = self.methods()?;
        let mut refusal = None;
        for &method in &methods {
            let identified = match method {
                Method::Anonymous => self.admit(self.anonymous()),
                Method::Cookie => self.by_cookie().and_then(|it| self.admit(it)),
                Method::Tls => self.by_certificate(&methods).await,
                _ => return self.by_proof(&methods).await,
            };
            match identified {
                Ok(identity) => return Ok(identity),
                // The client may have something else to show.
                Err(abort) => refusal = Some(abort),
            }
        }
        Err(refusal.unwrap_or_else(|| self.nothing_shown()))
    }

    /// The client's methods that the realm has, where the client came in, and for which it has brought
    /// what they need, in its order.
    fn methods(&self) -> Result<Vec<Method>, Abort<'static>> {
        let offered = self
            .hello
            .details
            .authmethods
            .as_deref()
            .unwrap_or_default();
        let ours = self.access.methods.iter().copied();
        let ours: Vec<_> = ours.filter(|it| self.client.methods.has(*it)).collect();
        if ours.is_empty() {
            let problem = "nobody can join this realm at this address of the router";
            return Err(Abort::new(error_uri::NO_MATCHING_AUTH_METHOD, problem));
        }
        let is_anonymous = offered
            .iter()
            .all(|name| &**name == Method::Anonymous.as_str());
        if is_anonymous && !ours.contains(&Method::Anonymous) {
            let problem = format!("this realm needs authentication by {}", names(&ours));
            return Err(Abort::new(error_uri::AUTHENTICATION_REQUIRED, problem));
        }
        if offered.is_empty() {
            return Ok(vec![Method::Anonymous]);
        }
        let shared: Vec<_> = offered
            .iter()
            .filter_map(|name| Method::from_name(name))
            .filter(|method| ours.contains(method))
            .collect();
        if shared.is_empty() {
            let problem = format!(
                "the client offers {:.200}; this realm authenticates by {}",
                offered.join(", "),
                names(&ours)
            );
            return Err(Abort::new(error_uri::NO_MATCHING_AUTH_METHOD, problem));
        }
        Ok(shared
            .into_iter()
            .filter(|&method| self.has_what_is_needed(method))
            .collect())
    }

    fn has_what_is_needed(&self, method: Method) -> bool {
        match method {
            Method::Anonymous => true,
            Method::Ticket | Method::WampCra | Method::Scram => self.hello.details.authid.is_some(),
            Method::Cryptosign => self.claimed_key().is_some(),
            Method::Cookie => self.principal().is_some(),
            Method::Tls => self.client.certificate().is_some(),
        }
    }

    /// The methods would do, but what they need is not there.
    fn nothing_shown(&self) -> Abort<'static> {
        let problem =
            "the client's methods need an authid, a public key, a certificate or a cookie";
        Abort::new(error_uri::AUTHENTICATION_REQUIRED, problem)
    }

    pub(super) fn claimed_key(&self) -> Option<PublicKey> {
        cryptosign::claimed_key(self.hello.details.authextra.as_ref())
    }

    fn anonymous(&self) -> Identity {
        anonymous::identity(&self.hello.realm, &self.access.anonymous_role)
    }

    /// Who a client is that has proven it.
    pub(super) fn identity(
        &self,
        known: &Known,
        authmethod: &'static str,
        proof: Proof,
    ) -> Verdict {
        let user = &known.candidate.user;
        Ok(Identity {
            realm: self.realm_of(known)?,
            authid: user.authid.clone(),
            authrole: user.role.clone(),
            authmethod,
            authprovider: known.candidate.authprovider,
            authextra: (!user.extra.is_empty()).then(|| Value::Map(user.extra.clone())),
            proof_extra: proof.authextra,
            trust_level: None,
        })
    }

    /// The realm that the client joins. An authenticator may choose another one only among those that
    /// it authenticates for.
    fn realm_of(&self, known: &Known) -> Result<Box<str>, Abort<'static>> {
        let Some(chosen) = &known.realm else {
            return Ok((*self.hello.realm).into());
        };
        let access = self.router.realms.access(chosen);
        let is_trusted = access.is_some_and(|access| {
            let theirs = access.authenticator.as_ref();
            let ours = self.access.authenticator.as_ref();
            **chosen == *self.hello.realm || (theirs.is_some() && is_same(theirs, ours))
        });
        match is_trusted {
            true => Ok(chosen.clone()),
            false => {
                let (realm, chosen) = (&*self.hello.realm, begin_of(chosen));
                tracing::warn!(
                    realm,
                    chosen,
                    "the authenticator chose a realm that is not its own"
                );
                Err(failed("the authenticator failed"))
            }
        }
    }

    /// Checks that the client may have its role, and gives it its trust level.
    pub(super) fn admit(&self, mut identity: Identity) -> Verdict {
        let access = self.router.realms.access(&identity.realm);
        let access = access.unwrap_or_else(|| Arc::clone(&self.access));
        let role = &*identity.authrole;
        if !access.has_role(role) {
            let realm = &*identity.realm;
            let role = begin_of(role);
            tracing::warn!(
                realm,
                role,
                "a client was given a role that the realm does not have"
            );
            return Err(failed("the realm does not have the client's role"));
        }
        if let Some(asked) = self.hello.details.authrole.as_deref()
            && access.has_roles()
            && asked != role
        {
            let problem = format!("the client has not the role {:?}", begin_of(asked));
            return Err(Abort::new(error_uri::NO_SUCH_ROLE, problem));
        }
        identity.trust_level = access.trust_level(role);
        Ok(identity)
    }
}

/// Whether both are the same procedure of the same realm.
fn is_same(one: Option<&Authenticator>, other: Option<&Authenticator>) -> bool {
    one == other && one.is_some_and(|authenticator| authenticator.realm.is_some())
}

pub(super) fn denied(problem: &'static str) -> Abort<'static> {
    Abort::new(error_uri::AUTHENTICATION_DENIED, problem)
}

/// The router, or somebody whom it asked, has failed.
pub(super) fn failed(problem: &'static str) -> Abort<'static> {
    Abort::new(error_uri::AUTHENTICATION_FAILED, problem)
}

/// What is repeated of a name that a peer gives, which can be as long as a message. (A precision cuts
/// what is shown by `Display` only.)
pub(super) fn begin_of(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_SHOWN)]
}

fn names(methods: &[Method]) -> String {
    let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    names.join(", ")
}
