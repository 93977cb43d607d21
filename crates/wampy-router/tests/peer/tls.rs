//! TLS as a client's end of a blocking socket.

use std::net::TcpStream;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use super::{Host, Stream};

pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

impl Stream for TlsStream {
    fn shut_down_writing(&self) {
        self.sock.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

/// How a client begins to be that trusts one authority.
pub fn trusting(
    authority: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
}

/// A client's state before its handshake with a router on this host.
pub fn client(config: Arc<ClientConfig>) -> ClientConnection {
    let name = ServerName::try_from("localhost").unwrap();
    ClientConnection::new(config, name).unwrap()
}

/// A connected stream, whose handshake is still to be.
pub fn stream(host: &Host, config: Arc<ClientConfig>) -> TlsStream {
    StreamOwned::new(client(config), host.stream())
}
