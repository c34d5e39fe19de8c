//! `yaopai audit export`

use std::io::{self, Write as _};

use serde_json::json;
use yaopai_core::time::Timestamp;
use yaopai_store::AuditLog;

use super::{Configured, Opened, Which};
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
    #[command(flatten)]
    which: Which,
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let at: Result<jiff::Timestamp, _> = text.parse();
    at.map(|at| Timestamp(at.as_millisecond()))
        .map_err(|_| "an instant as RFC 3339 writes it: 2026-11-27T08:30:00Z".into())
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let (config, scribe) = args.of.read()?;
    let Opened { log, chains, .. } = args.which.open(&config)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for chain in &chains {
        let written = log.visit(
            chain,
            |_| Ok(&mut out),
            |out, kept| {
                let at = kept.row.at;
                if args.from.is_none_or(|from| at >= from) && args.to.is_none_or(|to| at < to) {
                    let mut row = row(&scribe, &kept);
                    // Who has one chain needs no name for it.
                    if chain != AuditLog::EMBEDDED {
                        row["node"] = json!(chain);
                    }
                    writeln!(out, "{row}")?;
                }
                Ok(())
            },
        )?;
        match written.and_then(|out| out.flush()) {
            // Whoever reads it has seen enough: `| head`.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            done => done?,
        }
    }
    Ok(())
}
