//! A connection to one server, used by one task. What is sent is sent once: a lost connection is an error of whatever was under way.

use std::time::Duration;

use ::redis::RedisError as ClientError;
use ::redis::aio::MultiplexedConnection;

use super::error::RedisError;
use super::place::Place;
use super::script::{FIRST_USE, Hashes, TRIES};

/// A connection to a master that keeps what it is given.
pub(super) struct Link {
    pub connection: MultiplexedConnection,
    /// What the scripts are called here.
    pub scripts: Hashes,
}

impl Link {
    /// To the first of `places` that is a master.
    pub async fn open(places: &[Place], timeout: Duration) -> Result<Self, RedisError> {
        let mut failed = RedisError::Settings("none is named".into());
        for place in places {
            let opened = tokio::time::timeout(timeout, Self::to(place, timeout)).await;
            match opened.unwrap_or_else(|_| Err(place.silent())) {
                Ok(link) => return Ok(link),
                // What somebody says who must not be used says more than that there is nobody, and that says more than who is a replica:
                // its master may be the one who is away.
                Err(e) if weight(&e) < weight(&failed) => tracing::debug!(error = %e, "looking for the master"),
                Err(e) => failed = e,
            }
        }
        Err(failed)
    }

    async fn to(place: &Place, timeout: Duration) -> Result<Self, RedisError> {
        let mut connection = place.connect(timeout).await?;
        let lost = |e: ClientError| place.lost(&e);
        let replication: String = section(&mut connection, "replication").await.map_err(lost)?;
        if field(&replication, "role") != Some("master") {
            return Err(RedisError::NotMaster { place: place.to_string() });
        }
        // Not CONFIG GET, which who hosts Redis for others often forbids.
        let memory: String = section(&mut connection, "memory").await.map_err(lost)?;
        let policy = field(&memory, "maxmemory_policy").unwrap_or_default();
        if field(&memory, "maxmemory") != Some("0") && policy != "noeviction" {
            return Err(RedisError::Evicts { place: place.to_string(), found: policy.to_owned() });
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

async fn section(connection: &mut MultiplexedConnection, name: &str) -> Result<String, ClientError> {
    ::redis::cmd("INFO").arg(name).query_async(connection).await
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
}
