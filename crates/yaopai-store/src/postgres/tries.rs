//! How often somebody has tried, in PostgreSQL, for many servers without Redis. A connection and a thread of their own, as nonces have. Tries
//! that wait share a transaction; those of other servers come after it, because all take one lock: it is held for three statements or four.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::oneshot;
use yaopai_core::ports::{StoreResult, Took, Tries};

use super::db::Db;
use super::error::{Error, PostgresError};
use super::settings::Settings;
use super::{forget, nonces, open};
use crate::engine::lane::{Jobs, Lane};
use crate::rows::Fault as _;
use crate::tries::{self, At, Counts, Known, over};

/// What the connection says first. A crash may lose the last moment's tries: those are allowed once more, and nobody waits for the disk.
const GREETING: &str = "SET synchronous_commit = off; \
    SET lock_timeout = '2s'; SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '4s'; SET jit = off; \
    SET default_transaction_isolation = 'read committed'";

/// Tries that share a transaction.
const BATCH: usize = 64;

pub(super) struct Job {
    pub tries: Tries,
    /// The slot in which they came to nothing; else they are to be counted.
    pub back: Option<i64>,
    pub reply: oneshot::Sender<StoreResult<Took>>,
}

pub(super) struct Ledger {
    db: Db,
    begin: String,
    forget: Arc<Lane<forget::Job>>,
}

/// A name, as it is kept: slot length, kind, turn, name.
type Key = (i64, i32, i64, Vec<u8>);

impl Ledger {
    pub fn open(settings: &Arc<Settings>, forget: Arc<Lane<forget::Job>>) -> Result<Self, PostgresError> {
        let db = open::ready(settings, GREETING)?;
        db.set_silence(nonces::SILENCE);
        // Locks are the database's; those of another schema are others'.
        let scope: Option<u32> = db.one("SELECT 'tries'::regclass::oid", &[], |row| Ok(row.try_get(0)?))?;
        let scope = scope.unwrap_or_default().cast_signed();
        Ok(Self { db, begin: format!("BEGIN; SELECT pg_advisory_xact_lock({scope}, 0)"), forget })
    }

    pub fn run(&mut self, mut jobs: Jobs<Job>) {
        while let Some(mut batch) = jobs.some(BATCH) {
            // Who has given up needs nothing counted; what came to nothing is given back all the same.
            batch.retain(|job| job.back.is_some() || !job.reply.is_closed());
            if batch.is_empty() {
                continue;
            }
            match self.db.whole(&self.begin, || self.answer(&batch)) {
                Ok((answers, written)) => {
                    batch.into_iter().zip(answers).for_each(|(job, took)| drop(job.reply.send(Ok(took))));
                    // If it is that far behind, tidying gets there.
                    let _ = self.forget.submit(forget::Job::Tries(written));
                }
                Err(e) => {
                    let e = e.store_error();
                    tracing::error!(error = %e, tries = batch.len(), "tries were not counted");
                    batch.into_iter().for_each(|job| drop(job.reply.send(Err(e.clone()))));
                }
            }
        }
    }

    /// An answer for each, and how many names were written.
    fn answer(&self, batch: &[Job]) -> Result<(Vec<Took>, usize), Error> {
        // Under the lock: no other server's clock reading comes between.
        let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let now: i64 = self.db.one(sql, &[], |row| Ok(row.try_get(0)?))?.unwrap_or_default();
        let mut sheet = self.read(batch, now)?;
        let answers = batch.iter().map(|job| sheet.answer(job, now)).collect();
        self.write(&sheet)?;
        Ok((answers, sheet.changed.len()))
    }

    /// What is known of all that are asked about, of this turn and the one before.
    fn read(&self, batch: &[Job], now: i64) -> Result<Sheet, Error> {
        let mut asked: Vec<Key> = Vec::new();
        for Job { tries, .. } in batch {
            let turn = At::new(now, tries.slot_ms).turn;
            for count in &tries.counts {
                let key = |turn| (tries.slot_ms, i32::from(count.kind), turn, count.name.to_vec());
                asked.extend([key(turn), key(turn - 1)]);
            }
        }
        asked.sort_unstable();
        asked.dedup();
        let Columns { slot_ms, kind, turn, name } = columns(&asked);
        let sql = "SELECT slot_ms, kind, turn, name, counts FROM tries JOIN \
                   unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bytea[]) AS asked (slot_ms, kind, turn, name) \
                   USING (slot_ms, kind, turn, name)";
        let kept = self.db.all(sql, &[&slot_ms, &kind, &turn, &name], |row| {
            let key: Key = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?);
            Ok((key, Counts::parse(row.try_get(4)?)))
        })?;
        let sql = "SELECT DISTINCT slot_ms, kind, turn, names FROM tries_turns JOIN \
                   unnest($1::bigint[], $2::integer[], $3::bigint[]) AS asked (slot_ms, kind, turn) USING (slot_ms, kind, turn)";
        let names = self.db.all(sql, &[&slot_ms, &kind, &turn], |row| {
            let turn: (i64, i32, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok((turn, row.try_get::<_, i64>(3)?))
        })?;
        Ok(Sheet { kept: kept.into_iter().collect(), names: names.into_iter().collect(), ..Sheet::default() })
    }

    fn write(&self, sheet: &Sheet) -> Result<(), Error> {
        if sheet.changed.is_empty() {
            return Ok(());
        }
        let changed: Vec<Key> = sheet.changed.iter().cloned().collect();
        let Columns { slot_ms, kind, turn, name } = columns(&changed);
        let counts: Vec<String> = changed.iter().filter_map(|key| Some(sheet.kept.get(key)?.text())).collect();
        let until: Vec<i64> = changed.iter().map(|(slot_ms, _, turn, _)| over(*turn, *slot_ms)).collect();
        let sql = "INSERT INTO tries (slot_ms, kind, turn, name, counts, expires_at) \
                   SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bytea[], $5::text[], $6::bigint[]) \
                   ON CONFLICT (slot_ms, kind, turn, name) DO UPDATE SET counts = excluded.counts";
        self.db.change(sql, &[&slot_ms, &kind, &turn, &name, &counts, &until])?;
        for ((slot_ms, kind, turn), new) in &sheet.new {
            let sql = "INSERT INTO tries_turns (slot_ms, kind, turn, names, expires_at) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (slot_ms, kind, turn) DO UPDATE SET names = tries_turns.names + excluded.names";
            self.db.change(sql, &[slot_ms, kind, turn, new, &over(*turn, *slot_ms)])?;
        }
        Ok(())
    }
}

struct Columns<'a> {
    slot_ms: Vec<i64>,
    kind: Vec<i32>,
    turn: Vec<i64>,
    name: Vec<&'a [u8]>,
}

fn columns(keys: &[Key]) -> Columns<'_> {
    Columns {
        slot_ms: keys.iter().map(|key| key.0).collect(),
        kind: keys.iter().map(|key| key.1).collect(),
        turn: keys.iter().map(|key| key.2).collect(),
        name: keys.iter().map(|key| &key.3[..]).collect(),
    }
}

/// What a batch has read, and what it has changed.
#[derive(Default)]
struct Sheet {
    kept: HashMap<Key, Counts>,
    /// How many names each turn has.
    names: HashMap<(i64, i32, i64), i64>,
    changed: HashSet<Key>,
    /// How many of them are new in their turn.
    new: HashMap<(i64, i32, i64), i64>,
}

impl Sheet {
    fn answer(&mut self, Job { tries, back, .. }: &Job, now: i64) -> Took {
        let at = At::new(now, tries.slot_ms);
        let key = |n: usize, turn: i64| {
            let count = &tries.counts[n];
            (tries.slot_ms, i32::from(count.kind), turn, count.name.to_vec())
        };
        if let Some(slot) = back {
            for n in 0..tries.counts.len() {
                // An older turn's is not looked at any more.
                let found =
                    [at.turn, at.turn - 1].map(|turn| key(n, turn)).into_iter().find(|key| self.kept.contains_key(key));
                if let Some(key) = found
                    && self.kept.get_mut(&key).is_some_and(|counts| counts.less(*slot))
                {
                    self.changed.insert(key);
                }
            }
            return Took::Counted(*slot);
        }
        let mut known: Vec<Known> = (0..tries.counts.len())
            .map(|n| {
                let (here, before) = (self.kept.get(&key(n, at.turn)), self.kept.get(&key(n, at.turn - 1)));
                let turn = (tries.slot_ms, i32::from(tries.counts[n].kind), at.turn);
                let names = self.names.get(&turn).copied().unwrap_or(0) + self.new.get(&turn).copied().unwrap_or(0);
                Known {
                    counts: here.or(before).cloned().unwrap_or_default(),
                    here: here.is_some(),
                    names: usize::try_from(names).unwrap_or(0),
                }
            })
            .collect();
        let (took, counted) = tries::take(tries, at, &mut known);
        for n in counted {
            let Known { counts, here, .. } = std::mem::take(&mut known[n]);
            let key = key(n, at.turn);
            if !here {
                *self.new.entry((key.0, key.1, key.2)).or_default() += 1;
            }
            self.kept.insert(key.clone(), counts);
            self.changed.insert(key);
        }
        took
    }
}
