//! Idle sessions over TLS: RawSocket in TLS 1.3, with a certificate made on the spot.
//!
//! Once a session has joined, the client's half of the encryption is forgotten: the router keeps its
//! own, which is what is measured. So such a session can only be held and dropped.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::router::directory;
use super::wire::{self, Frame, Framing, code, message_code, refusal};

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The name in the certificate.
const NAME: &str = "localhost";

/// A certificate in files for the router, and who trusts it.
pub struct Encryption {
    pub certificate: PathBuf,
    pub key: PathBuf,
    config: Arc<ClientConfig>,
}

impl Encryption {
    /// Makes the certificate and writes it.
    pub fn new() -> Result<Self, String> {
        let made = rcgen::generate_simple_self_signed([NAME.to_owned()]);
        let made = made.map_err(|error| format!("cannot make a certificate: {error}"))?;
        let (certificate, key) = (directory().join("cert.pem"), directory().join("key.pem"));
        let written = fs::write(&certificate, made.cert.pem())
            .and_then(|()| fs::write(&key, made.signing_key.serialize_pem()));
        written.map_err(|error| format!("cannot write a certificate: {error}"))?;
        let mut roots = RootCertStore::empty();
        let trusted = roots.add(made.cert.der().clone());
        trusted.map_err(|error| format!("cannot trust the certificate: {error}"))?;
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            certificate,
            key,
            config: Arc::new(config),
        })
    }

    /// Joins one session and returns the socket that keeps it.
    pub fn join(&self, address: SocketAddr, realm: &str) -> Result<TcpStream, String> {
        let mut stream = self.connect(address)?;
        let mut received = Vec::new();
        write(&mut stream, Framing::RawSocket.opening())?;
        loop {
            if let Some(taken) = Framing::RawSocket.opened(&received)? {
                received.drain(..taken);
                break;
            }
            read(&mut stream, &mut received)?;
        }
        let mut hello = Vec::new();
        Framing::RawSocket.append(&wire::hello(realm), &mut hello);
        write(&mut stream, &hello)?;
        loop {
            match Framing::RawSocket.cut(&received) {
                None => read(&mut stream, &mut received)?,
                Some((Frame::Message(message), _)) if message_code(message) == code::WELCOME => {
                    return Ok(stream.sock);
                }
                Some((Frame::Message(message), _)) => return Err(refusal(message)),
                Some(_) => return Err("a frame before WELCOME".to_owned()),
            }
        }
    }

    fn connect(
        &self,
        address: SocketAddr,
    ) -> Result<StreamOwned<ClientConnection, TcpStream>, String> {
        let open = || {
            let socket = TcpStream::connect(address)?;
            socket.set_nodelay(true)?;
            socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
            Ok(socket)
        };
        let socket = open().map_err(|error: std::io::Error| format!("no connection: {error}"))?;
        let name = ServerName::try_from(NAME).map_err(|error| error.to_string())?;
        let connection = ClientConnection::new(Arc::clone(&self.config), name);
        let connection = connection.map_err(|error| format!("no TLS: {error}"))?;
        Ok(StreamOwned::new(connection, socket))
    }
}

fn write(stream: &mut impl Write, bytes: &[u8]) -> Result<(), String> {
    stream
        .write_all(bytes)
        .map_err(|error| format!("cannot send over TLS: {error}"))
}

fn read(stream: &mut impl Read, received: &mut Vec<u8>) -> Result<(), String> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => Err("the router closed the connection".to_owned()),
        Ok(read) => {
            received.extend_from_slice(&buffer[..read]);
            Ok(())
        }
        Err(error) => Err(format!("no answer over TLS: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_for_the_router_and_trusted_here() {
        let encryption = Encryption::new().unwrap();
        let certificate = fs::read_to_string(&encryption.certificate).unwrap();
        assert!(certificate.contains("BEGIN CERTIFICATE"), "{certificate}");
        assert!(
            fs::read_to_string(&encryption.key)
                .unwrap()
                .contains("PRIVATE KEY")
        );
        let nobody = encryption.join("127.0.0.1:1".parse().unwrap(), "realm1");
        assert!(nobody.unwrap_err().contains("no connection"));
        fs::remove_dir_all(directory()).unwrap();
    }
}
