//! Databases of a test's own, and what stands between one and an engine.

// Each test crate that includes this uses some of it.
#![allow(dead_code, clippy::unwrap_used)]

mod postgres;
mod proxy;
pub mod redis;
pub mod redis_cluster;
pub mod tls;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use yaopai_core::ports::{ChangeSink, Shared};
use yaopai_store::{Postgres, PostgresNonces, PostgresOptions};

use crate::conformance::shared::Place;
use crate::conformance::{Engine, Home};
pub use postgres::Server;
pub use proxy::Proxy;

impl Server {
    /// A proxy before it.
    pub fn proxy(&self) -> Proxy {
        Proxy::before(self.folder())
    }

    /// An empty place for an engine: a schema of its own is as good as a database of its own, and quicker.
    pub fn home(self: &Arc<Self>) -> PostgresHome {
        let schema = format!("lab{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("CREATE SCHEMA {schema}"));
        let url = format!("{} options='-c search_path={schema}'", self.url());
        PostgresHome { server: Arc::clone(self), url, schema, node: "a".into() }
    }
}

/// A place for an engine.
#[derive(Clone)]
pub struct PostgresHome {
    pub server: Arc<Server>,
    pub url: String,
    pub schema: String,
    pub node: String,
}

impl PostgresHome {
    /// The same place, by a proxy.
    pub fn by(&self, proxy: &Proxy) -> Self {
        let host = |path: &Path| format!("host={}", path.display());
        Self { url: self.url.replace(&host(self.server.folder()), &host(proxy.host())), ..self.clone() }
    }

    /// The same place, for another server of ours.
    pub fn of_node(&self, node: &str) -> Self {
        Self { node: node.into(), ..self.clone() }
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> u64 {
        self.server.sql(&format!("SELECT count(*) FROM {}.{table}", self.schema)).parse().unwrap()
    }

    pub fn connect(&self, sink: Arc<dyn ChangeSink>) -> Postgres {
        let options = PostgresOptions { readers: 1, ..PostgresOptions::new(&self.node) };
        Postgres::open(&self.url, sink, options).unwrap()
    }
}

impl Home for PostgresHome {
    fn open(&self, sink: Arc<dyn ChangeSink>) -> Arc<dyn Engine> {
        Arc::new(self.connect(sink))
    }
}

#[async_trait]
impl Place for PostgresHome {
    async fn connect(&self) -> Arc<dyn Shared> {
        Arc::new(PostgresNonces::open(&self.url, &self.node).unwrap())
    }

    fn now(&self) -> i64 {
        self.server.sql("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint").parse().unwrap()
    }

    fn age(&self, ms: i64) {
        self.server.sql(&format!("UPDATE {}.nonces_past SET first = first - {ms}", self.schema));
    }

    fn hold(&self, ms: i64) {
        self.server.sql(&format!("UPDATE {}.nonces_past SET high = high + {ms}", self.schema));
    }

    fn forget(&self) {
        self.server.sql(&format!("DELETE FROM {0}.nonces_past; DELETE FROM {0}.nonces", self.schema));
    }

    fn fill(&self, slot_ms: i64) {
        let full =
            format!("UPDATE {}.tries_turns SET names = 500000 WHERE kind = 0 AND slot_ms = {slot_ms}", self.schema);
        self.server.sql(&full);
    }
}
