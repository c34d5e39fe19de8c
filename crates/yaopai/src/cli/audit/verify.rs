//! `yaopai audit verify`

use std::path::PathBuf;

use anyhow::bail;
use yaopai_core::audit::{Checkpoint, Fault, Head, Kind, Scribe, Verified, Verifier};
use yaopai_core::ports::{AuditRow, Clock as _};
use yaopai_core::time::Timestamp;
use yaopai_store::AuditLog;

use super::{Configured, Opened, Which, of_file};
use crate::audit::read_heads;
use crate::clock::SystemClock;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    of: Configured,
    /// Heads that were exported before: what was cut off or written anew since then shows by them alone. Without it,
    /// `audit.heads_file` of the configuration, if there is one. They are this node's, or those of --node.
    #[arg(long)]
    heads: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
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
    // Before the rows: a head that comes meanwhile is of a row that this doesn't see.
    let configured = config.audit.heads_file.as_ref();
    let kept = args.heads.as_ref().or(configured.filter(|path| path.exists()));
    let heads = match kept {
        Some(path) => read_heads(path).map_err(|e| of_file(path, e))?,
        None => Vec::new(),
    };
    let Opened { log, chains, own } = args.which.open(&config)?;
    // A file of heads is one node's.
    let own = if args.heads.is_some() { args.which.node.clone().unwrap_or(own) } else { own };
    if !heads.is_empty() && args.which.node.is_none() && !chains.contains(&own) {
        bail!("there are exported heads of {own}, and no node of this name ever wrote to the database");
    }
    let (mut whole, mut begun) = (true, None);
    for chain in &chains {
        let (mine, alone) = (*chain == own, chains.len() == 1);
        let of = if alone && chain == AuditLog::EMBEDDED { String::new() } else { format!("{chain}: ") };
        let heads = if mine { heads.as_slice() } else { &[] };
        let (seen, verified) = verify(&log, chain, &scribe, heads, &of)?;
        if mine {
            begun = seen.begun;
        }
        match verified {
            // Of a node that never wrote anything.
            Ok(done) if done.head.seq == 0 && !mine && !alone => {}
            Ok(done) => proven(&of, &seen, &done),
            Err(fault) => {
                println!("{of}The audit log is NOT whole: {fault}.");
                whole = false;
            }
        }
    }
    // After what could be proven: that stands.
    let old = begun.is_some_and(|at: Timestamp| SystemClock::default().now().0 - at.0 > EXPORTED_BY);
    match configured.filter(|_| whole && kept.is_none() && old) {
        Some(path) => bail!(
            "{} of the configuration is not there, and a log of this age has exported heads: where is it?",
            path.display()
        ),
        None => Ok(whole),
    }
}

/// Looks at one chain.
#[allow(clippy::print_stdout, reason = "what the command is for")]
fn verify(
    log: &AuditLog,
    chain: &str,
    scribe: &Scribe,
    heads: &[Head],
    of: &str,
) -> anyhow::Result<(Seen, Result<Verified, Fault>)> {
    let begin = |checkpoint: Option<Checkpoint>| {
        if let Some(Checkpoint { head, rows, .. }) = &checkpoint {
            println!("{of}{rows} row(s) up to row {} were deleted by retention.", head.seq);
        }
        Verifier::new(scribe, checkpoint.as_ref(), heads.iter().copied())
    };
    let mut seen = Seen::default();
    let verified = log.visit(chain, begin, |verifier, kept| {
        seen.row(&kept);
        verifier.row(&kept.row)
    })?;
    Ok((seen, verified.and_then(Verifier::end)))
}

/// Says what was proven of one.
#[allow(clippy::print_stdout, reason = "what the command is for")]
fn proven(of: &str, seen: &Seen, done: &Verified) {
    let mac = hex::encode(done.head.mac);
    println!("{of}The audit log is whole: {} row(s), up to row {}, {mac}.", done.rows, done.head.seq);
    match (done.heads, done.older) {
        (0, 0) => println!(
            "{of}No exported head was compared: if its tail was cut off, or written anew by who has the master key, this can't tell."
        ),
        (found, older) => println!("{of}{found} exported head(s) are in it; {older} are of rows deleted since."),
    }
    if seen.unreadable > 0 {
        println!(
            "{of}The personal fields of {} row(s) can't be read any more: their keys were deleted. {} row(s) tell of an erasure; \
             keys that somebody deleted by hand leave none.",
            seen.unreadable, seen.erasures
        );
    }
}
