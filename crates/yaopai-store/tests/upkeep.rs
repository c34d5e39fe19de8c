//! Upkeep ends the sessions that the table doesn't hold, and none that was used. And what one part of the shared store doesn't know
//! holds nobody else up.
#![allow(clippy::unwrap_used)]

mod conformance;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use yaopai_core::Service;
use yaopai_core::app::{App, AppSecret, Apps, Policy};
use yaopai_core::jar::Cookie;
use yaopai_core::live::{Entry, LiveTable, MakeEntry, Presence};
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs, Proven};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::{NodeKeys, Nodes, World};
use yaopai_core::session::{EndReason, Session};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_store::{Disk, Model, ModelShared};
use yaopai_wire::problem::Code;

use conformance::*;

/// Time stands still until it is set; the bytes are no secret; and nobody outside is asked.
struct Outside(AtomicI64);

impl Clock for Outside {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

impl Entropy for Outside {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(7);
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

#[tokio::test]
async fn sessions_that_the_table_does_not_hold_end_too() {
    let outside = Arc::new(Outside(AtomicI64::new(T0.0)));
    let idle_ms = u32::try_from(IDLE).unwrap();
    let make: MakeEntry<()> = Box::new(move |s| (s.app == shop()).then_some(Entry { answer: (), idle_ms, key: None }));
    let table = Arc::new(LiveTable::new(1, Arc::clone(&outside) as _, make));
    let store = Arc::new(Model::open(Disk::default(), Arc::clone(&table) as _));
    // The first fills the table.
    for n in 1..=4 {
        let mut open = login(n, &format!("o{n}"));
        if n == 4 {
            open.session.app = "gone".into();
            open.session.absolute_at = later(20 * MINUTE);
        }
        opened(store.open(open).await.unwrap());
    }
    let service = serve(&outside, &store, &table, None).await;
    let at = async |ms: i64| {
        outside.0.store(later(ms).0, Ordering::SeqCst);
        service.upkeep().await.unwrap().expired
    };
    let reasons = async || {
        let mut reasons = Vec::new();
        for n in 1..=4 {
            reasons.push(store.load(id(n)).await.unwrap().unwrap().ended.map(|e| e.reason));
        }
        reasons
    };
    let (idle, old) = (Some(EndReason::ExpiredIdle), Some(EndReason::ExpiredAbsolute));
    assert_eq!(at(0).await, 0);
    assert_eq!(at(20 * MINUTE).await, 1, "of an app that is gone");
    assert_eq!(reasons().await, [None, None, None, old]);
    // Used, and not stored yet: beyond the table, and in it.
    for n in [1, 3] {
        table.touch(id(n), Uptime(later(29 * MINUTE).0), true);
    }
    assert_eq!(at(30 * MINUTE).await, 1);
    assert_eq!(reasons().await, [None, idle, None, old]);
    assert_eq!(at(59 * MINUTE).await, 2);
    assert_eq!(reasons().await, [idle, idle, idle, old]);
}

async fn serve(
    outside: &Arc<Outside>,
    store: &Arc<Model>,
    table: &Arc<LiveTable<()>>,
    nodes: Option<Nodes>,
) -> Service {
    let app = App {
        name: shop(),
        realm: main(),
        appid: "wx0".into(),
        secret: AppSecret::new("secret".into()),
        policy: Policy::default(),
    };
    let master = MasterKey::parse(&MasterKey::generate(&**outside)).unwrap();
    let sealer = Arc::new(Sealer::open(&**store, &master, Arc::clone(outside) as _).await.unwrap());
    let past = Past::open(PastProofs::default(), &sealer);
    Service::new(World {
        apps: Apps::new([app]),
        proofs: Arc::new(Proofs::resume(10_000, &past, outside.now(), &**outside)),
        sealer,
        store: Arc::clone(store) as _,
        presence: Arc::clone(table) as _,
        platform: Arc::clone(outside) as _,
        backend: Arc::clone(outside) as _,
        entropy: Arc::clone(outside) as _,
        clock: Arc::clone(outside) as _,
        limits: Default::default(),
        downtime: Default::default(),
        nodes,
    })
}

/// Of many nodes none can use a session while their store is away; and uses from just before another node has counted that are stored all
/// the same.
#[tokio::test]
async fn an_outage_of_the_store_is_no_idle_time() {
    let outside = Arc::new(Outside(AtomicI64::new(T0.0)));
    let idle_ms = u32::try_from(IDLE).unwrap();
    let make: MakeEntry<()> = Box::new(move |_| Some(Entry { answer: (), idle_ms, key: None }));
    let table = Arc::new(LiveTable::new(10, Arc::clone(&outside) as _, make));
    let store = Arc::new(Model::open(Disk::default(), Arc::clone(&table) as _));
    for n in 1..=2 {
        opened(store.open(login(n, &format!("o{n}"))).await.unwrap());
    }
    store.resume(T0).await.unwrap();
    let shared = Arc::new(ModelShared::new(Arc::clone(&outside) as _));
    let keys = NodeKeys::of(&MasterKey::parse(&MasterKey::generate(&*outside)).unwrap());
    let nodes = Nodes { shared, lag: Duration::from_secs(30), max_stale: Duration::from_secs(2), keys };
    let service = serve(&outside, &store, &table, Some(nodes)).await;
    let at = async |ms: i64| {
        outside.0.store(later(ms).0, Ordering::SeqCst);
        service.upkeep().await.unwrap().expired
    };
    assert_eq!(at(15_000).await, 0);
    // Twenty minutes of use, then two hours in which nothing is stored, then twenty-nine minutes more.
    for round in 1..=80 {
        assert_eq!(at(15_000 * round).await, 0);
    }
    table.touch(id(1), service.now().1, true);
    let hours = 120 * MINUTE;
    assert_eq!(at(20 * MINUTE + hours).await, 0, "nobody could use it");
    assert_eq!(service.world().downtime.get().0, hours);
    for round in 1..38 {
        assert_eq!(at(20 * MINUTE + hours + 15_000 * round).await, 0, "{round}");
    }
    assert_eq!(
        store.load(id(1)).await.unwrap().unwrap().last_seen,
        Uptime(later(20 * MINUTE).0),
        "stored, though time went back"
    );
    let mut ended = 0;
    for round in 38..45 {
        ended += at(20 * MINUTE + hours + 15_000 * round).await;
    }
    assert_eq!(ended, 1, "the one that nobody has used since its login");
}

/// Two parts of a store that remember apart, as those of a cluster do. The one of fingerprints that begin with 0 has just begun to.
struct TwoParts;

#[async_trait]
impl Shared for TwoParts {
    async fn first_use(&self, used: Use) -> StoreResult<Used> {
        let begun_anew = used.fingerprint[0] == 0 && used.created <= T0.0 / 1000 + 5;
        Ok(if begun_anew { Used::Unknown(Some(later(6_000))) } else { Used::First })
    }
    async fn take(&self, _: &Tries) -> StoreResult<Took> {
        Ok(Took::Counted(0))
    }
    async fn give_back(&self, _: &Tries, _: i64) -> StoreResult<()> {
        Ok(())
    }
    async fn tidy(&self) -> StoreResult<()> {
        Ok(())
    }
}

/// What one part of the store doesn't know is refused, and nothing else.
#[tokio::test]
async fn a_part_that_begins_anew_refuses_its_own_uses_only() {
    let outside = Arc::new(Outside(AtomicI64::new(T0.0)));
    let make: MakeEntry<()> = Box::new(move |_| None);
    let table = Arc::new(LiveTable::new(10, Arc::clone(&outside) as _, make));
    let store = Arc::new(Model::open(Disk::default(), Arc::clone(&table) as _));
    let keys = NodeKeys::of(&MasterKey::parse(&MasterKey::generate(&*outside)).unwrap());
    let nodes =
        Nodes { shared: Arc::new(TwoParts), lag: Duration::from_secs(30), max_stale: Duration::from_secs(2), keys };
    let service = serve(&outside, &store, &table, Some(nodes)).await;
    let asks = async |part: u8, created: i64| {
        let used = Use { fingerprint: [part; 16], created: T0.0 / 1000 + created };
        service.first_use(Proven { body_signed: true, unshared: Some(used) }).await.map(|_| ())
    };
    let refused = asks(0, 0).await.unwrap_err();
    assert_eq!(
        (refused.code(), asks(1, 0).await),
        (Code::ProofStale, Ok(())),
        "the other part knows what it has accepted"
    );
    let said = service.refused_proof(id(1), &"shop".into(), None, refused);
    assert_eq!(said.retry_after, Some(6), "its client waits until then");
    assert_eq!((asks(0, 5).await, asks(0, 6).await), (Err(refused), Ok(())));
}
