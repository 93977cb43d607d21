//! The client's side of TLS, by rustls with the ring provider.
//!
//! Certificates are always checked, against the operating system's authorities or those of given
//! files. Deliberately absent: a switch to trust anybody (put the certificate of a test into a
//! file instead), and client certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::error::ConnectProblem;
use crate::url::Framing;

/// Whom to trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether to trust the authorities that the operating system trusts. Default true.
    pub system_authorities: bool,
    /// PEM files of further certificates to trust: authorities, or a router's own self-signed one.
    pub ca_files: Vec<PathBuf>,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            system_authorities: true,
            ca_files: Vec::new(),
        }
    }
}

impl TlsOptions {
    /// Reads the certificates to trust from the disk.
    fn client_config(&self, framing: Framing) -> Result<ClientConfig, ConnectProblem> {
        let mut roots = RootCertStore::empty();
        if self.system_authorities {
            // A system without a store, or with odd certificates in it, can still use `ca_files`.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for path in &self.ca_files {
            add_file(&mut roots, path)?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConnectProblem::Tls(std::io::Error::other(error)))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        if framing == Framing::WebSocket {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(config)
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), ConnectProblem> {
    let unusable = |problem: String| ConnectProblem::CaFile {
        path: path.to_owned(),
        problem,
    };
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))?;
    let mut found = false;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| unusable(error.to_string()))?;
        found = true;
    }
    match found {
        true => Ok(()),
        false => Err(unusable("the file holds no PEM certificate".to_owned())),
    }
}

/// Opens TLS on `stream`, for the certificate of `host`.
pub(crate) async fn connect(
    stream: TcpStream,
    host: &str,
    framing: Framing,
    options: &TlsOptions,
) -> Result<TlsStream<TcpStream>, ConnectProblem> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectProblem::ServerName(host.to_owned()))?;
    let options = options.clone();
    // Reading some hundred certificates would hold up the runtime's other tasks.
    let config = tokio::task::spawn_blocking(move || options.client_config(framing))
        .await
        .map_err(|error| ConnectProblem::Tls(std::io::Error::other(error)))??;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(ConnectProblem::Tls)?;
    Ok(TlsStream::Client(stream))
}
