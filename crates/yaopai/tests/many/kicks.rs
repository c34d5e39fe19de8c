//! Guarantee 2: no check accepts a kicked session longer than `max_stale` after the kick was answered, whatever is slow, lost, cut
//! off, stopped, killed or failed over. And nobody else is logged out by any of that.
//!
//! `YAOPAI_NODE_KICKS`: how many (500).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::fleet::{Fleet, MAX_STALE, NODES, Said, Session};
use crate::link::State;
use crate::replays::signed;

/// Live sessions at a time.
const SESSIONS: usize = 96;
/// Who ask each node about them.
const CHECKERS: usize = 4;
const KICKERS: usize = 12;
/// How long a kicked session is asked about.
const ASKED_ABOUT: i64 = MAX_STALE + 3_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kick_is_known_everywhere() {
    let fleet = Fleet::start().await;
    for (node, query) in [(0, "?wait=all"), (1, "?wait=all"), (2, "")] {
        let session = fleet.login(node, false).await;
        for at in 0..NODES {
            let said = fleet.check(at, &session.token, &[]).await.unwrap();
            assert_eq!(said.status, 200, "{said:?}");
        }
        assert!(fleet.kick((node + 1) % NODES, &session.id, query).await);
        let answered = fleet.now();
        for at in 0..NODES {
            let said = loop {
                let said = fleet.check(at, &session.token, &[]).await.unwrap();
                if said.status != 200 {
                    break said;
                }
                assert!(query.is_empty(), "all was waited for");
                assert!(fleet.now() - answered <= MAX_STALE, "too late");
            };
            assert_eq!(said, Said { status: 401, code: "session_kicked".into() });
        }
    }
    // Steady: checks ask nobody.
    let session = fleet.login(0, false).await;
    for node in 0..NODES {
        let mut slow = f64::INFINITY;
        // A machine with other work may leave a node without news for a while: once is enough.
        for _ in 0..10 {
            // Its own login comes back by the log, once.
            tokio::time::sleep(Duration::from_millis(500)).await;
            fleet.check(node, &session.token, &[]).await.unwrap();
            let before = fleet.metric(node, "yaopai_checks_slow_total").await;
            for _ in 0..50 {
                assert_eq!(fleet.check(node, &session.token, &[]).await.unwrap().status, 200);
            }
            slow = slow.min(fleet.metric(node, "yaopai_checks_slow_total").await - before);
            if slow < 1.0 {
                break;
            }
        }
        assert!(slow < 1.0, "node {node} asks the database about {slow} of 50 checks of a session that it knows");
    }
}

/// How long it takes until another node has heard of a kick, where nothing stands in its way: what a hint could make shorter
/// (docs/decisions/0072).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_soon_a_kick_is_known_elsewhere() {
    let fleet = Fleet::start().await;
    let mut took = Vec::new();
    for n in 0..80 {
        let session = fleet.login(0, false).await;
        let other = 1 + n % (NODES - 1);
        assert_eq!(fleet.check(other, &session.token, &[]).await.unwrap().status, 200);
        // At any point between two polls.
        tokio::time::sleep(Duration::from_millis(30 + 7 * n as u64 % 250)).await;
        assert!(fleet.kick(0, &session.id, "").await);
        let answered = fleet.now();
        while fleet.check(other, &session.token, &[]).await.unwrap().status == 200 {
            assert!(fleet.now() - answered <= MAX_STALE, "too late");
        }
        took.push(fleet.now() - answered);
    }
    took.sort_unstable();
    println!(
        "kicks known at another node: median {} ms, nine of ten {} ms, the latest {} ms after the answer",
        took[took.len() / 2],
        took[took.len() * 9 / 10],
        took[took.len() - 1]
    );
}

/// What takes nothing away is known at once: nobody who was just bound is sent to bind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bind_is_believed_at_once() {
    let fleet = Fleet::start().await;
    // Until the stores of nonces know of the time from now on.
    tokio::time::sleep(Duration::from_millis(6_500)).await;
    for (round, keyed) in [false, true, false, true].into_iter().enumerate() {
        let (session, openid) = fleet.login_guest(0, keyed).await;
        let check = async |node, nonce: &str| {
            let fields =
                if keyed { signed(&session, &format!("{nonce}-{round:02}-0123456789abcdef")) } else { Vec::new() };
            fleet.check_asking(node, "require=bound", &session.token, &fields).await.unwrap()
        };
        for node in 0..NODES {
            let said = check(node, &format!("before-{node}")).await;
            assert_eq!(said, Said { status: 403, code: "not_bound".into() });
        }
        fleet.bind(1, &openid, &format!("user-{round}")).await;
        for node in [0, 2, 1] {
            let said = check(node, &format!("after-{node}")).await;
            assert_eq!(said.status, 200, "node {node}, keyed {keyed}: {said:?}");
        }
    }
}

/// A session, and when its kick was answered.
struct Held {
    session: Session,
    kicked: AtomicI64,
}

#[derive(Default)]
struct Figures {
    passes: AtomicU64,
    /// Accepted after the kick was answered.
    stale: AtomicU64,
    /// How long after, at most; milliseconds.
    latest: AtomicI64,
    kicks: AtomicU64,
    /// What live sessions were told instead of 200.
    refused: Mutex<BTreeMap<String, u64>>,
    /// Checks that nobody answered.
    silent: AtomicU64,
    wrong: Mutex<Vec<String>>,
}

struct Chaos {
    fleet: Arc<Fleet>,
    held: RwLock<Vec<Arc<Held>>>,
    figures: Figures,
    over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kicks_under_chaos() {
    let kicks = std::env::var("YAOPAI_NODE_KICKS").map_or(500, |n| n.parse().unwrap());
    let seed = std::env::var("YAOPAI_NODE_SEED").map_or(1, |n| n.parse().unwrap());
    let chaos = Arc::new(Chaos {
        fleet: Fleet::start().await,
        held: RwLock::default(),
        figures: Figures::default(),
        over: AtomicBool::new(false),
    });
    for n in 0..SESSIONS {
        chaos.open(n % NODES).await;
    }
    let mut tasks = Vec::new();
    for n in 0..NODES * CHECKERS {
        tasks.push(tokio::spawn(chaos.clone().ask(n % NODES, seed + n as u64)));
    }
    tasks.push(tokio::spawn(chaos.clone().trouble(kicks, seed)));
    let kickers: Vec<_> =
        (0..KICKERS).map(|n| tokio::spawn(chaos.clone().kick(kicks, seed + 100 + n as u64))).collect();
    for kicker in kickers {
        kicker.await.unwrap();
    }
    // The last ones are asked about as long as all.
    tokio::time::sleep(Duration::from_millis(ASKED_ABOUT.unsigned_abs())).await;
    chaos.over.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    let f = &chaos.figures;
    let count = |n: &AtomicU64| n.load(Ordering::SeqCst);
    let latest = f.latest.load(Ordering::SeqCst);
    println!(
        "kicks under chaos, seed {seed}: {} kicks, {} checks passed, {} of them after their kick, the latest {latest} ms after it (at most \
         {MAX_STALE}); live sessions refused: {:?}, unanswered: {}",
        count(&f.kicks),
        count(&f.passes),
        count(&f.stale),
        f.refused.lock().unwrap(),
        count(&f.silent)
    );
    let wrong = f.wrong.lock().unwrap();
    assert!(wrong.is_empty(), "{} wrong, as: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert!(latest <= MAX_STALE);
    assert!(count(&f.kicks) >= kicks && count(&f.passes) > 20 * kicks, "too little load");
    assert!(count(&f.stale) > 0, "no node was ever behind: there was no trouble");
    for node in 0..NODES {
        assert!(!chaos.fleet.log(node).contains("panicked"), "node {node}");
    }
}

impl Chaos {
    async fn open(&self, node: usize) {
        let session = self.fleet.login(node, false).await;
        let held = Arc::new(Held { session, kicked: AtomicI64::new(i64::MAX) });
        self.held.write().unwrap().push(held);
    }

    /// Asks a node about one session after the other.
    async fn ask(self: Arc<Self>, node: usize, seed: u64) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        while !self.over.load(Ordering::SeqCst) {
            let held = {
                let held = self.held.read().unwrap();
                held[usize::try_from(dice.next_u64()).unwrap() % held.len()].clone()
            };
            let sent = self.fleet.now();
            let Some(said) = self.fleet.check(node, &held.session.token, &[]).await else {
                self.figures.silent.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            };
            // Decided no earlier than it was sent, nor, if the node stood still meanwhile, than it went on.
            let decided = sent.max(self.fleet.went_on(node).min(self.fleet.now()));
            let kicked = held.kicked.load(Ordering::SeqCst);
            self.note(node, &said, decided.saturating_sub(kicked), kicked != i64::MAX);
        }
    }

    fn note(&self, node: usize, said: &Said, after: i64, kicked: bool) {
        let f = &self.figures;
        match (said.status, kicked) {
            (200, _) => {
                f.passes.fetch_add(1, Ordering::SeqCst);
                if kicked && after > 0 {
                    f.stale.fetch_add(1, Ordering::SeqCst);
                    f.latest.fetch_max(after, Ordering::SeqCst);
                    if after > MAX_STALE {
                        f.wrong.lock().unwrap().push(format!("node {node} accepts {after} ms after the kick"));
                    }
                }
            }
            (503, _) => *f.refused.lock().unwrap().entry(said.code.clone()).or_default() += 1,
            (401, true) => {}
            // A kick that is on its way may be known before its answer is.
            (401, false) if said.code == "session_kicked" => {}
            _ => f.wrong.lock().unwrap().push(format!("node {node} tells a live session {said:?}")),
        }
    }

    /// Kicks, one after the other, at whatever node answers.
    async fn kick(self: Arc<Self>, kicks: u64, seed: u64) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        while self.figures.kicks.load(Ordering::SeqCst) < kicks {
            let at = usize::try_from(dice.next_u64()).unwrap();
            let held = {
                let held = self.held.read().unwrap();
                let mut live = held.iter().filter(|held| held.kicked.load(Ordering::SeqCst) == i64::MAX);
                live.nth(at % (SESSIONS / 2)).or_else(|| held.first()).unwrap().clone()
            };
            let mut node = at;
            while !self.fleet.kick(node % NODES, &held.session.id, "").await {
                node += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Another kicker may have been first.
            let _ = held.kicked.compare_exchange(i64::MAX, self.fleet.now(), Ordering::SeqCst, Ordering::SeqCst);
            self.figures.kicks.fetch_add(1, Ordering::SeqCst);
            let now = self.fleet.now();
            self.held.write().unwrap().retain(|held| {
                let kicked = held.kicked.load(Ordering::SeqCst);
                kicked == i64::MAX || now - kicked < ASKED_ABOUT
            });
            self.open(at % NODES).await;
            tokio::time::sleep(Duration::from_millis(20 + dice.next_u64() % 200)).await;
        }
    }

    /// One trouble after the other, some of them together; a failover in the middle.
    async fn trouble(self: Arc<Self>, kicks: u64, seed: u64) {
        let mut dice = ChaCha8Rng::seed_from_u64(seed ^ 0x7472_6f75);
        let mut failed_over = false;
        let mut under_way = Vec::new();
        while !self.over.load(Ordering::SeqCst) {
            let mut roll = |n: u64| dice.next_u64() % n;
            let (node, lasts) = (usize::try_from(roll(3)).unwrap(), Duration::from_millis(500 + roll(5_000)));
            let kind = roll(9);
            let pause = Duration::from_millis(200 + roll(1_000));
            if !failed_over && self.figures.kicks.load(Ordering::SeqCst) > kicks / 2 {
                failed_over = true;
                self.fleet.fail_over().await;
            }
            let fleet = self.fleet.clone();
            let all = |state| fleet.links[node].iter().for_each(|link| link.set(state));
            match kind {
                // Longer than a node may believe what it knows, half of the time.
                0..=2 => {
                    all(State::Silent);
                    tokio::time::sleep(lasts).await;
                    all(State::Open);
                }
                3 | 4 => {
                    all(State::Slow(Duration::from_millis(20 + lasts.as_millis() as u64 / 8)));
                    tokio::time::sleep(lasts).await;
                    all(State::Open);
                }
                5 => {
                    all(State::Cut);
                    tokio::time::sleep(lasts).await;
                    all(State::Open);
                }
                6 | 7 => {
                    // Beside whatever comes next.
                    fleet.pause(node);
                    under_way.push(tokio::spawn(async move {
                        tokio::time::sleep(lasts).await;
                        fleet.go_on(node);
                    }));
                }
                _ => {
                    for stopped in under_way.drain(..) {
                        stopped.await.unwrap();
                    }
                    fleet.crash(node).await;
                }
            }
            tokio::time::sleep(pause).await;
        }
        for stopped in under_way {
            stopped.await.unwrap();
        }
    }
}
