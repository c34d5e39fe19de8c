//! The world around the services.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use yaopai::check::entry_maker;
use yaopai::clock::SystemEntropy;
use yaopai_core::Service;
use yaopai_core::app::{App, AppSecret, Apps, Keyed, Policy};
use yaopai_core::error::Result;
use yaopai_core::jar::Cookie;
use yaopai_core::limit::TryLimits;
use yaopai_core::live::LiveTable;
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::{Granted, LoginRequest, Offer};
use yaopai_core::session::{Device, Session};
use yaopai_core::time::Timestamp;
use yaopai_store::{Disk, Model};
use yaopai_wire::token::Token;

pub const T0: i64 = 1_800_000_000_000;

#[derive(Default)]
pub struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(T0 + self.0.load(Ordering::SeqCst))
    }
}

/// A login code is its openid; a phone code is `{openid}/{number}`. Each phone code works once, for its own openid.
#[derive(Default)]
pub struct FakePlatform {
    spent: Mutex<HashSet<String>>,
    /// What the next phone calls fail with.
    pub fails: Mutex<Option<PlatformError>>,
    /// The phone codes that it was asked about.
    pub asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Platform for FakePlatform {
    async fn exchange(&self, _: &App, code: &str) -> std::result::Result<Vouched, PlatformError> {
        let openid = code.split('#').next().unwrap().to_owned();
        Ok(Vouched { openid, unionid: None, session_key: None })
    }

    async fn phone(&self, _: &App, openid: &str, code: &str) -> std::result::Result<Phone, PlatformError> {
        self.asked.lock().unwrap().push(code.to_owned());
        tokio::task::yield_now().await;
        if let Some(e) = self.fails.lock().unwrap().clone() {
            return Err(e);
        }
        let (whose, number) = code.split_once('/').ok_or(PlatformError::CodeInvalid)?;
        if whose != openid {
            return Err(PlatformError::CodeInvalid);
        }
        if !self.spent.lock().unwrap().insert(code.to_owned()) {
            return Err(PlatformError::CodeUsed);
        }
        // What follows tells one code for the number from the next.
        let number = number.split('#').next().unwrap_or_default();
        Ok(Phone { number: number.to_owned(), pure: number.to_owned(), country: "86".into() })
    }
}

/// Knows whose number is whose.
#[derive(Default)]
pub struct FakeBackEnd {
    pub numbers: Mutex<HashMap<String, String>>,
    pub down: Mutex<bool>,
    /// The numbers that it was shown.
    pub shown: Mutex<Vec<String>>,
}

#[async_trait]
impl BackEnd for FakeBackEnd {
    async fn resolve(&self, _: &App, _: &str, _: Option<&str>) -> std::result::Result<Option<UserFound>, BackEndError> {
        Ok(None)
    }

    async fn bind(
        &self,
        _: &App,
        _: &str,
        _: Option<&str>,
        evidence: &Evidence,
    ) -> std::result::Result<BindVerdict, BackEndError> {
        let Evidence::Phone(phone) = evidence else { return Ok(BindVerdict::Rejected(None)) };
        if *self.down.lock().unwrap() {
            return Err(BackEndError("down".into()));
        }
        self.shown.lock().unwrap().push(phone.pure.clone());
        Ok(match self.numbers.lock().unwrap().get(&phone.pure) {
            Some(user) => BindVerdict::User(UserFound { user: user.as_str().into(), claims: None }),
            None => BindVerdict::Rejected(None),
        })
    }

    async fn opened(&self, _: &App, _: &Session, _: &[Cookie]) -> std::result::Result<Vec<String>, BackEndError> {
        Ok(Vec::new())
    }
}

pub struct World {
    pub service: Service,
    pub clock: Arc<ManualClock>,
    pub platform: Arc<FakePlatform>,
    pub back_end: Arc<FakeBackEnd>,
    logins: AtomicI64,
}

impl World {
    /// One app, `shop`, whose back end is asked by webhook.
    pub async fn new(policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::default());
        let app = App {
            name: "shop".into(),
            realm: "default".into(),
            appid: "wx0000000000000000".into(),
            secret: AppSecret::new("secret".into()),
            policy: Policy { keyed: Keyed::Offered, ..policy },
        };
        let apps = Apps::new([app]);
        let entropy = Arc::new(SystemEntropy);
        let master = MasterKey::parse(&"5a".repeat(32)).unwrap();
        let sealer = Arc::new(Sealer::new(&master, entropy.clone()).unwrap());
        let make = entry_maker(&apps, sealer.clone());
        let table = Arc::new(LiveTable::new(1000, clock.clone(), make));
        let store = Arc::new(Model::open(Disk::default(), table.clone()));
        sealer.load(&*store).await.unwrap();
        let past = Past::open(store.take_proofs().await.unwrap(), &sealer);
        let proofs = Arc::new(Proofs::resume(10_000, &past, clock.now(), &*entropy));
        let (platform, back_end) = (Arc::new(FakePlatform::default()), Arc::new(FakeBackEnd::default()));
        let service = Service::new(yaopai_core::service::World {
            apps,
            store,
            presence: table,
            platform: platform.clone(),
            backend: back_end.clone(),
            clock: clock.clone(),
            entropy,
            sealer,
            proofs,
            limits: TryLimits::default(),
            downtime: Default::default(),
            nodes: None,
        });
        Self { service, clock, platform, back_end, logins: AtomicI64::new(0) }
    }

    pub fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Logs an openid in; its token.
    pub async fn log_in(&self, openid: &str) -> Token {
        let n = self.logins.fetch_add(1, Ordering::SeqCst);
        let request = LoginRequest {
            app: "shop".into(),
            code: format!("{openid}#{n}"),
            request_id: format!("login-{n:.<24}"),
            key: None,
            from: Ipv4Addr::LOCALHOST.into(),
            device: Device::default(),
            env_version: None,
        };
        self.service.login(request).await.unwrap().token.unwrap()
    }

    pub async fn bind_by_phone(&self, token: &Token, request_id: &str, code: &str) -> Result<Granted> {
        self.service
            .bind(&token.clone().into(), request_id, Offer::Phone(code.into()), Ipv4Addr::LOCALHOST.into(), true)
            .await
    }
}

/// Who it is bound to, or the refusal's code.
pub fn outcome(granted: Result<Granted>) -> String {
    match granted {
        Ok(granted) => granted.session.user.map_or("nobody".into(), |user| user.to_string()),
        Err(e) => e.code.as_str().into(),
    }
}
