//! The server under test: the real services, live table and check, on a runtime that dies with the process.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Body;
use futures_util::future::Either;
use http::{Request, Response};
use tokio::runtime::Runtime;
use yaopai::check::{Checks, Principal, entry_maker};
use yaopai::listen::Peer;
use yaopai::oauth::Issuer;
use yaopai::telemetry::Metrics;
use yaopai_core::Service;
use yaopai_core::app::{App, AppSecret, Apps, Policy};
use yaopai_core::error::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::limit::{Allowed, TryLimits};
use yaopai_core::live::LiveTable;
use yaopai_core::ports::{Change, ChangeSink, Clock, Entropy, Store};
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::{Granted, LoginRequest, Offer, World};
use yaopai_core::session::Device;
use yaopai_wire::carrier::Carriers;
use yaopai_wire::principal::{BACKGROUND, CODE, SESSION_ID, USER};
use yaopai_wire::problem::Code;
use yaopai_wire::token::Token;

use super::dice::SeededEntropy;
use super::fakes::{FakeBackEnd, FakePlatform, Home, ManualClock, Tee};
use super::gated::{Gated, UnderWay};
use super::gates::Gates;
use super::ledger::Ledger;

/// A request, as its bytes would say it.
#[derive(Debug, Clone, PartialEq)]
pub enum Call {
    LogIn {
        code: String,
        request_id: String,
    },
    /// A proxy's check of a request with this token.
    Check {
        token: String,
        background: bool,
    },
    /// `GET /session`
    Read {
        token: String,
    },
    Refresh {
        token: String,
        request_id: String,
    },
    Bind {
        token: String,
        request_id: String,
    },
    /// A refresh with a code.
    StepUp {
        token: String,
        request_id: String,
        code: String,
    },
    LogOut {
        token: String,
    },
    /// The user's own other device.
    Kick {
        token: String,
        session: SessionId,
    },
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    Passes {
        bound: bool,
    },
    Granted {
        token: String,
        session: SessionId,
        bound: bool,
    },
    Done,
    Refused(Code),
    /// Nobody answered.
    Down,
}

/// What outlives a process.
pub struct Ground {
    pub home: Home,
    pub clock: Arc<ManualClock>,
    pub gates: Arc<Gates>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub under_way: Arc<UnderWay>,
    pub flushed: Arc<Mutex<Option<yaopai_core::time::Timestamp>>>,
    pub platform: Arc<FakePlatform>,
    pub backend: Arc<FakeBackEnd>,
    pub entropy: Arc<SeededEntropy>,
    pub policy: Policy,
    /// The live table's bound.
    pub room: usize,
}

type Answered = Arc<Mutex<Vec<(usize, Reply)>>>;

/// One process.
pub struct Life {
    // First: tasks go before what they use.
    runtime: Runtime,
    pub service: Service,
    checks: Arc<Checks>,
    pub table: Arc<LiveTable<Principal>>,
    pub store: Arc<dyn Store>,
    tee: Arc<Tee>,
    under_way: Arc<UnderWay>,
    answered: Answered,
}

pub const APP: &str = "shop";
/// As many as they like.
const NONE: Allowed = Allowed { per_identity: 0, per_network: 0, per_app: 0 };
/// Where all phones are.
const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Life {
    pub fn boot(ground: &Ground) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        ground.gates.reborn();
        ground.under_way.reset();
        let app = App {
            name: APP.into(),
            realm: "default".into(),
            appid: "wx0000000000000000".into(),
            secret: AppSecret::new("secret".into()),
            policy: ground.policy.clone(),
        };
        let apps = Apps::new([app]);
        let clock: Arc<dyn Clock> = ground.clock.clone();
        let entropy: Arc<dyn Entropy> = ground.entropy.clone();
        let master = MasterKey::parse(&"5a".repeat(32)).unwrap();
        let sealer = Arc::new(Sealer::new(&master, entropy.clone()).unwrap());
        let make = entry_maker(&apps, sealer.clone());
        let table = Arc::new(LiveTable::new(ground.room, clock.clone(), make));
        let tee = Arc::new(Tee::new(&ground.home, table.clone(), ground.ledger.clone()));
        let store = ground.home.open(tee.clone());
        let gated = Arc::new(Gated {
            inner: store.clone(),
            gates: ground.gates.clone(),
            ledger: ground.ledger.clone(),
            under_way: ground.under_way.clone(),
            flushed: ground.flushed.clone(),
        });
        let (service, issuer) = runtime.block_on(async {
            sealer.load(&*store).await.unwrap();
            let past = Past::open(store.take_proofs().await.unwrap(), &sealer);
            let proofs = Arc::new(Proofs::resume(10_000, &past, clock.now(), &*entropy));
            let downtime = store.resume(clock.now()).await.unwrap();
            store.scan_live(&mut |session| table.apply(Change::Put(Box::new(session)))).await.unwrap();
            let world = World {
                apps,
                store: gated,
                presence: table.clone(),
                platform: ground.platform.clone(),
                backend: ground.backend.clone(),
                clock,
                entropy,
                sealer,
                proofs,
                limits: TryLimits { logins: NONE, binds: NONE, ..TryLimits::default() },
                downtime: yaopai_core::time::Downtimes::new(downtime),
                nodes: None,
            };
            let issuer = Arc::new(Issuer::for_nobody(&world));
            (Service::new(world), issuer)
        });
        let carriers = Carriers { authorization: true, cookie: None, header: None };
        let checks = Arc::new(Checks::new(table.clone(), service.clone(), carriers, Vec::new(), metrics(), issuer));
        let under_way = ground.under_way.clone();
        Self { runtime, service, checks, table, store, tee, under_way, answered: Answered::default() }
    }

    /// A request arrives. Its answer comes out of [`Life::run`].
    pub fn take(&self, run: usize, call: Call) {
        let (service, checks, answered) = (self.service.clone(), self.checks.clone(), self.answered.clone());
        if let Call::Check { token, background } = &call {
            // The fast path answers at once.
            let answer = check(&checks, token, *background);
            match answer {
                Either::Left(ready) => {
                    let reply = checked(&ready.into_inner());
                    answered.lock().unwrap().push((run, reply));
                }
                Either::Right(slow) => {
                    self.runtime.spawn(async move {
                        let reply = checked(&slow.await);
                        answered.lock().unwrap().push((run, reply));
                    });
                }
            }
            return;
        }
        self.runtime.spawn(async move {
            let reply = answer(&service, call).await;
            answered.lock().unwrap().push((run, reply));
        });
    }

    /// Something the server does by itself, or the back end asks for.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// Lets every task run until it waits at a gate or is done. Answers what was answered.
    pub fn run(&self) -> Vec<(usize, Reply)> {
        self.runtime.block_on(async {
            loop {
                tokio::task::yield_now().await;
                tokio::task::yield_now().await;
                if !self.under_way.wait().await {
                    break;
                }
            }
        });
        let mut answered = std::mem::take(&mut *self.answered.lock().unwrap());
        // Those who wait for one login are woken in no order, and a seed must be a schedule.
        answered.sort_by_key(|(run, _)| *run);
        answered
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The process is gone: every task with it, wherever it waits.
    pub fn die(self) {
        let Self { runtime, service, checks, table, store, tee, .. } = self;
        drop(runtime);
        drop((service, checks, table));
        tee.close();
        drop(store);
    }
}

/// One for all: they cost more to make than a schedule's first login, and nothing here looks at them.
fn metrics() -> Arc<Metrics> {
    static METRICS: OnceLock<Arc<Metrics>> = OnceLock::new();
    METRICS.get_or_init(Metrics::new).clone()
}

fn check(
    checks: &Arc<Checks>,
    token: &str,
    background: bool,
) -> Either<std::future::Ready<Response<Body>>, futures_util::future::BoxFuture<'static, Response<Body>>> {
    let mut request = Request::get("/check/nginx/require=session/GET/https/shop.example/cart")
        .header("authorization", format!("Bearer {token}"));
    if background {
        request = request.header(BACKGROUND, "1");
    }
    checks.answer(Peer::Local, &request.body(()).unwrap())
}

fn checked(response: &Response<Body>) -> Reply {
    let text = |name| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if response.status() == 200 {
        assert!(!text(SESSION_ID).is_empty());
        return Reply::Passes { bound: !text(USER).is_empty() };
    }
    let code = text(CODE);
    Reply::Refused(*Code::ALL.iter().find(|c| c.as_str() == code).unwrap())
}

async fn answer(service: &Service, call: Call) -> Reply {
    let parse = |token: &str| Token::parse(token.as_bytes()).unwrap();
    let granted = |g: Result<Granted, Error>| match g {
        Ok(g) => {
            let token = g.token.unwrap().reveal();
            Reply::Granted { token, session: g.session.id, bound: g.bound }
        }
        Err(e) => Reply::Refused(e.code),
    };
    let done = |r: Result<(), Error>| r.map_or_else(|e| Reply::Refused(e.code), |()| Reply::Done);
    match call {
        Call::LogIn { code, request_id } => {
            let device = Device::default();
            let app = APP.into();
            let login = LoginRequest { app, code, request_id, key: None, from: HOME, device, env_version: None };
            granted(service.login(login).await)
        }
        Call::Check { .. } => Reply::Down,
        Call::Read { token } => match service.authenticate(&parse(&token).into(), true).await {
            Ok(who) => Reply::Passes { bound: who.bound },
            Err(e) => Reply::Refused(e.code),
        },
        Call::Refresh { token, request_id } => granted(service.refresh(&parse(&token).into(), &request_id, true).await),
        Call::Bind { token, request_id } => granted(
            service.bind(&parse(&token).into(), &request_id, Offer::Form(serde_json::Map::new()), HOME, true).await,
        ),
        Call::StepUp { token, request_id, code } => {
            granted(service.step_up(&parse(&token).into(), &request_id, &code, true).await)
        }
        Call::LogOut { token } => done(service.logout(&parse(&token).into()).await),
        Call::Kick { token, session } => done(service.kick_own(&parse(&token).into(), session, true).await),
    }
}
