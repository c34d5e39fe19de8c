//! A manual clock, an app, and clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use yaopai_core::app::{App, AppSecret, Policy};
use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::{Config, Endpoints, WeChat};

pub const APPID: &str = yaopai_sim::DEFAULT_APPID;
pub const SECRET: &str = yaopai_sim::DEFAULT_SECRET;
/// 16 bytes in base64, with a slash to escape.
pub const SESSION_KEY: &str = "o0q0otL8aEzpcZL/FT9WsQ==";
pub const OPENID: &str = "oVBkZ0aYgDMDIywRdgPW8-joxXc4";

/// Stands still until it is told to move. Clones share the time.
#[derive(Clone)]
pub struct Manual(Arc<AtomicI64>);

impl Manual {
    /// 2026-01-01T00:00:10Z: not at a full minute.
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(1_767_225_610_000)))
    }

    pub fn forward(&self, seconds: u64) {
        self.0.fetch_add(i64::try_from(seconds).unwrap() * 1000, Ordering::SeqCst);
    }
}

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

pub fn app() -> App {
    app_named("shop")
}

pub fn app_named(name: &str) -> App {
    App {
        name: name.into(),
        realm: "default".into(),
        appid: APPID.into(),
        secret: AppSecret::new(SECRET.into()),
        policy: Policy::default(),
    }
}

/// For a server on this machine: plain HTTP and the simulator are allowed, time-outs are short.
pub fn config(base_url: impl Into<String>) -> Config {
    Config {
        endpoints: Endpoints { base_url: base_url.into(), ..Endpoints::default() },
        allow_plain_http: true,
        allow_simulator: true,
        connect_timeout: Duration::from_secs(2),
        total_timeout: Duration::from_secs(10),
        ..Config::default()
    }
}

pub fn wechat(config: Config) -> (WeChat, Manual) {
    let clock = Manual::new();
    (WeChat::new(config, Arc::new(clock.clone())).unwrap(), clock)
}

pub fn client(base_url: impl Into<String>) -> (WeChat, Manual) {
    wechat(config(base_url))
}

/// The simulator on the client's clock, and a client of it.
pub async fn simulated() -> (yaopai_sim::RunningSim, WeChat, Manual) {
    let clock = Manual::new();
    let sim_clock = clock.clone();
    let builder = yaopai_sim::Simulator::builder().clock(move || u64::try_from(sim_clock.now().0).unwrap());
    let sim = builder.build().unwrap().start_local().await.unwrap();
    let client = WeChat::new(config(sim.base_url()), Arc::new(clock.clone())).unwrap();
    (sim, client, clock)
}
