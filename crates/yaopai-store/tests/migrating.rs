//! A program of the next release migrates a PostgreSQL on which others are at work.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[path = "database/postgres.rs"]
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use postgres::Server;
use tokio_postgres::NoTls;
use yaopai_core::ports::{Change, ChangeSink};
use yaopai_store::{Postgres, PostgresError, PostgresOptions, play_the_next_release};

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

fn open(url: &str, node: &str) -> Result<Postgres, PostgresError> {
    Postgres::open(url, Arc::new(Nobody), PostgresOptions::new(node))
}

/// Who is in the middle of a write has locks on rows, and wants tables that the migration has: it is waited for, and neither has to give up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_under_way_is_waited_for() {
    let server = Server::start();
    let url = server.url();
    drop(open(&url, "a").unwrap());
    // As a writer does it: the lock that all of them take, and a row.
    let (mut writer, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    let writing = writer.transaction().await.unwrap();
    let begun = "SELECT pg_advisory_xact_lock('sessions'::regclass::oid::integer, 0); UPDATE meta SET alive_at = 1";
    writing.batch_execute(begun).await.unwrap();

    play_the_next_release("ALTER TABLE sessions ADD COLUMN later bigint", true);
    let at = url.clone();
    let opening = tokio::task::spawn_blocking(move || open(&at, "b").map(drop));
    let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted";
    while server.sql(waits) == "0" {
        assert!(!opening.is_finished(), "nobody was waited for");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let went_on = writing.batch_execute("UPDATE sessions SET last_seen = last_seen").await;
    went_on.unwrap();
    writing.commit().await.unwrap();
    opening.await.unwrap().unwrap();
    assert_eq!(server.sql("SELECT schema || ' from ' || compatible_from FROM meta"), "2 from 1");
    assert_eq!(server.sql("SELECT string_agg(name || ' ' || knows, ', ' ORDER BY id) FROM nodes"), "a 1, b 2");
}

/// Whoever migrated was killed before it had ended the connections of those that it left behind: the next start does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_left_behind_is_ended_by_the_next_start() {
    let server = Server::start();
    let url = server.url();
    let old = open(&url, "old").unwrap();
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'yaopai old'";
    assert_ne!(server.sql(connections), "0");
    server.sql("UPDATE nodes SET knows = 0");
    drop(open(&url, "new").unwrap());
    while server.sql(connections) != "0" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    drop(old);
}
