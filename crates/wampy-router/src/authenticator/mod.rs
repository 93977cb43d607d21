//! Who a client is: from HELLO to an [`Identity`], or a refusal.
//!
//! The arithmetic of the authmethods is in `wampy-proto`; here is the conversation around it. To add
//! an authmethod with a CHALLENGE: `wampy-proto/src/auth`, and a variant of
//! [`Method`](crate::settings::Method).

mod access;
mod anonymous;
mod conversation;
mod cookie;
mod dialog;
mod failures;
mod procedure;
mod proving;
mod users;
mod users_file;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use wampy_proto::auth::ChannelId;
use wampy_proto::message::Hello;
use wampy_proto::{SessionId, Value};
use wampy_realm::Transport;
use wampy_transport::{PeerCertificate, Stream};

pub(crate) use access::Access;
pub(crate) use dialog::{Dialog, Turn};
pub(crate) use failures::Failures;
pub use users::AmbiguousUsers;
pub(crate) use users::Users;
pub(crate) use users_file::keep_fresh;

use crate::http::cookies::CookieId;
use crate::settings::Methods;
use crate::shared::Shared;
use conversation::Conversation;

/// Who a session is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity {
    /// The realm that the client joins.
    pub(crate) realm: Box<str>,
    pub(crate) authid: Box<str>,
    pub(crate) authrole: Box<str>,
    pub(crate) authmethod: &'static str,
    pub(crate) authprovider: &'static str,
    /// What the client and, by the session meta API, others learn of the user.
    pub(crate) authextra: Option<Value>,
    /// What only the client learns: the router's own proof.
    pub(crate) proof_extra: Vec<(String, Value)>,
    pub(crate) trust_level: Option<u64>,
}

/// What is known about a client beside its HELLO.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// Where it is: an IP address with its port, or a word.
    pub(crate) peer: Box<str>,
    pub(crate) transport: Transport,
    /// The session that the client will have.
    pub(crate) session: SessionId,
    /// What its TLS tells, if it has one that tells something.
    pub(crate) tls: Option<Box<TlsFacts>>,
    /// Its cookie, where clients get one.
    pub(crate) cookie: Option<Box<CookieId>>,
    /// By which methods it may authenticate where it came in, if the realm has them.
    pub(crate) methods: Methods,
}

/// What TLS tells of a client.
#[derive(Debug, Clone)]
pub(crate) struct TlsFacts {
    /// What only the two ends of the connection know.
    channel: Option<ChannelId>,
    /// What the client has shown, and an authority of the router's vouches for.
    certificate: Option<PeerCertificate>,
}

impl TlsFacts {
    pub(crate) fn of(stream: &Stream) -> Option<Box<Self>> {
        let (channel, certificate) = (stream.channel_id(), stream.peer_certificate());
        (channel.is_some() || certificate.is_some()).then(|| {
            Box::new(Self {
                channel,
                certificate,
            })
        })
    }
}

/// Begins to find out who says HELLO to a realm with this `access`.
pub(crate) fn begin(
    router: Arc<Shared>,
    access: Arc<Access>,
    hello: Hello<'static>,
    client: Client,
) -> Dialog {
    Dialog::begin(|line| {
        let conversation = Conversation {
            router,
            access,
            hello,
            client,
            line,
        };
        conversation.run()
    })
}

impl Client {
    /// The client's address; `None` on a Unix socket.
    fn address(&self) -> Option<IpAddr> {
        let address: SocketAddr = self.peer.parse().ok()?;
        Some(address.ip())
    }

    /// The client's connection, as an authenticator learns it.
    fn facts(&self) -> Value {
        let text = |text: &str| Value::Text(text.to_owned());
        let mut facts = vec![
            ("type".to_owned(), text(self.transport.kind)),
            ("serializer".to_owned(), text(self.transport.serializer)),
            ("peer".to_owned(), text(&self.peer)),
        ];
        if let Some(certificate) = self.certificate() {
            let names = certificate.alternative_names.iter().map(|name| text(name));
            let mut shown = vec![
                (
                    "sha256".to_owned(),
                    text(&certificate.fingerprint.to_string()),
                ),
                ("alternative_names".to_owned(), Value::List(names.collect())),
            ];
            if let Some(name) = &certificate.common_name {
                shown.push(("common_name".to_owned(), text(name)));
            }
            facts.push(("certificate".to_owned(), Value::Map(shown)));
        }
        Value::Map(facts)
    }

    fn certificate(&self) -> Option<&PeerCertificate> {
        self.tls.as_ref()?.certificate.as_ref()
    }

    fn channel(&self) -> Option<ChannelId> {
        self.tls.as_ref()?.channel.clone()
    }
}
