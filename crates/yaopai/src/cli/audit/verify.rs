//! `yaopai audit verify`

use std::path::PathBuf;

use yaopai_core::audit::Verifier;
use yaopai_store::sqlite::AuditFile;

use super::{Configured, of_file};
use crate::audit::read_heads;

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

/// True if it is whole.
#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn run(args: &Args) -> anyhow::Result<bool> {
    let (config, scribe) = args.of.read()?;
    let path = args.database.as_ref().unwrap_or(&config.database);
    // Before the rows: a head that comes meanwhile is of a row that this doesn't see.
    let kept = args.heads.as_ref().or(config.audit.heads_file.as_ref().filter(|path| path.exists()));
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
    let verified = file.visit(begin, |verifier, kept| verifier.row(&kept.row))?.and_then(Verifier::end);
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
            Ok(true)
        }
        Err(fault) => {
            println!("The audit log is NOT whole: {fault}.");
            Ok(false)
        }
    }
}
