//! The audit log's chains of many nodes in PostgreSQL: what retention costs, and by whose clock it goes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use yaopai_core::ports::{AuditStore as _, Store as _};
use yaopai_core::time::Timestamp;
use yaopai_store::Postgres;

use conformance::shared::Place as _;
use conformance::*;
use database::{PostgresHome, Server};

const HOUR: i64 = 60 * MINUTE;

/// A store of a node whose clock is so far ahead.
fn begun(home: &PostgresHome, ahead: i64) -> (Postgres, i64) {
    let store = home.connect(Arc::new(Log::default()));
    let (scribe, clock) = audit::scribe();
    let now = home.now();
    clock.0.store(now + ahead, Ordering::Relaxed);
    store.begin_audit(scribe);
    (store, now)
}

/// Chains of nodes that are gone: `rows` old ones in each, and a new one.
fn write(home: &PostgresHome, name: &str, chains: u32, rows: u32, (old, new): (i64, i64)) {
    home.server.sql(&format!(
        "INSERT INTO {0}.nodes (name) SELECT '{name} ' || n FROM generate_series(1, {chains}) n; \
         INSERT INTO {0}.audit (node, seq, at, clear, mac) \
         SELECT id, n, CASE WHEN n > {rows} THEN {new} ELSE {old} END, '', sha256(name::bytea) \
         FROM {0}.nodes, generate_series(1, {rows} + 1) n WHERE name LIKE '{name} %'",
        home.schema
    ));
}

/// A fleet whose nodes are named by their containers has thousands of chains, and nearly all of them have nothing to delete.
#[tokio::test]
async fn chains_in_which_nothing_is_old_cost_nothing() {
    let server = Server::start_with(&["shared_preload_libraries=pg_stat_statements"]);
    server.sql("CREATE EXTENSION pg_stat_statements");
    let home = server.home();
    let (store, now) = begun(&home, 0);
    let (before, kept) = (Timestamp(now - HOUR), now - HOUR + 1);
    write(&home, "quiet", 400, 0, (0, kept));
    let statements = || {
        let sql = "SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%'";
        let calls = server.sql(sql).parse::<u64>().unwrap();
        server.sql("SELECT pg_stat_statements_reset()");
        calls
    };
    statements();
    assert_eq!(store.purge_audit(before, 2_000).await.unwrap(), 0);
    assert_eq!((statements(), store.committed().commits), (2, 0), "the clock, and which chains there are");

    write(&home, "old", 3, 300, (now - 2 * HOUR, kept));
    statements();
    assert_eq!(store.purge_audit(before, 400).await.unwrap(), 400, "no more than was asked for");
    assert_eq!(store.purge_audit(before, 2_000).await.unwrap(), 500);
    let calls = statements();
    assert!(calls < 80, "{calls} statements for 900 rows of three chains");
    assert_eq!(store.purge_audit(before, 2_000).await.unwrap(), 0);
    assert_eq!(home.count("audit"), 403);
    let left = format!("SELECT string_agg(seq || '/' || rows, ' ') FROM {}.audit_checkpoint", home.schema);
    assert_eq!(server.sql(&left), "300/300 300/300 300/300");
}

/// Each node decides by its own clock what is old of its own. Of the others' it deletes nothing that the database's clock calls young.
#[tokio::test]
async fn a_clock_that_is_ahead_deletes_nothing_of_others() {
    for (ahead, left_of_others) in [(3 * HOUR, 1), (-3 * HOUR, 2)] {
        let server = Server::start();
        let home = server.home();
        let (store, now) = begun(&home, ahead);
        for n in [1, 2] {
            opened(store.open(login(n, &n.to_string())).await.unwrap());
        }
        write(&home, "other", 1, 1, (now - 2 * HOUR, now - HOUR + MINUTE));
        // All rows are kept for an hour, as the node sees it.
        store.purge_audit(Timestamp(now + ahead - HOUR), 100).await.unwrap();
        assert_eq!(audit::rows(&store).await.len(), 2, "{ahead}: its own are new");
        assert_eq!(home.count("audit"), 2 + left_of_others, "{ahead}");
        // An hour later its own go, and no row of the others' but by the database's clock.
        store.purge_audit(Timestamp(now + ahead + MINUTE), 100).await.unwrap();
        assert_eq!(audit::rows(&store).await.len(), 0, "{ahead}");
    }
}
