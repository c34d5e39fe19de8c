//! PostgreSQL when something goes wrong: what is answered stays, and what is not known is not answered.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use yaopai_core::ids::SessionId;
use yaopai_core::ports::*;
use yaopai_core::session::EndReason;
use yaopai_core::time::Uptime;
use yaopai_store::{Postgres, PostgresError, PostgresOptions};

use conformance::*;
use database::Server;

#[tokio::test]
async fn an_answer_that_is_lost_after_the_commit_is_found_again() {
    let server = Server::start();
    let (home, proxy) = (server.home(), server.proxy());
    let log = Arc::new(Log::default());
    let store = home.by(&proxy).connect(Arc::clone(&log) as _);
    opened(store.open(login(1, "o")).await.unwrap());
    log.take();
    proxy.rules().loses_next_commit.store(true, Ordering::SeqCst);
    let s = opened(store.open(login(2, "o")).await.unwrap());
    assert_eq!(log.did(), [Did::Put(s.id)], "told once");
    assert_eq!(store.committed().commits, 2);
    // A commit of nothing may be lost as well.
    proxy.rules().loses_next_commit.store(true, Ordering::SeqCst);
    assert!(matches!(store.rotate(refresh(2, 99, "x", 3, T0)).await.unwrap(), Rotated::Unknown));
}

/// The live table must not let pass what the database has ended, whatever the caller was told.
#[tokio::test]
async fn what_was_in_doubt_is_told_once_it_is_known() {
    let server = Server::start();
    let (home, proxy) = (server.home(), server.proxy());
    let log = Arc::new(Log::default());
    let store = home.by(&proxy).connect(Arc::clone(&log) as _);
    opened(store.open(login(1, "o")).await.unwrap());
    log.take();
    proxy.rules().loses_next_commit.store(true, Ordering::SeqCst);
    proxy.rules().refuses.store(true, Ordering::SeqCst);
    let failed = store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap_err();
    assert!(failed.retry && failed.what.contains("not known"), "{failed}");
    assert_eq!(log.did(), [], "nobody knows");
    let failed = store.touched(Vec::new(), T0).await.unwrap_err();
    assert!(failed.retry, "{failed}");
    proxy.rules().refuses.store(false, Ordering::SeqCst);
    store.touched(Vec::new(), T0).await.unwrap();
    assert_eq!(log.did(), [Did::Ended(id(1))]);
    assert_eq!(store.load(id(1)).await.unwrap().unwrap().ended.map(|e| e.reason), Some(EndReason::Kicked));
    // Asked again, as callers do.
    assert!(store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_transaction_that_dies_in_its_commit_leaves_nothing() {
    let server = Server::start();
    let home = server.home();
    let log = Arc::new(Log::default());
    let store = home.connect(Arc::clone(&log) as _);
    // Kills its own connection in the middle of the commit.
    server.sql(&format!(
        "CREATE FUNCTION {0}.dies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON {0}.sessions DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION {0}.dies()",
        home.schema
    ));
    // Two tries are all there are, and both die.
    let failed = store.open(login(1, "o")).await.unwrap_err();
    assert!(failed.retry, "{failed}");
    assert_eq!(log.did(), []);
    assert_eq!(store.load(id(1)).await.unwrap(), None);
    server.sql(&format!("DROP TRIGGER dies ON {}.sessions", home.schema));
    opened(store.open(login(1, "o")).await.unwrap());
    assert_eq!(log.did(), [Did::Put(id(1))]);
}

/// Rows whose outcome no command needs are written without waiting for each. One that is refused must not be committed as if all were
/// well, nor take the rest of its batch with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_database_refuses_fails_its_own_call_alone() {
    let server = Server::start();
    let home = server.home();
    let log = Arc::new(Log::default());
    let store = Arc::new(home.connect(Arc::clone(&log) as _));
    server.sql(&format!(
        "CREATE FUNCTION {0}.refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         RAISE EXCEPTION 'not this one'; END $$; \
         CREATE TRIGGER refuses BEFORE INSERT ON {0}.sessions FOR EACH ROW WHEN (NEW.user_id = 'u7'::bytea) \
         EXECUTE FUNCTION {0}.refuses()",
        home.schema
    ));
    // The first begins a batch of its own, and the others wait for it together.
    let opens: Vec<_> = (0..12u32)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { (n, store.open(numbered(n)).await) })
        })
        .collect();
    for open in opens {
        match open.await.unwrap() {
            (7, done) => {
                let failed = done.unwrap_err();
                assert!(!failed.retry && failed.what.contains("not this one"), "{failed}");
            }
            (_, done) => assert!(matches!(done.unwrap(), Opened::Opened(_))),
        }
    }
    for n in 0..12 {
        let session = numbered(n).session.id;
        assert_eq!(store.load(session).await.unwrap().is_some(), n != 7, "{n}");
    }
    assert_eq!(server.sql(&format!("SELECT count(*) FROM {}.identities", home.schema)), "11");
    assert_eq!(log.did().len(), 11);
}

#[tokio::test]
async fn a_server_that_was_started_again_is_found() {
    let server = Server::start();
    let store = server.home().connect(Arc::new(Log::default()));
    opened(store.open(login(1, "o")).await.unwrap());
    server.kill();
    let read = store.load(id(1)).await.unwrap_err();
    let write = store.open(login(2, "o")).await.unwrap_err();
    assert!(read.retry && write.retry, "{read} {write}");
    server.run();
    assert!(store.load(id(1)).await.unwrap().is_some());
    opened(store.open(login(2, "o")).await.unwrap());
}

fn numbered(n: u32) -> Open {
    let mut open = login_as(1, &format!("o{n}"), &format!("u{n}"));
    let mut session = [9; 16];
    session[..4].copy_from_slice(&n.to_be_bytes());
    open.session.id = SessionId(session);
    open.new_identity.0 = session;
    open.login.key = [1; 32];
    open.login.key[..4].copy_from_slice(&n.to_be_bytes());
    open.login.session = open.session.id;
    open
}

/// The database is killed while logins and kicks are under way. Nothing that was answered is lost, and the table that is made of
/// what the sink was told is what is there, also of calls whose answers were lost.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_survives_kill_9_of_the_database() {
    // Each starts a database again: a twentieth of what others do with the same count.
    let rounds = std::env::var("YAOPAI_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).map_or(3, |n: usize| n / 20 + 1);
    let server = Server::start();
    let log = Arc::new(Log::default());
    let store = Arc::new(server.home().connect(Arc::clone(&log) as _));
    store.begin_audit(audit::scribe().0);
    let (answered, next) = (Arc::new(std::sync::Mutex::new(BTreeMap::new())), Arc::new(AtomicU32::new(0)));
    for round in 0..rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let (store, answered) = (Arc::clone(&store), Arc::clone(&answered));
                let (next, stop) = (Arc::clone(&next), Arc::clone(&stop));
                tokio::spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        let n = next.fetch_add(1, Ordering::SeqCst);
                        let Ok(open) = store.open(numbered(n)).await else { continue };
                        let id = opened(open).id;
                        answered.lock().unwrap().insert(n, false);
                        if n % 3 == 0 && store.end(&main(), &Which::One(id), EndReason::Kicked, T0).await.is_ok() {
                            answered.lock().unwrap().insert(n, true);
                        }
                    }
                })
            })
            .collect();
        let enough = answered.lock().unwrap().len() + 40 + 30 * (round % 4);
        while answered.lock().unwrap().len() < enough {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        server.kill();
        server.run();
        stop.store(true, Ordering::SeqCst);
        for task in tasks {
            task.await.unwrap();
        }
        // It settles what was in doubt, and works on.
        store.touched(Vec::new(), T0).await.unwrap();
    }
    let answered = answered.lock().unwrap().clone();
    for (n, kicked) in &answered {
        let open = numbered(*n);
        let s = store.load(open.session.id).await.unwrap().unwrap_or_else(|| panic!("login {n} is lost"));
        assert_eq!(s.user, open.user.map(|u| u.user));
        assert!(!kicked || s.ended.map(|e| e.reason) == Some(EndReason::Kicked), "kick {n} is lost");
        assert_eq!(store.login(&open.login.key).await.unwrap(), Some(open.login));
    }
    let mut table = Table::default();
    table.apply(log.take());
    let mut live = Vec::new();
    store.scan_live(&mut |s| live.push(unseen(s))).await.unwrap();
    assert_eq!(live, table.sessions(), "what the sink was told is what is there");
    let rows = audit::rows(&*store).await;
    audit::whole(&audit::scribe().0, None, &rows);
    println!("{} answered, {} rows of the audit log", answered.len(), rows.len());
}

#[tokio::test]
async fn a_database_that_does_not_keep_its_word_is_refused() {
    for setting in ["fsync", "full_page_writes"] {
        let server = Server::start_with(&[&format!("{setting}=off")]);
        match Postgres::open(&server.home().url, Arc::new(Log::default()), PostgresOptions::new("a")) {
            Err(PostgresError::NotDurable { setting: found }) => assert_eq!(found, setting),
            other => panic!("{:?}", other.err()),
        }
    }
    // What a database's default says of acknowledging early is not for us.
    let server = Server::start_with(&["synchronous_commit=off"]);
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    server.sql(&format!(
        "CREATE TABLE {0}.seen (it text); CREATE FUNCTION {0}.sees() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO {0}.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
         CREATE TRIGGER sees AFTER INSERT ON {0}.sessions FOR EACH ROW EXECUTE FUNCTION {0}.sees()",
        home.schema
    ));
    opened(store.open(login(1, "o")).await.unwrap());
    assert_eq!(server.sql(&format!("SELECT it FROM {}.seen", home.schema)), "on");
}

#[tokio::test]
async fn a_database_that_is_not_for_us_is_refused() {
    let server = Server::start();
    let open = |url: &str, node: &str| {
        Postgres::open(url, Arc::new(Log::default()), PostgresOptions::new(node)).err().map(|e| e.to_string())
    };
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    let taken = open(&home.url, &home.node).unwrap();
    assert!(taken.contains("another server is at the database as `a`"), "{taken}");
    assert_eq!(open(&home.url, "b"), None, "by another name");
    store.close().await;
    assert_eq!(open(&home.url, &home.node), None, "it is let go of");

    server.sql(&format!(
        "INSERT INTO {}.refinery_schema_history (version, name, applied_on, checksum) VALUES (999, 'later', 'x', '1')",
        home.schema
    ));
    let newer = open(&home.url, "c").unwrap();
    assert!(newer.contains("schema 999"), "{newer}");

    let foreign = server.home();
    server.sql(&format!("CREATE TABLE {}.sessions (id int)", foreign.schema));
    let what = open(&foreign.url, "a").unwrap();
    assert!(what.contains("of its own"), "{what}");

    server.sql("CREATE DATABASE old ENCODING 'SQL_ASCII' TEMPLATE template0");
    let what = open(&server.url().replace("dbname=postgres", "dbname=old"), "a").unwrap();
    assert!(what.contains("UTF8"), "{what}");

    let what = open("host=/nowhere user=yaopai", "a").unwrap();
    assert!(what.contains("can't be reached at /nowhere"), "{what}");
}

#[tokio::test]
async fn each_change_of_a_session_is_in_the_log_for_other_servers() {
    let server = Server::start();
    let home = server.home();
    let store = home.connect(Arc::new(Log::default()));
    let changes = || server.sql(&format!("SELECT session, ended FROM {}.changes ORDER BY xid, session", home.schema));
    opened(store.open(login(1, "o")).await.unwrap());
    store.touched(vec![(id(1), Uptime(T0.0 + 1))], T0).await.unwrap();
    store.rotate(refresh(1, 99, "x", 3, T0)).await.unwrap();
    assert_eq!(changes(), format!("{}|f", id(1)), "not when it was last used, and not what was refused");
    store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    assert_eq!(changes(), format!("{0}|f\n{0}|t", id(1)));
    server.sql(&format!("UPDATE {}.changes SET at = at - interval '11 minutes' WHERE NOT ended", home.schema));
    assert_eq!(store.purge(T0, T0, 9).await.unwrap(), 0, "it is nobody's row");
    assert_eq!(changes(), format!("{}|t", id(1)));
}

#[tokio::test]
async fn each_server_has_a_chain_of_its_own_and_forgets_in_all() {
    let server = Server::start();
    let home = server.home();
    let [a, b] = ["a", "b"].map(|node| home.of_node(node).connect(Arc::new(Log::default())));
    let scribe = audit::scribe().0;
    for (n, store) in [(1, &a), (2, &b), (3, &a), (4, &b)] {
        store.begin_audit(scribe.clone());
        opened(store.open(login_as(n, "o", "u")).await.unwrap());
    }
    for store in [&a, &b] {
        let rows = audit::rows(store).await;
        assert_eq!(rows.len(), 2);
        audit::whole(&scribe, None, &rows);
        assert!(rows.iter().all(|kept| kept.salt.is_some()));
    }
    assert_eq!(a.erase(Erase::User(main(), user("u"))).await.unwrap(), 2, "a key in each");
    for store in [&a, &b] {
        assert!(audit::rows(store).await.iter().all(|kept| kept.salt.is_none()));
    }
}

#[tokio::test]
async fn nonces_count_only_if_nobody_else_has_taken_requests_since() {
    let server = Server::start();
    let home = server.home();
    let [a, b] = ["a", "b"].map(|node| home.of_node(node).connect(Arc::new(Log::default())));
    a.lease_proofs(T0).await.unwrap();
    a.keep_proofs(vec![1]).await.unwrap();
    let past = b.take_proofs().await.unwrap();
    assert_eq!(
        past,
        PastProofs { leased_until: Some(T0), saved: None, elsewhere: None },
        "another's say nothing of this one"
    );
    b.lease_proofs(later(-121_000)).await.unwrap();
    assert_eq!(a.take_proofs().await.unwrap().saved, Some(vec![1]));
    a.keep_proofs(vec![2]).await.unwrap();
    b.lease_proofs(later(-119_000)).await.unwrap();
    assert_eq!(a.take_proofs().await.unwrap(), PastProofs { leased_until: Some(T0), saved: None, elsewhere: None });
}
