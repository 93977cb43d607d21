//! What TLS knows of the peer and of the connection: the certificate that the peer has shown, and
//! the bytes that only the two ends of the connection know.

use std::fmt;

use rustls::pki_types::CertificateDer;
use rustls::{CommonState, ProtocolVersion};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;
use wampy_proto::auth::ChannelId;
use wampy_proto::auth::channel::EXPORTER_LABEL;
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

/// The most alternative names of a certificate that are read.
const NAMES_MAX: usize = 64;

/// A certificate that the peer has shown, and that one of the configured authorities has signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerCertificate {
    /// The common name of its subject, if it has one.
    pub common_name: Option<String>,
    /// Its alternative names: host names, addresses of mail, URIs; at most 64.
    pub alternative_names: Vec<String>,
    /// SHA-256 of the whole certificate.
    pub fingerprint: Fingerprint,
}

/// SHA-256 of a certificate; as text 64 hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PeerCertificate {
    /// Reads what is of use here. A certificate that cannot be read has no names.
    fn read(der: &CertificateDer<'_>) -> Self {
        let mut read = Self {
            common_name: None,
            alternative_names: Vec::new(),
            fingerprint: Fingerprint(Sha256::digest(der).into()),
        };
        let Ok((_, certificate)) = X509Certificate::from_der(der) else {
            return read;
        };
        let common_name = certificate.subject().iter_common_name().next();
        read.common_name = common_name.and_then(|name| name.as_str().ok().map(str::to_owned));
        if let Ok(Some(names)) = certificate.subject_alternative_name() {
            let names = names.value.general_names.iter().filter_map(text);
            read.alternative_names = names.take(NAMES_MAX).collect();
        }
        read
    }
}

fn text(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) | GeneralName::RFC822Name(name) | GeneralName::URI(name) => {
            Some((*name).to_owned())
        }
        _ => None,
    }
}

/// The certificate that the peer has shown.
pub(crate) fn certificate(stream: &TlsStream<TcpStream>) -> Option<PeerCertificate> {
    let (_, state) = stream.get_ref();
    let chain = state.peer_certificates()?;
    chain.first().map(PeerCertificate::read)
}

/// The value of `tls-exporter` (RFC 9266). Only of TLS 1.3: what TLS 1.2 exports is unique only under
/// conditions that the TLS library does not tell.
pub(crate) fn channel_id(stream: &TlsStream<TcpStream>) -> Option<ChannelId> {
    let (_, state): (_, &CommonState) = stream.get_ref();
    if state.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let exported = match stream {
        TlsStream::Client(stream) => {
            let (_, tls) = stream.get_ref();
            tls.export_keying_material([0; 32], EXPORTER_LABEL, None)
        }
        TlsStream::Server(stream) => {
            let (_, tls) = stream.get_ref();
            tls.export_keying_material([0; 32], EXPORTER_LABEL, None)
        }
    };
    exported.ok().map(ChannelId::from)
}
