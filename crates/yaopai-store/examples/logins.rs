//! How many durable logins a second: concurrent tasks through the engine, against bare SQLite that inserts the same rows in
//! batches as large as the engine's were. `cargo run --release -p yaopai-store --example logins -- [FOLDER]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use yaopai_core::app::Yields;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
use yaopai_core::ports::{Change, ChangeSink, LoginRecord, Open, Opened, Store as _};
use yaopai_core::session::{Device, Limits, Secrets, Session, SessionKey};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_store::{Options, Sqlite};
use yaopai_wire::token::SecretHash;

const START: i64 = 1_800_000_000_000;
const FOR: Duration = Duration::from_secs(4);

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

/// Spreads a counter over 32 bytes, as hashes are.
fn spread(n: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (i, part) in bytes.chunks_mut(8).enumerate() {
        let x = (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(i as u32 * 13 + 7);
        part.copy_from_slice(&x.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes());
    }
    bytes
}

/// Login number `n`: a time-ordered id, and an openid that 'people' people share.
fn login(n: u64, people: u64) -> Open {
    let now = Timestamp(START + i64::try_from(n / 50).unwrap_or_default());
    let mut id = [0x70; 16];
    id[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
    id[8..].copy_from_slice(&n.to_be_bytes());
    let who = spread(n % people);
    let session = Session {
        id: SessionId(id),
        realm: Realm::from("default"),
        app: AppName::from("shop"),
        identity: IdentityId(id),
        openid: format!("o{:032x}", u128::from_le_bytes(who[..16].try_into().unwrap_or_default()))[..28].into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device { kind: Some("phone".into()), ..Device::default() },
        env_version: None,
        created_at: now,
        vouched_at: now,
        absolute_at: now + Duration::from_secs(7 * 86_400),
        last_seen: Uptime(now.0),
        key: SessionKey::Bearer,
        secrets: Secrets::new(SecretHash(spread(n)), false),
        ended: None,
    };
    Open {
        new_identity: IdentityId(id),
        session_key: Some(vec![7; 60]),
        user: None,
        link: None,
        second_identity: false,
        limits: Limits { max: 12, max_of_type: None, yields: Yields::Oldest },
        idle_ms: 30 * 60_000,
        up: Uptime(now.0),
        login: LoginRecord {
            key: spread(n ^ (1 << 40)),
            session: SessionId(id),
            sealed: vec![9; 80],
            expires_at: now + Duration::from_secs(60),
        },
        session,
    }
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn clock() -> Instant {
    Instant::now()
}

async fn engine(path: &Path, tasks: u64, people: u64) -> (f64, u64) {
    let store = Arc::new(Sqlite::open(path, Arc::new(Nobody), Options::default()).expect("opens"));
    let next = Arc::new(AtomicU64::new(0));
    let start = clock();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let (store, next) = (Arc::clone(&store), Arc::clone(&next));
            tokio::spawn(async move {
                while start.elapsed() < FOR {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let opened = store.open(login(n, people)).await.expect("opens");
                    assert!(matches!(opened, Opened::Opened(_)));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic");
    }
    let rate = next.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64();
    store.close().await;
    let done = store.committed();
    (rate, done.calls.div_ceil(done.commits))
}

fn bare(path: &Path, batch: u64, people: u64) -> f64 {
    drop(Sqlite::open(path, Arc::new(Nobody), Options::default()).expect("opens"));
    let db = Connection::open(path).expect("opens");
    for (pragma, value) in [("synchronous", "FULL"), ("wal_autocheckpoint", "4096"), ("cache_size", "-65536")] {
        db.pragma_update(None, pragma, value).expect("is set");
    }
    db.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("is set");
    let start = clock();
    let mut n = 0;
    while start.elapsed() < FOR {
        db.execute_batch("BEGIN IMMEDIATE").expect("begins");
        for _ in 0..batch {
            insert(&db, &login(n, people), n < people).expect("inserts");
            n += 1;
        }
        db.execute_batch("COMMIT").expect("commits");
    }
    n as f64 / start.elapsed().as_secs_f64()
}

fn insert(db: &Connection, open: &Open, new: bool) -> rusqlite::Result<()> {
    let s = &open.session;
    let identity =
        "INSERT INTO identities (id, realm, app, openid, session_key, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let update = "UPDATE identities SET session_key = ?1 WHERE openid = ?2 AND app = ?3";
    let (realm, app) = (s.realm.as_str(), s.app.as_str());
    if new {
        let values = params![s.identity.0, realm, app, s.openid, open.session_key, s.created_at.0];
        db.prepare_cached(identity)?.execute(values)?;
    } else {
        db.prepare_cached(update)?.execute(params![open.session_key, s.openid, app])?;
    }
    let session = "INSERT INTO sessions (id, realm, app, identity, device_type, created_at, vouched_at, absolute_at, \
        last_seen, key_kind, secrets) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'bearer', ?10)";
    db.prepare_cached(session)?.execute(params![
        s.id.0,
        realm,
        app,
        s.identity.0,
        s.device.kind,
        s.created_at.0,
        s.vouched_at.0,
        s.absolute_at.0,
        s.last_seen.0,
        serde_json::to_string(&s.secrets).expect("is JSON"),
    ])?;
    let record = "INSERT INTO logins (key, session, sealed, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let login = &open.login;
    db.prepare_cached(record)?.execute(params![login.key, s.id.0, login.sealed, login.expires_at.0])?;
    Ok(())
}

#[allow(clippy::print_stdout, reason = "it reports")]
fn main() {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(folder).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("people       tasks  batch   engine/s     bare/s   ratio");
    for (people, what) in [(u64::MAX, "all new"), (5_000, "returning")] {
        for tasks in [1, 64, 256] {
            let path = |name: &str| folder.path().join(format!("{name}-{what}-{tasks}.db"));
            let (engine, batch) = runtime.block_on(engine(&path("engine"), tasks, people));
            let bare = bare(&path("bare"), batch, people);
            println!("{what:10} {tasks:7} {batch:6} {engine:10.0} {bare:10.0} {:7.2}", engine / bare);
        }
    }
}
