//! Authentication by what TLS tells: certificates of clients, and proofs bound to their connection.

#![allow(clippy::unwrap_used)]

#[path = "../../wampy-transport/tests/authority/mod.rs"]
mod authority;
mod peer;

use std::sync::Arc;

use authority::{Authority, Signed};
use peer::tls::{TlsStream, client, trusting};
use peer::{Host, Peer, Value, json};
use rustls::pki_types::PrivateKeyDer;
use rustls::{StreamOwned, SupportedProtocolVersion};
use wampy_proto::Serializer;
use wampy_router::auth::channel::EXPORTER_LABEL;
use wampy_router::auth::scram::{AuthMessage, Derivation, Dialect, Kdf, Keys};
use wampy_router::auth::{ChannelId, Credentials, PrivateKey, ScramCredential};
use wampy_router::{
    Authentication, Authenticator, ClientCertificates, Method, RealmSettings, User,
};

const DENIED: &str = "wamp.error.authentication_denied";
const PASSWORD: &str = "pencil";

impl Authority {
    /// A router with TLS whose realm `closed` wants `authentication`.
    fn host(&self, authentication: Authentication) -> Host {
        self.sign("router", &["localhost"]);
        Host::with(|builder| {
            let closed = RealmSettings::new("closed").authentication(authentication);
            builder
                .realm_with(closed)
                .tls(self.file("router.pem"), self.file("router.key"))
                .client_certificates(ClientCertificates::Optional(self.file("ca.pem")))
        })
    }

    /// A connected stream after TLS, and its channel's id.
    fn connect(
        &self,
        host: &Host,
        own: Option<&Signed>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> (TlsStream, ChannelId) {
        let config = trusting(self.issuer.der(), versions);
        let config = match own {
            None => config.with_no_client_auth(),
            Some(own) => {
                let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
                config
                    .with_client_auth_cert(vec![own.certificate.der().clone()], key)
                    .unwrap()
            }
        };
        let mut client = client(Arc::new(config));
        let mut socket = host.stream();
        while client.is_handshaking() {
            client.complete_io(&mut socket).unwrap();
        }
        let exported = client.export_keying_material([0; 32], EXPORTER_LABEL, None);
        (StreamOwned::new(client, socket), exported.unwrap().into())
    }

    fn peer(&self, host: &Host, own: Option<&Signed>) -> (Peer, ChannelId) {
        let (stream, channel) = self.connect(host, own, rustls::ALL_VERSIONS);
        (Peer::rawsocket(Box::new(stream), Serializer::Json), channel)
    }
}

fn sha256(authority: &Authority, own: &Signed) -> [u8; 32] {
    // As the router's own transport computes it.
    let host = authority.host(
        Authentication::by([Method::Tls])
            .authenticator(Authenticator::new("a.b").in_realm("realm1")),
    );
    let (mut callee, _) = authority.peer(&host, None);
    callee.join("realm1");
    callee.register("a.b");
    let (mut peer, _) = authority.peer(&host, Some(own));
    let mut hello = Peer::hello("closed");
    hello[2]["authmethods"] = json!(["tls"]);
    peer.send(&hello);
    let invocation = callee.message();
    let certificate = &invocation[4][2]["transport"]["certificate"];
    assert_eq!(certificate["common_name"], "joe");
    assert_eq!(certificate["alternative_names"], json!(["joe.example.com"]));
    callee.send(&json!([70, invocation[1], {}, [{"role": "user", "authid": "from afar"}]]));
    let welcome = peer.message();
    assert_eq!(welcome[2]["authid"], "from afar", "{welcome}");
    let hex = certificate["sha256"].as_str().unwrap();
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn a_certificate_says_who_its_client_is() {
    let authority = Authority::new();
    let joe = authority.sign("joe", &["joe.example.com"]);
    let ann = authority.sign("ann", &["ann.example.com"]);
    let stranger = authority.sign("stranger", &["stranger.example.com"]);
    let users = Authentication::by([Method::Tls])
        .user(User::new("joe", "user").certificate(sha256(&authority, &joe)))
        .user(User::new("ann@example.com", "admin").certificate_name("ann.example.com"));
    let host = authority.host(users);
    let by_certificate = json!({"authmethods": ["tls"]});
    for (own, authid, role) in [(&joe, "joe", "user"), (&ann, "ann@example.com", "admin")] {
        let (mut peer, _) = authority.peer(&host, Some(own));
        let welcome = peer.greet("closed", &by_certificate);
        assert_eq!(welcome[0], 2, "{welcome}");
        for (key, value) in [
            ("authid", authid),
            ("authrole", role),
            ("authmethod", "tls"),
        ] {
            assert_eq!(welcome[2][key], value, "{welcome}");
        }
    }
    let (mut peer, _) = authority.peer(&host, Some(&stranger));
    assert_eq!(peer.greet("closed", &by_certificate)[2], DENIED);
    // Joe's certificate under Ann's name.
    let (mut peer, _) = authority.peer(&host, Some(&joe));
    let claimed = json!({"authmethods": ["tls"], "authid": "ann@example.com"});
    assert_eq!(peer.greet("closed", &claimed)[2], DENIED);
    let (mut peer, _) = authority.peer(&host, None);
    let abort = peer.greet("closed", &by_certificate);
    assert_eq!(abort[2], "wamp.error.authentication_required");
}

fn key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn cryptosign() -> Authentication {
    let credentials = Credentials {
        cryptosign: vec![key().public_key()],
        ..Credentials::default()
    };
    Authentication::by([Method::Cryptosign])
        .router_key(PrivateKey::from_seed(&[2; 32]))
        .user(User::new("joe", "user").credentials(credentials))
}

fn challenge_bytes(hex: &Value) -> [u8; 32] {
    let hex = hex.as_str().unwrap();
    std::array::from_fn(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
}

#[test]
fn a_cryptosign_proof_is_bound_to_its_connection() {
    let authority = Authority::new();
    let host = authority.host(cryptosign());
    let hello = json!({
        "authmethods": ["cryptosign"],
        "authextra": {
            "pubkey": key().public_key().to_string(),
            "channel_binding": "tls-exporter",
            "challenge": "09".repeat(32),
        },
    });
    let (_, another) = authority.peer(&host, None);
    let router_key = PrivateKey::from_seed(&[2; 32]).public_key();
    let sign_in = |sign: &dyn Fn(&[u8; 32], &ChannelId) -> String| {
        let (mut peer, channel) = authority.peer(&host, None);
        let challenge = peer.greet("closed", &hello);
        assert_eq!(
            challenge[2]["channel_binding"], "tls-exporter",
            "{challenge}"
        );
        // The router's own signature is for this connection, too.
        let signature = challenge[2]["signature"].as_str().unwrap();
        assert!(router_key.has_signed(signature, &[9; 32], Some(&channel)));
        assert!(!router_key.has_signed(signature, &[9; 32], None));
        let bytes = challenge_bytes(&challenge[2]["challenge"]);
        peer.send(&json!([5, sign(&bytes, &channel), {}]));
        peer.message()
    };
    assert_eq!(
        sign_in(&|bytes, channel| key().sign(bytes, Some(channel)))[0],
        2
    );
    // What was signed for nobody's connection, or for another one, is of no use here.
    assert_eq!(sign_in(&|bytes, _| key().sign(bytes, None))[2], DENIED);
    assert_eq!(
        sign_in(&|bytes, _| key().sign(bytes, Some(&another)))[2],
        DENIED
    );
}

#[test]
fn check_87_a_scram_proof_is_bound_to_its_connection() {
    let derivation = Derivation {
        kdf: Kdf::Pbkdf2,
        salt: b"0123456789abcdef".to_vec(),
        iterations: 4096,
        memory_kib: 0,
    };
    let credentials = Credentials {
        scram: Some(ScramCredential::new(&PASSWORD.into(), derivation.clone()).unwrap()),
        ..Credentials::default()
    };
    let authority = Authority::new();
    let host = authority.host(
        Authentication::by([Method::Scram]).user(User::new("joe", "user").credentials(credentials)),
    );
    let hello = json!({
        "authmethods": ["wamp-scram"],
        "authid": "joe",
        "authextra": {"nonce": "egVDf3DMJh0=", "channel_binding": "tls-exporter"},
    });
    let (_, another) = authority.peer(&host, None);
    let keys = Keys::derive(&PASSWORD.into(), &derivation).unwrap();
    let sign_in = |claims_another: bool| {
        let (mut peer, own) = authority.peer(&host, None);
        let challenge = peer.greet("closed", &hello);
        let channel = if claims_another { &another } else { &own };
        let message = AuthMessage {
            dialect: Dialect::Specified,
            authid: "joe",
            client_nonce: "egVDf3DMJh0=",
            nonce: challenge[2]["nonce"].as_str().unwrap(),
            salt: challenge[2]["salt"].as_str().unwrap(),
            iterations: 4096,
            channel: Some(channel),
        };
        let extra = json!({
            "nonce": message.nonce,
            "channel_binding": "tls-exporter",
            "cbind_data": base64(channel.bytes()),
        });
        peer.send(&json!([5, keys.client_proof(&message), extra]));
        (peer.message(), keys.server_signature(&message))
    };
    let (welcome, signature) = sign_in(false);
    assert_eq!(welcome[2]["authextra"]["verifier"], signature, "{welcome}");
    assert_eq!(sign_in(true).0[2], DENIED);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn tls_1_2_has_nothing_to_be_bound_to() {
    let authority = Authority::new();
    let host = authority.host(cryptosign());
    let (stream, _) = authority.connect(&host, None, &[&rustls::version::TLS12]);
    let mut peer = Peer::rawsocket(Box::new(stream), Serializer::Json);
    let hello = json!({
        "authmethods": ["cryptosign"],
        "authextra": {
            "pubkey": key().public_key().to_string(),
            "channel_binding": "tls-exporter",
        },
    });
    assert_eq!(peer.greet("closed", &hello)[2], DENIED);
}
