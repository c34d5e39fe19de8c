//! The platforms' access tokens in PostgreSQL. A connection and a thread of their own: fetching one must not wait for logins, nor
//! they for it. The row is locked while the rule decides ([`yaopai_core::shared_token`]), so nodes decide one after the other.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::oneshot;
use tokio_postgres::Row;
use yaopai_core::ports::{SharedToken, SharedTokens, StoreError, StoreResult, TokenAsked, TokenDigest};
use yaopai_core::shared_token::{Kept, Lease as Turn, Record, Times};
use yaopai_core::time::Timestamp;

use super::db::{Db, apart};
use super::error::{Error, PostgresError};
use super::open;
use super::rows::{self, Read};
use super::settings::Settings;
use crate::engine::lane::{Jobs, Lane, closed};
use crate::rows::Fault as _;

/// What the connection says first. A commit is acknowledged when it is on the disk: a number of a lease must not come twice.
const GREETING: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
    SET lock_timeout = '2s'; SET statement_timeout = '4s'; SET idle_in_transaction_session_timeout = '4s'; SET jit = off; \
    SET default_transaction_isolation = 'read committed'";

/// How long a host may take to take a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// How long a statement may take before the connection is given up.
const SILENCE: Duration = Duration::from_secs(5);

/// How long a call may take. A client waits behind it.
const PATIENCE: Duration = Duration::from_secs(4);

/// Calls that may wait.
const QUEUE: usize = 1024;

/// Rows of apps that are no longer configured go after this.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);

const SELECT: &str = "SELECT sealed, digest, refresh_at, expires_at, fence, owner, leased_until, dead, dead_at, replaced, forced \
                      FROM platform_tokens WHERE key = $1 FOR UPDATE";

/// Tokens in PostgreSQL. Dropping it finishes what is queued.
pub struct PostgresTokens {
    lane: Lane<Job>,
    node: Arc<str>,
}

type Decide = Box<dyn FnOnce(&mut Record, Timestamp) + Send>;

struct Job {
    key: String,
    decide: Decide,
    reply: oneshot::Sender<StoreResult<()>>,
}

impl PostgresTokens {
    /// Connects, and brings the schema up to date. Blocks; meant for the start. `url` is a connection string as
    /// [`Postgres::open`](super::Postgres::open) takes it, and `node` this server's name.
    ///
    /// # Errors
    /// [`PostgresError`], whose text says what to do.
    pub fn open(url: &str, node: &str) -> Result<Self, PostgresError> {
        let settings = Arc::new(Settings::parse(url, node)?.hasty(CONNECT));
        let shelf = apart(move || {
            let db = open::ready(&settings, GREETING)?;
            db.set_silence(SILENCE);
            let shelf = Shelf { db };
            shelf.tidy()?;
            Ok(shelf)
        })?;
        let work = move |jobs: Jobs<Job>| shelf.run(jobs);
        let lane = Lane::start("store-tokens", QUEUE, vec![work]).map_err(PostgresError::system)?;
        Ok(Self { lane, node: node.into() })
    }

    /// Takes no more calls, finishes those that are queued, and lets go of the database.
    pub async fn close(&self) {
        self.lane.stop().await;
    }

    async fn with<T: Send + 'static>(
        &self,
        key: &str,
        decide: impl FnOnce(&mut Record, Timestamp, &str) -> T + Send + 'static,
    ) -> StoreResult<T> {
        let (told, decided) = oneshot::channel();
        let node = Arc::clone(&self.node);
        let decide: Decide = Box::new(move |record, now| drop(told.send(decide(record, now, &node))));
        let (reply, done) = oneshot::channel();
        self.lane.submit(Job { key: key.to_owned(), decide, reply })?;
        let silence = || StoreError { retry: true, what: "PostgreSQL has not answered in time".into() };
        let done = tokio::time::timeout(PATIENCE, done).await.map_err(|_| silence())?;
        done.unwrap_or_else(|_| Err(closed()))?;
        decided.await.map_err(|_| closed())
    }
}

#[async_trait]
impl SharedTokens for PostgresTokens {
    async fn ask(&self, key: &str, lease: Duration, dead: Option<TokenDigest>) -> StoreResult<TokenAsked> {
        self.with(key, move |record, now, node| record.ask(now, node, lease, dead)).await
    }

    async fn keep(&self, key: &str, fence: u64, token: SharedToken) -> StoreResult<bool> {
        self.with(key, move |record, now, node| record.keep(now, node, fence, token)).await
    }

    async fn force(&self, key: &str, fence: u64, lease: Duration) -> StoreResult<bool> {
        self.with(key, move |record, now, node| record.force(now, node, fence, lease)).await
    }

    async fn give_back(&self, key: &str, fence: u64) -> StoreResult<()> {
        self.with(key, move |record, _, node| record.give_back(node, fence)).await
    }
}

struct Shelf {
    db: Db,
}

impl Shelf {
    fn run(self, mut jobs: Jobs<Job>) {
        while let Some(Job { key, decide, reply }) = jobs.next() {
            // Who has given up has no use for a lease.
            if reply.is_closed() {
                continue;
            }
            let done = self.decide(&key, decide).map_err(Error::store_error);
            if let Err(e) = &done {
                tracing::warn!(error = %e, "the access tokens that nodes share can't be reached");
            }
            drop(reply.send(done));
        }
    }

    fn decide(&self, key: &str, decide: Decide) -> Result<(), Error> {
        let (record, now) = match self.locked(key) {
            // An idle connection is known to be lost only when it is used; nothing was decided yet.
            Err(e) if e.is_lost() => {
                self.db.reconnect()?;
                self.locked(key)
            }
            locked => locked,
        }
        .inspect_err(|_| self.roll_back())?;
        let mut next = record.clone();
        decide(&mut next, now);
        let saved = if next == record { Ok(()) } else { self.save(key, &next, now) };
        match saved {
            Ok(()) => self.db.finish("COMMIT").inspect_err(|_| self.db.disconnect()),
            Err(e) => {
                self.roll_back();
                Err(e)
            }
        }
    }

    /// If it fails the connection is given up, and with it the transaction.
    fn roll_back(&self) {
        if !self.db.is_connected() || self.db.finish("ROLLBACK").is_err() {
            self.db.disconnect();
        }
    }

    /// The record, which nobody else changes now, and the time.
    fn locked(&self, key: &str) -> Result<(Record, Timestamp), Error> {
        if !self.db.is_connected() {
            self.db.reconnect()?;
        }
        self.db.begin("BEGIN")?;
        let record = match self.db.one(SELECT, &[&key], record)? {
            Some(record) => record,
            None => {
                self.db.change("INSERT INTO platform_tokens (key) VALUES ($1) ON CONFLICT DO NOTHING", &[&key])?;
                self.db.one(SELECT, &[&key], record)?.unwrap_or_default()
            }
        };
        // After the lock is had, which may have taken a while.
        let sql = "SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
        let now = self.db.one(sql, &[], |row| rows::at(row, 0))?;
        Ok((record, now.ok_or_else(|| Error::Unreadable("no clock".into()))?))
    }

    fn save(&self, key: &str, record: &Record, now: Timestamp) -> Read<()> {
        let sql = "UPDATE platform_tokens SET sealed = $2, digest = $3, refresh_at = $4, expires_at = $5, fence = $6, owner = $7, \
                   leased_until = $8, dead = $9, dead_at = $10, replaced = $11, forced = $12, used_at = $13 WHERE key = $1";
        let Record { token, fence, lease, dead, replaced, forced } = record;
        let token = token.as_ref();
        let times = |times: &Times| times.0.iter().map(|at| at.0).collect::<Vec<_>>();
        let changed = self.db.change(
            sql,
            &[
                &key,
                &token.map(|token| token.sealed.as_slice()),
                &token.map(|token| token.digest.as_slice()),
                &token.map(|token| token.refresh_at.0),
                &token.map(|token| token.expires_at.0),
                &fence.cast_signed(),
                &lease.as_ref().map(|turn| turn.owner.as_str()),
                &lease.as_ref().map(|turn| turn.until.0),
                &dead.as_ref().map(|(digest, _)| digest.as_slice()),
                &dead.map(|(_, at)| at.0),
                &times(replaced),
                &times(forced),
                &now.0,
            ],
        )?;
        if changed == 0 { Err(Error::Unsettled("an access token's row is gone".into())) } else { Ok(()) }
    }

    fn tidy(&self) -> Result<(), Error> {
        let sql = "DELETE FROM platform_tokens \
                   WHERE used_at < floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1";
        self.db.change(sql, &[&yaopai_core::time::millis(UNUSED)])?;
        Ok(())
    }
}

fn record(row: &Row) -> Read<Record> {
    let token = match rows::get::<Option<Vec<u8>>>(row, 0)? {
        Some(sealed) => Some(Kept {
            sealed,
            digest: rows::bytes(row, 1)?,
            refresh_at: rows::at(row, 2)?,
            expires_at: rows::at(row, 3)?,
        }),
        None => None,
    };
    let lease = match rows::get::<Option<String>>(row, 5)? {
        Some(owner) => Some(Turn { owner, until: rows::at(row, 6)? }),
        None => None,
    };
    let dead = match rows::at_if_any(row, 8)? {
        Some(at) => Some((rows::bytes(row, 7)?, at)),
        None => None,
    };
    let times = |n| Ok::<_, Error>(Times(rows::get::<Vec<i64>>(row, n)?.into_iter().map(Timestamp).collect()));
    Ok(Record { token, fence: rows::count(row, 4)?, lease, dead, replaced: times(9)?, forced: times(10)? })
}
