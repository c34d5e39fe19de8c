//! Moving house: whatever rows there are, they are the same on the other side, and what isn't whole brings in nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use sha2::{Digest as _, Sha256};
use yaopai_core::house::FileKey;
use yaopai_core::ports::{ChangeLog as _, DataKey, SKEW_MAX, Shared as _, Store as _};
use yaopai_core::seal::MasterKey;
use yaopai_core::time::Timestamp;
use yaopai_store::house::{About, HouseError, Kind, Moved, STAY, Source, TABLES, Table, Target};
use yaopai_store::{Options, Postgres, PostgresLog, PostgresOptions, Sqlite, postgres, sqlite};

use conformance::Log;
use database::{PostgresHome, Server};

const NOW: Timestamp = Timestamp(1_900_000_000_000);

fn anybodys(_: &DataKey) -> Result<(), String> {
    Ok(())
}

fn about() -> About {
    About { id: "0a".into(), version: "test".into(), from: "a test".into(), at: 5, signed_until: 5, rehearsal: false }
}

fn key(byte: &str) -> FileKey {
    FileKey::of(&MasterKey::parse(&byte.repeat(32)).unwrap())
}

fn exported(source: &Source) -> (Vec<u8>, Vec<Moved>) {
    let mut file = Vec::new();
    let moved = source.export(&about(), &key("5a"), &mut file).unwrap();
    (file, moved)
}

fn imported(target: Result<Target, HouseError>, file: &[u8]) -> Result<Vec<Moved>, HouseError> {
    target?.import(file, &key("5a"), NOW, &anybodys).map(|(_, moved)| moved)
}

fn open(path: &Path) -> Sqlite {
    Sqlite::open(path, Arc::new(Log::default()), Options::default()).unwrap()
}

fn enter(home: &PostgresHome) -> Result<Target, HouseError> {
    postgres::house::enter(&home.url, "import")
}

fn leave(home: &PostgresHome, rehearsal: bool) -> Result<Source, HouseError> {
    postgres::house::leave(&home.url, "export", rehearsal)
}

/// A file with so many rows in each table, with every kind of value in each column that takes it.
fn filled(path: &Path, rows: i64) {
    drop(open(path));
    let mut db = Connection::open(path).unwrap();
    let all = db.transaction().unwrap();
    for table in TABLES {
        let nullable: BTreeSet<String> = all
            .prepare(&format!("SELECT name FROM pragma_table_info('{}') WHERE \"notnull\" = 0 AND pk = 0", table.name))
            .unwrap()
            .query_map([], |r| r.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        for n in 0..if table.single { 1 } else { rows } {
            let values = table.columns.iter().zip(0..).map(|((name, kind), column)| {
                let is_key = table.key.split(", ").any(|key| key == *name);
                if !is_key && nullable.contains(*name) && (n + column) % 3 == 0 {
                    return Sql::Null;
                }
                match kind {
                    Kind::Small if *name == "share" => Sql::Integer(n),
                    // A row's own node, or one that there is.
                    Kind::Small => Sql::Integer(1 + n % rows),
                    Kind::Int if is_key => Sql::Integer(n),
                    Kind::Int => Sql::Integer(if n % 7 == 0 { i64::MIN / 2 + n } else { n << (column % 40) }),
                    Kind::Bool => Sql::Integer(n % 2),
                    Kind::Name => Sql::Text(format!("na\0me é 腰牌 {n}")),
                    Kind::Text => Sql::Text(format!("text é 腰牌 {n}")),
                    Kind::Bytes if n == 1 && !is_key => Sql::Blob(Vec::new()),
                    Kind::Bytes => Sql::Blob([&n.to_le_bytes()[..], b"\0\xff"].concat()),
                    Kind::Id => Sql::Blob([n.to_le_bytes(), column.to_le_bytes()].concat()),
                }
            });
            let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
            let (list, places) = (table.list(), places.join(", "));
            let sql = match table.single {
                true => format!("UPDATE {} SET ({list}) = ({places})", table.name),
                false => format!("INSERT INTO {} ({list}) VALUES ({places})", table.name),
            };
            all.execute(&sql, params_from_iter(values)).unwrap();
        }
    }
    all.commit().unwrap();
}

/// But for leases, which each move sets.
fn without_nodes(moved: &[Moved]) -> Vec<Moved> {
    moved.iter().filter(|moved| moved.table != "nodes").cloned().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_and_back_is_the_same() {
    tokio::task::spawn_blocking(|| {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
        let (first, second) = (folder.path().join("first.db"), folder.path().join("second.db"));
        let home = server.home();
        // More than are read or written at a time.
        filled(&first, 2_101);
        let (file, left) = exported(&sqlite::house::leave(&first, false).unwrap());
        assert!(left.iter().all(|moved| moved.rows >= 2_101 || moved.table == "meta"), "{left:?}");
        assert_eq!(imported(enter(&home), &file).unwrap(), left);
        let (again, there) = exported(&leave(&home, false).unwrap());
        assert_eq!(without_nodes(&there), without_nodes(&left));
        assert_eq!(imported(sqlite::house::enter(&second), &again).unwrap(), there);
        let (_, back) = exported(&sqlite::house::leave(&second, false).unwrap());
        assert_eq!(without_nodes(&back), without_nodes(&there));
        // What triggers count.
        let kept = "SELECT sum(kept) FROM idempotency_counts";
        assert_eq!(server.sql(&format!("SET search_path = {}; {kept}", home.schema)), "2101");
        let db = Connection::open(&second).unwrap();
        assert_eq!(db.query_row(kept, [], |r| r.get::<_, i64>(0)).unwrap(), 2_101);
        // From one of a kind to another of it.
        let home = server.home();
        assert_eq!(imported(enter(&home), &again).unwrap(), there);
        drop((file, again));
        // A node that is new gets a number that nobody has.
        drop(home.of_node("new").connect(Arc::new(Log::default())));
        assert_eq!(server.sql(&format!("SELECT id FROM {}.nodes WHERE name = 'new'", home.schema)), "2102");
    })
    .await
    .unwrap();
}

/// Whatever is cut off or changed, nothing comes in, and the place is as good as before.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_brings_nothing_in() {
    tokio::task::spawn_blocking(|| {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
        let (first, target) = (folder.path().join("first.db"), folder.path().join("target.db"));
        filled(&first, 40);
        let (file, left) = exported(&sqlite::house::leave(&first, false).unwrap());
        let home = server.home();
        let mut tried = 0;
        let mut refused = |bad: &[u8], what: String| {
            tried += 1;
            let said = imported(sqlite::house::enter(&target), bad).expect_err(&what).to_string();
            assert!(said.contains("Nothing was changed"), "{what}: {said}");
            if tried % 12 == 0 {
                imported(enter(&home), bad).expect_err(&what);
            }
        };
        for at in (0..file.len()).step_by(file.len() / 50) {
            refused(&file[..at], format!("cut off at {at}"));
            let mut bad = file.clone();
            bad[at] ^= 0x20;
            refused(&bad, format!("changed at {at}"));
        }
        refused(&file[..file.len() - 1], "without its last byte".into());
        refused(&[&file[..], b"x"].concat(), "with one more".into());
        // A row less, with everything that says so put right but the digest over all.
        let other = String::from_utf8_lossy(&file[..60]).contains("\"format\":2");
        assert!(other);
        let newer = [b"yaopai house\n{\"format\":3,\"version\":\"9.9\"}\n", &file[60..]].concat();
        let said = imported(sqlite::house::enter(&target), &newer).unwrap_err().to_string();
        assert!(said.contains("9.9"), "{said}");
        assert_eq!(imported(sqlite::house::enter(&target), &file).unwrap(), left);
        assert_eq!(imported(enter(&home), &file).unwrap(), left);
    })
    .await
    .unwrap();
}

/// Whoever can write to a file on its way, and knows all of its layout, still brings nothing in.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_somebody_else_has_sealed_brings_nothing_in() {
    tokio::task::spawn_blocking(|| {
        let folder = tempfile::tempdir().unwrap();
        let (first, other) = (folder.path().join("first.db"), folder.path().join("other.db"));
        filled(&first, 3);
        filled(&other, 3);
        let (file, left) = exported(&sqlite::house::leave(&first, false).unwrap());
        // Somebody else's user, written with all its hashes under a key of his own.
        let db = Connection::open(&other).unwrap();
        assert_eq!(
            db.execute(
                "UPDATE identities SET user_id = 'somebody else' WHERE id = (SELECT min(id) FROM identities)",
                []
            )
            .unwrap(),
            1
        );
        drop(db);
        let mut his = Vec::new();
        sqlite::house::leave(&other, false).unwrap().export(&about(), &key("5b"), &mut his).unwrap();
        let refused = |file: &[u8]| {
            let target = folder.path().join("target.db");
            let e = imported(sqlite::house::enter(&target), file).unwrap_err();
            assert!(e.to_string().contains("Nothing was changed"), "{e}");
            let db = Connection::open(target).unwrap();
            assert_eq!(db.query_row("SELECT count(*) FROM identities", [], |r| r.get::<_, i64>(0)).unwrap(), 0);
            e
        };
        let e = refused(&his);
        assert!(matches!(e, HouseError::OtherKey) && e.to_string().contains("another master key"), "{e}");
        assert!(matches!(yaopai_store::house::about(&his[..], &key("5a")), Err(HouseError::OtherKey)));
        // The same, said to be ours, and the last line put right as far as he can. Or with the seal of the file that was.
        let name = |byte: &str| format!("\"key\":\"{}\"", key(byte).name()).into_bytes();
        let (his_name, our_name) = (name("5b"), name("5a"));
        let at = his.windows(his_name.len()).position(|part| part == his_name).unwrap();
        his[at..at + our_name.len()].copy_from_slice(&our_name);
        let last = |file: &[u8]| {
            let from = file[..file.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
            (from, serde_json::from_slice::<serde_json::Value>(&file[from..]).unwrap())
        };
        let ((from, mut line), (_, ours)) = (last(&his), last(&file));
        let digest = Sha256::digest(&his[..from]);
        line["sha256"] = digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into();
        let unsealed = serde_json::json!({ "tables": line["tables"], "sha256": line["sha256"] });
        let seals = [line["hmac"].clone(), ours["hmac"].clone(), "".into(), serde_json::Value::Null];
        let with = |seal: serde_json::Value| {
            let mut line = unsealed.clone();
            line["hmac"] = seal;
            line
        };
        for line in seals.map(with).into_iter().chain([unsealed.clone()]) {
            let forged = [&his[..from], format!("{line}\n").as_bytes()].concat();
            let e = refused(&forged);
            assert!(matches!(e, HouseError::Changed) && e.to_string().contains("has changed it"), "{e}");
        }
        // By the key itself it would be taken: nothing else is wrong with it.
        let forged = [&his[..from], format!("{}\n", with(key("5a").seal(&digest).into())).as_bytes()].concat();
        imported(sqlite::house::enter(&folder.path().join("taken.db")), &forged).unwrap();
        assert_eq!(imported(sqlite::house::enter(&folder.path().join("target.db")), &file).unwrap(), left);
    })
    .await
    .unwrap();
}

/// Of many nodes each accepts by its own clock, and all by that of their nonces: what any of them may have accepted is refused after a move.
#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_were_ahead_are_reckoned_with() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (home, next) = (server.home(), server.home());
    let node = home.connect(Arc::new(Log::default()));
    let nonces = yaopai_store::PostgresNonces::open(&home.url, "nonces").unwrap();
    nonces.tidy().await.unwrap();
    nonces.close().await;
    node.close().await;
    drop((nonces, node));
    let path = folder.path().join("next.db");
    let (file, place) = (path.clone(), next.clone());
    let moving = tokio::task::spawn_blocking(move || {
        let ask = |sql: &str| server.sql(sql).parse::<i64>().unwrap();
        let clock = || ask("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint");
        let until = |about: &About| {
            let mut out = Vec::new();
            leave(&home, false).unwrap().export(about, &key("5a"), &mut out).unwrap();
            (yaopai_store::house::about(&out[..], &key("5a")).unwrap().signed_until, out)
        };
        // The database's, this machine's, or that of the nonces, whichever is furthest.
        let (before, until_then) = (clock(), until(&about()).0);
        assert!((before + SKEW_MAX..=clock() + 2_000 + SKEW_MAX).contains(&until_then), "{until_then}");
        assert_eq!(until(&About { at: before + 900_000, ..about() }).0, before + 900_000 + SKEW_MAX);
        server.sql(&format!("UPDATE {}.nonces_past SET high = high + 600000", home.schema));
        let high = ask(&format!("SELECT high FROM {}.nonces_past", home.schema));
        let (until, out) = until(&about());
        assert_eq!(until, high + 1_000 + SKEW_MAX);
        for target in [sqlite::house::enter(&file), enter(&place)] {
            target.unwrap().import(&out[..], &key("5a"), Timestamp(6), &anybodys).unwrap();
        }
        until
    });
    let until = Timestamp(moving.await.unwrap());
    let (store, node) = (open(&path), next.connect(Arc::new(Log::default())));
    let past = store.take_proofs().await.unwrap();
    assert_eq!(
        (past.leased_until, past.elsewhere),
        (Some(Timestamp(6)), Some(until)),
        "its own clock is not held to that"
    );
    assert_eq!(node.take_proofs().await.unwrap().leased_until, Some(until));
    store.close().await;
    node.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_not_empty_is_left_alone() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (first, used) = (folder.path().join("first.db"), folder.path().join("used.db"));
    filled(&first, 3);
    let (file, _) = exported(&sqlite::house::leave(&first, false).unwrap());
    // A server was started on it, and nothing more.
    let store = open(&used);
    store.resume(Timestamp(1)).await.unwrap();
    store.close().await;
    drop(store);
    let home = server.home();
    let node = home.connect(Arc::new(Log::default()));
    node.close().await;
    drop(node);
    tokio::task::spawn_blocking(move || {
        for target in [sqlite::house::enter(&used), enter(&home)] {
            let e = imported(target, &file).unwrap_err();
            assert!(matches!(e, HouseError::NotEmpty(_)), "{e}");
        }
        let e = imported(sqlite::house::enter(&first), &file).unwrap_err();
        assert!(matches!(e, HouseError::NotEmpty(_)), "{e}");
        // Another's data keys.
        let target = sqlite::house::enter(&folder.path().join("third.db")).unwrap();
        let e = target.import(&file[..], &key("5a"), NOW, &|_| Err("not mine".into())).unwrap_err();
        assert!(matches!(&e, HouseError::Refused(what) if what == "not mine"), "{e}");
    })
    .await
    .unwrap();
}

/// While somebody runs nothing is exported but a rehearsal, and that is of one moment.
#[tokio::test(flavor = "multi_thread")]
async fn who_runs_is_noticed() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (path, home) = (folder.path().join("yaopai.db"), server.home());
    let (store, node) = (open(&path), home.connect(Arc::new(Log::default())));
    for n in 1..=2 {
        store.resume(Timestamp(n)).await.unwrap();
        node.resume(Timestamp(n)).await.unwrap();
    }
    let (file, place) = (path.clone(), home.clone());
    let rehearsals = tokio::task::spawn_blocking(move || {
        for running in [sqlite::house::leave(&file, false), leave(&place, false)] {
            let e = running.err().unwrap();
            assert!(matches!(&e, HouseError::Running(what) if what.contains("--rehearsal")), "{e}");
        }
        [sqlite::house::leave(&file, true).unwrap(), leave(&place, true).unwrap()]
    });
    let rehearsals = rehearsals.await.unwrap();
    // Later than the moment.
    let key = DataKey { id: 1, sealed: vec![1], reserved: 0 };
    store.add_data_key(key.clone()).await.unwrap();
    node.add_data_key(key).await.unwrap();
    tokio::task::spawn_blocking(move || {
        for source in rehearsals {
            let (_, moved) = exported(&source);
            assert_eq!(moved.iter().find(|moved| moved.table == "data_keys").unwrap().rows, 0);
        }
    })
    .await
    .unwrap();
    store.close().await;
    node.close().await;
    drop((store, node));
    tokio::task::spawn_blocking(move || {
        let sources = [sqlite::house::leave(&path, false).unwrap(), leave(&home, false).unwrap()];
        // And the other way round.
        assert!(Sqlite::open(&path, Arc::new(Log::default()), Options::default()).is_err());
        let options = PostgresOptions::new(&home.node);
        let e = Postgres::open(&home.url, Arc::new(Log::default()), options).err().unwrap();
        assert!(e.to_string().contains("another server"), "{e}");
        for source in &sources {
            assert_eq!(exported(source).1.iter().find(|moved| moved.table == "data_keys").unwrap().rows, 1);
        }
    })
    .await
    .unwrap();
}

fn try_open(path: &Path, rehearsal: bool) -> Result<Sqlite, String> {
    let options = Options { rehearsal, ..Options::default() };
    Sqlite::open(path, Arc::new(Log::default()), options).map_err(|e| e.to_string())
}

fn try_connect(home: &PostgresHome, rehearsal: bool) -> Result<Postgres, String> {
    let options = PostgresOptions { rehearsal, ..PostgresOptions::new(&home.node) };
    Postgres::open(&home.url, Arc::new(Log::default()), options).map_err(|e| e.to_string())
}

/// Once the file is complete nobody starts on the old place, until somebody takes that back.
#[tokio::test(flavor = "multi_thread")]
async fn who_has_moved_is_not_started() {
    let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
    let (path, home) = (folder.path().join("yaopai.db"), server.home());
    let (store, node) = (open(&path), home.connect(Arc::new(Log::default())));
    for store in [&store as &dyn yaopai_core::ports::Store, &node] {
        store.lease_proofs(Timestamp(7)).await.unwrap();
        store.keep_proofs(b"kept".to_vec()).await.unwrap();
    }
    store.close().await;
    node.close().await;
    drop((store, node));
    let (file, place) = (path.clone(), home.clone());
    let blocking = tokio::task::spawn_blocking(move || {
        let leave = |n: usize| if n == 0 { sqlite::house::leave(&file, false) } else { leave(&place, false) };
        let refused = |n: usize| match n {
            0 => try_open(&file, true).err(),
            _ => try_connect(&place.of_node("new"), true).err(),
        };
        for n in 0..2 {
            // A file that could not be written stands in nobody's way.
            exported(&leave(n).unwrap());
            assert_eq!(refused(n), None, "{n}");
            for id in ["0a", "0b"] {
                let source = leave(n).unwrap();
                exported(&source);
                source.mark(&About { id: id.into(), ..about() }).unwrap();
                let said = refused(n).unwrap_or_default();
                let says = said.contains("1970-01-01T00:00:00Z") && said.contains(&format!("the id {id}"));
                assert!(says && said.contains("yaopai export undo"), "{n}: {said}");
            }
            let e = leave(n).unwrap().mark(&About { rehearsal: true, ..about() }).unwrap_err();
            assert!(matches!(e, HouseError::NotMarked(_)), "{e}");
            let undo = || match n {
                0 => sqlite::house::undo(&file, NOW),
                _ => postgres::house::undo(&place.url, "undo", NOW),
            };
            assert_eq!(undo().unwrap().to, "0b");
            assert_eq!(refused(n), None, "{n}");
            let e = undo().unwrap_err().to_string();
            assert!(e.contains("it has not moved"), "{e}");
        }
        // A node that nobody knew of, that came in between.
        let source = leave(1).unwrap();
        exported(&source);
        let said = try_connect(&place.of_node("late"), false).err().unwrap();
        assert!(said.contains("is being exported"), "{said}");
        let (mut late, schema) = (server.session(), &place.schema);
        late.sql(&format!(
            "SELECT pg_advisory_lock('{schema}.sessions'::regclass::oid::integer, id) FROM {schema}.nodes WHERE name = 'late'"
        ));
        let e = source.mark(&about()).unwrap_err();
        assert!(matches!(&e, HouseError::Running(what) if what.contains("late")), "{e}");
        drop(late);
        assert_eq!(refused(1), None);
    });
    blocking.await.unwrap();
    // What was accepted elsewhere meanwhile is not known.
    let (store, node) = (open(&path), home.connect(Arc::new(Log::default())));
    for store in [&store as &dyn yaopai_core::ports::Store, &node] {
        let past = store.take_proofs().await.unwrap();
        assert_eq!((past.leased_until, past.saved), (Some(Timestamp(NOW.0 + SKEW_MAX)), None));
    }
    store.close().await;
    node.close().await;
}

/// A node whose connection is gone at the moment of the export has no name, and is taken to be stopped: it finds out by itself.
#[tokio::test(flavor = "multi_thread")]
async fn who_could_not_be_seen_running_finds_out() {
    let server = Server::start();
    let home = server.home();
    let node = home.of_node("a").connect(Arc::new(Log::default()));
    node.lease_proofs(Timestamp(7)).await.unwrap();
    let place = home.clone();
    let moving = tokio::task::spawn_blocking(move || {
        let mut log = PostgresLog::open(&place.url, "a").unwrap();
        log.poll().unwrap();
        server.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted");
        let source = leave(&place, false).unwrap();
        exported(&source);
        source.mark(&about()).unwrap();
        // Over the connection that it has: nothing that it knows is believed any more.
        log.poll().unwrap_err().to_string()
    });
    let news = moving.await.unwrap();
    assert!(news.contains("has moved"), "{news}");
    for _ in 0..2 {
        let written = node.lease_proofs(Timestamp(8)).await.unwrap_err().to_string();
        assert!(written.contains("has moved"), "{written}");
    }
    node.close().await;
}

/// What came in by a rehearsal is served to nobody by mistake, and is no way to move.
#[tokio::test(flavor = "multi_thread")]
async fn a_rehearsal_is_opened_as_one_only() {
    tokio::task::spawn_blocking(|| {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
        let (first, second) = (folder.path().join("first.db"), folder.path().join("second.db"));
        filled(&first, 3);
        let mut file = Vec::new();
        let rehearsal = About { rehearsal: true, ..about() };
        sqlite::house::leave(&first, true).unwrap().export(&rehearsal, &key("5a"), &mut file).unwrap();
        let home = server.home();
        imported(sqlite::house::enter(&second), &file).unwrap();
        imported(enter(&home), &file).unwrap();
        for said in [try_open(&second, false).err().unwrap(), try_connect(&home, false).err().unwrap()] {
            assert!(said.contains("by a rehearsal") && said.contains("1970-01-01T00:00:00Z"), "{said}");
        }
        for e in [sqlite::house::leave(&second, false), leave(&home, false)] {
            let e = e.err().unwrap();
            assert!(matches!(&e, HouseError::Refused(what) if what.contains("--rehearsal")), "{e}");
        }
        sqlite::house::leave(&second, true).unwrap();
        leave(&home, true).unwrap();
        drop((try_open(&second, true).unwrap(), try_connect(&home, true).unwrap()));
    })
    .await
    .unwrap();
}

/// What is described is what there is: no table, no column, no kind is missing or made up.
#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_both_databases_is_named() {
    tokio::task::spawn_blocking(|| {
        let (folder, server) = (tempfile::tempdir().unwrap(), Server::start());
        let path = folder.path().join("yaopai.db");
        drop(open(&path));
        let home = server.home();
        drop(home.connect(Arc::new(Log::default())));
        let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
        let db = Connection::open(&path).unwrap();
        let sql = "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
        let mut columns = db.prepare(sql).unwrap();
        let read = |r: &rusqlite::Row<'_>| Ok(((r.get(0)?, r.get(1)?), r.get(2)?));
        found.extend(columns.query_map([], read).unwrap().map(Result::unwrap));
        compare("SQLite", &found, |kind| match kind {
            Kind::Id | Kind::Bytes => "BLOB",
            Kind::Int | Kind::Small | Kind::Bool => "INTEGER",
            Kind::Name | Kind::Text => "TEXT",
        });
        let sql = format!(
            "SELECT table_name || '|' || column_name || '|' || data_type FROM information_schema.columns \
             WHERE table_schema = '{}'",
            home.schema
        );
        let listed = server.sql(&sql);
        let of = |line: &str| {
            let [table, column, kind] = line.split('|').collect::<Vec<_>>()[..] else { panic!("{line}") };
            ((table.to_owned(), column.to_owned()), kind.to_owned())
        };
        compare("PostgreSQL", &listed.lines().map(of).collect(), |kind| match kind {
            Kind::Id => "uuid",
            Kind::Int => "bigint",
            Kind::Small => "integer",
            Kind::Bool => "boolean",
            Kind::Text => "text",
            Kind::Name | Kind::Bytes => "bytea",
        });
    })
    .await
    .unwrap();
}

fn compare(database: &str, found: &BTreeMap<(String, String), String>, kept_as: impl Fn(Kind) -> &'static str) {
    for ((table, column), kind) in found {
        if STAY.iter().any(|(stays, _)| stays == table) {
            continue;
        }
        let described: &Table = TABLES
            .iter()
            .find(|of| of.name == table)
            .unwrap_or_else(|| panic!("{database} has a table {table} that neither moves nor stays: house/tables.rs"));
        if described.stays.iter().any(|(stays, _)| stays == column) {
            continue;
        }
        let moves = described.columns.iter().find(|(name, _)| name == column);
        let (_, described) = moves.unwrap_or_else(|| panic!("{database}: {table}.{column} neither moves nor stays"));
        assert_eq!(kind, kept_as(*described), "{database}: {table}.{column}");
    }
    for table in TABLES {
        for (column, _) in table.columns {
            let named = (table.name.to_owned(), (*column).to_owned());
            assert!(found.contains_key(&named), "{database} has no {}.{column}", table.name);
        }
    }
}
