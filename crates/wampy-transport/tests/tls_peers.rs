//! What both ends of a TLS connection learn of each other: the channel's id, and certificates.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod authority;

use authority::{Authority, Signed};
use tokio::net::TcpListener;
use wampy_proto::framing::websocket::handshake::RequestHead;
use wampy_transport::{
    AcceptError, AcceptOptions, Accepted, ClientCertificate, ClientCertificates, ConnectError,
    ConnectOptions, ConnectProblem, Connection, Opening, ServerTls, Stream, accept, connect,
};

impl Authority {
    /// A router's TLS with a certificate of this authority.
    fn server(&self, clients: &ClientCertificates) -> ServerTls {
        let own = files(&self.sign("router", &["localhost"]));
        ServerTls::from_files(&own.certificate, &own.key, clients).unwrap()
    }

    /// How to connect to such a router.
    fn options(&self, own: Option<ClientCertificate>) -> ConnectOptions {
        let mut options = ConnectOptions::default();
        options.tls.system_authorities = false;
        options.tls.ca_files.push(self.file("ca.pem"));
        options.tls.client_certificate = own;
        options
    }
}

fn files(signed: &Signed) -> ClientCertificate {
    ClientCertificate {
        certificate: signed.certificate_file.clone(),
        key: signed.key_file.clone(),
    }
}

/// Opens a RawSocket on a stream after TLS.
async fn open(stream: Stream) -> Result<Accepted, AcceptError> {
    let mut allow_all = |_: &RequestHead<'_>| Ok(Vec::new());
    match accept(stream, &AcceptOptions::default(), true, &mut allow_all).await? {
        Opening::Wamp(accepted) => Ok(accepted),
        other => panic!("{other:?}"),
    }
}

/// Connects both ends with each other.
async fn meet(
    server: &ServerTls,
    options: &ConnectOptions,
) -> (
    Result<Connection, ConnectError>,
    Result<Accepted, AcceptError>,
) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("rss://localhost:{port}").parse().unwrap();
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        let stream = server.accept(stream.into()).await?;
        open(stream).await
    };
    tokio::join!(connect(&url, options), accepting)
}

#[tokio::test]
async fn both_ends_of_a_connection_know_its_channel_and_no_other() {
    let authority = Authority::new();
    let server = authority.server(&ClientCertificates::Unwanted);
    let options = authority.options(None);
    let mut earlier = None;
    for _ in 0..2 {
        let (client, router) = meet(&server, &options).await;
        let client = client.unwrap().stream.channel_id().unwrap();
        let router = router.unwrap().connection.stream.channel_id().unwrap();
        assert!(client == router);
        assert!(earlier != Some(client.clone()));
        earlier = Some(client);
    }
}

#[tokio::test]
async fn a_plain_connection_has_neither_channel_nor_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let url = format!("rs://127.0.0.1:{port}").parse().unwrap();
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        open(stream.into()).await
    };
    let options = ConnectOptions::default();
    let (client, router) = tokio::join!(connect(&url, &options), accepting);
    let stream = client.unwrap().stream;
    assert!(stream.channel_id().is_none() && stream.peer_certificate().is_none());
    assert!(router.unwrap().connection.stream.channel_id().is_none());
}

#[tokio::test]
async fn a_router_learns_the_names_and_the_fingerprint_of_a_clients_certificate() {
    let authority = Authority::new();
    let own = files(&authority.sign("sensor-7", &["sensor-7.example", "ops@example.com"]));
    let ca = authority.file("ca.pem");
    for clients in [
        ClientCertificates::Optional(ca.clone()),
        ClientCertificates::Required(ca),
    ] {
        let server = authority.server(&clients);
        let (client, router) = meet(&server, &authority.options(Some(own.clone()))).await;
        let shown = router
            .unwrap()
            .connection
            .stream
            .peer_certificate()
            .unwrap();
        assert_eq!(shown.common_name.as_deref(), Some("sensor-7"));
        assert_eq!(
            shown.alternative_names,
            ["sensor-7.example", "ops@example.com"]
        );
        assert_eq!(shown.fingerprint.to_string(), fingerprint(&own));
        let routers = client.unwrap().stream.peer_certificate().unwrap();
        assert_eq!(routers.common_name.as_deref(), Some("router"));
    }
}

/// SHA-256 of a certificate, by its file.
fn fingerprint(files: &ClientCertificate) -> String {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject as _;
    use sha2::Digest as _;
    let der = CertificateDer::from_pem_file(&files.certificate).unwrap();
    let digest = sha2::Sha256::digest(&der);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn who_shows_no_certificate_is_let_in_only_where_it_is_optional() {
    let authority = Authority::new();
    let ca = authority.file("ca.pem");
    let options = authority.options(None);

    let server = authority.server(&ClientCertificates::Optional(ca.clone()));
    let (client, router) = meet(&server, &options).await;
    assert!(client.is_ok());
    assert!(
        router
            .unwrap()
            .connection
            .stream
            .peer_certificate()
            .is_none()
    );

    let server = authority.server(&ClientCertificates::Required(ca));
    let (client, router) = meet(&server, &options).await;
    assert!(matches!(router, Err(AcceptError::Tls(_))), "{router:?}");
    assert!(client.is_err());
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let own = files(&stranger.sign("sensor-7", &[]));
    let ca = authority.file("ca.pem");
    let server = authority.server(&ClientCertificates::Optional(ca));
    let (client, router) = meet(&server, &authority.options(Some(own))).await;
    assert!(matches!(router, Err(AcceptError::Tls(_))), "{router:?}");
    assert!(client.is_err());
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let server = authority.server(&ClientCertificates::Unwanted);
    let mut own = files(&authority.sign("sensor-7", &[]));
    own.key = authority.file("ca.pem");
    let (client, _router) = tokio::time::timeout(
        std::time::Duration::from_secs(20),
        meet(&server, &authority.options(Some(own))),
    )
    .await
    .unwrap();
    let error = client.unwrap_err();
    let ConnectProblem::ClientCertificate { path, problem } = error.problem else {
        panic!("{error}");
    };
    assert_eq!(path, authority.file("ca.pem"));
    assert!(problem.contains("no PEM private key"), "{problem}");

    let router = files(&authority.sign("router", &["localhost"]));
    let missing = ClientCertificates::Required(authority.file("none.pem"));
    let error = ServerTls::from_files(&router.certificate, &router.key, &missing).unwrap_err();
    assert_eq!(error.path, authority.file("none.pem"));
}
