//! Which engine keeps what must last, and what comes with it.

use std::sync::Arc;

use yaopai_core::ports::{ChangeLog, ChangeSink, Shared, SharedTokens, Store};
use yaopai_store::{
    Options, Postgres, PostgresLog, PostgresNonces, PostgresOptions, PostgresTokens, RedisOptions, RedisShared,
    RedisTls, Sqlite,
};

use super::StartError;
use crate::config::{Cluster, Database};

/// An open engine.
pub enum Engine {
    /// This node is alone.
    Embedded(Arc<Sqlite>),
    /// It is one of many.
    Postgres(Arc<Postgres>),
}

impl Engine {
    /// Opens it. `rehearsal`: also what came in by a rehearsal of a move.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn open(database: &Database, sink: Arc<dyn ChangeSink>, rehearsal: bool) -> Result<Self, StartError> {
        Ok(match database {
            Database::Embedded(path) => {
                let options = Options { rehearsal, ..Options::default() };
                Self::Embedded(Arc::new(Sqlite::open(path, sink, options)?))
            }
            Database::Cluster(cluster) => {
                let options =
                    PostgresOptions { rehearsal, cut_off: cluster.cut_off, ..PostgresOptions::new(&*cluster.node) };
                Self::Postgres(Arc::new(Postgres::open(cluster.postgres.expose(), sink, options)?))
            }
        })
    }

    /// What it is to the services.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(engine) => engine.clone(),
            Self::Postgres(engine) => engine.clone(),
        }
    }

    /// Takes no more calls, finishes those that wait, and lets go of the database.
    pub async fn close(&self) {
        match self {
            Self::Embedded(engine) => engine.close().await,
            Self::Postgres(engine) => engine.close().await,
        }
    }
}

/// What a node reads of the others.
pub(super) fn log(cluster: &Cluster) -> Result<Box<dyn ChangeLog>, StartError> {
    Ok(Box::new(PostgresLog::open(cluster.postgres.expose(), &cluster.node)?))
}

/// Where the nonces and tries of all nodes are remembered.
pub(super) async fn shared(cluster: &Cluster) -> Result<Arc<dyn Shared>, StartError> {
    let Some(redis) = &cluster.redis else {
        return Ok(Arc::new(PostgresNonces::open(cluster.postgres.expose(), &cluster.node)?));
    };
    let urls = redis.urls.iter().map(|url| url.expose());
    let tls = RedisTls { ca: redis.ca.clone(), cert: redis.cert.clone(), key: redis.key.clone() };
    let options = RedisOptions { tls, cluster: redis.cluster, replicas: redis.replicas, ..RedisOptions::new(urls) };
    Ok(Arc::new(RedisShared::open(options).await?))
}

/// The platforms' access tokens of all nodes.
pub(super) fn tokens(cluster: &Cluster) -> Result<Arc<dyn SharedTokens>, StartError> {
    Ok(Arc::new(PostgresTokens::open(cluster.postgres.expose(), &cluster.node)?))
}
