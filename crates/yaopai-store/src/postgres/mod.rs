//! The engine for many servers: PostgreSQL is the authority, each server writes through one connection in batches, and reads
//! through others.

mod audit;
mod chains;
mod codes;
mod db;
mod error;
mod forget;
mod hosts;
pub mod house;
mod identities;
mod import;
mod jar;
mod kept;
mod later;
mod lists;
mod log;
mod logins;
mod migrate;
mod moving;
mod nonces;
mod open;
mod rows;
mod server;
mod sessions;
mod settings;
mod signing;
mod tls;
mod tokens;
mod transactions;
mod tries;
mod users;
mod value;

use std::sync::Arc;

use yaopai_core::ports::ChangeSink;

use crate::engine::{Engine, Parts};
use db::Db;
pub use error::PostgresError;
pub use log::PostgresLog;
pub use nonces::PostgresNonces;
use settings::Settings;
pub use tokens::PostgresTokens;

/// Where the database is, who this server is, and how much may wait.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// This server's name among those that share the database. It writes its own chain of the audit log under it, and no two may
    /// have it at a time. Keep it over restarts.
    pub node: String,
    /// Calls that may wait for the writer. Beyond it they are refused, and can be tried again.
    pub queue: usize,
    /// Calls that share one commit, at most. The other servers wait for it.
    pub batch: usize,
    /// Connections that only read. There are two more: the writer's, and one for long lists.
    pub readers: usize,
    /// Calls that may wait for one of them.
    pub read_queue: usize,
    /// Open what came in by a rehearsal of a move, too.
    pub rehearsal: bool,
    /// Migrate although servers run that don't work on what comes of it: they are cut off. Otherwise that is refused.
    pub cut_off: bool,
}

impl PostgresOptions {
    /// The defaults for a server of this name.
    pub fn new(node: impl Into<String>) -> Self {
        Self {
            node: node.into(),
            queue: 4096,
            batch: 128,
            readers: 4,
            read_queue: 1024,
            rehearsal: false,
            cut_off: false,
        }
    }
}

/// The engine for many servers. Dropping it finishes what is queued and waits for that; `close` does so without blocking.
pub type Postgres = Engine<Db>;

impl Postgres {
    /// Connects, brings the schema up to date, and takes the server's name. Blocks; meant for the start. `url` is a connection
    /// string as libpq takes it, a URL or `key=value` pairs, with what `tokio-postgres` knows of it, and of TLS `sslmode`, `sslrootcert`,
    /// `sslcert` and `sslkey` (docs/decisions/0074).
    ///
    /// # Errors
    /// [`PostgresError`], whose text says what to do.
    pub fn open(url: &str, sink: Arc<dyn ChangeSink>, options: PostgresOptions) -> Result<Self, PostgresError> {
        let mut settings = Settings::parse(url, &options.node)?;
        settings.cut_off = options.cut_off;
        let settings = Arc::new(settings);
        let (readers, rehearsal) = (options.readers.max(1), options.rehearsal);
        let open::Opened { transactions, readers, lister } =
            db::apart(move || open::open(&settings, readers, rehearsal))?;
        let PostgresOptions { queue, batch, read_queue, .. } = options;
        let parts = Parts { transactions, readers, lister, queue, batch, read_queue };
        Self::start(parts, sink).map_err(PostgresError::system)
    }
}
