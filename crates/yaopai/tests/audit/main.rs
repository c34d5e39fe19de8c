//! `yaopai audit`: the real binary on a real file.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai_core::audit::{Actor, By, Event, Kind, Noted, Scribe};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{AuditStore as _, Change, ChangeSink, Clock};
use yaopai_core::seal::MasterKey;
use yaopai_core::time::Timestamp;
use yaopai_store::{Options, Sqlite};

mod cluster;
#[path = "../../../yaopai-store/tests/database/postgres.rs"]
mod postgres;
#[allow(dead_code, reason = "this crate needs some of it")]
#[path = "../integration/support/server_process.rs"]
mod server_process;

use server_process::{ServerProcess, run};

const MASTER_KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const CONFIG: &str = r#"
master_key = "file:master.key"
listen = { public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }
audit = { heads_file = "heads" }
[[apps]]
name = "shop"
appid = "wx0000000000000001"
secret = "file:app.secret"
binding = "api"
"#;

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

/// Some minutes ago.
struct Earlier;

impl Clock for Earlier {
    fn now(&self) -> Timestamp {
        SystemClock::default().now() - Duration::from_secs(180)
    }
}

struct World {
    folder: tempfile::TempDir,
}

/// How a command ended, and what it wrote.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl World {
    /// A database with five logins in its audit log: of `u1`, `u2`, and again.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("master.key", MASTER_KEY),
            ("other.key", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
            ("app.secret", "0123456789abcdef0123456789abcdef"),
            ("yaopai.toml", CONFIG),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let world = Self { folder };
        world.tells(5).await;
        world
    }

    async fn tells(&self, many: u8) {
        self.tells_by(Arc::new(SystemClock::default()), many).await;
    }

    async fn tells_by(&self, clock: Arc<dyn Clock>, many: u8) {
        let store = Sqlite::open(self.path("yaopai.db"), Arc::new(Nobody), Options::default()).unwrap();
        let master = MasterKey::parse(MASTER_KEY).unwrap();
        store.begin_audit(Arc::new(Scribe::new(&master, clock, Arc::new(SystemEntropy))));
        let login = |n: u8| {
            let event = Event {
                realm: Some(Realm::from("default")),
                app: Some(AppName::from("shop")),
                session: Some(SessionId([n; 16])),
                identity: Some(IdentityId([n % 2; 16])),
                user: Some(UserId::from(format!("u{}", n % 2 + 1).as_str())),
                ..Event::new(Kind::Login, "known")
            };
            Noted { event, by: By::actor(Actor::Client, Some([203, 0, 113, n].into())) }
        };
        store.note((0..many).map(login).collect()).await.unwrap();
        store.close().await;
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn audit(&self, args: &[&str]) -> Ran {
        let config = self.path("yaopai.toml");
        let all = [&["audit"], args, &["--config", config.to_str().unwrap()]].concat();
        let output = run(&all);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    fn exported(&self, args: &[&str]) -> Vec<Value> {
        let ran = self.audit(&[&["export"], args].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn attack(&self, sql: &str) {
        let db = rusqlite::Connection::open(self.path("yaopai.db")).unwrap();
        db.execute_batch("DROP TRIGGER IF EXISTS audit_is_not_changed; DROP TRIGGER IF EXISTS audit_is_not_cut")
            .unwrap();
        db.execute_batch(sql).unwrap();
    }
}

#[tokio::test]
async fn verify_says_what_is_wrong_first() {
    let world = World::new().await;
    let whole = world.audit(&["verify"]);
    assert_eq!(whole.code, 0, "{}", whole.err);
    assert!(whole.out.starts_with("The audit log is whole: 5 row(s), up to row 5, "), "{}", whole.out);
    assert!(whole.out.contains("No exported head was compared"), "{}", whole.out);
    world.attack("UPDATE audit SET at = at - 1 WHERE seq = 3");
    let edited = world.audit(&["verify"]);
    assert_eq!(edited.code, 1);
    assert!(
        edited.out.starts_with("The audit log is NOT whole: row 3 does not fit the row before it"),
        "{}",
        edited.out
    );
    for (args, said) in
        [(vec!["--heads", "/no/such/file"], "/no/such/file: "), (vec!["--database", "/no/such/file"], "/no/such/file")]
    {
        let failed = world.audit(&[&["verify"], &args[..]].concat());
        assert_eq!((failed.code, failed.out.as_str()), (2, ""), "not being able to look is not a finding");
        assert!(failed.err.contains(said), "{}", failed.err);
    }
    std::fs::write(world.path("bad"), "{\"seq\":1}\n").unwrap();
    let bad = world.audit(&["verify", "--heads", world.path("bad").to_str().unwrap()]);
    assert_eq!((bad.code, bad.err.contains("line 1 is no head")), (2, true), "{}", bad.err);
}

/// The server exports heads, also while it stops; a database that was put back is noticed at its next start, and by `verify`.
#[tokio::test]
async fn heads_tell_of_an_older_copy() {
    let world = World::new().await;
    let config = world.path("yaopai.toml");
    let mut server = ServerProcess::start(&config, &[]);
    // While it runs, and has the file open.
    assert_eq!(world.audit(&["verify"]).code, 0);
    assert!(server.terminate().success());
    let old = std::fs::read(world.path("yaopai.db")).unwrap();
    world.tells(2).await;
    let mut server = ServerProcess::start(&config, &[]);
    assert!(server.terminate().success());
    assert!(!server.log().contains("does not hold the head"), "{}", server.log());
    let heads = std::fs::read_to_string(world.path("heads")).unwrap();
    let seqs: Vec<u64> =
        heads.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["seq"].as_u64().unwrap()).collect();
    assert_eq!(seqs, [5, 7]);
    let whole = world.audit(&["verify"]);
    assert!(
        whole.code == 0 && whole.out.contains("2 exported head(s) are in it; 0 are of rows deleted since"),
        "{}",
        whole.out
    );

    std::fs::write(world.path("yaopai.db"), old).unwrap();
    let older = world.audit(&["verify"]);
    assert_eq!(older.code, 1);
    assert!(older.out.contains("the last row is 5, but the head of row 7 was exported"), "{}", older.out);
    let mut server = ServerProcess::start(&config, &[]);
    assert!(server.terminate().success());
    assert!(server.log().contains("does not hold the head that was exported last"), "{}", server.log());
}

#[tokio::test]
async fn a_person_is_forgotten() {
    let world = World::new().await;
    let users = |rows: &[Value]| {
        let user = |row: &Value| row["user"].as_str().or(row["personal"].as_str()).unwrap_or("-").to_owned();
        rows.iter().map(user).collect::<Vec<_>>().join(" ")
    };
    let before = world.exported(&[]);
    assert_eq!(users(&before), "u1 u2 u1 u2 u1");
    assert_eq!(
        (&before[1]["from"], &before[1]["kind"], &before[1]["by"]),
        (&"203.0.113.1".into(), &"login".into(), &"client".into())
    );
    let erased = world.audit(&["erase", "--user", "u1"]);
    assert_eq!((erased.code, erased.out.starts_with("1 key(s) erased.")), (0, true), "{} {}", erased.out, erased.err);
    let after = world.exported(&[]);
    assert_eq!(users(&after), "erased u2 erased u2 erased -");
    assert_eq!(
        (&after[5]["kind"], &after[5]["by"], &after[0]["from"]),
        (&"erased".into(), &"operator".into(), &Value::Null)
    );
    let whole = world.audit(&["verify"]);
    assert!(whole.code == 0 && whole.out.contains("of 3 row(s) can't be read any more"), "{}", whole.out);
    assert!(whole.out.contains("1 row(s) tell of an erasure"), "{}", whole.out);
    assert!(world.audit(&["erase", "--user", "u1"]).out.starts_with("There was no key"));
    // Said wrongly: nothing is erased.
    for args in [&["erase"][..], &["erase", "--openid", "o"], &["erase", "--user", "u2", "--address", "203.0.113.1"]] {
        assert_ne!(world.audit(args).code, 0, "{args:?}");
    }
    let server = ServerProcess::start(&world.path("yaopai.toml"), &[]);
    let refused = world.audit(&["erase", "--user", "u2"]);
    assert_eq!((refused.code, refused.err.contains("stop the server first")), (2, true), "{}", refused.err);
    drop(server);
    assert!(users(&world.exported(&[])).contains("u2"));
}

/// Whoever can write to the database, but not erase as it is meant.
#[tokio::test]
async fn keys_that_were_deleted_by_hand_are_counted() {
    let world = World::new().await;
    assert!(!world.audit(&["verify"]).out.contains("can't be read"));
    world.attack("DELETE FROM audit_keys");
    let whole = world.audit(&["verify"]);
    assert!(whole.code == 0 && whole.out.contains("of 5 row(s) can't be read any more"), "{}", whole.out);
    assert!(whole.out.contains("0 row(s) tell of an erasure"), "{}", whole.out);
}

/// Without its heads a log that was cut off looks whole: that they are gone must not look like a success.
#[tokio::test]
async fn heads_that_are_gone_are_no_success() {
    let world = World::new().await;
    assert_eq!(world.audit(&["verify"]).code, 0, "nothing was exported yet");
    std::fs::remove_file(world.path("yaopai.db")).unwrap();
    world.tells_by(Arc::new(Earlier), 2).await;
    let gone = world.audit(&["verify"]);
    assert_eq!((gone.code, gone.err.contains("heads") && gone.err.contains("is not there")), (2, true), "{}", gone.err);
    std::fs::write(world.path("kept"), "").unwrap();
    assert_eq!(world.audit(&["verify", "--heads", world.path("kept").to_str().unwrap()]).code, 0, "others were named");
}

#[tokio::test]
async fn an_export_of_some_time_and_without_the_key() {
    let world = World::new().await;
    let all = world.exported(&[]);
    assert_eq!(world.exported(&["--from", all[0]["at"].as_str().unwrap()]).len(), 5);
    assert_eq!(world.exported(&["--to", all[0]["at"].as_str().unwrap()]).len(), 0);
    assert_eq!(world.audit(&["export", "--from", "yesterday"]).code, 2);
    // Another master key: what is personal does not open, and nothing is proven.
    std::fs::rename(world.path("other.key"), world.path("master.key")).unwrap();
    assert!(world.exported(&[]).iter().all(|row| row["personal"] == "unreadable" && row["user"].is_null()));
    assert_eq!(world.audit(&["verify"]).code, 1);
}
