//! Sequences of answers and requests through our jar, as lines of JSON, so that other jars can be asked about them:
//! e2e/cookie-jar.
//!
//! ```text
//! cookie_jar make 1000 SEED    # sequences
//! cookie_jar run               # reads such lines; writes, for each, what each request sends
//! ```
#![allow(clippy::print_stdout, reason = "what it is for")]
#![allow(clippy::unwrap_used, reason = "a test's other half")]

use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use async_trait::async_trait;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use yaopai_core::Service;
use yaopai_core::app::{App, Apps};
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
use yaopai_core::jar::Cookie;
use yaopai_core::live::{Entry, LiveTable};
use yaopai_core::ports::*;
use yaopai_core::proof::{Past, Proofs};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::service::{JarOf, Went, World};
use yaopai_core::session::{Device, Limits, Secrets, Session, SessionKey};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_store::{Disk, Model};
use yaopai_wire::token::SecretHash;

/// 1 November 2026, 00:00 UTC.
const START: i64 = 1_793_491_200;
const STEPS: usize = 24;

const HOSTS: &[&str] = &[
    "shop.com",
    "shop.com",
    "www.shop.com",
    "www.shop.com",
    "a.www.shop.com",
    "WWW.Shop.com:8443",
    "bank.com",
    "www.shop.com.cn",
    "com.cn",
    "10.0.0.7",
    "127.0.0.1:8080",
];
const PATHS: &[&str] =
    &["/", "/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a/b/c", "/b/a", "/b/a/", "/?q=/a/b", "/a/b?c"];
const DOMAINS: &[&str] = &[
    "shop.com",
    ".shop.com",
    "www.shop.com",
    "SHOP.com",
    "shop.com",
    "bank.com",
    "shop.com.cn",
    "com",
    "com.cn",
    "0.0.7",
    "10.0.0.7",
    "",
    ".",
    "op.com",
    "..shop.com",
];
const VALUES: &[&str] = &["1", "2", "a=b", "\"q\"", "a,b", "a b", "", " 7 ", "\"a b\"", "%E8%8C%B6"];
const AGES: &[&str] = &["0", "-1", "60", "600", "3600", "0060", "99999999999", "x", "", "-", "+60", "6 0", "60.5"];
const DATES: &[&str] = &[
    "Sun, 01 Nov 2026 00:10:00 GMT",
    "Sunday, 01-Nov-26 01:00:00 GMT",
    "Sun, 01-Nov-2026 00:30:00 GMT",
    "Thu, 01 Jan 1970 00:00:01 GMT",
    "Thu, 01-Jan-70 00:00:01 GMT",
    "Tue, 19 Jan 2038 03:14:07 GMT",
    "Mon Nov  2 00:00:00 2026",
    "01 Nov 2026 00:20:00",
    "2026 Nov 1 00:20:00",
    "Sun, 1 november 2026 0:5:0 GMT",
    "Sun, 31 Feb 2027 00:00:00 GMT",
    "Sun, 01 Nov 2026 24:00:00 GMT",
    "soon",
    "",
];
const WAITS: &[i64] = &[0, 0, 0, 1, 60, 600, 3_600];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", many, seed] => make(many.parse().unwrap(), seed.parse().unwrap()),
        ["run"] => run(),
        _ => panic!("say `make N SEED` or `run`"),
    }
}

struct Dice(ChaCha8Rng);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.0.next_u64() % n as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// Mostly one of the first, which all jars agree on, so that what they don't hides nothing else.
    fn mostly(&mut self, usual: usize, of: &[&'static str]) -> &'static str {
        if self.chance(85) { self.pick(&of[..usual]) } else { self.pick(of) }
    }
}

fn make(many: u64, seed: u64) {
    let mut to = std::io::stdout().lock();
    for n in 0..many {
        let mut dice = Dice(ChaCha8Rng::seed_from_u64(seed + n));
        let mut past = Vec::new();
        let steps: Vec<Value> = (0..STEPS).map(|_| step(&mut dice, &mut past)).collect();
        writeln!(to, "{}", json!({ "seed": seed + n, "start": START, "steps": steps })).unwrap();
    }
}

fn step(dice: &mut Dice, past: &mut Vec<Set>) -> Value {
    let set = dice.chance(70).then(|| if dice.chance(25) && !past.is_empty() { again(dice, past) } else { set(dice) });
    past.extend(set.clone());
    let set = set.map(|set| set.to_json(dice));
    let wait = if dice.below(300) == 0 { 401 * 86_400 } else { dice.pick(WAITS) };
    let asks: Vec<Value> = (0..4).map(|_| json!({ "host": dice.pick(HOSTS), "path": dice.pick(PATHS) })).collect();
    json!({ "wait": wait, "set": set, "asks": asks })
}

/// An answer that sets a cookie.
#[derive(Clone)]
struct Set {
    host: &'static str,
    path: &'static str,
    name: String,
    attributes: Vec<(&'static str, Option<String>)>,
}

/// One that was set before: removed, or set anew without a life of its own.
fn again(dice: &mut Dice, past: &[Set]) -> Set {
    let mut set = past[dice.below(past.len())].clone();
    set.attributes.retain(|(name, _)| !name.eq_ignore_ascii_case("max-age") && !name.eq_ignore_ascii_case("expires"));
    if dice.chance(50) {
        set.attributes.push(("Max-Age", Some("0".into())));
    }
    set
}

fn set(dice: &mut Dice) -> Set {
    let host = dice.pick(HOSTS);
    let name = format!("n{}", dice.below(14));
    let mut attributes: Vec<(&'static str, Option<String>)> = Vec::new();
    if dice.chance(30) {
        let domain = match host.split(':').next().unwrap() {
            address if address.starts_with('1') => dice.pick(&[address, address, "0.0.7", "0.0.1"]),
            name if dice.chance(40) => name,
            _ => dice.mostly(8, DOMAINS),
        };
        attributes.push((dice.pick(&["Domain", "domain"]), Some(domain.into())));
    }
    if dice.chance(60) {
        let path =
            dice.mostly(10, &["/", "/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b/a", "/b", "/a/b/", "", "a", "?x"]);
        attributes.push((dice.pick(&["Path", "path", "PATH"]), Some(path.into())));
    }
    if dice.chance(30) {
        attributes.push((dice.pick(&["Secure", "secure"]), None));
    }
    if dice.chance(30) {
        attributes.push(("HttpOnly", None));
    }
    if dice.chance(30) {
        attributes.push((dice.pick(&["Max-Age", "max-age"]), Some(dice.mostly(5, AGES).into())));
    }
    if dice.chance(30) {
        attributes.push((dice.pick(&["Expires", "expires"]), Some(dice.mostly(6, DATES).into())));
    }
    // One of them twice, one that nobody knows, or a path without a value.
    if dice.chance(4) {
        let (name, of) = dice.pick(&[("Path", &["/", "/a"][..]), ("Domain", &DOMAINS[..5]), ("Expires", &DATES[..6])]);
        attributes.push((name, Some(dice.pick(of).into())));
    }
    if dice.chance(4) {
        attributes.push(("Max-Age", Some(dice.pick(AGES).into())));
    }
    if dice.chance(4) {
        attributes.push((dice.pick(&["SameSite", "Version2", "Path"]), None));
    }
    for i in (1..attributes.len()).rev() {
        attributes.swap(i, dice.below(i + 1));
    }
    Set { host, path: dice.pick(PATHS), name, attributes }
}

impl Set {
    /// `attributes` says apart what `line` says.
    fn to_json(&self, dice: &mut Dice) -> Value {
        let Self { host, path, name, attributes } = self;
        let value = dice.pick(VALUES);
        let pair = match dice.below(50) {
            0 => name.clone(),
            1 => format!("={value}"),
            _ => format!("{name}{}={value}", dice.pick(&["", "", " "])),
        };
        let written = attributes.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => (*name).to_owned(),
        });
        let line =
            std::iter::once(pair.clone()).chain(written).collect::<Vec<_>>().join(dice.pick(&["; ", ";", " ; "]));
        let apart: Vec<Value> =
            attributes.iter().map(|(name, value)| json!([name.to_ascii_lowercase(), value])).collect();
        json!({ "host": host, "path": path, "name": name, "pair": pair, "attributes": apart, "line": line })
    }
}

/// Ours: the services on the reference engine, anew for each sequence.
fn run() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let outside = Arc::new(Outside(AtomicI64::new(0), AtomicU64::new(1)));
        let mut to = std::io::stdout().lock();
        for (n, line) in (1_u32..).zip(std::io::stdin().lock().lines()) {
            let sequence: Value = serde_json::from_str(&line.unwrap()).unwrap();
            let store: Arc<dyn Store> = Arc::new(Model::open(Disk::default(), Arc::clone(&outside) as _));
            let service = serve(&store, &outside).await;
            let id = open(&*store, n).await;
            let mut sent = Vec::new();
            outside.0.store(sequence["start"].as_i64().unwrap() * 1000, Ordering::SeqCst);
            for step in sequence["steps"].as_array().unwrap() {
                outside.0.fetch_add(step["wait"].as_i64().unwrap() * 1000, Ordering::SeqCst);
                let text = |of: &Value, name: &str| of[name].as_str().unwrap().to_owned();
                if let set @ Value::Object(_) = &step["set"] {
                    let (line, host, path) = ([text(set, "line")], text(set, "host"), text(set, "path"));
                    let from = Went { upstream: "shop", host: &host, path: &path };
                    service.learn(JarOf { session: id, user: None }, from, &line).await.unwrap();
                }
                for ask in step["asks"].as_array().unwrap() {
                    let field = service
                        .cookies_for(JarOf { session: id, user: None }, &text(ask, "host"), &text(ask, "path"))
                        .await
                        .unwrap();
                    sent.push(field.map(|field| field.to_string()));
                }
            }
            writeln!(to, "{}", json!(sent)).unwrap();
        }
    });
}

async fn open(store: &dyn Store, n: u32) -> SessionId {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&n.to_be_bytes());
    let session = Session {
        id: SessionId(id),
        realm: Realm::from("main"),
        app: AppName::from("shop"),
        identity: IdentityId(id),
        openid: n.to_string(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: Timestamp(0),
        vouched_at: Timestamp(0),
        absolute_at: Timestamp(i64::MAX),
        last_seen: Uptime(0),
        key: SessionKey::Bearer,
        secrets: Secrets::new(SecretHash([0; 32]), false),
        ended: None,
    };
    let mut key = [0; 32];
    key[..16].copy_from_slice(&id);
    let limits = Limits { max: 12, max_of_type: None, yields: yaopai_core::app::Yields::Oldest };
    let login = LoginRecord { key, session: SessionId(id), sealed: Vec::new(), expires_at: Timestamp(0) };
    let (session_key, user, link, second_identity, idle_ms, up) = (None, None, None, false, 1, Uptime(0));
    let new_identity = IdentityId(id);
    let open = Open { session, new_identity, session_key, user, link, second_identity, limits, idle_ms, up, login };
    assert!(matches!(store.open(open).await.unwrap(), Opened::Opened(_)));
    SessionId(id)
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

/// Time is moved by hand, entropy counts, and nobody outside is asked.
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

impl ChangeSink for Outside {
    fn apply(&self, _: Change) {}
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
