//! `yaopai audit verify`, `export`, `erase`: on the embedded database and on the one that nodes share.

mod erase;
mod export;
mod verify;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use yaopai_core::audit::Scribe;
use yaopai_store::AuditLog;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Database};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Is the audit log whole? The server may run meanwhile.
    ///
    /// Ends with status 0 if it is, 1 if not (the first wrong row is named), 2 if it could not be read.
    Verify(verify::Args),
    /// Write the audit log to standard output, a JSON object a line. The server may run meanwhile.
    Export(export::Args),
    /// Delete the keys of a person's fields in the audit log: rows stay and verify, and nobody can read those fields any more.
    /// A server on the embedded database must be stopped; nodes may run.
    Erase(erase::Args),
}

#[derive(clap::Args)]
struct Configured {
    /// The configuration.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
}

impl Configured {
    /// The configuration, and the scribe of its master key.
    fn read(&self) -> anyhow::Result<(Config, Arc<Scribe>)> {
        let config = Config::read(&self.config)?;
        let scribe = Scribe::new(&config.master_key, Arc::new(SystemClock::default()), Arc::new(SystemEntropy));
        Ok((config, Arc::new(scribe)))
    }
}

/// Which log is looked at.
#[derive(clap::Args)]
struct Which {
    /// The embedded database, if not the configuration's: a backup, say.
    #[arg(long)]
    database: Option<PathBuf>,
    /// Only the chain of this node. What was written before a move has a chain, too: "embedded database", or its node's name.
    #[arg(long)]
    node: Option<String>,
}

/// An opened log.
struct Opened {
    log: AuditLog,
    /// The chains that are asked for.
    chains: Vec<String>,
    /// The one that `audit.heads_file` is about.
    own: String,
}

impl Which {
    fn open(&self, config: &Config) -> anyhow::Result<Opened> {
        let (log, own) = match (&self.database, &config.database) {
            (Some(path), _) | (None, Database::Embedded(path)) => {
                (AuditLog::of_file(path)?, AuditLog::EMBEDDED.to_owned())
            }
            (None, Database::Cluster(cluster)) => {
                (AuditLog::of_postgres(cluster.postgres.expose(), &cluster.node)?, cluster.node.clone())
            }
        };
        let mut chains = log.chains()?;
        if let Some(node) = &self.node {
            chains.retain(|name| name == node);
            anyhow::ensure!(!chains.is_empty(), "--node {node}: no node of this name ever wrote to the database");
        }
        Ok(Opened { log, chains, own })
    }
}

/// Runs it. Not being able to is status 2, because 1 says that the log is not whole.
pub fn main(command: Command) -> ExitCode {
    let done = match command {
        Command::Verify(args) => verify::run(&args),
        Command::Export(args) => export::run(&args).map(|()| true),
        Command::Erase(args) => super::run(erase::run(args)).map(|()| true),
    };
    match done {
        Ok(whole) => ExitCode::from(u8::from(!whole)),
        Err(e) => {
            eprintln!("yaopai: {e}");
            ExitCode::from(2)
        }
    }
}

/// With the file's name in front, where the error has not got it.
fn of_file(path: &Path, e: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{}: {e}", path.display())
}
