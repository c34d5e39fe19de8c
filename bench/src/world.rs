//! The check in this process, over a live table, with a world around it that is never asked.

use std::sync::Arc;

use async_trait::async_trait;
use yaopai::check::{Checks, Principal, entry_maker};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::oauth::Issuer;
use yaopai::telemetry::Metrics;
use yaopai_core::Service;
use yaopai_core::app::App;
use yaopai_core::jar::Cookie;
use yaopai_core::limit::TryLimits;
use yaopai_core::live::LiveTable;
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::World;
use yaopai_core::session::Session;
use yaopai_core::time::{Downtime, Timestamp};
use yaopai_store::{Disk, Model};
use yaopai_wire::carrier::Carriers;

use crate::people::{Kind, People, apps};

/// More than any measurement puts in.
const BOUND: usize = 4_000_000;

/// A table of live sessions, with a store that is asked for none of them.
pub struct Room {
    /// The table.
    pub table: Arc<LiveTable<Principal>>,
    store: Arc<Model>,
    sealer: Arc<Sealer>,
}

impl Room {
    /// With `many` people in the table; with keyed sessions, if that is wanted.
    ///
    /// # Errors
    /// The sealer's.
    pub async fn new(people: People, many: u64, keyed: bool) -> anyhow::Result<Self> {
        let master = MasterKey::parse(&"00".repeat(32)).expect("32 bytes");
        let sealer = Arc::new(Sealer::new(&master, Arc::new(SystemEntropy))?);
        let make = entry_maker(&apps(), sealer.clone());
        let table = Arc::new(LiveTable::new(BOUND, Arc::new(SystemClock::default()), make));
        let store = Arc::new(Model::open(Disk::default(), table.clone()));
        sealer.load(&*store).await?;
        let kind = if keyed { Kind::Keyed(&sealer) } else { Kind::Bearer };
        for n in 0..many {
            table.apply(Change::Put(Box::new(people.session(n, kind)?)));
        }
        Ok(Self { table, store, sealer })
    }

    /// Has the store know number `n`'s keyed session too: it is asked whenever a lease is over.
    ///
    /// # Errors
    /// The store's.
    pub async fn store_too(&self, people: People, n: u64) -> anyhow::Result<()> {
        self.store.open(people.login(n, Kind::Keyed(&self.sealer))?).await?;
        Ok(())
    }
}

/// A clock that is read as often as any, and stands: `created` stays of now, and no lease ends, however slowly callgrind runs.
pub struct Standing(SystemClock, Timestamp);

impl Standing {
    /// Stands from now on.
    pub fn new() -> Self {
        let clock = SystemClock::default();
        let at = clock.now();
        Self(clock, at)
    }
}

impl Default for Standing {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        std::hint::black_box(self.0.now());
        self.1
    }
}

/// The check over a table.
pub async fn checks(room: Room, clock: Arc<dyn Clock>) -> anyhow::Result<Arc<Checks>> {
    let Room { table, store, sealer } = room;
    let entropy = Arc::new(SystemEntropy);
    let past = Past::open(store.take_proofs().await?, &sealer);
    let world = World {
        sealer,
        proofs: Arc::new(Proofs::resume(1_000_000, &past, clock.now(), &*entropy)),
        apps: apps(),
        store,
        presence: table.clone(),
        platform: Arc::new(Nobody),
        backend: Arc::new(Nobody),
        clock,
        entropy,
        limits: TryLimits::default(),
        downtime: Downtime(0),
    };
    let carriers = Carriers { authorization: true, cookie: None, header: None };
    let issuer = Arc::new(Issuer::for_nobody(&world));
    Ok(Arc::new(Checks::new(table, Service::new(world), carriers, Vec::new(), Metrics::new(), issuer)))
}

/// A platform and a back end that nobody asks.
struct Nobody;

fn never<T>() -> Result<T, BackEndError> {
    Err(BackEndError("nobody asks".into()))
}

#[async_trait]
impl Platform for Nobody {
    async fn exchange(&self, _: &App, _: &str) -> Result<Vouched, PlatformError> {
        Err(PlatformError::CodeInvalid)
    }
}

#[async_trait]
impl BackEnd for Nobody {
    async fn resolve(&self, _: &App, _: &str, _: Option<&str>) -> Result<Option<UserFound>, BackEndError> {
        never()
    }

    async fn bind(&self, _: &App, _: &str, _: Option<&str>, _: &Evidence) -> Result<BindVerdict, BackEndError> {
        never()
    }

    async fn opened(&self, _: &App, _: &Session, _: &[Cookie]) -> Result<Vec<String>, BackEndError> {
        never()
    }
}
