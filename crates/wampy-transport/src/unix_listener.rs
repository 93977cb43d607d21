//! Listening on a Unix socket: the life of the socket's file.
//!
//! A file that an earlier router left behind is replaced, one on which somebody listens is not,
//! and the file goes when the listener goes.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Type};
use tokio::net::{UnixListener, UnixStream};

/// A listening Unix socket that owns its file.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file: what is there later under the same path may be another's.
    file: (u64, u64),
}

impl UnixSocket {
    pub(crate) fn bind(path: &Path, backlog: u32) -> io::Result<Self> {
        remove_if_stale(path)?;
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX))?;
        socket.set_nonblocking(true)?;
        let listener = UnixListener::from_std(socket.into())?;
        let file = identity(path)?;
        Ok(Self {
            listener,
            path: path.to_owned(),
            file,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        self.listener.accept().await.map(|(stream, _)| stream)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            // Nobody is left to hear of a failure; a stale file is replaced at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

fn remove_if_stale(path: &Path) -> io::Result<()> {
    let metadata = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    };
    if !metadata.file_type().is_socket() {
        let problem = "the path exists and is no socket";
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, problem));
    }
    match try_connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path)
        }
        Ok(()) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "somebody listens on this socket",
        )),
        Err(error) => Err(io::Error::new(
            error.kind(),
            format!("there is a socket already, and whether it is in use cannot be told: {error}"),
        )),
    }
}

/// Connects to a socket, to see whether somebody listens: also somebody who hangs, and has no room for
/// another connection.
fn try_connect(path: &Path) -> io::Result<()> {
    let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let directory =
                std::env::temp_dir().join(format!("wampy-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&directory).unwrap();
            Self(directory)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test]
    async fn a_stale_file_is_replaced_and_a_living_socket_is_not() {
        let scratch = Scratch::new("stale");
        let path = scratch.0.join("socket");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = UnixSocket::bind(&path, 16).unwrap();
        let error = UnixSocket::bind(&path, 16).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_whose_owner_hangs_is_in_use() {
        let scratch = Scratch::new("hangs");
        let path = scratch.0.join("socket");
        let socket = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        let address = SockAddr::unix(&path).unwrap();
        socket.bind(&address).unwrap();
        socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        loop {
            let client = socket2::Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            let is_full = client.connect(&address).is_err();
            waiting.push(client);
            if is_full {
                break;
            }
        }
        let error = UnixSocket::bind(&path, 16).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_stays() {
        let scratch = Scratch::new("file");
        let path = scratch.0.join("notes");
        std::fs::write(&path, "dear diary").unwrap();
        assert!(UnixSocket::bind(&path, 16).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"dear diary");
    }

    #[tokio::test]
    async fn a_socket_of_another_kind_stays_and_is_called_by_its_name() {
        let scratch = Scratch::new("datagram");
        let path = scratch.0.join("log");
        let _logger = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
        let error = UnixSocket::bind(&path, 16).unwrap_err().to_string();
        assert!(error.contains("wrong type"), "{error}");
        assert!(path.exists());
    }

    #[tokio::test]
    async fn the_file_of_a_successor_is_left_alone() {
        let scratch = Scratch::new("successor");
        let path = scratch.0.join("socket");
        let first = UnixSocket::bind(&path, 16).unwrap();
        std::fs::rename(&path, scratch.0.join("elsewhere")).unwrap();
        let second = UnixSocket::bind(&path, 16).unwrap();
        drop(first);
        assert!(path.exists());
        drop(second);
        assert!(!path.exists());
    }
}
