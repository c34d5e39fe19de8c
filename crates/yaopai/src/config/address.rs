//! Where a listener listens.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::ConfigError;

/// A TCP address or a Unix socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `127.0.0.1:9700`
    Tcp(SocketAddr),
    /// `unix:/run/yaopai/check.sock`
    Unix(PathBuf),
}

impl Address {
    /// Reads `host:port` or `unix:PATH`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some(path) if !path.is_empty() => Some(Self::Unix(path.into())),
            Some(_) => None,
            None => text.parse().ok().map(Self::Tcp),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(a) => write!(f, "http://{a}"),
            Self::Unix(p) => write!(f, "unix:{}", p.display()),
        }
    }
}

/// Reads the setting of this name.
pub(super) fn address(key: &'static str, text: &str) -> Result<Address, ConfigError> {
    Address::parse(text).ok_or_else(|| {
        ConfigError::value(key, format!("{text:?} is no address; write 127.0.0.1:9700 or unix:/path/to.sock"))
    })
}
