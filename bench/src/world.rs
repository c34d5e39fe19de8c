//! The check in this process, over a live table, with a world around it that is never asked.

use std::sync::Arc;

use async_trait::async_trait;
use yaopai::check::{Checks, Principal, entry_maker};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::telemetry::Metrics;
use yaopai_core::Service;
use yaopai_core::app::App;
use yaopai_core::limit::TryLimits;
use yaopai_core::live::LiveTable;
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::World;
use yaopai_core::session::Session;
use yaopai_core::time::Downtime;
use yaopai_store::{Disk, Model};
use yaopai_wire::carrier::Carriers;

use crate::people::{People, apps};

/// More than any measurement puts in.
const BOUND: usize = 4_000_000;

/// A table that holds `many` people.
pub fn table(people: People, many: u64) -> Arc<LiveTable<Principal>> {
    let make = entry_maker(&apps(), Arc::new(sealer().expect("a key of 32 bytes")));
    let table = LiveTable::new(BOUND, Arc::new(SystemClock::default()), make);
    for n in 0..many {
        table.apply(Change::Put(Box::new(people.session(n))));
    }
    Arc::new(table)
}

/// The check over a table.
pub async fn checks(table: Arc<LiveTable<Principal>>) -> anyhow::Result<Arc<Checks>> {
    let entropy = Arc::new(SystemEntropy);
    let store = Arc::new(Model::open(Disk::default(), table.clone()));
    let sealer = Arc::new(sealer()?);
    sealer.load(&*store).await?;
    let past = Past::open(store.take_proofs().await?, &sealer);
    let clock = Arc::new(SystemClock::default());
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
    Ok(Arc::new(Checks::new(table, Service::new(world), carriers, Vec::new(), Metrics::new())))
}

fn sealer() -> anyhow::Result<Sealer> {
    let master = MasterKey::parse(&"00".repeat(32)).expect("32 bytes");
    Ok(Sealer::new(&master, Arc::new(SystemEntropy))?)
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

    async fn opened(&self, _: &App, _: &Session) -> Result<Vec<String>, BackEndError> {
        never()
    }
}
