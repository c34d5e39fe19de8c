//! The writer's transactions. Of all servers one writes at a time: each begins by taking the one lock that all of them take, so
//! what it reads nobody changes before it commits, and what each decides is what some order of all calls would
//! (docs/decisions/0064).

use std::time::Duration;

use tokio_postgres::error::SqlState;
use yaopai_core::ports::{Change, StoreError};

use super::db::Db;
use super::error::{Error, PostgresError};
use super::migrate::{self, Said, said};
use super::value::Id;
use crate::commands::Work;
use crate::commands::audit::Log;
use crate::engine::writer::{self, Job, run_all};
use crate::rows::Fault as _;
use crate::rules::refuse;

/// What the writer says first. A commit is acknowledged when it is on the disk, whatever the database's default. Who stands still in
/// the middle of a transaction, a frozen machine say, holds up the others no longer than this.
pub(super) const GREETING: &str = "SELECT set_config('synchronous_commit', 'on', false) \
    WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
    SET lock_timeout = '10s'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '10s'; SET jit = off; \
    SET default_transaction_isolation = 'read committed'";

/// How often, and after what pauses, a server that has gone is looked for before a COMMIT's outcome is given up for now.
const LOOKS: u32 = 6;
const PAUSE: Duration = Duration::from_millis(400);

pub(super) struct Transactions {
    db: Db,
    begin: String,
    /// The lock that this server has its name by, as long as its connection lives: when it has it again, no earlier connection of
    /// its own can still commit anything.
    name: String,
    named: bool,
    /// The last transaction that wrote something.
    last: i64,
    /// What the one after it changed, whose COMMIT got no answer.
    doubt: Option<Vec<Change>>,
    /// What was committed, and nobody was told of yet.
    owed: Vec<Change>,
}

/// Why there was no commit.
enum Broken {
    /// A command failed, or the database refuses. Nothing was written.
    Failed(StoreError),
    /// The connection was lost. Nothing was written.
    Lost(StoreError),
    /// The connection was lost while it committed, and the server can't be asked.
    InDoubt(StoreError),
}

impl Transactions {
    /// Takes the server's name.
    pub fn open(db: Db) -> Result<Self, PostgresError> {
        let name = db.settings().node.clone();
        // A new one's schema at once: whoever migrates may look before this one has said it.
        let sql = "INSERT INTO nodes (name, knows) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING";
        db.change(sql, &[&name, &migrate::known()])?;
        let node: Option<i32> = db.one("SELECT id FROM nodes WHERE name = $1", &[&name], |row| Ok(row.try_get(0)?))?;
        let node = node.ok_or_else(|| PostgresError::system("the row of this server in `nodes` is gone"))?;
        db.node.set(node);
        // Locks are the database's; those of another schema are others'.
        let scope: Option<u32> = db.one("SELECT 'sessions'::regclass::oid", &[], |row| Ok(row.try_get(0)?))?;
        let scope = scope.unwrap_or_default().cast_signed();
        let mut this = Self {
            db,
            begin: format!("BEGIN; SELECT pg_advisory_xact_lock({scope}, 0)"),
            name: format!("SELECT pg_advisory_lock({scope}, {node})"),
            named: false,
            last: 0,
            doubt: None,
            owed: Vec::new(),
        };
        let waited = |e: &Error| matches!(e, Error::Sql(sql) if sql.code() == Some(&SqlState::LOCK_NOT_AVAILABLE));
        this.ready().map_err(|e| if waited(&e) { PostgresError::NameTaken { node: name } } else { e.into() })?;
        this.say_what_is_known().map_err(|e| if waited(&e) { PostgresError::Busy } else { e.into() })?;
        Ok(this)
    }

    /// Says which schema this program knows, and looks once more whether it works on what there is: under the lock that migrations are
    /// done under too, so that whoever migrates sees it, or this one sees what came of that.
    fn say_what_is_known(&self) -> Result<(), Error> {
        let db = &self.db;
        db.begin(&self.begin)?;
        let (known, node) = (migrate::known(), self.node());
        db.change("UPDATE nodes SET knows = $1 WHERE id = $2", &[&known, &node])?;
        let said = db.one(Said::ALONE, &[], |row| Ok(Said::read(row, 0)?))?;
        said.map_or(Ok(()), Said::works)?;
        db.finish("COMMIT")?;
        // Whoever migrated may have been killed before it did.
        said.map_or(Ok(()), |said| migrate::end_left_behind(db, said.compatible_from))
    }

    /// Which of the servers this is.
    pub fn node(&self) -> i32 {
        self.db.node.get()
    }

    /// Sees to it that there is a connection, that it has the server's name, and that nothing is in doubt.
    fn ready(&mut self) -> Result<(), Error> {
        if !self.db.is_connected() {
            self.named = false;
            self.db.reconnect()?;
        }
        if !self.named {
            self.db.batch(&self.name)?;
            let node = self.node();
            let sql = concat!("SELECT n.batch, ", said!(), " FROM nodes n, meta m WHERE n.id = $1");
            // Not as a read that may be asked again over another connection: the name would not be that one's.
            self.db.begin("BEGIN")?;
            let row = self.db.one(sql, &[&node], |row| Ok((row.try_get::<_, i64>(0)?, Said::read(row, 1)?)));
            self.db.finish("ROLLBACK")?;
            let (batch, said) = row?.ok_or_else(|| Error::Unreadable("the row of this server is gone".into()))?;
            // Who was away may have been left behind. It gives the name back: by it others would take it to be running.
            said.works().inspect_err(|_| self.db.disconnect())?;
            let doubt = self.doubt.take();
            if batch < self.last {
                // A standby took over that had not got all: only a synchronous one has.
                tracing::error!(batch, acknowledged = self.last, "the database has lost what it had acknowledged");
            } else if batch > self.last
                && let Some(changes) = doubt
            {
                tracing::info!("a commit that got no answer is there");
                self.owed.extend(changes);
            }
            self.last = batch;
            self.named = true;
        }
        Ok(())
    }

    fn once(&mut self, batch: &mut [Box<dyn Job<Db>>], log: Option<Log>) -> Result<(), Broken> {
        self.ready()
            .map_err(|e| if e.is_lost() { Broken::Lost(e.store_error()) } else { Broken::Failed(e.store_error()) })?;
        let db = &self.db;
        let broken = |e: StoreError| {
            if !db.is_connected() {
                return Broken::Lost(e);
            }
            // If this fails the connection is given up, and with it the transaction.
            if let Err(e) = db.finish("ROLLBACK") {
                tracing::error!(error = %e, "roll-back failed");
                db.disconnect();
            }
            Broken::Failed(e)
        };
        db.begin(&self.begin).map_err(|e| broken(e.store_error()))?;
        let mut work = Work { db, changes: Vec::new(), log };
        run_all(batch, &mut work).map_err(broken)?;
        let changes = work.changes;
        let wrote = note(db, self.last + 1, &changes).map_err(broken)?;
        if let Err(e) = db.finish("COMMIT") {
            db.disconnect();
            tracing::warn!(error = %e, "a commit got no answer");
            return if wrote { self.ask(changes) } else { Err(Broken::Lost(e.store_error())) };
        }
        self.last += i64::from(wrote);
        self.owed.extend(changes);
        Ok(())
    }

    /// Was it committed? The server knows, if it can be reached.
    fn ask(&mut self, changes: Vec<Change>) -> Result<(), Broken> {
        let attempted = self.last + 1;
        self.doubt = Some(changes);
        let mut look = 0;
        loop {
            match self.ready() {
                Ok(()) if self.last == attempted => return Ok(()),
                Ok(()) => {
                    let what = "the connection was lost before the commit".into();
                    return Err(Broken::Lost(StoreError { retry: true, what }));
                }
                Err(e) if look == LOOKS || !e.is_lost() => {
                    let what =
                        format!("whether it was written is not known yet ({e}): ask again with the same request");
                    return Err(Broken::InDoubt(StoreError { retry: true, what }));
                }
                Err(_) => {
                    look += 1;
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }
}

impl writer::Transactions<Db> for Transactions {
    fn attempt(
        &mut self,
        batch: &mut [Box<dyn Job<Db>>],
        log: &dyn Fn() -> Option<Log>,
    ) -> Result<Vec<Change>, StoreError> {
        let done = match self.once(batch, log()) {
            // An idle connection is known to be lost only when it is used.
            Err(Broken::Lost(_)) => self.once(batch, log()),
            done => done,
        };
        match done {
            Ok(()) => Ok(std::mem::take(&mut self.owed)),
            Err(Broken::Failed(e) | Broken::Lost(e) | Broken::InDoubt(e)) => Err(e),
        }
    }
}

/// The last statement: what other servers are told of, and the transaction's number. False if there is nothing to commit.
fn note(db: &Db, number: i64, changes: &[Change]) -> Result<bool, StoreError> {
    let wrote = tell(db, number, changes).map_err(|e| e.store_error())?;
    // All of it is answered by now, as this was.
    db.settle().map_err(|e| e.store_error())?;
    match wrote {
        0 if !changes.is_empty() => Err(refuse("the row of this server in `nodes` is gone: the database was edited")),
        wrote => Ok(wrote > 0),
    }
}

/// The same. Answers how many rows say the number.
fn tell(db: &Db, number: i64, changes: &[Change]) -> Result<u32, Error> {
    let node = db.node.get();
    if changes.is_empty() {
        let sql = "UPDATE nodes SET batch = $1 WHERE id = $2 AND pg_current_xact_id_if_assigned() IS NOT NULL";
        return db.change(sql, &[&number, &node]);
    }
    let (sessions, ended): (Vec<Id>, Vec<bool>) = changes
        .iter()
        .map(|change| match change {
            Change::Put(session) => (Id(session.id.0), false),
            Change::Ended(id) => (Id(id.0), true),
        })
        .unzip();
    let sql = "WITH told AS (INSERT INTO changes (session, ended) SELECT * FROM unnest($1::uuid[], $2::bool[])) \
               UPDATE nodes SET batch = $3 WHERE id = $4";
    db.change(sql, &[&sessions, &ended, &number, &node])
}
