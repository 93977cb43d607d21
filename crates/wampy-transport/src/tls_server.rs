//! The router's side of TLS: its certificate and key, and the handshake.
//!
//! TLS 1.2 and 1.3, by rustls with the ring provider. Sessions are not resumed: WAMP connections are
//! long, few clients ever resume, and tickets would be memory per connection. Clients may have to show
//! certificates of their own ([`ClientCertificates`]). Deliberately absent: several certificates by
//! host name, reading the files again while the router runs, and lists of revoked certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsStream};
use wampy_proto::framing::websocket::handshake::Refusal;

use crate::accept::{AcceptError, linger};
use crate::stream::Stream;
use crate::tls;

/// The octet that begins every TLS connection: a record of the handshake.
const HANDSHAKE_RECORD: u8 = 0x16;

/// A router's certificate and key, ready for handshakes.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerTls")
    }
}

/// Whether clients show certificates, and who must have signed them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClientCertificates {
    /// They are not asked for any.
    #[default]
    Unwanted,
    /// They may show one that an authority of this PEM file has signed. Whoever shows another is
    /// turned away, whoever shows none is not.
    Optional(PathBuf),
    /// They must show one that an authority of this PEM file has signed.
    Required(PathBuf),
}

/// A certificate or key cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("TLS: {}: {problem}", .path.display())]
pub struct ServerTlsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

impl ServerTls {
    /// Reads a certificate, with those of the authorities between it and a trusted one behind it,
    /// and its private key, and who signs the clients' certificates. All files are PEM.
    ///
    /// # Errors
    /// [`ServerTlsError`] if a file cannot be read, holds nothing of use, or the key is not that of
    /// the certificate.
    pub fn from_files(
        certificate: &Path,
        key: &Path,
        clients: &ClientCertificates,
    ) -> Result<Self, ServerTlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = read_key(certificate, key, &provider)?;
        let verifier = client_verifier(clients, &provider)?;
        let unusable = |error: rustls::Error| unusable(certificate, error.to_string());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        // What a WebSocket's handshake is written in. Clients that name no protocol need none.
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    /// Does the handshake on `stream`. A peer that does not speak TLS is told so if it speaks HTTP.
    ///
    /// # Errors
    /// [`AcceptError`] says why there is no connection; the stream is closed then.
    pub async fn accept(&self, stream: Stream) -> Result<Stream, AcceptError> {
        let Stream::Tcp(mut socket) = stream else {
            return Err(io::Error::from(io::ErrorKind::Unsupported).into());
        };
        let mut first = [0];
        if socket.peek(&mut first).await? == 0 {
            return Err(AcceptError::Closed);
        }
        if first != [HANDSHAKE_RECORD] {
            refuse_plain(&mut socket, first[0]).await?;
            linger(socket.into()).await;
            return Err(AcceptError::NoTls(first[0]));
        }
        let stream = self.0.accept(socket).await.map_err(AcceptError::Tls)?;
        Ok(Stream::Tls(Box::new(TlsStream::Server(stream))))
    }
}

async fn refuse_plain(socket: &mut TcpStream, first: u8) -> io::Result<()> {
    if !first.is_ascii_uppercase() {
        return Ok(());
    }
    let problem = "This port of the WAMP router speaks TLS: connect by wss:// or rss://.";
    let mut answer = Vec::new();
    Refusal::new(400, problem.to_owned()).write_response(&mut answer);
    socket.write_all(&answer).await
}

fn client_verifier(
    clients: &ClientCertificates,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, ServerTlsError> {
    let file = match clients {
        ClientCertificates::Unwanted => return Ok(WebPkiClientVerifier::no_client_auth()),
        ClientCertificates::Optional(file) | ClientCertificates::Required(file) => file,
    };
    let mut roots = RootCertStore::empty();
    tls::add_file(&mut roots, file).map_err(|problem| unusable(file, problem))?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = match clients {
        ClientCertificates::Optional(_) => verifier.allow_unauthenticated(),
        _ => verifier,
    };
    verifier
        .build()
        .map_err(|error| unusable(file, error.to_string()))
}

fn unusable(path: &Path, problem: String) -> ServerTlsError {
    ServerTlsError {
        path: path.to_owned(),
        problem,
    }
}

fn read_key(
    certificate_file: &Path,
    key_file: &Path,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, ServerTlsError> {
    let certificates = tls::read_certificates(certificate_file)
        .map_err(|problem| unusable(certificate_file, problem))?;
    let key = tls::read_private_key(key_file).map_err(|problem| unusable(key_file, problem))?;
    let signing_key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|error| unusable(key_file, error.to_string()))?;
    let certified = CertifiedKey::new(certificates, signing_key);
    match certified.keys_match() {
        Ok(()) => Ok(certified),
        Err(rustls::Error::InconsistentKeys(_)) => {
            let certificate = certificate_file.display();
            let problem = format!("the key is not that of the certificate in {certificate}");
            Err(unusable(key_file, problem))
        }
        Err(error) => Err(unusable(certificate_file, error.to_string())),
    }
}
