//! From HELLO to WELCOME, or to the ABORT that says why not.
//!
//! Who the client is, an authenticator finds out in a [`Dialog`]. While it thinks, nothing is read from
//! the client; the connection's timer ends what takes too long.

use std::sync::Arc;
use std::task::{Context, Poll};

use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Authenticate, Hello, Welcome, WelcomeDetails};
use wampy_proto::uri::Grammar;
use wampy_proto::{Roles, SessionId, Value, close_reason};
use wampy_realm::{JoinRefused, SessionDetails, Transport};
use wampy_transport::Framing;

use super::Connection;
use super::closing::End;
use crate::authenticator::{self, Client, Dialog, Identity, Turn};
use crate::hosted_realm::HostedRealm;

/// How the router calls itself in WELCOME.
const AGENT: &str = concat!("wampy-", env!("CARGO_PKG_VERSION"));

/// A client that has said HELLO and has no session yet.
pub(super) struct Joining {
    dialog: Dialog,
    /// The id that the session will have; challenges speak of it.
    session: SessionId,
    roles: Roles,
    /// Whether the client was asked something, and so may know the id.
    was_asked: bool,
}

impl Connection {
    /// The client wants to join a realm.
    pub(super) fn begin_joining(&mut self, hello: Hello<'static>) -> Result<(), End> {
        if let Some(separator) = self.inbound.batch_separator() {
            self.outlet.separate_by(separator);
        }
        let name_bytes_max = self.router.realms.name_bytes_max();
        if hello.realm.len() > name_bytes_max {
            let problem = format!("the name of the realm is longer than {name_bytes_max} bytes");
            return Err(self.refuse(Abort::new(error_uri::INVALID_URI, problem)));
        }
        if !Grammar::Loose.accepts(&hello.realm) {
            let problem = format!("{:?} is no realm: it is no valid URI", hello.realm);
            return Err(self.refuse(Abort::new(error_uri::INVALID_URI, problem)));
        }
        let Some(access) = self.router.realms.access(&hello.realm) else {
            return Err(self.refuse(no_such_realm(&hello.realm)));
        };
        let session = SessionId::from_random_bits(rand::random());
        let roles = hello.details.roles;
        let client = self.client(session);
        let router = Arc::clone(&self.router);
        self.joining = Some(Box::new(Joining {
            dialog: authenticator::begin(router, access, hello, client),
            session,
            roles,
            was_asked: false,
        }));
        Ok(())
    }

    /// What the authenticators may want to know about the client, beside its HELLO.
    fn client(&self, session: SessionId) -> Client {
        Client {
            peer: self.peer.clone(),
            transport: self.transport(),
            session,
            tls: self.tls.clone(),
            cookie: self.cookie.clone(),
            methods: self.methods,
        }
    }

    /// Whether an authenticator thinks; nothing is read meanwhile.
    pub(super) fn is_deciding(&self) -> bool {
        let joining = self.joining.as_ref();
        joining.is_some_and(|joining| !joining.dialog.is_asking())
    }

    pub(super) fn poll_joining(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        match &mut self.joining {
            Some(joining) => joining.dialog.poll(cx),
            None => Poll::Pending,
        }
    }

    /// The client has answered a CHALLENGE.
    pub(super) fn answer(&mut self, answer: Authenticate<'static>) {
        if let Some(joining) = &mut self.joining {
            joining.dialog.answer(answer);
        }
    }

    /// The authenticator asks the client something, or has decided.
    pub(super) fn go_on_joining(&mut self, turn: Turn) -> Result<(), End> {
        match turn {
            Turn::Ask(challenge) => {
                if let Some(joining) = &mut self.joining {
                    joining.was_asked = true;
                }
                self.send(&challenge.into());
                self.session.challenge();
                Ok(())
            }
            Turn::End(Err(abort)) => Err(self.refuse(abort)),
            Turn::End(Ok(identity)) => match self.joining.take() {
                Some(joining) => self.seat(&joining, identity),
                None => Ok(()),
            },
        }
    }

    /// The client, or an authenticator, took too long.
    pub(super) fn joined_too_late(&mut self) -> End {
        let problem = "authentication took too long";
        self.refuse(Abort::new(error_uri::AUTHENTICATION_FAILED, problem))
    }

    fn seat(&mut self, joining: &Joining, identity: Identity) -> Result<(), End> {
        let Some(realm) = self.router.realms.find(&identity.realm) else {
            return Err(self.refuse(no_such_realm(&identity.realm)));
        };
        let mut id = joining.session;
        loop {
            let Some(permit) = self.router.sessions.permit(self.terms.limits.sessions_max) else {
                return Err(self.refuse(too_many_sessions()));
            };
            let details = self.session_details(joining.roles, &identity, id);
            let welcome = welcome(&realm, &identity, id);
            match realm.join(details, welcome, &self.outlet, permit) {
                Ok(seat) => {
                    tracing::debug!(peer = self.peer, realm = realm.name(), session = %id, "joined");
                    self.seat = Some(seat);
                    self.session.welcome();
                    self.watch_silence();
                    return Ok(());
                }
                Err(JoinRefused::SessionIdInUse) if joining.was_asked => {
                    let problem = "the session id was taken meanwhile: try again";
                    let abort = Abort::new(error_uri::AUTHENTICATION_FAILED, problem);
                    return Err(self.refuse(abort));
                }
                Err(JoinRefused::SessionIdInUse) => {
                    id = SessionId::from_random_bits(rand::random());
                }
                Err(JoinRefused::TooManySessions) => return Err(self.refuse(too_many_sessions())),
            }
        }
    }

    fn refuse(&mut self, abort: Abort<'static>) -> End {
        self.joining = None;
        self.session.abort();
        End::Refused(abort)
    }

    fn session_details(&self, roles: Roles, identity: &Identity, id: SessionId) -> SessionDetails {
        SessionDetails {
            id,
            authid: identity.authid.clone(),
            authrole: identity.authrole.clone(),
            authmethod: identity.authmethod.into(),
            authprovider: identity.authprovider.into(),
            trust_level: identity.trust_level,
            authextra: identity.authextra.clone().map(Box::new),
            roles,
            transport: Some(self.transport()),
        }
    }

    fn transport(&self) -> Transport {
        Transport {
            kind: match self.framing {
                Framing::WebSocket => "websocket",
                Framing::RawSocket => "rawsocket",
                Framing::LongPoll => "longpoll",
            },
            serializer: self.outlet.serializer().row().name,
        }
    }
}

fn no_such_realm(name: &str) -> Abort<'static> {
    let problem = format!("this router has no realm {name:?}");
    Abort::new(error_uri::NO_SUCH_REALM, problem)
}

fn too_many_sessions() -> Abort<'static> {
    Abort::new(
        close_reason::TOO_MANY_SESSIONS,
        "the router has as many sessions as it may have",
    )
}

fn welcome(realm: &HostedRealm, identity: &Identity, session: SessionId) -> Welcome {
    let details = WelcomeDetails {
        roles: realm.welcome_roles(),
        agent: Some(AGENT.into()),
        realm: Some(realm.name().into()),
        authid: Some(identity.authid.clone()),
        authrole: Some(identity.authrole.clone()),
        authmethod: Some(identity.authmethod.into()),
        authprovider: Some(identity.authprovider.into()),
        authextra: welcome_extra(identity),
        ..WelcomeDetails::default()
    };
    Welcome { session, details }
}

/// What the client learns of itself and of the router's proof.
fn welcome_extra(identity: &Identity) -> Option<Value> {
    let mut extra = match &identity.authextra {
        Some(Value::Map(extra)) => extra.clone(),
        _ => Vec::new(),
    };
    extra.extend(identity.proof_extra.iter().cloned());
    (!extra.is_empty()).then_some(Value::Map(extra))
}
