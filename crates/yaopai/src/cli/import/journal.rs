//! The counts and the report of an import. Both are kept in step with the database: what is told of a piece is written to the
//! report before the piece is committed, and the commit says how much of the report counts.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use yaopai_core::ports::{ImportLog, ImportMark, ImportOutcome};
use yaopai_core::service::FileBinding;

use super::problem;
use super::row::Bad;

const HEADER: [&str; 6] = ["line", "openid", "user", "problem", "stands_now", "what_to_do"];
/// How many problems are told on the terminal.
const TOLD_MAX: u64 = 20;

/// What became of the rows so far, over all the runs that it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The line that the next row begins on, or the end of the one before.
    pub line: u64,
    pub rows: u64,
    pub bound: u64,
    pub already: u64,
    pub conflicts: BTreeMap<String, u64>,
    pub malformed: BTreeMap<String, u64>,
    /// How much of the report counts, if there is one.
    report: Option<Written>,
}

/// A file's beginning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    bytes: u64,
    sha256: String,
}

impl Tally {
    /// Is every row in?
    pub fn all_in(&self) -> bool {
        self.conflicts.is_empty() && self.malformed.is_empty()
    }

    fn problems(&self) -> u64 {
        self.conflicts.values().chain(self.malformed.values()).sum()
    }
}

/// A row of the piece that is under way.
pub struct Entry {
    line: u64,
    openid: String,
    user: String,
    bad: Option<problem::Malformed>,
}

impl Entry {
    /// A row whose outcome the store decides.
    pub fn good(line: u64, binding: &FileBinding) -> Self {
        Self { line, openid: binding.openid.clone(), user: binding.user.user.to_string(), bad: None }
    }

    /// A malformed one.
    pub fn bad(line: u64, bad: Bad) -> Self {
        Self { line, openid: bad.openid, user: bad.user, bad: Some(bad.why) }
    }
}

/// Keeps them.
pub struct Journal(Mutex<State>);

struct State {
    report: Option<File>,
    committed: Step,
    piece: Vec<Entry>,
    /// What the counts are once the piece is committed, and what is to be told then.
    next: Option<(Step, Vec<String>)>,
    /// The line at the end of the piece.
    line: u64,
}

#[derive(Clone)]
struct Step {
    tally: Tally,
    hash: Sha256,
}

impl Journal {
    /// Begins anew, or goes on from a mark with the report that belongs to it.
    ///
    /// # Errors
    /// The report can't be written, or isn't the one that was begun.
    pub fn open(report: Option<&Path>, mark: Option<&ImportMark>) -> anyhow::Result<Self> {
        let tally = match mark {
            None => Tally::default(),
            Some(mark) => serde_json::from_str(&mark.note)
                .map_err(|_| anyhow!("this file's import was begun by another version: give --restart"))?,
        };
        let mut step = Step { tally, hash: Sha256::new() };
        let file = match report {
            None if step.tally.report.is_some() => return Err(other_report("it was begun with one")),
            Some(_) if mark.is_some() && step.tally.report.is_none() => {
                return Err(other_report("it was begun without one"));
            }
            None => None,
            Some(path) => Some(open_report(path, &mut step)?),
        };
        let state = State { report: file, committed: step, piece: Vec::new(), next: None, line: 0 };
        Ok(Self(Mutex::new(state)))
    }

    /// The counts as of the last commit.
    pub fn tally(&self) -> Tally {
        self.lock().committed.tally.clone()
    }

    /// These rows are next. `line`: where they end.
    pub fn expect(&self, piece: Vec<Entry>, line: u64) {
        let mut state = self.lock();
        (state.piece, state.line, state.next) = (piece, line, None);
    }

    /// They are committed.
    pub fn settle(&self) {
        let mut state = self.lock();
        if let Some((step, told)) = state.next.take() {
            state.committed = step;
            told.iter().for_each(|line| eprintln!("{line}"));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ImportLog for Journal {
    fn note(&self, outcomes: &[ImportOutcome]) -> Result<String, String> {
        let mut state = self.lock();
        // From the commit before, so that being asked twice makes no difference.
        let mut step = state.committed.clone();
        let (text, told) = count(&mut step.tally, &state.piece, outcomes)?;
        step.tally.line = state.line;
        if let (Some(file), Some(written)) = (&state.report, &mut step.tally.report) {
            append(file, written.bytes, &text).map_err(|e| format!("the report can't be written: {e}"))?;
            step.hash.update(&text);
            *written = Written::of(written.bytes + text.len() as u64, &step.hash);
        }
        let note = serde_json::to_string(&step.tally).map_err(|e| e.to_string())?;
        state.next = Some((step, told));
        Ok(note)
    }
}

/// Counts a piece. Answers its lines of the report, and of the terminal.
fn count(tally: &mut Tally, piece: &[Entry], outcomes: &[ImportOutcome]) -> Result<(Vec<u8>, Vec<String>), String> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut told = Vec::new();
    let mut outcomes = outcomes.iter();
    for row in piece {
        tally.rows += 1;
        let (kind, stands, cure) = match row.bad {
            Some(bad) => {
                *tally.malformed.entry(bad.kind().into()).or_default() += 1;
                (bad.kind(), String::new(), bad.cure())
            }
            None => match outcomes.next().ok_or("an outcome is missing")? {
                ImportOutcome::Bound => {
                    tally.bound += 1;
                    continue;
                }
                ImportOutcome::Already => {
                    tally.already += 1;
                    continue;
                }
                ImportOutcome::Conflict(conflict) => {
                    let (kind, stands, cure) = problem::conflict(conflict);
                    *tally.conflicts.entry(kind.into()).or_default() += 1;
                    (kind, stands, cure.into())
                }
            },
        };
        // No openid and no user on the terminal: it may end in a log.
        match tally.problems() {
            0..=TOLD_MAX => told.push(format!("line {}: {kind}: {cure}", row.line)),
            n if n == TOLD_MAX + 1 => told.push("… more in the report (--report FILE)".into()),
            _ => {}
        }
        let line = row.line.to_string();
        csv.write_record([&line, &row.openid, &row.user, kind, &stands, &cure]).map_err(|e| e.to_string())?;
    }
    Ok((csv.into_inner().map_err(|e| e.to_string())?, told))
}

/// Opens the report where it counts. Anything behind that was written before a commit that never came.
fn open_report(path: &Path, step: &mut Step) -> anyhow::Result<File> {
    let cannot = |e: io::Error| anyhow!("cannot write the report {}: {e}", path.display());
    let mut options = OpenOptions::new();
    // Openids and users are in it.
    let mut file =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(cannot)?;
    if let Some(written) = &step.tally.report {
        let (mut chunk, mut left) = (vec![0; 64 * 1024], written.bytes);
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
            match file.read(&mut chunk[..some]).map_err(cannot)? {
                0 => break,
                n => {
                    step.hash.update(&chunk[..n]);
                    left -= n as u64;
                }
            }
        }
        if Written::of(written.bytes, &step.hash) != *written {
            return Err(other_report("this is not the one"));
        }
        file.set_len(written.bytes).map_err(cannot)?;
    } else {
        let header = format!("{}\n", HEADER.join(","));
        // One slip of the hand, and it is the table that was to be imported.
        let mut start = Vec::new();
        (&file).take(header.len() as u64).read_to_end(&mut start).map_err(cannot)?;
        if !start.is_empty() && start != header.as_bytes() {
            return Err(anyhow!("{} is there and is no report: name another file", path.display()));
        }
        append(&file, 0, header.as_bytes()).map_err(cannot)?;
        step.hash.update(header.as_bytes());
        step.tally.report = Some(Written::of(header.len() as u64, &step.hash));
    }
    Ok(file)
}

fn other_report(what: &str) -> anyhow::Error {
    anyhow!(
        "an import of this file was cut off and {what}: give the same --report again, or begin anew with --restart \
         (what is in stays in)"
    )
}

/// Writes at a place, behind which there is nothing then.
fn append(mut file: &File, at: u64, text: &[u8]) -> io::Result<()> {
    file.set_len(at)?;
    if !text.is_empty() {
        file.seek(SeekFrom::Start(at))?;
        file.write_all(text)?;
        file.sync_data()?;
    }
    Ok(())
}

impl Written {
    fn of(bytes: u64, hash: &Sha256) -> Self {
        Self { bytes, sha256: hex::encode(hash.clone().finalize()) }
    }
}
