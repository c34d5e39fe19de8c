//! `yaopai export all`

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use yaopai_core::house::FileKey;
use yaopai_core::ports::{Clock as _, Entropy as _};
use yaopai_store::house::{About, HouseError, Moved};

use super::{leave, of, print};
use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Database};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Write everything that must last to a file, for `yaopai import all` into another database. Stop the server first, or all nodes.
    ///
    /// The file holds what the database holds: sealed keys, hashes of tokens, openids and users. It is created for its owner only to read.
    /// The master key is not in it.
    All(Args),
    /// Give a move up: take the old database up again, which no server starts on once it was exported.
    Undo(super::staying::Args),
}

#[derive(clap::Args)]
pub struct Args {
    /// The file. It must not exist.
    file: PathBuf,
    /// The configuration that the database is of.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
    /// Try the move out while servers run: what they answer from now on is not in the file.
    #[arg(long)]
    rehearsal: bool,
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(command: &Command) -> anyhow::Result<()> {
    let args = match command {
        Command::All(args) => args,
        Command::Undo(args) => return super::staying::run(args),
    };
    let config = Config::read(&args.config)?;
    let source = leave(&config.database, args.rehearsal)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&args.file).map_err(|e| of(&args.file, e))?;
    let about = about(&config.database, args.rehearsal);
    let written = (|| {
        let mut out = BufWriter::with_capacity(1 << 20, file);
        let moved = source.export(&about, &FileKey::of(&config.master_key), &mut out)?;
        out.flush()?;
        let file = out.into_inner().map_err(|e| HouseError::Io(e.into_error()))?;
        file.sync_all()?;
        if let Some(folder) = args.file.parent() {
            // The name, too.
            let folder = if folder == Path::new("") { Path::new(".") } else { folder };
            std::fs::File::open(folder)?.sync_all()?;
        }
        // Last: what can't be written must not keep the old server from starting.
        if !about.rehearsal {
            source.mark(&about)?;
        }
        Ok::<_, HouseError>(moved)
    })();
    let moved = written.map_err(|e| match std::fs::remove_file(&args.file) {
        Err(kept) => anyhow::anyhow!("{e}. It could not be removed ({kept}): remove it, it may be whole"),
        Ok(()) => e.into(),
    })?;
    print(&moved);
    if args.rehearsal {
        println!("A rehearsal: what servers answered since it began is missing. Don't serve from it.");
    } else {
        println!(
            "All of it is in {}, its id is {}. No server starts on the old database any more: two would accept each request. Until the file \
             is imported, `yaopai export undo` takes that back.",
            args.file.display(),
            about.id
        );
    }
    Ok(())
}

fn about(database: &Database, rehearsal: bool) -> About {
    let from = match database {
        Database::Embedded(_) => "the embedded database",
        Database::Cluster(_) => "PostgreSQL",
    };
    let at = SystemClock::default().now().0;
    let mut id = [0; 16];
    SystemEntropy.fill(&mut id);
    About {
        id: hex::encode(id),
        version: env!("CARGO_PKG_VERSION").into(),
        from: from.into(),
        at,
        signed_until: at,
        rehearsal,
    }
}

/// Copies what is in a database, whatever it is and while it is used, into a new embedded one, to try things on.
pub fn copy(from: &Config, to: &Path) -> Result<Vec<Moved>, HouseError> {
    let source = leave(&from.database, true)?;
    let (read, write) = std::io::pipe()?;
    let key = &FileKey::of(&from.master_key);
    let about = about(&from.database, true);
    std::thread::scope(|scope| {
        // One writes, the other reads, and neither needs room for all of it.
        let (name, now) = (to.to_owned(), SystemClock::default().now());
        let entering = scope.spawn(move || {
            let target = super::enter(&Database::Embedded(name))?;
            target.import(std::io::BufReader::with_capacity(1 << 20, read), key, now, &|_| Ok(()))
        });
        let mut out = BufWriter::with_capacity(1 << 20, write);
        let left = source.export(&about, key, &mut out).and_then(|moved| Ok(out.flush().map(|()| moved)?));
        drop(out);
        let entered = entering.join().unwrap_or_else(|_| Err(HouseError::Database("the copy panicked".into())));
        // Whoever failed first says why; the other one only lost its end of the pipe.
        match (left, entered) {
            (_, Err(e)) if !matches!(e, HouseError::Damaged(_)) => Err(e),
            (Err(e), _) | (_, Err(e)) => Err(e),
            (Ok(moved), Ok(_)) => Ok(moved),
        }
    })
}

/// What asks a data key whose it is.
pub(super) fn key_check(config: &Config) -> anyhow::Result<yaopai_core::seal::Sealer> {
    Ok(yaopai_core::seal::Sealer::new(&config.master_key, std::sync::Arc::new(SystemEntropy))?)
}
