//! Proving who one is, by a certificate or in answer to a CHALLENGE, and a second factor.
//!
//! For a user that does not exist the very same is said and computed as for one that does
//! ([`Candidate`]), unless the settings say otherwise; both ends show only in the last line.
//!
//! Deliberately absent: the arithmetic, which is `wampy-proto`'s.

use std::time::Duration;

use jiff::Timestamp;
use wampy_proto::auth::{Applicant, Challenger, Credential, Proof, Step, ticket};
use wampy_proto::error_uri;
use wampy_proto::message::Abort;

use super::conversation::{Conversation, begin_of, denied};
use super::dialog::Verdict;
use super::failures::Attempt;
use super::procedure::{Answer, Known};
use super::users::{Candidate, STATIC};
use crate::settings::{Authenticator, Method};

/// Dates in challenges: ISO 8601 in UTC, with milliseconds.
const TIMESTAMP: &str = "%Y-%m-%dT%H:%M:%S%.3fZ";

impl Conversation {
    /// The client has shown a certificate when it connected.
    pub(super) async fn by_certificate(&self, methods: &[Method]) -> Verdict {
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
    pub(super) async fn by_proof(&self, methods: &[Method]) -> Verdict {
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
}
