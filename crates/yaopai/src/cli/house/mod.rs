//! Moving house: `yaopai export all`, `yaopai import all` and `yaopai export undo`.

mod entering;
mod leaving;
mod staying;

use std::path::Path;

use yaopai_store::house::{HouseError, Moved, Source, Target};
use yaopai_store::{postgres, sqlite};

use crate::config::Database;

pub use entering::Args as ImportArgs;
pub use entering::run as import;
pub use leaving::{Command, copy, run as export};

fn leave(database: &Database, rehearsal: bool) -> Result<Source, HouseError> {
    match database {
        Database::Embedded(path) => sqlite::house::leave(path, rehearsal),
        Database::Cluster(cluster) => {
            postgres::house::leave(cluster.postgres.expose(), &format!("{}/export", cluster.node), rehearsal)
        }
    }
}

fn enter(database: &Database) -> Result<Target, HouseError> {
    match database {
        Database::Embedded(path) => sqlite::house::enter(path),
        Database::Cluster(cluster) => {
            postgres::house::enter(cluster.postgres.expose(), &format!("{}/import", cluster.node))
        }
    }
}

/// What has moved, so that two commands' outputs can be compared.
#[allow(clippy::print_stdout, reason = "what the command is for")]
fn print(moved: &[Moved]) {
    for Moved { table, rows, sha256 } in moved {
        println!("{table:<16} {rows:>10} {sha256}");
    }
}

fn of(path: &Path, e: impl std::fmt::Display) -> anyhow::Error {
    anyhow::anyhow!("{}: {e}", path.display())
}
