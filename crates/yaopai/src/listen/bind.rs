//! Opening sockets, with errors that say what to do.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};

use super::Peer;
use super::nudged::Nudged;
use crate::config::Address;

/// A socket can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else has the port.
    #[error("{key} = {address}: the port is taken; stop what uses it, or set another address")]
    Taken {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        address: String,
    },
    /// A file, or a running server's socket, is at the path.
    #[error("{key} = {address}: something is there already; stop the server that uses it, or name another path")]
    PathTaken {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        address: String,
    },
    /// Anything else.
    #[error("{key} = {address}: {source}")]
    Other {
        /// The configuration's key.
        key: &'static str,
        /// The address.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// An open socket.
#[derive(Debug)]
pub enum Bound {
    /// TCP.
    Tcp(TcpListener),
    /// A Unix socket; its file goes when this does.
    Unix(UnixListener, PathBuf),
}

impl Bound {
    /// Opens the socket.
    ///
    /// # Errors
    /// What stands in the way.
    pub async fn open(key: &'static str, address: &Address) -> Result<Self, ListenError> {
        let bound = match address {
            Address::Tcp(a) => TcpListener::bind(a).await.map(Self::Tcp),
            Address::Unix(path) => unix(path).map(|l| Self::Unix(l, path.clone())),
        };
        bound.map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse if matches!(address, Address::Unix(_)) => {
                ListenError::PathTaken { key, address: address.to_string() }
            }
            io::ErrorKind::AddrInUse => ListenError::Taken { key, address: address.to_string() },
            _ => ListenError::Other { key, address: address.to_string(), source },
        })
    }

    /// Where it listens really: a port of 0 in the configuration is any free one.
    pub fn address(&self) -> Address {
        match self {
            Self::Tcp(l) => Address::Tcp(l.local_addr().unwrap_or_else(|_| SocketAddr::from(([0, 0, 0, 0], 0)))),
            Self::Unix(_, path) => Address::Unix(path.clone()),
        }
    }

    pub(super) async fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(l) => {
                let (stream, peer) = l.accept().await?;
                // A check is one small packet each way; waiting to fill it would add 40 ms.
                stream.set_nodelay(true)?;
                Ok((Box::new(Nudged::new(stream)), Peer::Ip(peer.ip().to_canonical())))
            }
            Self::Unix(l, _) => Ok((Box::new(Nudged::new(l.accept().await?.0)), Peer::Local)),
        }
    }
}

/// Either kind of stream.
pub(super) type Stream = Box<dyn ReadWrite>;

/// What a connection needs of a stream.
pub trait ReadWrite: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> ReadWrite for T {}

fn unix(path: &PathBuf) -> io::Result<UnixListener> {
    use std::os::unix::fs::FileTypeExt as _;
    // A socket that refuses is what a killed server leaves. Any other file, and one that can't be asked, is somebody's.
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|m| m.file_type().is_socket());
    let asked = std::os::unix::net::UnixStream::connect(path);
    if is_socket && asked.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused) {
        std::fs::remove_file(path)?;
    }
    UnixListener::bind(path)
}

impl Drop for Bound {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}
