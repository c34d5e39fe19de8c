//! The check in this process, over a live table, with a world around it that is never asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use yaopai::check::{Checks, Principal, entry_maker};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::config::{Audience, Cookies, HostSent, Jwt, Legacy, Route, Typ, Upstream};
use yaopai::gateway::{Around, Cuts, Gateway};
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
use yaopai_core::signing::Rotation;
use yaopai_core::time::{Downtimes, Timestamp};
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

/// Who JWTs are from.
pub const ISSUER: &str = "http://127.0.0.1:9702";
/// Who they are for.
pub const AUDIENCE: &str = "orders";

fn jwt() -> Jwt {
    let day = Duration::from_secs(24 * 3600);
    let orders = Audience {
        name: AUDIENCE.into(),
        realm: "default".into(),
        alg: SigningAlg::Es256,
        typ: Typ::Jwt,
        lifetime: Duration::from_secs(60),
        scope_from: None,
        top_level: Vec::new(),
    };
    let rotation = Rotation { every: 90 * day, ahead: day / 24 };
    Jwt { issuer: Some(ISSUER.into()), rotation, cached: 100_000, audiences: vec![orders] }
}

/// What is measured.
pub struct Made {
    /// The check over a table.
    pub checks: Arc<Checks>,
    /// A gateway with one route for bound sessions, whose cookies pass.
    pub gateway: Option<Arc<Gateway>>,
}

/// The check over a table, and a gateway to this upstream, if there is one.
///
/// # Errors
/// The store's.
pub async fn made(room: Room, clock: Arc<dyn Clock>, upstream: Option<SocketAddr>) -> anyhow::Result<Made> {
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
        clock: clock.clone(),
        entropy,
        limits: TryLimits::default(),
        downtime: Downtimes::default(),
        nodes: None,
    };
    let carriers = Carriers { authorization: true, cookie: None, header: None };
    let issuer = Arc::new(Issuer::open(jwt(), &world).await?);
    let (service, metrics) = (Service::new(world), Metrics::new());
    let (of, with) = (service.clone(), carriers.clone());
    let checks = Arc::new(Checks::new(table, of, with, Vec::new(), metrics.clone(), issuer));
    let Some(upstream) = upstream else { return Ok(Made { checks, gateway: None }) };
    let (upstream, route) = to(upstream)?;
    let around =
        Around { service, carriers, proxies: Vec::new(), stripped_prefix: String::new(), legacy: Legacy::default() };
    let (_, stop) = watch::channel(false);
    let held = (checks.clone(), Cuts::new());
    let gateway = Gateway::start((vec![upstream], vec![route]), around, held, clock, metrics, stop);
    Ok(Made { checks, gateway })
}

fn to(address: SocketAddr) -> anyhow::Result<(Upstream, Route)> {
    let seconds = Duration::from_secs;
    let upstream = Upstream {
        name: "shop".into(),
        addresses: vec![address.to_string().parse()?],
        host: HostSent::Client,
        connect_timeout: seconds(2),
        response_timeout: seconds(60),
        idle_timeout: seconds(60),
        min_rate: 500,
        socket_idle_timeout: seconds(300),
        keep_alive: seconds(60),
        max_requests: 10_000,
        health: None,
    };
    let check = "require=bound".to_owned();
    let route = Route { prefix: "/".into(), methods: None, upstream: 0, check, cookies: Cookies::Pass, legacy: false };
    Ok((upstream, route))
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
