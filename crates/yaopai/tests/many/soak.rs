//! A soak: three nodes at seven tenths of what they can do, for as long as it takes to see memory grow. Then all that was opened expires,
//! and nothing of it is left in either store.
//!
//! `YAOPAI_SOAK_SECONDS`: how long (15; a night has half an hour, and only from three minutes on memory is judged).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::config::Config;
use yaopai::serve::Server;
use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;

use crate::fleet::{Fleet, NODES, Shape};
use crate::redis_server::RedisServer;
use crate::replays::signed;

const CLIENTS: u64 = 24;
const LOAD: f64 = 0.7;
/// From here on memory is judged; milliseconds.
const JUDGED_FROM: i64 = 180_000;
/// What is expired by then, and purged: a session is kept for a week after its end.
const LATER: i64 = 9 * 24 * 3_600_000;
const MINUTE: i64 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_is_flat_and_nothing_is_left_behind() {
    let seconds: i64 = std::env::var("YAOPAI_SOAK_SECONDS").map_or(15, |n| n.parse().unwrap());
    let redis = RedisServer::start();
    let nonces = redis.named();
    // The shortest life there is: as many sessions end as begin.
    let sessions = "idle = 60, absolute = 60, refresh_after = 20";
    let fleet = Fleet::with(Shape { nonces: &nonces, sessions, ..Shape::default() }).await;

    let most = load(&fleet, 4_000, None).await;
    let rate = most * LOAD;
    let soaking = tokio::spawn({
        let fleet = fleet.clone();
        async move { load(&fleet, seconds * 1_000, Some(rate)).await }
    });
    let memory = watch(&fleet, seconds * 1_000).await;
    let done = soaking.await.unwrap();
    println!(
        "soak: {NODES} nodes, {seconds} s, {done:.0} of {most:.0} steps a second; memory in MB, by tenths of the time:"
    );
    for (node, tenths) in memory.iter().enumerate() {
        println!(
            "  node {node}: {}",
            tenths.iter().map(|bytes| format!("{:.1}", *bytes as f64 / 1e6)).collect::<Vec<_>>().join(" ")
        );
        let (middle, end) = (tenths[4].max(tenths[5]), tenths[8].max(tenths[9]));
        assert!(seconds * 1_000 < JUDGED_FROM || end < middle + middle / 10, "node {node} grows");
    }

    for node in 0..NODES {
        fleet.kill(node);
    }
    let rows = rows(&fleet);
    assert!(rows["sessions"] > 0 && rows["logins"] > 0 && rows["changes"] > 0, "{rows:?}");
    let kept = keys(&redis);
    let server = expire(&fleet).await;
    let left = left(&fleet);
    // Redis goes by its own clock: minutes, until no signed request is good any more.
    let mut keys_left = keys(&redis);
    for _ in 0..if seconds * 1_000 < JUDGED_FROM { 0 } else { 600 } {
        if keys_left == [PAST] {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        keys_left = keys(&redis);
    }
    server.stop().await;
    println!("  rows before {rows:?}; left {left:?}; in Redis before {kept:?}, left {keys_left:?}");
    assert!(left.values().all(|(rows, bytes)| (*rows, *bytes) == (0, 0)), "{left:?}");
    assert!(seconds * 1_000 < JUDGED_FROM || keys_left == [PAST], "{keys_left:?}");
}

/// Clients that log in, ask, refresh and leave, at a rate of steps a second over all, or as fast as they can. Answers the rate that it was.
async fn load(fleet: &Arc<Fleet>, ms: i64, rate: Option<f64>) -> f64 {
    let (stop, steps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let started = fleet.now();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|seed| tokio::spawn(client(fleet.clone(), (seed, started), rate, stop.clone(), steps.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(ms.unsigned_abs())).await;
    stop.store(true, Ordering::SeqCst);
    join_all(clients).await.into_iter().for_each(Result::unwrap);
    steps.load(Ordering::SeqCst) as f64 * 1_000.0 / (fleet.now() - started) as f64
}

async fn client(
    fleet: Arc<Fleet>,
    (seed, started): (u64, i64),
    rate: Option<f64>,
    stop: Arc<AtomicBool>,
    steps: Arc<AtomicU64>,
) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let (mut own, mut nonce) = (0u64, 0u64);
    while !stop.load(Ordering::SeqCst) {
        let keyed = dice.next_u64().is_multiple_of(3);
        let mut session = fleet.login(node(&mut dice), keyed).await;
        let uses = 20 + dice.next_u64() % 60;
        for n in 0..uses {
            steps.fetch_add(1, Ordering::SeqCst);
            own += 1;
            if let Some(rate) = rate {
                // Each client's steps at even times: one that was held up makes up for it.
                let due = started + (own as f64 * 1_000.0 * CLIENTS as f64 / rate) as i64;
                tokio::time::sleep(Duration::from_millis((due - fleet.now()).max(0).unsigned_abs())).await;
            }
            if stop.load(Ordering::SeqCst) {
                return;
            }
            if n == uses / 2 && !keyed {
                let id = format!("refresh-of-the-soak-{seed}-{own:012}");
                if let Some((200, body)) = fleet.refresh(node(&mut dice), &session.token, &id).await {
                    session.token = body["token"].as_str().unwrap().to_owned();
                }
                continue;
            }
            nonce += 1;
            let fields = if keyed { signed(&session, &format!("soak-{seed:04}-{nonce:016}")) } else { Vec::new() };
            let said = fleet.check(node(&mut dice), &session.token, &fields).await.unwrap();
            // Nodes that have just begun know nothing of the seconds before; and a slow machine may take more than a session's minute, or
            // more than `max_stale` for a poll.
            let may_be = ["", "proof_stale", "session_expired", "unavailable"];
            assert!(may_be.contains(&said.code.as_str()), "{said:?}");
            if said.code == "session_expired" {
                break;
            }
        }
        // One in four is kicked; the others are left, and expire.
        if dice.next_u64().is_multiple_of(4) {
            fleet.kick(node(&mut dice), &session.id, "").await;
        }
    }
}

fn node(dice: &mut ChaCha8Rng) -> usize {
    usize::try_from(dice.next_u64()).unwrap() % NODES
}

/// The most memory that each node had in each tenth of the time.
async fn watch(fleet: &Fleet, ms: i64) -> Vec<[u64; 10]> {
    let mut most = vec![[0u64; 10]; NODES];
    let started = fleet.now();
    loop {
        let tenth = usize::try_from((fleet.now() - started) * 10 / ms).unwrap();
        if tenth > 9 {
            return most;
        }
        for (node, most) in most.iter_mut().enumerate() {
            most[tenth] = most[tenth].max(fleet.memory(node));
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// A clock that the test sets forward.
#[derive(Default)]
struct Ahead {
    real: SystemClock,
    by: AtomicI64,
}

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        Timestamp(self.real.now().0 + self.by.load(Ordering::SeqCst))
    }
}

/// One node more looks after the rows, a week and some minutes later, until nothing is there to be done.
async fn expire(fleet: &Fleet) -> Server {
    let clock = Arc::new(Ahead::default());
    let config = Config::read(fleet.config(0)).unwrap();
    let server = Server::start(config, clock.clone(), Arc::new(SystemEntropy)).await.unwrap();
    for _ in 0..200 {
        // The walk through the store goes on once a minute; what it has ended is deleted a week after.
        clock.by.fetch_add(if rows(fleet)["live"] > 0 { 2 * MINUTE } else { LATER }, Ordering::SeqCst);
        // This one goes by the database's own clock.
        fleet.primary.sql("UPDATE changes SET at = at - interval '11 minutes'");
        tokio::time::sleep(Duration::from_millis(1_100)).await;
        if rows(fleet).values().all(|rows| *rows == 0) {
            break;
        }
    }
    server
}

/// How many rows there are of what must not stay.
fn rows(fleet: &Fleet) -> BTreeMap<&'static str, u64> {
    let counted = |sql: &str| fleet.primary.sql(sql).parse().unwrap();
    let all = TABLES.iter().map(|table| (*table, counted(&format!("SELECT count(*) FROM {table}"))));
    all.chain([("live", counted("SELECT count(*) FROM sessions WHERE ended_at IS NULL"))]).collect()
}

/// What goes with its sessions. Identities, bindings, users, keys and the audit log stay.
const TABLES: [&str; 9] =
    ["sessions", "logins", "changes", "jar", "bind_codes", "nonces", "tries", "tries_turns", "idempotency"];

/// Rows, and bytes of the table once its dead rows are gone: what it has no page for, no index points at.
fn left(fleet: &Fleet) -> BTreeMap<&'static str, (u64, u64)> {
    let counted = |sql: &str| fleet.primary.sql(sql).parse().unwrap();
    TABLES
        .iter()
        .map(|table| {
            fleet.primary.sql(&format!("VACUUM {table}"));
            let rows = counted(&format!("SELECT count(*) FROM {table}"));
            (*table, (rows, counted(&format!("SELECT pg_relation_size('{table}')"))))
        })
        .collect()
}

/// Since when nonces are remembered: that stays.
const PAST: &str = "{yaopai:0}:nonces:past";

fn keys(redis: &RedisServer) -> Vec<String> {
    redis.ask(&["--scan"]).lines().map(str::to_owned).collect()
}
