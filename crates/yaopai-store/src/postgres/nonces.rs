//! Nonces in PostgreSQL, for many servers without Redis. A connection and a thread of their own: the writer's transactions come one after
//! the other over all servers, and a signed request needn't wait for logins. Uses that wait share a transaction; those of other servers
//! run at the same time, and only the same nonce makes two of them meet.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use yaopai_core::ports::{Shared, StoreError, StoreResult, Took, Tries, Use, Used};

use super::db::{Db, apart};
use super::error::{Error, PostgresError};
use super::settings::Settings;
use super::{forget, open, tries};
use crate::engine::lane::{Jobs, Lane, closed};
use crate::nonces::{Memory, STEP, Standing, forgettable};
use crate::rows::Fault as _;

/// What the connection says first. A commit is acknowledged when it is on the disk, and on the standbys that the database waits for.
const GREETING: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
    SET lock_timeout = '2s'; SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '4s'; SET jit = off; \
    SET default_transaction_isolation = 'read committed'";

/// How long a host may take to take a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a statement may take before the connection is given up.
pub(super) const SILENCE: Duration = Duration::from_secs(5);

/// How long a use may take. Whoever asks has a client waiting.
const PATIENCE: Duration = Duration::from_secs(2);

/// Uses that may wait, and that share a commit.
const QUEUE: usize = 4096;
const BATCH: usize = 256;

/// Nonces and tries in PostgreSQL. Dropping it finishes what is queued.
pub struct PostgresNonces {
    lane: Lane<Job>,
    tries: Lane<tries::Job>,
    // After those who give it work.
    forget: Arc<Lane<forget::Job>>,
}

enum Job {
    Use(Use, oneshot::Sender<StoreResult<Used>>),
    /// Writes down how far the clock is: without uses nobody does, and what was used last would never be over.
    Mark(oneshot::Sender<StoreResult<()>>),
}

impl PostgresNonces {
    /// Connects, brings the schema up to date, and begins to remember if nothing is remembered. Blocks; meant for the start. `url` is a
    /// connection string as [`Postgres::open`](super::Postgres::open) takes it, and so is `node`, which shows in
    /// `pg_stat_activity`.
    ///
    /// # Errors
    /// [`PostgresError`], whose text says what to do.
    pub fn open(url: &str, node: &str) -> Result<Self, PostgresError> {
        let settings = Arc::new(Settings::parse(url, node)?.hasty(CONNECT));
        let (mut ledger, mut counts) = apart(move || {
            let db = open::ready(&settings, GREETING)?;
            db.set_silence(SILENCE);
            let mut forgetter = forget::Forgetter::open(&settings)?;
            let work = move |jobs: Jobs<forget::Job>| forgetter.run(jobs);
            let forget = Lane::start("store-forget", forget::QUEUE, vec![work]).map_err(PostgresError::system)?;
            let forget = Arc::new(forget);
            let counts = tries::Ledger::open(&settings, Arc::clone(&forget))?;
            let mut ledger = Ledger { db, seen: 0, forget };
            ledger.count(&[])?;
            Ok((ledger, counts))
        })?;
        let forget = Arc::clone(&ledger.forget);
        let work = move |jobs: Jobs<Job>| ledger.run(jobs);
        let lane = Lane::start("store-nonces", QUEUE, vec![work]).map_err(PostgresError::system)?;
        let work = move |jobs: Jobs<tries::Job>| counts.run(jobs);
        let tries = Lane::start("store-tries", QUEUE, vec![work]).map_err(PostgresError::system)?;
        Ok(Self { lane, tries, forget })
    }

    async fn tried(&self, tries: &Tries, back: Option<i64>) -> StoreResult<Took> {
        let (reply, answer) = oneshot::channel();
        self.tries.submit(tries::Job { tries: tries.clone(), back, reply })?;
        in_time(answer).await
    }

    /// Takes no more uses, finishes those that are queued, and lets go of the database.
    pub async fn close(&self) {
        self.lane.stop().await;
        self.tries.stop().await;
        self.forget.stop().await;
    }
}

async fn in_time<T>(answer: oneshot::Receiver<StoreResult<T>>) -> StoreResult<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.unwrap_or_else(|_| Err(closed())),
        Err(_) => Err(StoreError { retry: true, what: "PostgreSQL has not answered in time".into() }),
    }
}

#[async_trait]
impl Shared for PostgresNonces {
    async fn first_use(&self, used: Use) -> StoreResult<Used> {
        let (reply, answer) = oneshot::channel();
        self.lane.submit(Job::Use(used, reply))?;
        in_time(answer).await
    }

    async fn take(&self, tries: &Tries) -> StoreResult<Took> {
        self.tried(tries, None).await
    }

    async fn give_back(&self, tries: &Tries, slot: i64) -> StoreResult<()> {
        self.tried(tries, Some(slot)).await.map(drop)
    }

    async fn tidy(&self) -> StoreResult<()> {
        let (reply, answer) = oneshot::channel();
        self.lane.submit(Job::Mark(reply))?;
        in_time(answer).await?;
        let (reply, answer) = oneshot::channel();
        self.forget.submit(forget::Job::Tidy(reply))?;
        // Nobody waits for it but who tidies, and each statement has its own end.
        answer.await.unwrap_or_else(|_| Err(closed()))
    }
}

struct Ledger {
    db: Db,
    /// The highest time that the database was heard to say.
    seen: i64,
    forget: Arc<Lane<forget::Job>>,
}

impl Ledger {
    fn run(&mut self, mut jobs: Jobs<Job>) {
        while let Some(batch) = jobs.some(BATCH) {
            let (mut uses, mut waiting, mut marking) = (Vec::new(), Vec::new(), Vec::new());
            for job in batch {
                match job {
                    // Who has given up needs no use counted.
                    Job::Use(_, reply) if reply.is_closed() => {}
                    Job::Use(used, reply) => {
                        uses.push(used);
                        waiting.push(reply);
                    }
                    Job::Mark(reply) => marking.push(reply),
                }
            }
            if uses.is_empty() && marking.is_empty() {
                continue;
            }
            let done = self.count(&uses).map_err(|e| e.store_error());
            if let Err(e) = &done {
                tracing::error!(error = %e, uses = uses.len(), "signed requests were not counted");
            }
            marking.into_iter().for_each(|reply| drop(reply.send(done.as_ref().map(drop).map_err(Clone::clone))));
            match done {
                Ok(answers) => {
                    let new = answers.iter().filter(|answer| **answer == Used::First).count();
                    waiting.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(Ok(answer))));
                    // If it is that far behind, tidying gets there.
                    let _ = self.forget.submit(forget::Job::Nonces(new));
                }
                Err(e) => waiting.into_iter().for_each(|reply| drop(reply.send(Err(e.clone())))),
            }
        }
    }

    /// An answer for each. After an error it is not known what was counted: an answer that got lost is asked for by nobody, because the
    /// client signs anew.
    fn count(&mut self, uses: &[Use]) -> Result<Vec<Used>, Error> {
        let (answers, now) = self.db.whole("BEGIN", || self.answer(uses))?;
        self.seen = self.seen.max(now);
        Ok(answers)
    }

    fn answer(&self, uses: &[Use]) -> Result<(Vec<Used>, i64), Error> {
        let standing = self.standing()?;
        let mut answers: Vec<Option<Used>> = uses.iter().map(|used| standing.refusal(used.created)).collect();
        let mut news: Vec<(&[u8], i64)> = Vec::new();
        let mut asked = HashSet::new();
        for (used, answer) in uses.iter().zip(&mut answers) {
            if answer.is_none() {
                if asked.insert(used.fingerprint) {
                    news.push((&used.fingerprint, forgettable(used.created)));
                } else {
                    *answer = Some(Used::Before);
                }
            }
        }
        if !news.is_empty() {
            // In one order, so that no two servers wait for each other.
            news.sort_unstable();
            let mut first = self.insert(&news)?;
            self.still_stands(&standing)?;
            for (used, answer) in uses.iter().zip(&mut answers) {
                answer.get_or_insert_with(
                    || {
                        if first.remove(&used.fingerprint[..]) { Used::First } else { Used::Before }
                    },
                );
            }
        }
        Ok((answers.into_iter().map(|answer| answer.unwrap_or(Used::Before)).collect(), standing.now))
    }

    /// What is known of the past now. Written, if it is new: whoever else writes it waits for this transaction's end and then finds it.
    fn standing(&self) -> Result<Standing, Error> {
        for _ in 0..3 {
            let sql = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8), \
                       floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, reign, first, high \
                       FROM (SELECT) AS always LEFT JOIN nonces_past ON true";
            let found = self.db.one(sql, &[], |row| {
                let reign: Option<String> = row.try_get(2)?;
                let kept = match reign {
                    Some(reign) => Some(Memory { reign, first: row.try_get(3)?, high: row.try_get(4)? }),
                    None => None,
                };
                Ok((row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?, kept))
            })?;
            let (reign, shown, kept) = found.ok_or_else(|| Error::Unreadable("no clock".into()))?;
            let standing = Memory::at(kept.clone(), &reign, shown, self.seen);
            if !standing.is_new || self.keep(kept.as_ref(), &standing.memory)? {
                return Ok(standing);
            }
        }
        Err(Error::Unsettled("others change what is known of the past".into()))
    }

    /// False if somebody else has changed it since it was read.
    fn keep(&self, old: Option<&Memory>, new: &Memory) -> Result<bool, Error> {
        let Memory { reign, first, high } = new;
        let changed = match old {
            Some(old) => {
                let sql = "UPDATE nonces_past SET reign = $1, first = $2, high = $3 \
                           WHERE reign = $4 AND first = $5 AND high = $6";
                self.db.change(sql, &[reign, first, high, &old.reign, &old.first, &old.high])?
            }
            None => {
                let sql =
                    "INSERT INTO nonces_past (one, reign, first, high) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING";
                self.db.change(sql, &[reign, first, high])?
            }
        };
        Ok(changed > 0)
    }

    /// Those that were not there.
    fn insert(&self, news: &[(&[u8], i64)]) -> Result<HashSet<Vec<u8>>, Error> {
        let (fingerprints, expire): (Vec<&[u8]>, Vec<i64>) = news.iter().copied().unzip();
        let sql = "INSERT INTO nonces (fingerprint, expires_at) SELECT * FROM unnest($1::bytea[], $2::bigint[]) \
                   ON CONFLICT (fingerprint) DO NOTHING RETURNING fingerprint";
        let first = self.db.all(sql, &[&fingerprints, &expire], |row| Ok(row.try_get::<_, Vec<u8>>(0)?))?;
        Ok(first.into_iter().collect())
    }

    /// That a nonce isn't there means something only if nobody has deleted it since the clock was read, because the clock jumped
    /// meanwhile, say. Whoever deletes (forget.rs) goes by a mark that was committed before, less the step that is allowed here.
    fn still_stands(&self, standing: &Standing) -> Result<(), Error> {
        let sql = "SELECT reign = $1 AND first = $2 AND high < $3 FROM nonces_past";
        let Memory { reign, first, .. } = &standing.memory;
        let stands = self.db.one(sql, &[reign, first, &(standing.now + STEP)], |row| Ok(row.try_get::<_, bool>(0)?))?;
        if stands == Some(true) {
            Ok(())
        } else {
            Err(Error::Unsettled("its clock has jumped, or its past begun anew".into()))
        }
    }
}
