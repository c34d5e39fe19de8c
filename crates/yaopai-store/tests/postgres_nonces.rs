//! Nonces in PostgreSQL when something goes wrong.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use yaopai_core::ports::{Shared as _, Use, Used};
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
    let left = || server.sql(&format!("SELECT count(*) FROM {}.nonces", home.schema)).parse::<u32>().unwrap();
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    assert_eq!(left(), 91, "one more, ten less");
    for n in 2..40 {
        assert_eq!(store.first_use(used(n, f.created)).await.unwrap(), Used::First);
    }
    assert_eq!(left(), 39);
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
    let left = |table| server.sql(&format!("SELECT count(*) FROM {}.{table}", home.schema));
    store.tidy().await.unwrap();
    assert_eq!([left("nonces"), left("tries"), left("tries_turns")], ["1001", "1000", "0"], "not all at once");
    store.tidy().await.unwrap();
    assert_eq!([left("nonces"), left("tries")], ["1", "0"]);
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
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
