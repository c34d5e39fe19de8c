//! `yaopai import all`

use std::fs::File;
use std::io::{BufReader, Seek as _};
use std::path::PathBuf;

use anyhow::ensure;
use yaopai_core::house::FileKey;
use yaopai_core::ports::Clock as _;

use super::leaving::key_check;
use super::{enter, of, print};
use crate::clock::SystemClock;
use crate::config::Config;

#[derive(clap::Args)]
pub struct Args {
    /// The file that `yaopai export all` has written.
    file: PathBuf,
    /// The configuration of the database that it goes into: an empty one, with the same master key.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
    /// Take a file that was written while servers ran, to try the move out.
    #[arg(long)]
    rehearsal: bool,
    /// Take a file that is older than an hour: the old place was not started since it was written.
    #[arg(long)]
    stopped_since: bool,
}

/// A file that is older than this may be of before the old place was started again; milliseconds.
const FRESH: i64 = 3_600_000;

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = Config::read(&args.config)?;
    let (sealer, key) = (key_check(&config)?, FileKey::of(&config.master_key));
    let file = File::open(&args.file).map_err(|e| of(&args.file, e))?;
    let mut from = BufReader::with_capacity(1 << 20, file);
    if !args.rehearsal {
        let about = yaopai_store::house::about(&mut from, &key).map_err(|e| of(&args.file, e))?;
        ensure!(
            !about.rehearsal,
            "{} was written by a rehearsal, while servers ran: what they answered since is missing. Stop them and export again; or \
             say --rehearsal, to try it out",
            args.file.display()
        );
        let age = SystemClock::default().now().0.saturating_sub(about.at);
        ensure!(
            age <= FRESH || args.stopped_since,
            "{} was written {} minutes ago. If the old place was started since then, what it answered is missing, kicks among it: stop it and \
             export again. If it was not, say --stopped-since",
            args.file.display(),
            age / 60_000
        );
        from.rewind()?;
    }
    let opens = |key: &_| {
        let other = "the master key of this configuration is not the one that the file's database was made with: set master_key to that";
        sealer.opens(key).map_err(|_| other.to_owned())
    };
    let (about, moved) = enter(&config.database)?.import(from, &key, SystemClock::default().now(), &opens)?;
    print(&moved);
    let next = if about.rehearsal {
        "This was a rehearsal: `yaopai serve --rehearsal` starts a server on it, which no client may reach. Empty it before the move itself."
    } else {
        "Start the server."
    };
    println!(
        "All of it is in {}, written there, read back and compared with what {} held (file {}). {next}",
        config.database, about.from, about.id
    );
    Ok(())
}
