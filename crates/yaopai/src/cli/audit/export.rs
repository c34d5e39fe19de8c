//! `yaopai audit export`

use std::io::{self, Write as _};
use std::path::PathBuf;

use yaopai_core::time::Timestamp;
use yaopai_store::sqlite::AuditFile;

use super::Configured;
use crate::audit::row;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: Configured,
    /// Only rows from this instant on (RFC 3339).
    #[arg(long, value_parser = instant)]
    from: Option<Timestamp>,
    /// Only rows before this instant (RFC 3339).
    #[arg(long, value_parser = instant)]
    to: Option<Timestamp>,
    /// The database, if not the configuration's: a backup, say.
    #[arg(long)]
    database: Option<PathBuf>,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| Timestamp(at.as_millisecond()))
        .map_err(|_| "an instant as RFC 3339 writes it: 2026-11-27T08:30:00Z".into())
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (config, scribe) = args.of.read()?;
    let file = AuditFile::open(match &args.database {
        Some(path) => path,
        None => config.database.file()?,
    })?;
    let out = io::BufWriter::new(io::stdout().lock());
    let written = file.visit(
        |_| Ok(out),
        |out, kept| {
            let at = kept.row.at;
            if args.from.is_none_or(|from| at >= from) && args.to.is_none_or(|to| at < to) {
                writeln!(out, "{}", row(&scribe, &kept))?;
            }
            Ok(())
        },
    )?;
    match written.and_then(|mut out| out.flush()) {
        // Whoever reads it has seen enough: `| head`.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => Ok(done?),
    }
}
