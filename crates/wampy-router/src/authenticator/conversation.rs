//! What is said between HELLO and WELCOME.
//!
//! For a user that does not exist the very same is said and computed as for one that does
//! ([`Candidate`]), unless the settings say otherwise; both ends show only in the last line.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use wampy_proto::Value;
use wampy_proto::auth::{
    Applicant, Challenger, Credential, Proof, PublicKey, Step, cryptosign, ticket,
};
use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Hello};

use super::dialog::{Line, Verdict};
use super::failures::Attempt;
use super::procedure::{Answer, Known};
use super::users::{Candidate, STATIC};
use super::{Access, Client, Identity, anonymous};
use crate::router::Shared;
use crate::settings::{Authenticator, Method};

/// Dates in challenges: ISO 8601 in UTC, with milliseconds.
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

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

    fn claimed_key(&self) -> Option<PublicKey> {
        cryptosign::claimed_key(self.hello.details.authextra.as_ref())
    }

    fn anonymous(&self) -> Identity {
        anonymous::identity(&self.hello.realm, &self.access.anonymous_role)
    }

    /// The client has shown a certificate when it connected.
    async fn by_certificate(&self, methods: &[Method]) -> Verdict {
        let claimed = self.hello.details.authid.as_deref();
        let users = self.access.users();
        let certificate = self.client.certificate();
        let fingerprint = certificate.map(|certificate| certificate.fingerprint.to_string());
        let attempt = self.attempt(claimed.or(fingerprint.as_deref()).unwrap_or_default());
        self.wait(attempt).await?;
        let user = certificate
            .and_then(|certificate| users.by_certificate(certificate))
            .filter(|user| claimed.is_none_or(|authid| *authid == *user.authid));
        let known = match (user, &self.access.authenticator) {
            (Some(user), _) => Some(Known {
                realm: None,
                candidate: Candidate::known(user, STATIC),
            }),
            (None, Some(authenticator)) => {
                let authid = claimed.unwrap_or_default();
                let answer = self.ask_authenticator(authenticator, Method::Tls, authid, None);
                match answer.await? {
                    Answer::Known(known) => Some(known),
                    Answer::Unknown => None,
                }
            }
            (None, None) => None,
        };
        let Some(known) = known else {
            return Err(self.deny(attempt, denied("the certificate is nobody's")));
        };
        self.after_first(&known, Method::Tls, methods, attempt)
            .await
    }

    /// The client proves something in answer to a CHALLENGE.
    async fn by_proof(&self, methods: &[Method]) -> Verdict {
        let authid = self.claimed_authid();
        let attempt = self.attempt(&authid);
        let users = self.access.users();
        let first = methods
            .iter()
            .copied()
            .find(|method| method.proof().is_some());
        let known = match (users.by_authid(&authid), &self.access.authenticator, first) {
            (Some(user), ..) => Some(Known {
                realm: None,
                candidate: Candidate::known(user, STATIC),
            }),
            (None, Some(authenticator), Some(Method::Ticket)) => {
                let known = self
                    .by_dynamic_ticket(authenticator, &authid, attempt)
                    .await?;
                return self
                    .after_first(&known, Method::Ticket, methods, attempt)
                    .await;
            }
            (None, Some(authenticator), Some(method)) => {
                match self
                    .ask_authenticator(authenticator, method, &authid, None)
                    .await?
                {
                    Answer::Known(known) => Some(known),
                    Answer::Unknown => None,
                }
            }
            (None, ..) => None,
        };
        if known.is_none() && self.access.reveal_unknown_users {
            self.router.failures.count(attempt);
            let problem = format!("there is no user {:?}", begin_of(&authid));
            return Err(Abort::new(error_uri::NO_SUCH_PRINCIPAL, problem));
        }
        let known = known.unwrap_or_else(|| {
            let (seed, role) = (&self.access.unknown_users_seed, self.access.nobodys_role());
            // Only a key finds a user without an authid.
            let by_key_alone = self.hello.details.authid.is_none();
            Known {
                realm: None,
                candidate: users.decoy(&authid, seed, &role, by_key_alone),
            }
        });
        let second = self.second(&known.candidate, methods)?;
        let demanded = [Some(self.first(&known.candidate, methods)?), second];
        let demanded = demanded.into_iter().flatten();
        let proof = self.prove(&known.candidate, demanded, attempt).await?;
        if !known.candidate.is_known() {
            return Err(self.deny(attempt, denied("the proof is wrong")));
        }
        let method = proof.authmethods.first().copied().unwrap_or_default();
        self.admit(self.identity(&known, method, proof)?)
    }

    /// Whom the client claims to be.
    fn claimed_authid(&self) -> Box<str> {
        if let Some(authid) = &self.hello.details.authid {
            return authid.clone();
        }
        let key = self.claimed_key();
        let user = key.and_then(|key| self.access.users().by_key(key));
        match (user, key) {
            (Some(user), _) => user.authid.clone(),
            (None, Some(key)) => key.to_string().into(),
            (None, None) => Box::default(),
        }
    }

    /// A ticket that a procedure looks at.
    async fn by_dynamic_ticket(
        &self,
        authenticator: &Authenticator,
        authid: &str,
        attempt: Attempt,
    ) -> Result<Known, Abort<'static>> {
        let answer = self.line.ask(ticket::challenge()).await;
        self.wait(attempt).await?;
        let ticket = Some(&*answer.signature);
        let answer = self.ask_authenticator(authenticator, Method::Ticket, authid, ticket);
        match answer.await? {
            Answer::Known(known) => Ok(known),
            Answer::Unknown => Err(self.deny(attempt, denied("the ticket is wrong"))),
        }
    }

    /// The client has proven who it is by `method`, without a [`Challenger`]; a second factor may be
    /// missing.
    async fn after_first(
        &self,
        known: &Known,
        method: Method,
        methods: &[Method],
        attempt: Attempt,
    ) -> Verdict {
        let proof = match self.second(&known.candidate, methods)? {
            None => Proof::default(),
            Some(second) => self.prove(&known.candidate, [second], attempt).await?,
        };
        self.admit(self.identity(known, method.as_str(), proof)?)
    }

    /// Lets the client prove that it is `candidate`, by all of `demanded`.
    async fn prove(
        &self,
        candidate: &Candidate,
        demanded: impl IntoIterator<Item = Credential>,
        attempt: Attempt,
    ) -> Result<Proof, Abort<'static>> {
        let applicant = self.applicant(candidate);
        let mut challenger = Challenger::new(applicant, &self.hello.details, demanded);
        let mut step = challenger.next(&rand::random());
        loop {
            match step {
                Ok(Step::Proven(proof)) => return Ok(proof),
                Ok(Step::Challenge(challenge)) => {
                    let answer = self.line.ask(challenge).await;
                    self.wait(attempt).await?;
                    step = challenger.verify(&answer, &rand::random());
                }
                Err(denied) => return Err(self.deny(attempt, denied.abort())),
            }
        }
    }

    /// What the client has to prove first: by the first of its methods that the candidate can.
    fn first(
        &self,
        candidate: &Candidate,
        methods: &[Method],
    ) -> Result<Credential, Abort<'static>> {
        let second = candidate.user.second_factor;
        methods
            .iter()
            .filter_map(|method| method.proof())
            .filter(|&method| Some(method) != second)
            .find_map(|method| candidate.credential(method))
            .ok_or_else(|| {
                let problem = "this user has none of the client's authmethods";
                Abort::new(error_uri::NO_MATCHING_AUTH_METHOD, problem)
            })
    }

    /// What the client has to prove in addition.
    fn second(
        &self,
        candidate: &Candidate,
        methods: &[Method],
    ) -> Result<Option<Credential>, Abort<'static>> {
        let Some(second) = candidate.user.second_factor else {
            return Ok(None);
        };
        let credential = match methods.contains(&second.into()) {
            true => candidate.credential(second),
            false => None,
        };
        credential.map(Some).ok_or_else(|| {
            let problem = format!("this user needs {} as a second factor", second.as_str());
            Abort::new(error_uri::NO_MATCHING_AUTH_METHOD, problem)
        })
    }

    fn applicant(&self, candidate: &Candidate) -> Applicant {
        Applicant {
            session: self.client.session,
            authid: candidate.user.authid.to_string(),
            authrole: candidate.user.role.to_string(),
            authprovider: candidate.authprovider.to_owned(),
            timestamp: Timestamp::now().strftime(TIMESTAMP).to_string(),
            channel: self.client.channel(),
            router_key: self.access.router_key.clone(),
        }
    }

    fn attempt(&self, authid: &str) -> Attempt {
        let address = self.client.address();
        self.router
            .failures
            .attempt(address, &self.hello.realm, authid)
    }

    /// Waits as long as the failures before this attempt demand.
    async fn wait(&self, attempt: Attempt) -> Result<(), Abort<'static>> {
        match self.router.failures.wait_ms(attempt) {
            Ok(0) => Ok(()),
            Ok(wait_ms) => {
                tokio::time::sleep(Duration::from_millis(wait_ms)).await;
                Ok(())
            }
            Err(_) => {
                let problem = "too many attempts from this address have failed: wait a little";
                Err(Abort::new(error_uri::AUTHENTICATION_DENIED, problem))
            }
        }
    }

    /// The client has not proven who it is.
    fn deny(&self, attempt: Attempt, abort: Abort<'static>) -> Abort<'static> {
        self.router.failures.count(attempt);
        abort
    }

    /// Who a client is that has proven it.
    fn identity(&self, known: &Known, authmethod: &'static str, proof: Proof) -> Verdict {
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
    fn admit(&self, mut identity: Identity) -> Verdict {
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
fn begin_of(name: &str) -> &str {
    &name[..name.floor_char_boundary(NAME_BYTES_SHOWN)]
}

fn names(methods: &[Method]) -> String {
    let names: Vec<_> = methods.iter().map(|method| method.as_str()).collect();
    names.join(", ")
}
