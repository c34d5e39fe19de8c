//! What is over of nonces and tries in PostgreSQL is deleted by a connection and a thread of its own, as much as has come and some more:
//! it goes as it came, and whoever signs or tries waits for none of it.
//!
//! What is deleted stays in the index as long as any transaction is open that might look at it: a dump's, for hours. Who looks for the oldest
//! from the beginning passes all of that, each time. So each search begins where the one before ended, at its *floor*. Rows may be left behind a
//! floor: another server had them locked and died, or a transaction that inserted them took long. They are in nobody's way (nothing is
//! accepted any more that was signed so long ago), and every [`ROUNDS`] [`Job::Tidy`] looks from the beginning.

use std::sync::Arc;

use tokio::sync::oneshot;
use yaopai_core::ports::StoreResult;

use super::db::Db;
use super::error::{Error, PostgresError};
use super::nonces::SILENCE;
use super::settings::Settings;
use crate::engine::lane::Jobs;
use crate::nonces::STEP;
use crate::rows::Fault as _;

/// What the connection says first. What a crash brings back is deleted again, so nobody waits for the disk. And whatever the planner thinks of
/// a small table, it takes the index: the rest of the table may be dead rows.
const GREETING: &str = "SET synchronous_commit = off; SET enable_seqscan = off; SET enable_bitmapscan = off; \
    SET lock_timeout = '2s'; SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '4s'; SET jit = off; \
    SET default_transaction_isolation = 'read committed'";

/// Requests that may wait. Beyond it they are left to the next tidying.
pub(super) const QUEUE: usize = 1024;

/// Rows that go in one statement at most.
const MOST: usize = 2_000;

/// Rounds of tidying for one that looks from the beginning: beside an old transaction it takes seconds, and there may be many nodes.
const ROUNDS: u32 = 15;

/// How far back (milliseconds) one looks that has no floor yet: a restart takes less. What is older is left to tidying.
const REACH: i64 = 600_000;

/// How long (milliseconds) tries are kept after nobody reads them: longer than any transaction that has read the clock before.
const LATE: i64 = 60_000;

pub(super) enum Job {
    /// So many nonces have come.
    Nonces(usize),
    /// So many tries were written.
    Tries(usize),
    /// Looks for what was left, too.
    Tidy(oneshot::Sender<StoreResult<()>>),
}

/// Deletes up to `$3` rows before a bound from the floor (`$1`, `$2`) on, or from `$4` before the bound where that is later. Answers the bound,
/// how many rows went, and the last of them. Those that another server is just deleting are passed over.
macro_rules! sweep {
    ($table:literal, $key:literal, $bound:literal) => {
        concat!(
            "WITH bound AS MATERIALIZED (",
            $bound,
            "), found AS MATERIALIZED (SELECT ctid AS place, expires_at, ",
            $key,
            " AS key FROM ",
            $table,
            " WHERE (expires_at, ",
            $key,
            ") >= (greatest($1, (SELECT at FROM bound) - $4), $2) AND expires_at < (SELECT at FROM bound) ORDER BY expires_at, ",
            $key,
            " LIMIT $3 FOR UPDATE SKIP LOCKED), gone AS (DELETE FROM ",
            $table,
            " WHERE ctid = ANY (ARRAY (SELECT place FROM found))) \
             SELECT at, (SELECT count(*) FROM found), expires_at, key FROM bound LEFT JOIN \
             (SELECT expires_at, key FROM found ORDER BY expires_at DESC, key DESC LIMIT 1) AS last ON true"
        )
    };
}

/// By a mark that was committed before, less the step that is allowed to whoever inserts: docs/decisions/0067.
const NONCES: &str = sweep!("nonces", "fingerprint", "SELECT high - $5 AS at FROM nonces_past");
const TRIES: &str =
    sweep!("tries", "name", "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - $5 AS at");

pub(super) struct Forgetter {
    db: Db,
    nonces: Sweep,
    tries: Sweep,
}

impl Forgetter {
    pub fn open(settings: &Arc<Settings>) -> Result<Self, PostgresError> {
        let db = Db::connect(settings, GREETING)?;
        db.set_silence(SILENCE);
        Ok(Self { db, nonces: Sweep::new(NONCES, STEP), tries: Sweep::new(TRIES, LATE) })
    }

    pub fn run(&mut self, mut jobs: Jobs<Job>) {
        while let Some(some) = jobs.some(QUEUE) {
            let (mut nonces, mut tries, mut tidying) = (0, 0, Vec::new());
            for job in some {
                match job {
                    Job::Nonces(n) => nonces += n,
                    Job::Tries(n) => tries += n,
                    Job::Tidy(reply) => tidying.push(reply),
                }
            }
            if tidying.is_empty() {
                let _ = self.nonces.follow(&self.db, nonces).and(self.tries.follow(&self.db, tries));
                continue;
            }
            let done = self.tidy().map_err(|e| e.store_error());
            tidying.into_iter().for_each(|reply| drop(reply.send(done.clone())));
        }
    }

    /// All that can be done is done, whatever fails.
    fn tidy(&mut self) -> Result<(), Error> {
        let Self { db, nonces, tries } = self;
        let turns = "DELETE FROM tries_turns WHERE expires_at < floor(extract(epoch FROM clock_timestamp()) * 1000) - $1::bigint";
        nonces.tidy(db).and(tries.tidy(db)).and(db.change(turns, &[&LATE]).map(drop))
    }
}

/// A row's place in the order in which rows go.
type Place = (i64, Vec<u8>);

struct Sweep {
    sql: &'static str,
    /// How long (milliseconds) before the clock rows have to be over.
    margin: i64,
    /// All before it was looked at.
    floor: Place,
    /// It has failed: what fails takes its time, and would fail again. Tidying tries it next.
    rests: bool,
    /// How many rounds of tidying pass before one looks from the beginning.
    rounds: u32,
}

impl Sweep {
    fn new(sql: &'static str, margin: i64) -> Self {
        Self { sql, margin, floor: (i64::MIN, Vec::new()), rests: false, rounds: 0 }
    }

    /// After `came` new ones: more than those, and never all at once.
    fn follow(&mut self, db: &Db, came: usize) -> Result<(), Error> {
        if came == 0 || self.rests { Ok(()) } else { self.go_on(db, (2 * came + 8).min(MOST)) }
    }

    /// From the floor on, and now and then what was left behind it. Beside an old transaction that may take too long: no reason not to have done
    /// the other.
    fn tidy(&mut self, db: &Db) -> Result<(), Error> {
        self.go_on(db, MOST)?;
        if self.rounds > 0 {
            self.rounds -= 1;
            return Ok(());
        }
        self.rounds = ROUNDS;
        let (_, gone) = self.pass(db, &(i64::MIN, Vec::new()), i64::MAX, MOST)?;
        if gone == MOST {
            self.rounds = 0;
        }
        Ok(())
    }

    fn go_on(&mut self, db: &Db, most: usize) -> Result<(), Error> {
        let reach = if self.floor.0 == i64::MIN { REACH } else { i64::MAX };
        let done = self.pass(db, &self.floor, reach, most);
        self.rests = done.is_err();
        match done {
            Ok((floor, _)) => self.floor = floor,
            Err(e) => {
                tracing::warn!(error = %e, "what is over was not deleted; the next round goes on");
                return Err(e);
            }
        }
        Ok(())
    }

    /// Deletes some. Answers up to where it has looked, and how many went.
    fn pass(&self, db: &Db, from: &Place, reach: i64, most: usize) -> Result<(Place, usize), Error> {
        let limit = i64::try_from(most).unwrap_or(i64::MAX);
        let passed = db.one(self.sql, &[&from.0, &from.1, &limit, &reach, &self.margin], |row| {
            let (bound, gone): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            // All that there was, or up to the last one: then it is looked at once more, because another may be like it.
            let end = if gone < limit { (bound, Vec::new()) } else { (row.try_get(2)?, row.try_get(3)?) };
            Ok((end, usize::try_from(gone).unwrap_or(most)))
        })?;
        // There is no bound: nothing is remembered yet.
        Ok(passed.unwrap_or_else(|| (from.clone(), 0)))
    }
}
