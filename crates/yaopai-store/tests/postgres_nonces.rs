//! Nonces in PostgreSQL when something goes wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use yaopai_core::ports::{Count, Shared as _, Took, Tries, Use, Used};
use yaopai_store::{Postgres, PostgresNonces, PostgresOptions};

use conformance::Log;
use conformance::shared::{Place as _, used};
use database::{PostgresHome, Server};

/// A store that has remembered for long, and a use of now.
fn ready(home: &PostgresHome) -> (PostgresNonces, Use) {
    let store = PostgresNonces::open(&home.url, &home.node).unwrap();
    home.age(40_000);
    (store, used(1, home.now() / 1000))
}

/// Waits for what others do in their own time.
async fn until(is_so: impl Fn() -> bool, what: &str) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), wait).await.is_ok(), "not in time: {what}");
}

/// A try of this name.
fn tried(name: u8) -> Tries {
    Tries { counts: vec![Count { kind: 0, name: [name; 16], max: 9, spills: false }], slot_ms: 60_000 }
}

#[tokio::test]
async fn what_was_accepted_survives_kill_9_of_the_database() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    server.kill();
    let failed = store.first_use(f).await.unwrap_err();
    assert!(failed.retry, "{failed}");
    server.run();
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before, "and nobody has to wait");
    assert_eq!(store.first_use(used(2, f.created)).await.unwrap(), Used::First);
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_commit_is_an_error() {
    let server = Server::start();
    let (home, proxy) = (server.home(), server.proxy());
    let (store, f) = ready(&home.by(&proxy));
    proxy.rules().loses_next_commit.store(true, Ordering::SeqCst);
    let failed = store.first_use(f).await.unwrap_err();
    assert!(failed.retry, "{failed}");
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before, "it was counted");
    assert_eq!(store.first_use(used(2, f.created)).await.unwrap(), Used::First);
}

/// A new time line, as after a failover, whether the nonces have come along or not.
#[tokio::test]
async fn after_a_failover_the_past_begins_anew() {
    let server = Server::start_with(&["restore_command=false"]);
    let home = server.home();
    let (store, f) = ready(&home);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    server.promote_itself();
    let mut answer = store.first_use(f).await;
    if answer.is_err() {
        // The connection was lost, and is found to be.
        answer = store.first_use(f).await;
    }
    assert!(matches!(answer, Ok(Used::Unknown(Some(_)))), "{answer:?}");
    home.age(40_000);
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
    // The same for a standby that lagged.
    server.promote_itself();
    server.sql(&format!("DELETE FROM {}.nonces", home.schema));
    let other = PostgresNonces::open(&home.url, "b").unwrap();
    assert!(matches!(other.first_use(f).await.unwrap(), Used::Unknown(Some(_))));
}

/// The database is put back to what it was, under the same time line: who has seen more says so.
#[tokio::test]
async fn who_takes_seconds_away_is_noticed() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    server.sql(&format!("DELETE FROM {0}.nonces; UPDATE {0}.nonces_past SET high = high - 3000", home.schema));
    assert!(matches!(store.first_use(f).await.unwrap(), Used::Unknown(Some(_))));
}

/// Another server, whose clock is far ahead, deletes what seems over while this one is about to insert it again.
#[tokio::test]
async fn a_clock_that_jumps_meanwhile() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    server.sql(&format!(
        "CREATE FUNCTION {0}.jumps() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         UPDATE {0}.nonces_past SET high = high + 100000; RETURN NULL; END $$; \
         CREATE TRIGGER jumps AFTER INSERT ON {0}.nonces FOR EACH STATEMENT EXECUTE FUNCTION {0}.jumps()",
        home.schema
    ));
    let failed = store.first_use(f).await.unwrap_err();
    assert!(failed.retry && failed.what.contains("jumped"), "{failed}");
    server.sql(&format!("DROP TRIGGER jumps ON {}.nonces", home.schema));
    assert_eq!(store.first_use(f).await.unwrap(), Used::First, "nothing of it was counted");
}

#[tokio::test]
async fn what_is_over_goes_by_and_by() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    server.sql(&format!(
        "INSERT INTO {}.nonces SELECT sha256(n::text::bytea), {} FROM generate_series(1, 100) n",
        home.schema,
        (f.created - 10) * 1000
    ));
    let left = || home.count("nonces");
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    until(|| left() == 91, "one more, ten less").await;
    for n in 2..40 {
        assert_eq!(store.first_use(used(n, f.created)).await.unwrap(), Used::First);
    }
    until(|| left() == 39, "all others").await;
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
}

/// Where nobody signs any more it goes as well, and nothing goes that could be shown again.
#[tokio::test]
async fn what_is_over_goes_without_uses() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    for (table, row) in [
        ("nonces", "sha256(n::text::bytea), 1000"),
        ("tries", "10000, 1, 1, sha256(n::text::bytea), '1:1', 1000"),
        ("tries_turns", "10000, n, 1, 1, 1000"),
    ] {
        server.sql(&format!("INSERT INTO {}.{table} SELECT {row} FROM generate_series(1, 3000) n", home.schema));
    }
    let left = |table| home.count(table);
    store.tidy().await.unwrap();
    assert_eq!([left("nonces"), left("tries"), left("tries_turns")], [1001, 1000, 0], "not all at once");
    store.tidy().await.unwrap();
    assert_eq!([left("nonces"), left("tries")], [1, 0]);
    // Over from now on: the clock is written down by nobody else.
    server.sql(&format!("INSERT INTO {}.nonces VALUES ('last', {})", home.schema, home.now()));
    let goes = async {
        while left("nonces") > 1 {
            store.tidy().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), goes).await.expect("in time");
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
}

/// Beside a dump nothing that is deleted leaves the indexes until the dump is over. What a use costs must not grow with it, or uses run into
/// their time-outs, all of them, for as long as the dump takes.
#[tokio::test]
async fn a_use_does_not_pass_all_that_is_dead() {
    let server = Server::start_with(&["shared_preload_libraries=pg_stat_statements"]);
    server.sql("CREATE EXTENSION pg_stat_statements");
    let home = server.home();
    let (store, f) = ready(&home);
    let mut dump = server.session();
    dump.sql(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM {}.nonces", home.schema));
    // Over for so many seconds.
    let fill = |rows: u32, over: i64| {
        let at = (f.created - over) * 1000;
        for row in [
            "nonces SELECT sha256((n + {})::text::bytea), ",
            "tries SELECT 10000, 1, 1, sha256((n + {})::text::bytea), '1:1', ",
        ] {
            let row = row.replace("{}", &(over * 1_000_000).to_string());
            server.sql(&format!("INSERT INTO {}.{row} {at} FROM generate_series(1, {rows}) n", home.schema));
        }
    };
    let left = || home.count("nonces") + home.count("tries");
    fill(10_000, 100);
    while left() > 0 {
        store.tidy().await.unwrap();
    }
    fill(100, 80);
    server.sql("SELECT pg_stat_statements_reset()");
    for n in 0..10 {
        assert_eq!(store.first_use(used(u16::from(n), f.created)).await.unwrap(), Used::First);
        assert!(matches!(store.take(&tried(n)).await.unwrap(), Took::Counted(_)));
        let gone = 20 * u64::from(n + 1);
        until(|| left() == 200 + 2 * u64::from(n + 1) - gone, "each takes ten away").await;
    }
    for table in ["nonces", "tries"] {
        let pages = server.sql(&format!(
            "SELECT sum(shared_blks_hit + shared_blks_read) / 10 FROM pg_stat_statements \
             WHERE query LIKE '%FROM {table} WHERE%SKIP LOCKED%'"
        ));
        assert!(pages.parse::<f64>().unwrap() < 200.0, "{pages} pages for a use's ten rows of {table}");
    }
    // A transaction that took long has left some behind all that was looked at.
    fill(5, 300);
    assert_eq!(store.first_use(used(77, f.created)).await.unwrap(), Used::First);
    assert!(left() >= 11 + 10 + 10, "{}", left());
    for _ in 0..16 {
        store.tidy().await.unwrap();
    }
    assert_eq!(left(), 11 + 10, "those that are good");
}

/// Deleting is nobody's business who signs or tries: it may hang, and it may fail.
#[tokio::test]
async fn a_use_does_not_wait_for_what_is_deleted() {
    let server = Server::start();
    let home = server.home();
    let (store, f) = ready(&home);
    server.sql(&format!(
        "INSERT INTO {}.nonces SELECT sha256(n::text::bytea), {} FROM generate_series(1, 9) n",
        home.schema,
        (f.created - 10) * 1000
    ));
    let mut holds = server.session();
    holds.sql("SELECT pg_advisory_lock(4711)");
    let deleting = |what: &str| {
        server.sql(&format!(
            "CREATE OR REPLACE FUNCTION {}.deletes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {what}; RETURN NULL; END $$",
            home.schema
        ));
    };
    deleting("PERFORM pg_advisory_xact_lock(4711)");
    server.sql(&format!(
        "CREATE TRIGGER deletes BEFORE DELETE ON {0}.nonces EXECUTE FUNCTION {0}.deletes()",
        home.schema
    ));
    let waits = || server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == "1";
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    until(waits, "it hangs").await;
    for n in 2..12u8 {
        assert_eq!(store.first_use(used(n.into(), f.created)).await.unwrap(), Used::First);
        assert!(matches!(store.take(&tried(n)).await.unwrap(), Took::Counted(_)));
    }
    assert_eq!(home.count("nonces"), 9 + 11, "nothing was deleted");
    drop(holds);
    deleting("RAISE EXCEPTION 'not these'");
    let failed = store.tidy().await.unwrap_err();
    assert!(failed.what.contains("not these"), "{failed}");
    assert_eq!(store.first_use(used(12, f.created)).await.unwrap(), Used::First);
    deleting("RETURN NULL");
    store.tidy().await.unwrap();
    assert_eq!(home.count("nonces"), 12);
}

/// It needs nothing of the engine's, and neither waits for the other.
#[tokio::test]
async fn it_stands_beside_the_engine() {
    let server = Server::start_with(&["synchronous_commit=off"]);
    let home = server.home();
    let engine = Postgres::open(&home.url, Arc::new(Log::default()), PostgresOptions::new("a")).unwrap();
    let (store, f) = ready(&home);
    let holds = server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'");
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    assert_eq!(server.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), holds);
    server.sql(&format!(
        "CREATE TABLE {0}.seen (it text); CREATE FUNCTION {0}.sees() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO {0}.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
         CREATE TRIGGER sees AFTER INSERT ON {0}.nonces FOR EACH STATEMENT EXECUTE FUNCTION {0}.sees()",
        home.schema
    ));
    assert_eq!(store.first_use(used(2, f.created)).await.unwrap(), Used::First);
    assert_eq!(server.sql(&format!("SELECT it FROM {}.seen", home.schema)), "on", "whatever the database's default");
    store.close().await;
    engine.close().await;
    assert!(!store.first_use(f).await.unwrap_err().retry);
}
