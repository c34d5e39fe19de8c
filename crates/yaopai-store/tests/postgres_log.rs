//! The log of changes as other nodes read it: each change once, however long its transaction took and whatever else was under way.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use yaopai_core::ids::SessionId;
use yaopai_core::live::{Follower, News};
use yaopai_core::ports::*;
use yaopai_core::session::EndReason;
use yaopai_store::{PostgresError, PostgresLog};

use conformance::*;
use database::{PostgresHome, Server};

/// A connection that somebody holds open.
struct Held(Child);

impl Held {
    fn open(home: &PostgresHome) -> Self {
        let mut psql = Command::new(home.server.programs().join("psql"));
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &home.url]).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(psql.spawn().unwrap())
    }

    /// Says it, and waits until it is done.
    fn say(&mut self, home: &PostgresHome, sql: &str) {
        let done = format!("done_{}", sql.len());
        writeln!(self.0.stdin.as_mut().unwrap(), "{sql}\nSET application_name = '{done}';").unwrap();
        for _ in 0..500 {
            let asked = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{done}'");
            if home.server.sql(&asked) != "0" {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("not done: {sql}");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A reader, on a thread of its own: it blocks.
struct Reader {
    asks: Sender<Sender<StoreResult<Polled>>>,
}

impl Reader {
    fn open(url: &str) -> Result<Self, PostgresError> {
        let url = url.to_owned();
        let (asks, asked) = channel::<Sender<_>>();
        let (ready, opened) = channel();
        std::thread::spawn(move || {
            let mut log = match PostgresLog::open(&url, "reader") {
                Ok(log) => log,
                Err(e) => return ready.send(Err(e)).unwrap(),
            };
            ready.send(Ok(())).unwrap();
            while let Ok(reply) = asked.recv() {
                reply.send(log.poll()).unwrap();
            }
        });
        opened.recv().unwrap().map(|()| Self { asks })
    }

    fn poll(&self) -> StoreResult<Polled> {
        let (reply, answer) = channel();
        self.asks.send(reply).unwrap();
        answer.recv().unwrap()
    }

    /// What the next poll brings.
    fn told(&self) -> Vec<(SessionId, bool)> {
        self.poll().unwrap().page.changes.iter().map(|change| (change.session, change.ended)).collect()
    }
}

#[tokio::test]
async fn each_change_once_and_the_end_as_an_end() {
    let server = Server::start();
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    let log = Reader::open(&home.url).unwrap();
    opened(store.open(login(1, "o")).await.unwrap());
    assert_eq!(log.told(), [], "nothing is known that could be wrong");
    opened(store.open(login(2, "o")).await.unwrap());
    store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    assert_eq!(log.told(), [(id(2), false), (id(1), true)]);
    assert_eq!(log.told(), []);
}

/// It got its number before others that were read, and commits after them.
#[tokio::test]
async fn a_late_commit_is_not_missed() {
    let server = Server::start();
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    let (log, mut late, mut foreign) = (Reader::open(&home.url).unwrap(), Held::open(&home), Held::open(&home));
    opened(store.open(login(1, "o")).await.unwrap());
    log.told();
    // Somebody else's, in the same PostgreSQL, with a number of its own: it holds up nothing.
    foreign.say(&home, "BEGIN; CREATE TABLE reports (n integer);");
    let kick = format!("BEGIN; INSERT INTO changes (session, ended) VALUES ('{}', true);", id(9));
    late.say(&home, &kick);
    opened(store.open(login(2, "o")).await.unwrap());
    assert_eq!(log.told(), [(id(2), false)]);
    opened(store.open(login(3, "o")).await.unwrap());
    assert_eq!(log.told(), [(id(3), false)], "and the other not again");
    late.say(&home, "COMMIT;");
    assert_eq!(log.told(), [(id(9), true)]);
    assert_eq!(log.told(), []);
    foreign.say(&home, "COMMIT ;");
    assert_eq!(log.told(), []);
}

/// Who follows notices when rows that it hasn't read may be gone, and only then.
#[tokio::test]
async fn what_is_cleared_was_read_by_who_reads() {
    let server = Server::start();
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    let (reads, away) = (Reader::open(&home.url).unwrap(), Reader::open(&home.url).unwrap());
    let (mut reader, mut absent) = (Follower::default(), Follower::default());
    let page = reads.poll().unwrap().page;
    assert_eq!(reader.take(&page), Ok(News::Lost));
    absent.take(&away.poll().unwrap().page).unwrap();
    opened(store.open(login(1, "o")).await.unwrap());
    let page = reads.poll().unwrap().page;
    assert!(matches!(reader.take(&page), Ok(News::Changed(changes)) if changes.len() == 1));
    server.sql(&format!("UPDATE {}.changes SET at = at - interval '11 minutes'", home.schema));
    store.purge(T0, T0, 100).await.unwrap();
    assert_eq!(server.sql(&format!("SELECT count(*) FROM {}.changes", home.schema)), "0");
    assert!(matches!(reader.take(&reads.poll().unwrap().page), Ok(News::Changed(changes)) if changes.is_empty()));
    assert_eq!(absent.take(&away.poll().unwrap().page), Ok(News::Lost));
}

/// After a failover the numbers are another server's.
#[tokio::test]
async fn a_promoted_standby_is_another_time_line() {
    let primary = Server::start();
    let home = primary.home();
    let store = home.connect(Arc::new(Log::default()));
    let before = Reader::open(&home.url).unwrap();
    let first = before.poll().unwrap();
    assert!(first.clock.0 > 1_700_000_000_000 && first.page.timeline == 1, "{first:?}");
    let standby = primary.standby(&[]);
    let url = home.url.replace(&primary.folder().display().to_string(), &standby.folder().display().to_string());
    assert!(Reader::open(&url).is_err(), "a standby is not who decides");
    store.close().await;
    primary.kill();
    assert!(before.poll().unwrap_err().retry);
    standby.promote();
    let after = Reader::open(&url).unwrap().poll().unwrap();
    assert_eq!(after.page.timeline, 2);
}
