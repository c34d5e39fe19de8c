//! Three nodes' clients of WeChat in one process, over the reference's store of tokens, under a clock that is moved by hand: what one
//! fetch, one death and one failure come to over all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use yaopai::clock::SystemEntropy;
use yaopai_core::app::{App, AppSecret, Policy};
use yaopai_core::ports::{Change, ChangeSink, Clock, Platform as _, PlatformError, Store};
use yaopai_core::seal::{MasterKey, Sealer};
use yaopai_core::shared_token::SealedTokens;
use yaopai_core::time::Timestamp;
use yaopai_platform::wechat::{Config, Endpoints, TokenKind, WeChat};
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, Endpoint, Fault, RunningSim, Simulator, UserConfig};
use yaopai_store::{Disk, Model, ModelTokens};

use crate::fleet::NODES;

/// Stands still until it is told to move.
#[derive(Clone)]
struct Manual(Arc<AtomicI64>);

impl Clock for Manual {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

struct Clients {
    sim: RunningSim,
    clock: Manual,
    nodes: Vec<WeChat>,
}

impl Clients {
    async fn start(token_kind: TokenKind) -> Self {
        let clock = Manual(Arc::new(AtomicI64::new(1_767_225_610_000)));
        let shown = clock.clone();
        let builder = Simulator::builder().clock(move || u64::try_from(shown.now().0).unwrap());
        let sim = builder.build().unwrap().start_local().await.unwrap();
        for n in 0..12 {
            sim.add_user(UserConfig::named(format!("p{n}"))).unwrap();
        }
        let store: Arc<dyn Store> = Arc::new(Model::open(Disk::default(), Arc::new(Nobody)));
        let master = MasterKey::parse(&"0f".repeat(32)).unwrap();
        let tokens = ModelTokens::new(Arc::new(clock.clone()), "");
        let mut nodes = Vec::new();
        for n in 0..NODES {
            let sealer = Arc::new(Sealer::open(&*store, &master, Arc::new(SystemEntropy)).await.unwrap());
            let shared = SealedTokens::new(Arc::new(tokens.of_node(&format!("n{n}"))), sealer, Arc::clone(&store));
            let config = Config {
                endpoints: Endpoints { base_url: sim.base_url(), token_kind, ..Endpoints::default() },
                allow_plain_http: true,
                allow_simulator: true,
                ..Config::default()
            };
            nodes.push(WeChat::sharing(config, Arc::new(clock.clone()), Some(shared)).unwrap());
        }
        Self { sim, clock, nodes }
    }

    fn forward(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    fn fetches(&self) -> u64 {
        self.sim.calls("stable_token") + self.sim.calls("token")
    }

    /// Everybody's phone number, each at a node in turn.
    async fn phones(&self) -> Vec<Result<(), PlatformError>> {
        join_all((0..12).map(|n| async move {
            let who = format!("p{n}");
            let code = self.sim.issue_phone_code(DEFAULT_APPID, &who).unwrap();
            let openid = self.sim.openid(DEFAULT_APPID, &who).unwrap();
            self.nodes[n % NODES].phone(&app(), &openid, &code).await.map(drop)
        }))
        .await
    }

    async fn all_get_theirs(&self) {
        for result in self.phones().await {
            result.unwrap();
        }
    }

    async fn token(&self, node: usize) -> String {
        self.nodes[node].access_token(&app()).await.unwrap().expose().to_owned()
    }
}

fn app() -> App {
    App {
        name: "shop".into(),
        realm: "default".into(),
        appid: DEFAULT_APPID.into(),
        secret: AppSecret::new(DEFAULT_SECRET.into()),
        policy: Policy::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_war_with_either_kind() {
    for kind in [TokenKind::Stable, TokenKind::Plain] {
        let clients = Clients::start(kind).await;
        clients.all_get_theirs().await;
        assert_eq!(clients.fetches(), 1, "{kind:?}");
        for death in 1..4 {
            clients.sim.revoke_access_tokens(DEFAULT_APPID).unwrap();
            clients.all_get_theirs().await;
            assert_eq!(clients.fetches(), 1 + death, "{kind:?}");
        }
        assert_eq!(clients.token(0).await, clients.token(2).await);
    }
}

/// Ahead of its end one node fetches the next, and nobody waits for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_one_is_fetched_once_and_nobody_waits() {
    let clients = Clients::start(TokenKind::Stable).await;
    let old = clients.token(0).await;
    for node in 1..NODES {
        assert_eq!(clients.token(node).await, old);
    }
    clients.forward(6_950);
    clients.sim.set_fault(Fault::delay_before(Duration::from_millis(500)).on(Endpoint::StableToken).once()).unwrap();
    for node in 0..NODES {
        assert_eq!(clients.token(node).await, old);
    }
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        if clients.token(0).await != old || clients.token(1).await != old || clients.token(2).await != old {
            break;
        }
    }
    // The others look again after a moment.
    clients.forward(3);
    for _ in 0..200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let tokens = [clients.token(0).await, clients.token(1).await, clients.token(2).await];
        if tokens.iter().all(|token| *token != old) {
            assert!(tokens.iter().all(|token| *token == tokens[0]));
            assert_eq!(clients.fetches(), 2);
            return;
        }
    }
    panic!("some node has the old token still");
}

/// One of WeChat's servers has not heard that the token is good. Each node is refused it once; one forces a new one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_one_is_forced_once() {
    let clients = Clients::start(TokenKind::Stable).await;
    let old = clients.token(0).await;
    for node in 1..NODES {
        clients.token(node).await;
    }
    let refusals = u64::try_from(NODES).unwrap();
    let fault = Fault::errcode(40001).on(Endpoint::Getuserphonenumber).times(refusals);
    clients.sim.set_fault(fault).unwrap();
    // Longer than it takes until all three were refused: which of them asks again first is nobody's.
    clients.sim.set_fault(Fault::delay_before(Duration::from_secs(1)).on(Endpoint::StableToken).once()).unwrap();
    let three = join_all((0..NODES).map(|n| {
        let clients = &clients;
        async move {
            let code = clients.sim.issue_phone_code(DEFAULT_APPID, "p0").unwrap();
            let openid = clients.sim.openid(DEFAULT_APPID, "p0").unwrap();
            clients.nodes[n].phone(&app(), &openid, &code).await
        }
    }));
    for result in three.await {
        result.unwrap();
    }
    assert_ne!(clients.token(1).await, old);
    assert_eq!(clients.fetches(), 3, "the first, the same again, and a forced one");
}

/// A node whose fetch fails holds up nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_failure_the_next_node_tries() {
    let clients = Clients::start(TokenKind::Stable).await;
    clients.sim.set_fault(Fault::errcode(40164).on(Endpoint::StableToken).once()).unwrap();
    let results = clients.phones().await;
    let failed = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(failed, 12 / NODES, "those at the node that WeChat's whitelist lacks: {results:?}");
    assert_eq!(clients.fetches(), 2);
}
