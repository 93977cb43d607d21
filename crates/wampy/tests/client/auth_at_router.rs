//! Clients that prove who they are to the real router: every method, bound to TLS or not, two
//! factors, certificates.

use wampy::auth::{Auth, Cryptosign, PrivateKey, Scram, Ticket, WampCra};
use wampy::proto::auth::scram::{Derivation, Kdf};
use wampy::proto::auth::wampcra::Salting;
use wampy::proto::auth::{AuthMethod, CraCredential, Credentials, ScramCredential};
use wampy::router::{Authentication, ClientCertificates, Method, RealmSettings, User};
use wampy::{Builder, Client, Error, Router};

use crate::authority::Authority;
use crate::fixture::within;

/// An authority with certificates for a router and two clients.
fn authority() -> Authority {
    let authority = Authority::new();
    for name in ["router", "sensor-7", "stranger"] {
        authority.sign(name, &["localhost"]);
    }
    authority
}

impl Authority {
    /// A router that speaks TLS, asks for certificates and knows some users.
    async fn router(&self) -> Router {
        Router::builder()
            .listen("127.0.0.1:0")
            .tls(self.file("router.pem"), self.file("router.key"))
            .client_certificates(ClientCertificates::Optional(self.file("ca.pem")))
            .realm_with(realm())
            .start()
            .await
            .unwrap()
    }

    fn client(&self, router: &Router) -> Builder {
        let url = router.url().replace("127.0.0.1", "localhost");
        let builder = Client::builder(url).ca_file(self.file("ca.pem"));
        builder.system_authorities(false)
    }
}

fn router_key() -> PrivateKey {
    PrivateKey::from_seed(&[9; 32])
}

fn client_key() -> PrivateKey {
    PrivateKey::from_seed(&[1; 32])
}

fn realm() -> RealmSettings {
    let scram = |kdf, iterations, memory_kib| {
        let derivation = Derivation {
            kdf,
            salt: vec![7; 16],
            iterations,
            memory_kib,
        };
        ScramCredential::new(&"pencil".into(), derivation).unwrap()
    };
    let salting = Salting {
        salt: "salt".into(),
        iterations: 1000,
        keylen: 32,
    };
    let joe = Credentials {
        ticket: Some("123456".into()),
        wampcra: Some(CraCredential::salted(&"pencil".into(), salting).unwrap()),
        scram: Some(scram(Kdf::Argon2id13, 2, 8192)),
        cryptosign: vec![client_key().public_key()],
    };
    let ann = Credentials {
        ticket: Some("123456".into()),
        scram: Some(scram(Kdf::Pbkdf2, 4096, 0)),
        ..Credentials::default()
    };
    // Cookies are for routers that set one.
    let methods = Method::ALL
        .into_iter()
        .filter(|&method| method != Method::Cookie);
    let users = Authentication::by(methods)
        .router_key(router_key())
        .user(User::new("joe", "user").credentials(joe))
        .user(User::new("sensor", "device").certificate_name("sensor-7"))
        .user(
            User::new("ann", "admin")
                .credentials(ann)
                .second_factor(AuthMethod::Ticket),
        );
    RealmSettings::new("realm1").authentication(users)
}

/// Joins, and says who the router takes the client for: authid, authrole, authmethod.
async fn who(builder: Builder) -> Result<[String; 3], Error> {
    let client = builder.connect().await?;
    let details = &client.welcome().details;
    let field = |field: &Option<Box<str>>| String::from(field.as_deref().unwrap_or_default());
    let who = [&details.authid, &details.authrole, &details.authmethod].map(field);
    client.close().await?;
    Ok(who)
}

#[tokio::test]
async fn every_method_works_over_tls_bound_to_it_where_that_is_possible() {
    within(async {
        let authority = authority();
        let router = authority.router().await;
        let methods: [(Auth, &str); 6] = [
            (Ticket::new("joe", "123456").into(), "ticket"),
            (WampCra::new("joe", "pencil").into(), "wampcra"),
            (Scram::new("joe", "pencil").into(), "wamp-scram"),
            (
                Scram::new("joe", "pencil").channel_binding(true).into(),
                "wamp-scram",
            ),
            (Cryptosign::new(client_key()).into(), "cryptosign"),
            (
                Cryptosign::new(client_key())
                    .router_key(router_key().public_key())
                    .channel_binding(true)
                    .into(),
                "cryptosign",
            ),
        ];
        for (auth, name) in methods {
            let builder = authority.client(&router).auth(auth);
            assert_eq!(who(builder).await.unwrap(), ["joe", "user", name]);
        }
    })
    .await;
}

#[tokio::test]
async fn the_draft_of_scram_works_with_keys_of_the_specified_one() {
    within(async {
        let authority = authority();
        let router = authority.router().await;
        let builder = authority.client(&router).auth(Scram::new("joe", "pencil"));
        let [authid, ..] = who(builder.authmethods(["scram"])).await.unwrap();
        assert_eq!(authid, "joe");
    })
    .await;
}

#[tokio::test]
async fn two_factors_are_both_needed() {
    within(async {
        let authority = authority();
        let router = authority.router().await;
        let first = || authority.client(&router).auth(Scram::new("ann", "pencil"));
        let both = who(first().auth(Ticket::new("ann", "123456"))).await;
        assert_eq!(both.unwrap()[..2], ["ann", "admin"]);
        for builder in [
            first(),
            first().auth(Ticket::new("ann", "654321")),
            authority.client(&router).auth(Ticket::new("ann", "123456")),
        ] {
            let error = who(builder).await.unwrap_err();
            assert!(
                matches!(error, Error::Aborted { .. } | Error::Misuse { .. }),
                "{error:?}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn wrong_secrets_and_unknown_users_look_the_same() {
    within(async {
        let secret = CraCredential::plain("pencil".into());
        let joe = User::new("joe", "user").credentials(Credentials {
            wampcra: Some(secret),
            ..Credentials::default()
        });
        let known = Authentication::by([Method::WampCra]).user(joe);
        let router = Router::builder()
            .listen("127.0.0.1:0")
            .realm_with(RealmSettings::new("realm1").authentication(known))
            .start()
            .await
            .unwrap();
        let refused = async |authid: &str| {
            let auth = WampCra::new(authid, "pen");
            match who(Client::builder(router.url()).auth(auth)).await {
                Err(Error::Aborted {
                    reason, message, ..
                }) => (reason, message),
                other => panic!("{other:?}"),
            }
        };
        let wrong = refused("joe").await;
        assert_eq!(wrong.0, "wamp.error.authentication_denied");
        assert_eq!(wrong, refused("jim").await);
    })
    .await;
}

#[tokio::test]
async fn a_router_with_another_key_is_not_joined() {
    within(async {
        let authority = authority();
        let router = authority.router().await;
        let expected = Cryptosign::new(client_key()).router_key(client_key().public_key());
        let error = who(authority.client(&router).auth(expected))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }), "{error:?}");
    })
    .await;
}

#[tokio::test]
async fn a_certificate_is_an_identity() {
    within(async {
        let authority = authority();
        let router = authority.router().await;
        let showing = |name: &str| {
            let files = [format!("{name}.pem"), format!("{name}.key")];
            let [certificate, key] = files.map(|name| authority.file(&name));
            authority
                .client(&router)
                .client_certificate(certificate, key)
        };
        let known = who(showing("sensor-7")).await.unwrap();
        assert_eq!(known, ["sensor", "device", "tls"]);
        let only_tls = showing("stranger").authmethods(["tls"]);
        assert!(matches!(who(only_tls).await, Err(Error::Aborted { .. })));
        let also_signs = showing("sensor-7").auth(Ticket::new("joe", "123456"));
        assert_eq!(who(also_signs).await.unwrap()[0], "joe");
        let [_, role, method] = who(authority.client(&router)).await.unwrap();
        assert_eq!([role, method], ["anonymous", "anonymous"]);
    })
    .await;
}
