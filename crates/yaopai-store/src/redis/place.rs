//! Where a server is, and how it is reached: in clear, because its address says so, or by TLS that verifies (docs/decisions/0079).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo as _,
    RedisError as ClientError,
};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::RedisTls;
use super::error::RedisError;
use crate::tls::{self, Words};

const WORDS: Words = Words {
    root: "cluster.redis.ca",
    cert: "cluster.redis.cert",
    key: "cluster.redis.key",
    name: "name it as there (nodes of a cluster name themselves: cluster-announce-hostname)",
};

const IN_CLEAR: &str =
    "it speaks in clear at this port: name its tls-port, or say redis:// over a network that you trust";

/// A server.
#[derive(Clone)]
pub(super) struct Place {
    /// With TLS its address is of the kind for it. redis-rs is built without TLS and refuses those, so nothing that forgets the client
    /// below goes in clear.
    info: ConnectionInfo,
    tls: Option<Arc<ClientConfig>>,
}

/// The places that these addresses name.
pub(super) fn read(urls: &[String], tls: &RedisTls) -> Result<Vec<Place>, RedisError> {
    let bad = |what: &str| Err(RedisError::Settings(what.into()));
    let infos = urls.iter().map(|url| parse(url)).collect::<Result<Vec<_>, _>>()?;
    let secured = infos.iter().filter(|info| matches!(info.addr(), ConnectionAddr::TcpTls { .. })).count();
    let client = match secured {
        0 if *tls == RedisTls::default() => None,
        0 => {
            return bad(
                "cluster.redis.ca, cert or key is there, and nothing goes by TLS: say rediss:// in the addresses",
            );
        }
        n if n < infos.len() => {
            return bad("one goes by TLS and another one in clear: say rediss:// in all of them, or in none");
        }
        _ => Some(Arc::new(client(tls).map_err(RedisError::Settings)?)),
    };
    Ok(infos.into_iter().map(|info| Place { info, tls: client.clone() }).collect())
}

fn parse(url: &str) -> Result<ConnectionInfo, RedisError> {
    // What the parser says quotes nothing: there may be a password in it.
    let bad = |e: ClientError| RedisError::Settings(format!("{e}. An example: redis://localhost:6379"));
    let Some(mut parsed) = ::redis::parse_redis_url(url) else { return url.into_connection_info().map_err(bad) };
    if !matches!(parsed.scheme(), "rediss" | "valkeys") {
        return parsed.into_connection_info().map_err(bad);
    }
    if parsed.fragment().is_some() {
        return Err(RedisError::Settings(
            "nothing may stand behind # in rediss://. #insecure would take the certificate of whoever stands between: leave it out, and name \
             in cluster.redis.ca who signed the server's. A # in a password is %23"
                .into(),
        ));
    }
    let plain = parsed.set_scheme("redis").map_err(|()| RedisError::Settings("rediss:// can't be read".into()));
    let info = plain.and_then(|()| parsed.into_connection_info().map_err(bad))?;
    let addr = match info.addr() {
        ConnectionAddr::Tcp(host, port) => secured(host, *port),
        _ => return Err(RedisError::Settings("TLS goes to a host: rediss://localhost:6380".into())),
    };
    Ok(info.set_addr(addr))
}

fn secured(host: &str, port: u16) -> ConnectionAddr {
    ConnectionAddr::TcpTls { host: host.to_owned(), port, insecure: false, tls_params: None }
}

fn client(said: &RedisTls) -> Result<ClientConfig, String> {
    let roots = tls::roots(said.ca.as_deref().unwrap_or("system"), &WORDS)?;
    let verifier = tls::by_name(Arc::new(roots), &WORDS)?;
    tls::client(verifier, (said.cert.as_deref(), said.key.as_deref()), &WORDS)
}

impl Place {
    /// Another server, which is reached as this one: by TLS if this one is.
    pub fn at(&self, host: &str, port: u16) -> Self {
        let addr = if self.tls.is_some() { secured(host, port) } else { ConnectionAddr::Tcp(host.to_owned(), port) };
        Self { info: self.info.clone().set_addr(addr), tls: self.tls.clone() }
    }

    /// Its host, if it has one.
    pub fn host(&self) -> Option<&str> {
        match self.info.addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Connects, to whatever it is.
    pub async fn connect(&self, timeout: Duration) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(None);
        let (Some(tls), ConnectionAddr::TcpTls { host, port, .. }) = (&self.tls, self.info.addr()) else {
            let client = Client::open(self.info.clone()).map_err(|e| RedisError::Settings(e.to_string()))?;
            return client.get_multiplexed_async_connection_with_config(&config).await.map_err(|e| self.lost(&e));
        };
        // The rest of the time is for asking who is silent.
        let secured = tokio::time::timeout(timeout * 3 / 4, self.secure(tls, host, *port)).await;
        let stream = match secured {
            Ok(stream) => stream?,
            Err(_) if speaks_in_clear(host, *port).await => return Err(self.untrusted(IN_CLEAR.into())),
            Err(_) => return Err(self.silent()),
        };
        let opened = MultiplexedConnection::new_with_config(self.info.redis_settings(), stream, config).await;
        let (connection, driver) = opened.map_err(|e| self.lost(&e))?;
        // It ends with the connection.
        tokio::spawn(driver);
        Ok(connection)
    }

    async fn secure(&self, tls: &Arc<ClientConfig>, host: &str, port: u16) -> Result<TlsStream<TcpStream>, RedisError> {
        let name = ServerName::try_from(host.to_owned());
        let name = name.map_err(|_| self.untrusted(format!("{host} is no name that a certificate may be for")))?;
        let stream = TcpStream::connect((host, port)).await.map_err(|e| self.unreachable(e))?;
        stream.set_nodelay(true).map_err(|e| self.unreachable(e))?;
        let connected = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
        connected.map_err(|e| match tls::why(&e, host, &WORDS) {
            Some(what) => self.untrusted(what),
            None => self.unreachable(e),
        })
    }

    /// Nobody is there; or somebody is, who lets nobody in: that doesn't pass by itself.
    pub fn lost(&self, e: &ClientError) -> RedisError {
        // What a server says against this node's certificate comes after the handshake, in the place of its first answer (RFC 8446, 2).
        if self.tls.is_some() && e.to_string().contains("fatal alert") {
            let what =
                "does it want this node's certificate (cluster.redis.cert and key), or one by another authority?";
            return self.untrusted(format!("{e}: {what}"));
        }
        let denied =
            e.kind() == ErrorKind::AuthenticationFailed || matches!(e.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
        if denied { RedisError::Denied { place: self.to_string(), what: e.to_string() } } else { self.unreachable(e) }
    }

    /// Somebody is there, who says nothing.
    pub fn silent(&self) -> RedisError {
        self.unreachable("it is silent")
    }

    fn unreachable(&self, what: impl ToString) -> RedisError {
        RedisError::Unreachable { place: self.to_string(), what: what.to_string() }
    }

    fn untrusted(&self, what: String) -> RedisError {
        RedisError::Untrusted { place: self.to_string(), what }
    }
}

/// Redis takes the beginning of TLS for an order in clear without an end, and waits for the rest.
async fn speaks_in_clear(host: &str, port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect((host, port)).await else { return false };
    let asked = stream.write_all(b"PING\r\n").await;
    asked.is_ok() && matches!(stream.read_u8().await, Ok(b'+' | b'-'))
}

/// For messages: without what it takes to get in.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.info.addr(), f)
    }
}
