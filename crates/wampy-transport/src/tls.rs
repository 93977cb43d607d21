//! The client's side of TLS, by rustls with the ring provider.
//!
//! Certificates are always checked, against the operating system's authorities or those of given
//! files. Deliberately absent: a switch to trust anybody (put the certificate of a test into a
//! file instead).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, TlsStream};

use crate::error::ConnectProblem;
use crate::url::Framing;

/// Whom to trust, and who to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsOptions {
    /// Whether to trust the authorities that the operating system trusts. Default true.
    pub system_authorities: bool,
    /// PEM files of further certificates to trust: authorities, or a router's own self-signed one.
    pub ca_files: Vec<PathBuf>,
    /// What to show to a router that asks for a certificate. Default none.
    pub client_certificate: Option<ClientCertificate>,
}

/// A client's certificate and its private key, in PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with those of the authorities between it and a trusted one behind it.
    pub certificate: PathBuf,
    /// Its private key, not encrypted.
    pub key: PathBuf,
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            system_authorities: true,
            ca_files: Vec::new(),
            client_certificate: None,
        }
    }
}

impl TlsOptions {
    /// Reads the certificates from the disk.
    fn client_config(&self, framing: Framing) -> Result<ClientConfig, ConnectProblem> {
        let mut roots = RootCertStore::empty();
        if self.system_authorities {
            // A system without a store, or with odd certificates in it, can still use `ca_files`.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        for path in &self.ca_files {
            add_file(&mut roots, path).map_err(|problem| ConnectProblem::CaFile {
                path: path.to_owned(),
                problem,
            })?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| ConnectProblem::Tls(io::Error::other(error)))?
            .with_root_certificates(roots);
        let mut config = match &self.client_certificate {
            None => config.with_no_client_auth(),
            Some(own) => {
                let unusable = |path: &Path| {
                    let path = path.to_owned();
                    move |problem| ConnectProblem::ClientCertificate { path, problem }
                };
                let chain =
                    read_certificates(&own.certificate).map_err(unusable(&own.certificate))?;
                let key = read_private_key(&own.key).map_err(unusable(&own.key))?;
                config
                    .with_client_auth_cert(chain, key)
                    .map_err(|error| unusable(&own.certificate)(error.to_string()))?
            }
        };
        if framing != Framing::RawSocket {
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        Ok(config)
    }
}

/// Adds the certificates of a file to those that are trusted.
pub(crate) fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    for certificate in read_certificates(path)? {
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// The certificates of a file, of which there must be one.
pub(crate) fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect)
        .map_err(|error| error.to_string())?;
    match certificates.is_empty() {
        false => Ok(certificates),
        true => Err("the file holds no PEM certificate".to_owned()),
    }
}

/// The private key of a file.
pub(crate) fn read_private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| match error {
        pem::Error::NoItemsFound => {
            "the file holds no PEM private key, or an encrypted one".to_owned()
        }
        error => error.to_string(),
    })
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
        .map_err(|error| ConnectProblem::Tls(io::Error::other(error)))??;
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector
        .connect(name, stream)
        .await
        .map_err(|error| ConnectProblem::Tls(explained(error)))?;
    Ok(TlsStream::Client(stream))
}

/// The usual mistakes in words that say what to do; other errors as they are.
fn explained(error: io::Error) -> io::Error {
    let said = error.to_string();
    let problem = if error.kind() == io::ErrorKind::UnexpectedEof
        || said.contains("InvalidContentType")
    {
        "the peer speaks no TLS here"
    } else if said.contains("UnknownIssuer") {
        "no authority that is trusted here has signed the router's certificate; a file of those that may \
         have done so can be given (`ca_file`, in Python `cert_path`)"
    } else if said.contains("CaUsedAsEndEntity") {
        "the router's certificate is one of an authority (CA:TRUE), which no server may show; \
         `openssl req -x509` makes another with `-addext basicConstraints=critical,CA:FALSE`"
    } else {
        return error;
    };
    io::Error::new(error.kind(), format!("{problem} ({said})"))
}
