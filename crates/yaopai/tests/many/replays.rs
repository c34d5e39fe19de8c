//! Guarantee 4 over nodes: a signed request is accepted at most once, sent to whatever nodes at the same instant or later, while
//! nodes are killed, databases fail over and replicas lag. Nobody's session ends by it.
//!
//! `YAOPAI_NODE_REPLAYS`: how many (20,000; with a cluster of Redis 2,000).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::{BoxFuture, join_all};
use http::{HeaderMap, HeaderValue};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use tokio::task::AbortHandle;
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, SIGNATURE, SIGNATURE_INPUT, sign};

use crate::fleet::{Fleet, NODES, Session, Shape};
use crate::redis_cluster::RedisCluster;
use crate::redis_server::RedisServer;

/// Who sign.
const CLIENTS: u64 = 8;
/// How often each request is sent: to each node twice.
const COPIES: u64 = 2 * NODES as u64;

/// What befalls the nodes and their databases while a part of the requests is sent.
type Trouble = Box<dyn Fn(Arc<Fleet>, u64) -> BoxFuture<'static, ()> + Send + Sync>;

/// How many requests make so many replays.
fn requests(default: u64) -> u64 {
    let replays: u64 = std::env::var("YAOPAI_NODE_REPLAYS").map_or(default, |n| n.parse().unwrap());
    replays.div_ceil(COPIES - 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_once_by_postgres() {
    let fleet = Fleet::start().await;
    let trouble: Trouble = Box::new(|fleet, part| {
        Box::pin(async move {
            match part {
                1 | 3 => fleet.crash(usize::try_from(part % 3).unwrap()).await,
                2 => fleet.fail_over().await,
                _ => {}
            }
        })
    });
    run("PostgreSQL", fleet, trouble, requests(20_000)).await.sums_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_once_by_redis() {
    let (master, replica) = (Arc::new(RedisServer::start()), Arc::new(RedisServer::start()));
    replica.follow(&master);
    let urls = [master.url(), replica.url()].map(|url| format!("{url:?}"));
    let folder = tempfile::tempdir().unwrap();
    let files = [0, 1].map(|n| folder.path().join(format!("redis{n}")));
    for (file, url) in files.iter().zip(&urls) {
        std::fs::write(file, url.trim_matches('"')).unwrap();
    }
    let named = files.map(|file| format!("\"file:{}\"", file.display()));
    let nonces = format!("redis = {{ urls = [{}], replicas = 1 }}", named.join(", "));
    let fleet = Fleet::with(Shape { nonces: &nonces, ..Shape::default() }).await;
    let trouble: Trouble = Box::new(move |fleet, part| {
        let (master, replica) = (master.clone(), replica.clone());
        Box::pin(async move {
            match part {
                1 => fleet.crash(1).await,
                // It lags, and nothing is accepted that it hasn't got.
                2 => {
                    replica.signal("-STOP");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                    replica.signal("-CONT");
                }
                3 => {
                    replica.signal("-STOP");
                    tokio::time::sleep(Duration::from_millis(300)).await;
                    master.kill();
                    replica.signal("-CONT");
                    replica.promote();
                    // Of a master without a replica nothing counts: the operator brings another one.
                    std::mem::forget(spare(&replica));
                }
                _ => {}
            }
        })
    });
    run("Redis", fleet, trouble, requests(20_000)).await.sums_up().await;
}

/// Three primaries, each with a replica. Slots move, primaries are killed and others take their places, while all of it is in use.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn accepted_once_by_a_cluster_of_redis() {
    let cluster = Arc::new(tokio::task::spawn_blocking(RedisCluster::start).await.unwrap());
    let fleet = Fleet::with(Shape { nonces: &cluster.named(), ..Shape::default() }).await;
    // What befalls it ends before it does: it is asked afterwards.
    let befallen = Arc::clone(&cluster);
    let trouble: Trouble = Box::new(move |fleet, part| {
        let cluster = Arc::clone(&befallen);
        Box::pin(async move {
            let n = usize::try_from(part).unwrap();
            let done = tokio::task::spawn_blocking(move || match n % 5 {
                0 => cluster.kill_one(n),
                1 => cluster.reshard(n),
                2 => cluster.take_over(n),
                _ => {}
            });
            if n % 5 == 3 {
                fleet.crash(n % NODES).await;
            }
            done.await.unwrap();
        })
    });
    let run = run("a cluster of Redis", fleet, trouble, requests(2_000)).await;
    run.sums_up().await;
    // Whatever it was, it passes. A bucket that nobody has asked since then begins with the first who does.
    for part in 1_000.. {
        let (sent, refused) = run.part(part, 12, Box::pin(async {})).await;
        if refused * 10 < sent {
            break;
        }
        assert!(part < 1_010, "{refused} of {sent} requests are refused, and nothing is wrong");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    drop(cluster);
}

fn spare(master: &RedisServer) -> RedisServer {
    let spare = RedisServer::start();
    spare.follow(master);
    spare
}

#[derive(Default)]
struct Figures {
    requests: AtomicU64,
    accepted: AtomicU64,
    twice: AtomicU64,
    /// Requests of which no copy was accepted.
    refused: AtomicU64,
    unanswered: AtomicU64,
    codes: std::sync::Mutex<BTreeMap<String, u64>>,
}

/// What is under way.
struct Run {
    name: &'static str,
    fleet: Arc<Fleet>,
    sessions: Vec<Session>,
    figures: Arc<Figures>,
    /// It has the servers that it befalls, and they are asked to the end.
    trouble: Trouble,
}

async fn run(name: &'static str, fleet: Arc<Fleet>, trouble: Trouble, requests: u64) -> Run {
    let sessions = join_all((0..CLIENTS).map(|n| fleet.login(usize::try_from(n).unwrap() % NODES, true))).await;
    let run = Run { name, fleet, sessions, figures: Arc::default(), trouble };
    // Stores that have just begun to remember know nothing of the seconds before.
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    // Of a long night, more of them.
    let parts = (requests / 10_000).max(5);
    for part in 0..parts {
        run.part(part, requests / parts / CLIENTS + 1, (run.trouble)(run.fleet.clone(), part)).await;
    }
    run
}

impl Run {
    /// So many requests of each client, and more until it is over. How many there were, and of how many no copy was accepted.
    async fn part(&self, part: u64, each: u64, befalls: BoxFuture<'static, ()>) -> (u64, u64) {
        let f = &self.figures;
        let counts = || [&f.requests, &f.refused].map(|n| n.load(Ordering::SeqCst));
        let before = counts();
        let befalls = tokio::spawn(befalls);
        let clients = self.sessions.iter().zip(0..).map(|(session, n)| {
            let goes_on = befalls.abort_handle();
            let client = client(self.fleet.clone(), session.clone(), (part * CLIENTS + n, each), goes_on, f.clone());
            tokio::spawn(client)
        });
        for done in join_all(clients).await {
            done.unwrap();
        }
        befalls.await.unwrap();
        let after = counts();
        let [sent, refused] = [0, 1].map(|n| after[n] - before[n]);
        println!("nonces in {}, part {part}: {sent} requests, {refused} of them refused altogether", self.name);
        assert_eq!(f.twice.load(Ordering::SeqCst), 0, "accepted twice");
        (sent, refused)
    }

    async fn sums_up(&self) {
        let count = |n: &AtomicU64| n.load(Ordering::SeqCst);
        let (f, name) = (&self.figures, self.name);
        println!(
            "replays over nodes, nonces in {name}: {} requests, each sent {COPIES} times ({} replays): {} accepted, {} of them twice; {} refused \
             altogether, {} copies unanswered; {:?}",
            count(&f.requests),
            count(&f.requests) * (COPIES - 1),
            count(&f.accepted),
            count(&f.twice),
            count(&f.refused),
            count(&f.unanswered),
            f.codes.lock().unwrap()
        );
        assert!(count(&f.accepted) > count(&f.requests) / 10, "too few were accepted to say anything");
        // Nobody was logged out.
        for (session, n) in self.sessions.iter().zip(0..) {
            let mut said = None;
            // What was signed in the seconds after a failover isn't known to be new.
            for attempt in 0..60 {
                let fields = signed(session, &format!("the-last-nonce-of-{n:04}-{attempt:03}"));
                said = self.fleet.check(n % NODES, &session.token, &fields).await;
                if said.as_ref().is_some_and(|said| said.status == 200) {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            let log = self.fleet.log(n % NODES);
            let of_nonces: Vec<_> = log.lines().filter(|line| line.contains("Redis")).rev().take(5).collect();
            assert_eq!(
                said.as_ref().map(|said| said.status),
                Some(200),
                "node {}: {said:?}: {of_nonces:#?}",
                n % NODES
            );
        }
    }
}

async fn client(
    fleet: Arc<Fleet>,
    session: Session,
    (seed, requests): (u64, u64),
    goes_on: AbortHandle,
    figures: Arc<Figures>,
) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut sent = 0;
    while sent < requests || !goes_on.is_finished() {
        sent += 1;
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&dice.next_u64().to_be_bytes());
        nonce[8..].copy_from_slice(&seed.to_be_bytes());
        let fields = signed(&session, &URL_SAFE_NO_PAD.encode(nonce));
        let copies = (0..COPIES).map(|copy| {
            let (fleet, fields, token) = (&fleet, &fields, &session.token);
            // Some at the same instant, some a moment later.
            let later = Duration::from_millis(if copy < COPIES / 2 { 0 } else { dice.next_u64() % 40 });
            async move {
                tokio::time::sleep(later).await;
                fleet.check(usize::try_from(copy).unwrap() % NODES, token, fields).await
            }
        });
        let said = join_all(copies).await;
        let accepted = said.iter().flatten().filter(|said| said.status == 200).count();
        figures.requests.fetch_add(1, Ordering::SeqCst);
        figures.accepted.fetch_add(u64::from(accepted > 0), Ordering::SeqCst);
        figures.twice.fetch_add(u64::from(accepted > 1), Ordering::SeqCst);
        figures.refused.fetch_add(u64::from(accepted == 0), Ordering::SeqCst);
        let mut codes = figures.codes.lock().unwrap();
        for said in said {
            match said {
                None => drop(figures.unanswered.fetch_add(1, Ordering::SeqCst)),
                Some(said) if said.status == 200 => {}
                Some(said) => {
                    let ours = ["proof_replayed", "proof_stale", "unavailable"];
                    assert!(ours.contains(&said.code.as_str()), "{said:?}");
                    *codes.entry(said.code).or_default() += 1;
                }
            }
        }
    }
}

/// The fields of a signed request, as of now.
pub fn signed(session: &Session, nonce: &str) -> Vec<(String, String)> {
    let original = Original::new("GET", "https", "shop.example", "/orders").unwrap();
    let mut fields = HeaderMap::new();
    fields.insert("authorization", HeaderValue::from_str(&format!("Bearer {}", session.token)).unwrap());
    let created = SystemClock::default().now().0 / 1000;
    let params = Params { created, nonce, key_id: &session.id };
    let needs = Needs { authorization: true, unsigned_body: false };
    let signed = sign(Key::HmacSha256(&session.key.unwrap()), &original, &fields, needs, params).unwrap();
    vec![(SIGNATURE_INPUT.to_owned(), signed.input), (SIGNATURE.to_owned(), signed.signature)]
}
