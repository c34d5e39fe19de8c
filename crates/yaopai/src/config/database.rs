//! Where what must last is kept: in a file of this node's own, or in a database that many nodes share.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use yaopai_core::app::AppSecret;

use super::secret::Secrets;
use super::{ConfigError, file};

/// Where what must last is kept.
#[derive(Debug)]
pub enum Database {
    /// The embedded database's file: this node is alone.
    Embedded(PathBuf),
    /// This node is one of many.
    Cluster(Cluster),
}

/// What a node shares with others.
#[derive(Debug, Clone)]
pub struct Cluster {
    /// How to reach PostgreSQL: a connection string, maybe with a password.
    pub postgres: AppSecret,
    /// This node's name.
    pub node: String,
    /// How long a node without news believes what it knows.
    pub max_stale: Duration,
    /// Where nonces are remembered; `None`: in PostgreSQL.
    pub redis: Option<Redis>,
    /// May nodes that a migration leaves behind be cut off? No file says so: it is for one start.
    pub cut_off: bool,
}

/// Redis or Valkey.
#[derive(Debug, Clone)]
pub struct Redis {
    /// The servers that are or may become the primary, or some of a cluster. Maybe with a password.
    pub urls: Vec<AppSecret>,
    /// Who may have signed the servers' certificates, where addresses say `rediss://`: a PEM file. `None` or `system`: whom the system
    /// trusts.
    pub ca: Option<String>,
    /// This node's own certificate for them, a PEM file.
    pub cert: Option<String>,
    /// Its key, a PEM file.
    pub key: Option<String>,
    /// Is it a cluster?
    pub cluster: bool,
    /// How many replicas must have a nonce before it counts.
    pub replicas: u32,
}

impl Database {
    /// The same for another process that works on it for a while, beside this node where there are many: its name is its own.
    #[must_use]
    pub fn of_a_guest(&self, what: &str) -> Self {
        match self {
            Self::Cluster(cluster) => {
                Self::Cluster(Cluster { node: format!("{}/{what}", cluster.node), ..cluster.clone() })
            }
            Self::Embedded(path) => Self::Embedded(path.clone()),
        }
    }
}

/// For people; nothing that could be a secret.
impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(path) => fmt::Display::fmt(&path.display(), f),
            Self::Cluster(cluster) => write!(f, "PostgreSQL, as node {}", cluster.node),
        }
    }
}

pub fn read(file: &file::File, secrets: &Secrets<'_>) -> Result<Database, ConfigError> {
    let Some(cluster) = &file.cluster else {
        return Ok(Database::Embedded(secrets.folder.join(file.database.as_deref().unwrap_or("yaopai.db"))));
    };
    if file.database.is_some() {
        let what = "stands beside [cluster]: one node keeps a file, many share PostgreSQL. Leave one of them out";
        return Err(ConfigError::value("database", what.into()));
    }
    if !(1..=60).contains(&cluster.max_stale) {
        return Err(ConfigError::value(
            "cluster.max_stale",
            "must be 1 to 60 seconds: for so long a kicked session may pass elsewhere".into(),
        ));
    }
    // One file for all nodes: each says its own name.
    let node = match cluster.node.split_once(':') {
        Some(("env" | "file", _)) => secrets.read("cluster.node", &cluster.node)?,
        _ => cluster.node.clone(),
    };
    if node.is_empty() || node.len() > 48 || !node.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ConfigError::value("cluster.node", format!("{node:?}: use 1 to 48 visible ASCII characters")));
    }
    let redis = cluster.redis.as_ref().map(|redis| self::redis(redis, secrets)).transpose()?;
    Ok(Database::Cluster(Cluster {
        postgres: AppSecret::new(secrets.read("cluster.postgres", &cluster.postgres)?),
        node,
        max_stale: Duration::from_secs(cluster.max_stale),
        redis,
        cut_off: false,
    }))
}

fn redis(redis: &file::Redis, secrets: &Secrets<'_>) -> Result<Redis, ConfigError> {
    if redis.urls.is_empty() {
        let what = "name the server, and those that may take its place; or some of a cluster, with cluster = true";
        return Err(ConfigError::value("cluster.redis.urls", what.into()));
    }
    if redis.replicas > 16 {
        return Err(ConfigError::value("cluster.redis.replicas", "must be at most 16".into()));
    }
    let url = |url: &String| secrets.read("cluster.redis.urls", url).map(AppSecret::new);
    let file = |name: &Option<String>| {
        let path = |name: &String| secrets.folder.join(name).to_string_lossy().into_owned();
        name.as_ref().map(path)
    };
    Ok(Redis {
        urls: redis.urls.iter().map(url).collect::<Result<_, _>>()?,
        ca: if redis.ca.as_deref() == Some("system") { redis.ca.clone() } else { file(&redis.ca) },
        cert: file(&redis.cert),
        key: file(&redis.key),
        cluster: redis.cluster,
        replicas: redis.replicas,
    })
}
