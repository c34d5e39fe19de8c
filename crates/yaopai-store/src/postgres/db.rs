//! One connection, called from one thread: the commands are plain functions, so that one text of each serves every engine.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Statement};

use super::error::{Error, PostgresError};
use super::hosts::place;
use super::later::Sent;
use super::migrate::Said;
use super::settings::Settings;

/// How long a statement may take before the connection is given up. The server gives up a statement earlier by itself: this is for
/// one that says nothing any more.
const SILENCE: Duration = Duration::from_secs(40);

/// How long a farewell may take.
const PARTING: Duration = Duration::from_secs(1);

/// What a statement is given.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A connection, made again when it is lost.
pub struct Db {
    // Before the runtime that drives it.
    pub(super) live: RefCell<Option<Live>>,
    pub(super) runtime: Runtime,
    settings: Arc<Settings>,
    /// What is said to the server first.
    greeting: &'static str,
    /// Between BEGIN and COMMIT nothing is tried again: the rest of the transaction would be missing.
    pub(super) in_transaction: Cell<bool>,
    /// Which of the servers this is.
    pub(super) node: Cell<i32>,
    silence: Cell<Duration>,
    /// Counts connections.
    made: Cell<u64>,
}

pub(super) struct Live {
    // Before the client: they hold it.
    pub(super) sent: Vec<Sent>,
    pub(super) client: Arc<Client>,
    driver: JoinHandle<()>,
    statements: HashMap<&'static str, Statement>,
}

impl Live {
    pub(super) async fn prepared(&mut self, sql: &'static str) -> Result<Statement, tokio_postgres::Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }
}

/// Opens something on a thread of its own: the caller may be in a runtime, and there is one in each connection.
pub(super) fn apart<T: Send + 'static>(
    open: impl FnOnce() -> Result<T, PostgresError> + Send + 'static,
) -> Result<T, PostgresError> {
    let opening = std::thread::Builder::new().name("store-opening".into()).spawn(open);
    let opened = opening.map_err(PostgresError::system)?.join();
    opened.unwrap_or_else(|_| Err(PostgresError::system("opening it panicked")))
}

impl Drop for Db {
    fn drop(&mut self) {
        self.disconnect();
    }
}

impl Db {
    /// Connects.
    pub(super) fn connect(settings: &Arc<Settings>, greeting: &'static str) -> Result<Self, PostgresError> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(PostgresError::system)?;
        let db = Self {
            live: RefCell::new(None),
            runtime,
            settings: Arc::clone(settings),
            greeting,
            in_transaction: Cell::new(false),
            node: Cell::new(0),
            silence: Cell::new(SILENCE),
            made: Cell::new(0),
        };
        db.reconnect().map_err(|e| PostgresError::unreachable(settings.place(), &e))?;
        Ok(db)
    }

    /// How long a statement may take, from now on, before the connection is given up.
    pub(super) fn set_silence(&self, silence: Duration) {
        self.silence.set(silence);
    }

    /// Makes a new connection in the place of the one there was.
    pub(super) fn reconnect(&self) -> Result<(), Error> {
        self.disconnect();
        let mut failed = Vec::new();
        for (n, host) in self.settings.hosts() {
            match self.connect_to(&host) {
                Ok(live) => {
                    *self.live.borrow_mut() = Some(live);
                    self.made.set(self.made.get() + 1);
                    self.settings.answered(n);
                    return Ok(());
                }
                Err(Error::Lost(what)) => failed.push((host, what)),
                // Nor would the next host's schema be another.
                Err(e @ (Error::Outdated { .. } | Error::Left)) => return Err(e),
                Err(e) => failed.push((host, e.to_string())),
            }
        }
        let what = match &failed[..] {
            [(_, what)] => what.clone(),
            all => all.iter().map(|(host, what)| format!("{}: {what}", place(host))).collect::<Vec<_>>().join("; "),
        };
        Err(Error::Lost(what))
    }

    fn connect_to(&self, host: &Config) -> Result<Live, Error> {
        let patience = self.settings.patience().unwrap_or(self.silence.get());
        let (live, said) = self.wait_for(patience, async {
            let (client, connection) = host.connect(self.settings.tls.clone()).await?;
            // It ends with its client, and what it has to say of its end the client says too.
            let driver = self.runtime.spawn(async { drop(connection.await) });
            client.batch_execute(self.greeting).await?;
            // The first one is made before there is a schema.
            let said = if self.made.get() > 0 { Said::ask(&client).await? } else { None };
            let live = Live { sent: Vec::new(), client: Arc::new(client), driver, statements: HashMap::new() };
            Ok::<_, tokio_postgres::Error>((live, said))
        })?;
        // A migration that leaves nodes behind ends their connections.
        said.map_or(Ok(()), Said::works)?;
        Ok(live)
    }

    /// Is there a connection, as far as is known?
    pub(super) fn is_connected(&self) -> bool {
        self.live.borrow().as_ref().is_some_and(|live| !live.client.is_closed())
    }

    /// Gives the connection up, and says so to the server, if it listens.
    pub(super) fn disconnect(&self) {
        self.in_transaction.set(false);
        let Some(Live { sent, client, driver, .. }) = self.live.take() else { return };
        drop((sent, client));
        let _ = self.runtime.block_on(async { tokio::time::timeout(PARTING, driver).await });
    }

    /// Who uses this.
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Which connection this is. Another one may be another server's, or that of a server that has forgotten what it hadn't written down.
    pub(super) fn connection(&self) -> u64 {
        self.made.get()
    }

    pub(super) fn wait<T, E: Into<Error>>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        self.wait_for(self.silence.get(), work)
    }

    fn wait_for<T, E: Into<Error>>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Error> {
        let silence = || Error::Lost("the server is silent".into());
        self.runtime
            .block_on(async { tokio::time::timeout(patience, work).await.map_err(|_| silence())?.map_err(E::into) })
    }

    /// Runs something that answers nothing.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        let mut live = self.live.borrow_mut();
        let Some(Live { client, .. }) = &mut *live else { return Err(Error::Lost("there is none".into())) };
        let done = self.wait(client.batch_execute(sql));
        if done.as_ref().is_err_and(Error::is_lost) {
            *live = None;
        }
        done
    }

    /// Begins a transaction by what is said in `sql`.
    pub(super) fn begin(&self, sql: &str) -> Result<(), Error> {
        self.in_transaction.set(true);
        self.batch(sql)
    }

    /// Ends it by what is said in `sql`.
    pub(super) fn finish(&self, sql: &str) -> Result<(), Error> {
        let sent = self.live.borrow_mut().as_mut().map(|live| std::mem::take(&mut live.sent));
        if sql == "COMMIT" && sent.is_some_and(|sent| !sent.is_empty()) {
            return Err(Error::Unreadable("what was sent has to be settled first".into()));
        }
        let done = self.batch(sql);
        self.in_transaction.set(false);
        done
    }

    /// A transaction: begun by what is said in `begin`, and committed if `work` goes well. After an error nothing of it is there; or it is not
    /// known, because the COMMIT got no answer.
    pub(super) fn whole<T>(&self, begin: &str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        if !self.is_connected() {
            self.reconnect()?;
        }
        let done = self.begin(begin).and_then(|()| work()).and_then(|done| {
            self.finish("COMMIT")?;
            Ok(done)
        });
        // With the connection goes its transaction.
        if done.is_err() && (!self.is_connected() || self.finish("ROLLBACK").is_err()) {
            self.disconnect();
        }
        done
    }

    /// Runs `with` on the connection's client, however long it takes: for what is done once, at the start.
    pub(super) fn client<T>(
        &self,
        with: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        let mut live = self.live.borrow_mut();
        let client = live.as_mut().and_then(|live| Arc::get_mut(&mut live.client));
        let Some(client) = client else { return Err(Error::Lost("there is none".into())) };
        self.runtime.block_on(with(client)).map_err(Error::from)
    }

    fn once<T>(
        &self,
        sql: &'static str,
        run: impl AsyncFn(&Client, &Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        let mut live = self.live.borrow_mut();
        let Some(held) = &mut *live else { return Err(Error::Lost("there is none".into())) };
        let done = self.wait(async {
            let done = async {
                let statement = held.prepared(sql).await?;
                run(&held.client, &statement).await
            };
            let done = done.await;
            held.cause(done).await
        });
        if done.as_ref().is_err_and(Error::is_lost) {
            *live = None;
        }
        done
    }

    /// Outside a transaction a statement reads, and is asked once more over a new connection if its own was lost: an idle one is
    /// known to be lost only when it is used.
    fn run<T>(
        &self,
        sql: &'static str,
        run: impl AsyncFn(&Client, &Statement) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        match self.once(sql, &run) {
            Err(e) if e.is_lost() && !self.in_transaction.get() => {
                self.reconnect()?;
                self.once(sql, &run)
            }
            done => done,
        }
    }

    /// All rows.
    pub(super) fn all<T>(
        &self,
        sql: &'static str,
        params: Params<'_>,
        mut read: impl FnMut(&Row) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let rows = self.run(sql, async |client, statement| client.query(statement, params).await)?;
        rows.iter().map(&mut read).collect()
    }

    /// The first row, if there is one.
    pub(super) fn one<T>(
        &self,
        sql: &'static str,
        params: Params<'_>,
        read: impl FnOnce(&Row) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let row = self.run(sql, async |client, statement| client.query_opt(statement, params).await)?;
        row.as_ref().map(read).transpose()
    }

    /// Changes rows. Answers how many.
    pub(super) fn change(&self, sql: &'static str, params: Params<'_>) -> Result<u32, Error> {
        let n = self.run(sql, async |client, statement| client.execute(statement, params).await)?;
        Ok(u32::try_from(n).unwrap_or(u32::MAX))
    }
}
