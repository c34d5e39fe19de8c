//! `yaopai audit verify`

use std::path::PathBuf;

use anyhow::bail;
use yaopai_core::audit::{Kind, Verifier};
use yaopai_core::ports::{AuditRow, Clock as _};
use yaopai_core::time::Timestamp;
use yaopai_store::sqlite::AuditFile;

use super::{Configured, of_file};
use crate::audit::read_heads;
use crate::clock::SystemClock;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: Configured,
    /// Heads that were exported before: what was cut off or written anew since then shows by them alone. Without it,
    /// `audit.heads_file` of the configuration, if there is one.
    #[arg(long)]
    heads: Option<PathBuf>,
    /// The database, if not the configuration's: a backup, say.
    #[arg(long)]
    database: Option<PathBuf>,
}

/// A head is exported each minute: a log that is older than this, in milliseconds, has some.
const EXPORTED_BY: i64 = 120_000;

/// What is counted on the way.
#[derive(Default)]
struct Seen {
    /// When the first row was written.
    begun: Option<Timestamp>,
    /// Rows whose personal fields nobody can read any more.
    unreadable: u64,
    /// Rows that say that somebody's were erased.
    erasures: u64,
}

impl Seen {
    fn row(&mut self, AuditRow { row, salt }: &AuditRow) {
        self.begun.get_or_insert(row.at);
        self.unreadable += u64::from(row.sealed.is_some() && salt.is_none());
        self.erasures += u64::from(row.read().is_some_and(|(event, _)| event.kind == Kind::Erased));
    }
}

/// True if it is whole.
#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let (config, scribe) = args.of.read()?;
    let path = match &args.database {
        Some(path) => path,
        None => config.database.file()?,
    };
    // Before the rows: a head that comes meanwhile is of a row that this doesn't see.
    let configured = config.audit.heads_file.as_ref();
    let kept = args.heads.as_ref().or(configured.filter(|path| path.exists()));
    let heads = match kept {
        Some(path) => read_heads(path).map_err(|e| of_file(path, e))?,
        None => Vec::new(),
    };
    let file = AuditFile::open(path)?;
    let begin = |checkpoint: Option<_>| {
        if let Some(c) = &checkpoint {
            let yaopai_core::audit::Checkpoint { head, rows, .. } = c;
            println!("{rows} row(s) up to row {} were deleted by retention.", head.seq);
        }
        Verifier::new(&scribe, checkpoint.as_ref(), heads)
    };
    let mut seen = Seen::default();
    let verified = file.visit(begin, |verifier, kept| {
        seen.row(&kept);
        verifier.row(&kept.row)
    });
    let verified = verified?.and_then(Verifier::end);
    match verified {
        Ok(done) => {
            println!(
                "The audit log is whole: {} row(s), up to row {}, {}.",
                done.rows,
                done.head.seq,
                hex::encode(done.head.mac)
            );
            match (done.heads, done.older) {
                (0, 0) => println!(
                    "No exported head was compared: if its tail was cut off, or written anew by who has the master key, this can't tell."
                ),
                (found, older) => println!("{found} exported head(s) are in it; {older} are of rows deleted since."),
            }
            if seen.unreadable > 0 {
                println!(
                    "The personal fields of {} row(s) can't be read any more: their keys were deleted. {} row(s) tell of an erasure; \
                     keys that somebody deleted by hand leave none.",
                    seen.unreadable, seen.erasures
                );
            }
            // After what could be proven: that stands.
            let old = seen.begun.is_some_and(|at| SystemClock::default().now().0 - at.0 > EXPORTED_BY);
            match configured.filter(|_| kept.is_none() && old) {
                Some(path) => bail!(
                    "{} of the configuration is not there, and a log of this age has exported heads: where is it?",
                    path.display()
                ),
                None => Ok(true),
            }
        }
        Err(fault) => {
            println!("The audit log is NOT whole: {fault}.");
            Ok(false)
        }
    }
}
