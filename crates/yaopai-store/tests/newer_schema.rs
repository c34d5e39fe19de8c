//! A program on the next release's schema: what a node of the old version meets while a fleet is upgraded one by one. The whole suite runs
//! on it, for both engines.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use yaopai_core::ports::ChangeSink;
use yaopai_store::{OpenError, Options, Postgres, PostgresError, PostgresOptions, Sqlite};

use conformance::*;
use database::{PostgresHome, Server};

/// Every table that a program writes, so that each kind of statement meets a column that it doesn't know.
const TABLES: [&str; 18] = [
    "meta",
    "nodes",
    "data_keys",
    "signing_keys",
    "identities",
    "users",
    "sessions",
    "logins",
    "jar",
    "bind_codes",
    "imports",
    "moves",
    "move_lists",
    "idempotency",
    "idempotency_counts",
    "audit",
    "audit_keys",
    "audit_checkpoint",
];

/// The next release's migration, of the kind that takes nothing away, and what it says of itself.
fn migration(known: i64, says: &str) -> String {
    let columns = TABLES.iter().map(|table| {
        format!(
            "ALTER TABLE {table} ADD COLUMN later bigint; ALTER TABLE {table} ADD COLUMN later_still text NOT NULL DEFAULT 'as before';"
        )
    });
    let next = known + 1;
    format!(
        "{} CREATE TABLE later (one bigint PRIMARY KEY); CREATE INDEX later_of_app ON sessions (app, later); \
         INSERT INTO refinery_schema_history (version, name, applied_on, checksum) \
         VALUES ({next}, 'later', '2030-01-01T00:00:00Z', '1'); {says}",
        columns.collect::<String>()
    )
}

fn additive(known: i64) -> String {
    migration(known, &format!("UPDATE meta SET schema = {}, compatible_from = {known}", known + 1))
}

fn strict(sql: &str) -> String {
    sql.replace("bigint PRIMARY", "integer PRIMARY").replace("later bigint", "later integer")
}

const KNOWN: &str = "SELECT max(version) FROM refinery_schema_history";

/// An embedded database of the next release.
fn upgraded(sql: impl Fn(i64) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(opened_file(folder.path()).unwrap());
    let db = Connection::open(folder.path().join("yaopai.db")).unwrap();
    let known = db.query_row(KNOWN, [], |row| row.get(0)).unwrap();
    db.execute_batch(&format!("BEGIN; {}; COMMIT", strict(&sql(known)))).unwrap();
    folder
}

fn opened_file(folder: &Path) -> Result<Sqlite, OpenError> {
    Sqlite::open(folder.join("yaopai.db"), Arc::new(Log::default()), Options::default())
}

/// A PostgreSQL whose places are of the next release.
struct Upgraded(Arc<Server>);

impl Upgraded {
    fn start() -> Self {
        Self(Server::start())
    }

    fn home(&self) -> PostgresHome {
        let home = self.0.home();
        drop(home.connect(Arc::new(Log::default())));
        upgrade(&home, additive);
        home
    }
}

fn upgrade(home: &PostgresHome, sql: impl Fn(i64) -> String) {
    let within = |sql: &str| home.server.sql(&format!("SET search_path = {}; {sql}", home.schema));
    let known = within(KNOWN).parse().unwrap();
    within(&format!("BEGIN; {}; COMMIT", sql(known)));
}

mod embedded {
    crate::conformance::suite!(crate::upgraded(crate::additive));
}

mod postgres {
    crate::conformance::suite_on!(crate::Upgraded::start());
}

/// The schema changes under a node that runs: its statements are known to its connections already.
#[tokio::test]
async fn a_node_runs_on_while_another_one_migrates() {
    let server = Server::start();
    let home = server.home();
    let lab = Lab::new(Box::new(home.clone()));
    for (round, before) in [(0, true), (1, false)] {
        if !before {
            let home = home.clone();
            tokio::task::spawn_blocking(move || upgrade(&home, additive)).await.unwrap();
        }
        let n = 10 * round;
        lab.must_open(login_as(n + 1, &format!("o{n}"), &format!("u{n}"))).await;
        answer(lab.rotate(refresh(n + 1, n + 1, "a", n + 2, T0)).await.unwrap());
        answer(lab.bind(bind_as(n + 1, n + 1, "b", n + 3, &format!("u{n}"))).await.unwrap());
        assert_eq!(lab.get(n + 1).await.user, Some(user(&format!("u{n}"))));
        assert_eq!(lab.jar(id(n + 1)).await.unwrap().cookies.len(), 0);
        lab.touched(vec![(id(n + 1), yaopai_core::time::Uptime(T0.0 + 5))], later(5)).await.unwrap();
        assert_eq!(lab.live().await.len(), usize::from(round) + 1);
    }
}

/// What takes something away says so; and what says nothing is taken for that.
#[tokio::test]
async fn what_is_too_new_is_refused() {
    let server = Server::start();
    let breaking =
        |known: i64| migration(known, &format!("UPDATE meta SET schema = {0}, compatible_from = {0}", known + 1));
    let silent = |known: i64| migration(known, "SELECT 1");
    for sql in [breaking, silent] as [fn(i64) -> String; 2] {
        let folder = upgraded(sql);
        let e = opened_file(folder.path()).err().unwrap();
        assert!(matches!(&e, OpenError::Newer { found, known, .. } if *found == known + 1), "{e}");

        let home = server.home();
        drop(home.connect(Arc::new(Log::default())));
        upgrade(&home, sql);
        let sink: Arc<dyn ChangeSink> = Arc::new(Log::default());
        let e = Postgres::open(&home.url, sink, PostgresOptions::new("a")).err().unwrap();
        assert!(matches!(e, PostgresError::Newer { found, known } if found == known + 1), "{e}");
    }
}

/// Other migrations of ours than we know are no newer version's.
#[tokio::test]
async fn a_newer_schema_is_still_one_of_ours() {
    let other = |known: i64| {
        format!("{}; UPDATE refinery_schema_history SET checksum = '2' WHERE version = 1", additive(known))
    };
    let e = opened_file(upgraded(other).path()).err().unwrap();
    assert!(matches!(e, OpenError::Migration { .. }), "{e}");
    let server = Server::start();
    let home = server.home();
    drop(home.connect(Arc::new(Log::default())));
    upgrade(&home, other);
    let e = Postgres::open(&home.url, Arc::new(Log::default()), PostgresOptions::new("a")).err().unwrap();
    assert!(matches!(e, PostgresError::Migration(_)), "{e}");
}

/// Each migration says which schema it makes: one that forgets it would shut older programs out.
#[tokio::test]
async fn the_newest_migrations_say_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    drop(opened_file(folder.path()).unwrap());
    let db = Connection::open(folder.path().join("yaopai.db")).unwrap();
    let says = format!("SELECT schema = ({KNOWN}) AND compatible_from <= schema FROM meta");
    assert!(db.query_row(&says, [], |row| row.get::<_, bool>(0)).unwrap());
    let server = Server::start();
    let home = server.home();
    drop(home.connect(Arc::new(Log::default())));
    assert_eq!(server.sql(&format!("SET search_path = {}; {says}", home.schema)), "t");
}
