//! `yaopai export undo`

use std::path::PathBuf;

use anyhow::ensure;
use yaopai_core::ports::Clock as _;
use yaopai_store::house::Mark;
use yaopai_store::{postgres, sqlite};

use crate::clock::SystemClock;
use crate::config::{Config, Database};

#[derive(clap::Args)]
pub struct Args {
    /// The configuration of the old database.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
    /// Take it up as it was left, and lose what a server on the new database has answered since, kicks among it.
    #[arg(long)]
    as_it_was: bool,
}

const LOSS: &str = "If a server has run on the new database, what it answered is not here: who logged out or was kicked there is logged in \
                    here again, and who logged in or was bound there is not";

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::read(&args.config)?;
    ensure!(
        args.as_it_was,
        "{LOSS}. To go back with all of it, export the new database and import that into an empty one. To take the old one up as it was left, \
         stop every server on the new one, delete that and the file, and say --as-it-was. Nothing was changed"
    );
    let now = SystemClock::default().now();
    let moved = match &config.database {
        Database::Embedded(path) => sqlite::house::undo(path, now)?,
        Database::Cluster(cluster) => {
            postgres::house::undo(cluster.postgres.expose(), &format!("{}/undo", cluster.node), now)?
        }
    };
    let Mark { at, to } = moved;
    println!("Servers start on {} again, as it was at {at}. {LOSS}.", config.database);
    println!("Serve nobody any more from the file with the id {to}: delete it, and what it was imported into.");
    Ok(())
}
