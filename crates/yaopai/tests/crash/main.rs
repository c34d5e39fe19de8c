//! kill -9 under load: what was answered survives, what was ended stays ended.
//!
//! A child serves; workers log in, refresh, confirm, bind, log out and kick, and note every answer they got. The child is
//! killed at a random moment, started again on the same files, and asked about all of it; what was cut off is sent again.
//! One database over all rounds.
//! `YAOPAI_KILL_ROUNDS` sets how many (50 unless set).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test's helper fails the test, and says why")]

#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/back_end.rs"]
mod back_end;
mod ledger;
#[allow(dead_code, reason = "shared with the integration tests")]
#[path = "../integration/support/server_process.rs"]
mod server_process;
mod worker;

use std::path::Path;
use std::time::Duration;

use back_end::BackEnd;
use ledger::{Figures, Held};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use server_process::ServerProcess;
use worker::{Worker, World};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{AppConfig, DEFAULT_APPID, DEFAULT_SECRET, Simulator};

/// The app whose first login creates the user.
const KIOSK_APPID: &str = "wxfedcba9876543210";
const WORKERS: usize = 6;
const API_KEY: &str = "yk_crash-test";
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kill_9_loses_nothing_that_was_answered() {
    let rounds = std::env::var("YAOPAI_KILL_ROUNDS").map_or(50, |n| n.parse().unwrap());
    let seed = std::env::var("YAOPAI_KILL_SEED").map_or(1, |n| n.parse().unwrap());
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let apps = [DEFAULT_APPID, KIOSK_APPID].map(|appid| AppConfig::new(appid, DEFAULT_SECRET));
    let sim = Simulator::builder().apps(apps).build().unwrap().start_local().await.unwrap();
    let clock = SystemClock::default();
    let back_end = BackEnd::start(WEBHOOK_SECRET, move || clock.now().0).await;
    let folder = tempfile::tempdir().unwrap();
    let config = configure(folder.path(), &sim.base_url(), &back_end.url);

    let (mut figures, mut ledger) = (Figures::default(), Vec::<Held>::new());
    let mut server = ServerProcess::start(&config, &[]);
    for round in 0..rounds {
        let world = World::new(&server, &sim, &back_end);
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| tokio::spawn(Worker::new(world.clone(), format!("p{round}-{n}"), dice.next_u64()).run()))
            .collect();
        // Now and then long enough for a flush of last-seen times.
        let longest = if dice.next_u64().is_multiple_of(8) { 1_500 } else { 270 };
        tokio::time::sleep(Duration::from_millis(30 + dice.next_u64() % longest)).await;
        server.kill();
        server = ServerProcess::start(&config, &[]);
        if dice.next_u64().is_multiple_of(8) {
            server.kill();
            server = ServerProcess::start(&config, &[]);
        }
        let world = World::new(&server, &sim, &back_end);
        for worker in workers {
            let mut report = worker.await.unwrap();
            figures.add(&report.figures);
            for held in &mut report.held {
                held.verify(&world, &mut figures).await;
            }
            report.finish_login(&world, &mut figures).await;
            ledger.append(&mut report.held);
        }
        // What earlier rounds were told still holds.
        for _ in 0..20.min(ledger.len()) {
            let at = usize::try_from(dice.next_u64()).unwrap_or(0) % ledger.len();
            ledger[at].verify(&world, &mut figures).await;
        }
    }
    let database = folder.path().join("yaopai.db");
    let from = ledger.len().saturating_sub(5_000);
    let newest = &mut ledger[from..];
    let world = World::new(&server, &sim, &back_end);
    if rounds >= 50 {
        // Until some retired tokens are past their grace; on a slow machine they are by now.
        let live = newest.iter().filter(|h| h.ended.is_none()).filter_map(|h| h.retired.as_ref());
        let mut retired: Vec<i64> = live.map(|r| r.answered).collect();
        retired.sort_unstable();
        let wanted = retired.get(50).or(retired.last()).expect("some token was retired");
        let wait = (wanted + ledger::GRACE + 500 - world.now()).max(0).unsigned_abs();
        tokio::time::sleep(Duration::from_millis(wait)).await;
    }
    for held in newest.iter_mut() {
        held.verify(&world, &mut figures).await;
    }
    for held in newest.iter_mut().step_by(3) {
        held.steal(&world, &mut figures).await;
    }
    server.kill();

    // Nobody was idle while the server was down, though it was down for longer than the idle time-out.
    long_ago(&database, "UPDATE meta SET alive_at = alive_at - 3600000");
    long_ago(&database, "UPDATE sessions SET last_seen = last_seen - 3600000");
    server = ServerProcess::start(&config, &[]);
    let world = World::new(&server, &sim, &back_end);
    for held in newest.iter_mut() {
        held.retired = None;
        held.verify(&world, &mut figures).await;
    }
    // With the same hour as time in which it ran, everybody was: what was looked at above can fail.
    server.kill();
    long_ago(&database, "UPDATE sessions SET last_seen = last_seen - 3600000");
    server = ServerProcess::start(&config, &[]);
    let world = World::new(&server, &sim, &back_end);
    for held in newest.iter().filter(|h| h.ended.is_none()).take(20) {
        assert_eq!(world.check(&held.token).await.1, "session_expired");
    }
    server.kill();

    let db = rusqlite::Connection::open(&database).unwrap();
    let verdict: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    let rows: i64 = db.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
    println!("kill -9: {rounds} rounds, {rows} sessions; {figures}; integrity_check {verdict}");
    assert_eq!(verdict, "ok");
    assert_eq!((figures.lost, figures.undead), (0, 0), "seed {seed}");
    assert_eq!(
        rows,
        i64::try_from(ledger.len()).unwrap(),
        "every session was answered to somebody: one code, one session"
    );
    assert!(
        figures.logins > rounds && figures.refreshes > 0 && figures.binds > 0 && figures.ends > 0,
        "too little load"
    );
    assert!(figures.repeated > 0 && figures.graces > 0, "too little load");
    // Only after 30 s is a retired token of no use.
    assert!(rounds < 50 || (figures.superseded > 0 && figures.thefts > 0), "too little load");
}

/// Moves what is stored into the past, while nobody has the file open.
fn long_ago(database: &Path, sql: &str) {
    assert!(rusqlite::Connection::open(database).unwrap().execute(sql, []).unwrap() > 0);
}

fn configure(folder: &Path, sim: &str, back_end: &str) -> std::path::PathBuf {
    std::fs::write(folder.join("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    std::fs::write(folder.join("app.secret"), DEFAULT_SECRET).unwrap();
    std::fs::write(folder.join("webhook.secret"), WEBHOOK_SECRET).unwrap();
    let text = format!(
        r#"
        master_key = "file:master.key"
        development = true
        listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
        live = {{ flush_interval = 1 }}
        limits = {{ logins_per_identity = 0, logins_per_network = 0, binds_per_identity = 0, binds_per_network = 0 }}
        [[apps]]
        keyed = "offered"
        name = "shop"
        appid = "{DEFAULT_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        webhook = {{ url = "{back_end}", secret = "file:webhook.secret" }}
        sessions = {{ max = 1000 }}
        [[apps]]
        keyed = "offered"
        name = "kiosk"
        appid = "{KIOSK_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto"
        sessions = {{ max = 1000 }}
        [[api_keys]]
        name = "test"
        hash = "{}"
        "#,
        yaopai::config::api_key_hash(API_KEY)
    );
    let path = folder.join("yaopai.toml");
    std::fs::write(&path, text).unwrap();
    path
}
