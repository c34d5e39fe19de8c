//! The jar through the services, on both engines: what one answer sets the next request sends, whoever else answers meanwhile.
#![allow(clippy::unwrap_used)]

mod conformance;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use yaopai_core::Service;
use yaopai_core::app::{App, Apps};
use yaopai_core::ids::SessionId;
use yaopai_core::jar::Cookie;
use yaopai_core::jar::{BOUNDS, LINE_MAX};
use yaopai_core::live::{Entry, LiveTable};
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::{JarOf, Went, World};
use yaopai_core::session::{EndReason, Session};
use yaopai_core::time::Timestamp;
use yaopai_store::{Disk, Model};
use yaopai_wire::problem::Code;

use conformance::*;

const SHOP: &str = "shop.example";
const WENT: Went<'static> = Went { upstream: "shop", host: SHOP, path: "/" };

/// Time is moved by hand; no two bytes of entropy are expected to be a secret; and nobody outside is asked.
struct Outside(AtomicI64, AtomicU64);

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl Entropy for Outside {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let n = self.1.fetch_add(1, Ordering::SeqCst).to_le_bytes();
            chunk.copy_from_slice(&n[..chunk.len()]);
        }
    }
}

#[async_trait]
impl Platform for Outside {
    async fn exchange(&self, _: &App, _: &str) -> Result<Vouched, PlatformError> {
        Err(PlatformError::CodeInvalid)
    }
}

#[async_trait]
impl BackEnd for Outside {
    async fn resolve(&self, _: &App, _: &str, _: Option<&str>) -> Result<Option<UserFound>, BackEndError> {
        Ok(None)
    }
    async fn bind(&self, _: &App, _: &str, _: Option<&str>, _: &Evidence) -> Result<BindVerdict, BackEndError> {
        Ok(BindVerdict::Rejected(None))
    }
    async fn opened(&self, _: &App, _: &Session, _: &[Cookie]) -> Result<Vec<String>, BackEndError> {
        Ok(Vec::new())
    }
}

/// An engine with two sessions, and the services on it.
struct Bench {
    store: Arc<dyn Store>,
    outside: Arc<Outside>,
    service: Service,
}

impl Bench {
    async fn on(store: Arc<dyn Store>) -> Self {
        let outside = Arc::new(Outside(AtomicI64::new(T0.0), AtomicU64::new(1)));
        for n in 1..=2 {
            opened(store.open(login(n, &n.to_string())).await.unwrap());
        }
        let service = serve(&store, &outside).await;
        Self { store, outside, service }
    }

    async fn model() -> Self {
        Self::on(Arc::new(Model::open(Disk::default(), Arc::new(Log::default())))).await
    }

    async fn learn(&self, n: u8, lines: &[&str]) {
        self.service.learn(of(n), WENT, lines).await.unwrap();
    }

    async fn cookies(&self, n: u8) -> String {
        cookies(&self.service, id(n)).await
    }

    fn advance(&self, ms: i64) {
        self.outside.0.fetch_add(ms, Ordering::SeqCst);
    }
}

async fn serve(store: &Arc<dyn Store>, outside: &Arc<Outside>) -> Service {
    let make = Box::new(|_: &Session| Some(Entry { answer: (), idle_ms: 1, key: None }));
    let master = MasterKey::parse(&"07".repeat(32)).unwrap();
    let sealer = Arc::new(Sealer::open(&**store, &master, Arc::clone(outside) as _).await.unwrap());
    let past = Past::open(PastProofs::default(), &sealer);
    Service::new(World {
        apps: Apps::new([]),
        proofs: Arc::new(Proofs::resume(10, &past, outside.now(), &**outside)),
        sealer,
        store: Arc::clone(store),
        presence: Arc::new(LiveTable::new(1, Arc::clone(outside) as _, make)),
        platform: Arc::clone(outside) as _,
        backend: Arc::clone(outside) as _,
        entropy: Arc::clone(outside) as _,
        clock: Arc::clone(outside) as _,
        limits: Default::default(),
        downtime: Default::default(),
        nodes: None,
    })
}

/// A guest's.
fn of(n: u8) -> JarOf<'static> {
    JarOf { session: id(n), user: None }
}

async fn cookies(service: &Service, session: SessionId) -> String {
    let field = service.cookies_for(JarOf { session, user: None }, SHOP, "/").await.unwrap();
    field.map_or_else(|| "-".into(), |field| field.to_string())
}

#[tokio::test]
async fn what_an_answer_sets_the_next_request_sends() {
    let bench = Bench::model().await;
    assert_eq!(bench.cookies(1).await, "-");
    assert!(bench.service.jar_is_empty(id(1)).await.unwrap());
    bench.learn(1, &["JSESSIONID=a; HttpOnly; Secure", "lang=zh; Max-Age=60"]).await;
    assert_eq!(bench.cookies(1).await, "JSESSIONID=a; lang=zh");
    assert_eq!(bench.cookies(2).await, "-", "the jar of one session never answers for another");
    bench.learn(1, &["JSESSIONID=b"]).await;
    assert_eq!(bench.cookies(1).await, "JSESSIONID=b; lang=zh");
    bench.learn(2, &["JSESSIONID=x"]).await;
    assert_eq!(
        (bench.cookies(1).await, bench.cookies(2).await),
        ("JSESSIONID=b; lang=zh".into(), "JSESSIONID=x".into())
    );
    let elsewhere = bench.service.cookies_for(of(1), "bank.example", "/").await.unwrap();
    assert_eq!(elsewhere, None);
    assert_eq!(bench.service.cookies_for(of(1), "no host", "/").await.unwrap_err().code, Code::Malformed);
    // Known in memory, it expires all the same.
    bench.advance(60_000);
    assert_eq!(bench.cookies(1).await, "JSESSIONID=b");
    // And another server on this store knows it, too.
    assert_eq!(cookies(&serve(&bench.store, &bench.outside).await, id(1)).await, "JSESSIONID=b");
    bench.learn(1, &["JSESSIONID=; Max-Age=0"]).await;
    assert!(bench.service.jar_is_empty(id(1)).await.unwrap());
}

/// Two answers at once, each with another cookie, and requests in between that would remember a jar without one of them.
async fn parallel_answers(bench: Bench, rounds: u32) {
    let bench = Arc::new(bench);
    for round in 0..rounds {
        let answer = |name: &'static str| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.learn(1, &[&format!("{name}={round}")]).await })
        };
        let looks = || {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.cookies(1).await })
        };
        let (first, look, second, again) = (answer("a"), looks(), answer("b"), looks());
        for task in [first, second] {
            task.await.unwrap();
        }
        let sent = bench.cookies(1).await;
        assert!(sent == format!("a={round}; b={round}") || sent == format!("b={round}; a={round}"), "{round}: {sent}");
        look.await.unwrap();
        again.await.unwrap();
        assert_eq!(bench.cookies(1).await, sent, "and what those requests had read is not remembered");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_answers_lose_no_cookie() {
    parallel_answers(Bench::model().await, 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_on_a_disk() {
    let home = tempfile::tempdir().unwrap();
    let engine = home.open(Arc::new(Log::default()));
    parallel_answers(Bench::on(engine).await, 100).await;
}

#[tokio::test]
async fn a_kicked_session_keeps_nothing_more() {
    let bench = Bench::model().await;
    bench.learn(1, &["sid=1"]).await;
    assert_eq!(bench.cookies(1).await, "sid=1");
    bench.store.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap();
    for line in ["sid=2", "sid=1"] {
        let refused = bench.service.learn(of(1), WENT, &[line]).await.unwrap_err();
        assert_eq!(refused.code, Code::SessionEnded, "{line}: also what memory has already");
    }
    assert_eq!(bench.store.jar(id(1)).await.unwrap(), Jar::default());
}

#[tokio::test]
async fn who_hangs_up_has_it_kept() {
    let bench = Bench::model().await;
    {
        let mut learning = std::pin::pin!(bench.service.learn(of(1), WENT, &["sid=1"]));
        let polled = std::future::poll_fn(|cx| std::task::Poll::Ready(learning.as_mut().poll(cx).is_pending()));
        assert!(polled.await, "it has begun");
    }
    while bench.cookies(1).await != "sid=1" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_bomb_is_bounded() {
    let bench = Bench::model().await;
    let long = |n: usize| format!("{n:04}={}", "x".repeat(LINE_MAX - 5));
    for answer in 0..20 {
        let lines: Vec<String> = (0..1_000).map(|n| long(answer * 1_000 + n)).collect();
        bench.service.learn(of(1), WENT, &lines).await.unwrap();
        let kept = bench.store.jar(id(1)).await.unwrap().cookies;
        assert!(kept.len() <= BOUNDS.cookies && kept.iter().map(|c| c.sealed.len()).sum::<usize>() <= BOUNDS.bytes);
        assert!(!kept.is_empty());
    }
    assert!(bench.cookies(1).await.len() <= BOUNDS.bytes);
    let too_long = format!("y={}", "x".repeat(LINE_MAX));
    bench.learn(2, &[&too_long]).await;
    assert_eq!(bench.cookies(2).await, "-");
    // By number: the sixty that came last but for the one that is used.
    for n in 0..60 {
        bench.learn(2, &[&format!("n{n}=1; Path={}", if n == 0 { "/" } else { "/x" })]).await;
        bench.advance(1);
        assert_eq!(bench.cookies(2).await, "n0=1");
    }
    assert_eq!(bench.store.jar(id(2)).await.unwrap().cookies.len(), BOUNDS.cookies);
}

#[tokio::test]
async fn no_byte_of_a_cookie_lies_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let bench = Bench::on(home.open(Arc::new(Log::default()))).await;
    bench.learn(1, &["JSESSIONIDENTIFIER=node0-plain-text; Path=/folder-of-it; Domain=shop.example"]).await;
    assert_eq!(bench.store.jar(id(1)).await.unwrap().cookies.len(), 1);
    for file in std::fs::read_dir(home.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in ["JSESSIONIDENTIFIER", "node0-plain-text", "folder-of-it", "shop.example"] {
            assert!(!bytes.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
        }
    }
    // Nor does a row moved to another session open there.
    let moved = bench.store.jar(id(1)).await.unwrap().cookies.remove(0);
    let kept = Some(KeptCookie { expires_at: None, sealed: moved.sealed });
    let put = PutCookie { slot: moved.slot, twin: moved.twin, site: moved.site, everywhere: false, kept };
    bench.store.put_cookies(JarChange { bounds: BOUNDS, ..jar::change(2, vec![put]) }).await.unwrap();
    let there = bench.service.cookies_for(of(2), SHOP, "/folder-of-it").await.unwrap();
    assert_eq!(there, None);
}

/// Of ten requests at once one goes, and the others with the cookie that it brings.
#[tokio::test]
async fn with_an_empty_jar_the_first_goes_alone() {
    let bench = Bench::model().await;
    let first = bench.service.alone(id(1), "shop").await.unwrap();
    assert!(first.is_first());
    let others: Vec<_> = (0..10)
        .map(|_| {
            let service = bench.service.clone();
            tokio::spawn(async move {
                let alone = service.alone(id(1), "shop").await.unwrap();
                (alone.is_first(), cookies(&service, id(1)).await)
            })
        })
        .collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(others.iter().all(|task| !task.is_finished()));
    assert!(bench.service.alone(id(2), "shop").await.unwrap().is_first(), "another session waits for nobody");
    bench.learn(1, &["sid=1"]).await;
    drop(first);
    for task in others {
        assert_eq!(task.await.unwrap(), (false, "sid=1".into()));
    }
    assert!(!bench.service.alone(id(1), "shop").await.unwrap().is_first(), "the jar is not empty any more");
}

/// A back end that sets no cookie, or a first request that takes for ever, holds up nobody for long.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_long() {
    let bench = Bench::model().await;
    let alone = async || bench.service.alone(id(1), "shop").await.unwrap();
    let long_poll = alone().await;
    let within = async |ms| tokio::time::timeout(Duration::from_millis(ms), alone()).await;
    assert!(within(4_999).await.is_err(), "the second waits");
    assert!(!within(5_001).await.unwrap().is_first(), "and goes in the end");
    assert!(!within(0).await.unwrap().is_first(), "the third doesn't wait");
    drop(long_poll);
    bench.advance(59_999);
    assert!(!alone().await.is_first());
    bench.advance(1);
    let again = alone().await;
    assert!(again.is_first());
    // More than so many don't wait at all.
    let waits = (0..40).map(|_| {
        let service = bench.service.clone();
        tokio::spawn(async move { service.alone(id(1), "shop").await.unwrap().is_first() })
    });
    let waits: Vec<_> = waits.collect();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(waits.iter().filter(|task| task.is_finished()).count(), 8);
    // Whoever hangs up leaves its place.
    waits.iter().for_each(tokio::task::JoinHandle::abort);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let late = bench.service.clone();
    let late = tokio::spawn(async move { late.alone(id(1), "shop").await.unwrap().is_first() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!late.is_finished());
    drop(again);
    assert!(!late.await.unwrap());
}

/// A back end that sets nothing is believed; until it sets something, or the jar is another's.
#[tokio::test(start_paused = true)]
async fn where_nothing_is_set_nobody_goes_alone() {
    let bench = Bench::model().await;
    let alone = async |upstream| bench.service.alone(id(1), upstream).await.unwrap();
    let first = alone("shop").await;
    assert!(first.is_first());
    first.answered().await;
    for _ in 0..48 {
        bench.advance(1_800_000);
        let (a, b) = (alone("shop").await, alone("shop").await);
        assert!(!a.is_first() && !b.is_first(), "nobody waits, either");
    }
    // Another upstream is another back end; what failed has said nothing.
    for _ in 0..2 {
        let pay = alone("pay").await;
        assert!(pay.is_first());
        drop(pay);
        bench.advance(60_000);
    }
    // It sets something, and takes it back: then it is one that does.
    bench.learn(1, &["sid=1"]).await;
    bench.learn(1, &["sid=; Max-Age=0"]).await;
    let again = alone("shop").await;
    assert!(again.is_first());
    // The others go with what the first has brought.
    let service = bench.service.clone();
    let waits = tokio::spawn(async move { service.going(of(1), WENT).await.unwrap().unwrap() });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!waits.is_finished());
    bench.learn(1, &["sid=2"]).await;
    again.answered().await;
    let going = waits.await.unwrap();
    assert!(!going.alone.is_first());
    assert_eq!(going.cookie.unwrap().as_str(), "sid=2");
    assert!(bench.service.going(JarOf { user: Some(&"42".into()), ..of(1) }, WENT).await.unwrap().is_none());
}
