//! A connection to one server, used by one task. What is sent is sent once: a lost connection is an error of whatever was under way.

use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError as ClientError};

use super::error::RedisError;
use super::script::{FIRST_USE, Hashes, TRIES};

/// A connection to a master that keeps what it is given.
pub(super) struct Link {
    pub connection: MultiplexedConnection,
    /// What the scripts are called here.
    pub scripts: Hashes,
}

impl Link {
    /// To the first of `places` that is a master.
    pub async fn open(places: &[ConnectionInfo], timeout: Duration) -> Result<Self, RedisError> {
        let mut failed = RedisError::Settings("none is named".into());
        for info in places {
            let opened = tokio::time::timeout(timeout, Self::to(info, timeout)).await;
            match opened.unwrap_or_else(|_| Err(unreachable(info, "it is silent"))) {
                Ok(link) => return Ok(link),
                // What somebody says who must not be used says more than that there is nobody, and that says more than who is a replica:
                // its master may be the one who is away.
                Err(e) if weight(&e) < weight(&failed) => tracing::debug!(error = %e, "looking for the master"),
                Err(e) => failed = e,
            }
        }
        Err(failed)
    }

    async fn to(info: &ConnectionInfo, timeout: Duration) -> Result<Self, RedisError> {
        let mut connection = connect(info, timeout).await?;
        let lost = |e: ClientError| lost(info, &e);
        let replication: String = section(&mut connection, "replication").await.map_err(lost)?;
        if field(&replication, "role") != Some("master") {
            return Err(RedisError::NotMaster { place: place(info) });
        }
        // Not CONFIG GET, which who hosts Redis for others often forbids.
        let memory: String = section(&mut connection, "memory").await.map_err(lost)?;
        let policy = field(&memory, "maxmemory_policy").unwrap_or_default();
        if field(&memory, "maxmemory") != Some("0") && policy != "noeviction" {
            return Err(RedisError::Evicts { place: place(info), found: policy.to_owned() });
        }
        let mut this = Self { connection, scripts: Hashes::default() };
        this.load().await.map_err(lost)?;
        Ok(this)
    }

    /// Hands over the scripts, after SCRIPT FLUSH too.
    pub async fn load(&mut self) -> Result<(), ClientError> {
        let mut pipe = ::redis::pipe();
        pipe.cmd("SCRIPT").arg("LOAD").arg(FIRST_USE).cmd("SCRIPT").arg("LOAD").arg(TRIES);
        let (first_use, tries) = pipe.query_async(&mut self.connection).await?;
        self.scripts = Hashes { first_use, tries };
        Ok(())
    }
}

fn weight(e: &RedisError) -> u8 {
    match e {
        RedisError::Settings(_) => 0,
        RedisError::NotMaster { .. } => 1,
        RedisError::Unreachable { .. } => 2,
        _ => 3,
    }
}

/// Connects, to whatever it is.
pub(super) async fn connect(info: &ConnectionInfo, timeout: Duration) -> Result<MultiplexedConnection, RedisError> {
    let client = Client::open(info.clone()).map_err(|e| RedisError::Settings(e.to_string()))?;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(timeout)).set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.map_err(|e| lost(info, &e))
}

/// Nobody is there; or somebody is, who lets nobody in: that doesn't pass by itself.
fn lost(info: &ConnectionInfo, e: &ClientError) -> RedisError {
    let denied =
        e.kind() == ErrorKind::AuthenticationFailed || matches!(e.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM"));
    if denied { RedisError::Denied { place: place(info), what: e.to_string() } } else { unreachable(info, e) }
}

pub(super) fn unreachable(info: &ConnectionInfo, what: impl ToString) -> RedisError {
    RedisError::Unreachable { place: place(info), what: what.to_string() }
}

/// Where it is, for messages: without what it takes to get in.
pub(super) fn place(info: &ConnectionInfo) -> String {
    match info.addr() {
        ConnectionAddr::Tcp(host, port) => format!("{host}:{port}"),
        other => other.to_string(),
    }
}

async fn section(connection: &mut MultiplexedConnection, name: &str) -> Result<String, ClientError> {
    ::redis::cmd("INFO").arg(name).query_async(connection).await
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
