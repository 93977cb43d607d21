//! From HELLO to WELCOME, or to the ABORT that says why not.

use std::sync::Arc;

use wampy_proto::error_uri;
use wampy_proto::message::{Abort, Hello, Welcome, WelcomeDetails};
use wampy_proto::uri::Grammar;
use wampy_proto::{SessionId, close_reason};
use wampy_realm::{JoinRefused, SessionDetails, Transport};
use wampy_transport::Framing;

use super::Connection;
use super::closing::End;
use crate::authenticator::{self, Identity};
use crate::hosted_realm::HostedRealm;

/// How the router calls itself in WELCOME.
const AGENT: &str = concat!("wampy-", env!("CARGO_PKG_VERSION"));

impl Connection {
    /// Takes the client into the realm that it asks for.
    pub(super) fn join(&mut self, hello: &Hello<'_>) -> Result<(), End> {
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
        let Some(realm) = self.router.realms.find(&hello.realm) else {
            let problem = format!("this router has no realm {:?}", hello.realm);
            return Err(self.refuse(Abort::new(error_uri::NO_SUCH_REALM, problem)));
        };
        let identity = authenticator::authenticate(hello).map_err(|abort| self.refuse(abort))?;
        self.seat(hello, &realm, &identity)
    }

    fn seat(
        &mut self,
        hello: &Hello<'_>,
        realm: &Arc<HostedRealm>,
        identity: &Identity,
    ) -> Result<(), End> {
        loop {
            let Some(permit) = self.router.sessions.permit(self.router.limits.sessions_max) else {
                return Err(self.refuse(too_many_sessions()));
            };
            let id = SessionId::from_random_bits(rand::random());
            let details = self.session_details(hello, identity, id);
            let welcome = welcome(realm, identity, id);
            match realm.join(details, welcome, &self.outlet, permit) {
                Ok(seat) => {
                    tracing::debug!(peer = self.peer, realm = realm.name(), session = %id, "joined");
                    self.seat = Some(seat);
                    self.session.welcome();
                    self.watch_silence();
                    return Ok(());
                }
                Err(JoinRefused::SessionIdInUse) => {}
                Err(JoinRefused::TooManySessions) => return Err(self.refuse(too_many_sessions())),
            }
        }
    }

    fn refuse(&mut self, abort: Abort<'static>) -> End {
        self.session.abort();
        End::Refused(abort)
    }

    fn session_details(
        &self,
        hello: &Hello<'_>,
        identity: &Identity,
        id: SessionId,
    ) -> SessionDetails {
        SessionDetails {
            id,
            authid: identity.authid.clone(),
            authrole: identity.authrole.clone(),
            authmethod: identity.authmethod.into(),
            authprovider: identity.authprovider.into(),
            authextra: None,
            roles: hello.details.roles,
            transport: Some(self.transport()),
        }
    }

    fn transport(&self) -> Transport {
        Transport {
            kind: match self.framing {
                Framing::WebSocket => "websocket",
                Framing::RawSocket => "rawsocket",
            },
            serializer: self.outlet.serializer().row().name,
        }
    }
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
        ..WelcomeDetails::default()
    };
    Welcome { session, details }
}
