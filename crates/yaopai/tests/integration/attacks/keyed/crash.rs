//! The real process, killed: what it had accepted is not accepted again.

use std::sync::{Arc, Mutex};

use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, Simulator};

use crate::support::server_process::ServerProcess;
use crate::support::{Addresses, BackEnd, Draft, Phone, TestClock, WEBHOOK_SECRET, World, http_client, write_secrets};

struct Killed {
    world: Arc<World>,
    server: ServerProcess,
    config: std::path::PathBuf,
    back_end: BackEnd,
    real: SystemClock,
    _folder: tempfile::TempDir,
}

impl Killed {
    async fn start() -> Self {
        let sim = Simulator::builder().build().unwrap().start_local().await.unwrap();
        let hook_clock = SystemClock::default();
        let back_end = BackEnd::start(WEBHOOK_SECRET, move || hook_clock.now().0).await;
        let folder = tempfile::tempdir().unwrap();
        write_secrets(folder.path());
        let config = folder.path().join("yaopai.toml");
        let text = format!(
            r#"
            master_key = "file:master.key"
            development = true
            listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
            [[apps]]
            name = "shop"
            appid = "{DEFAULT_APPID}"
            secret = "file:app.secret"
            base_url = "{}"
            webhook = {{ url = "{}", secret = "file:webhook.secret" }}
            "#,
            sim.base_url(),
            back_end.url
        );
        std::fs::write(&config, text).unwrap();
        let server = ServerProcess::start(&config, &[]);
        let addresses = Mutex::new(addresses(&server));
        let world = Arc::new(World { http: http_client(), addresses, sim, clock: TestClock::new() });
        Self { world, server, config, back_end, real: SystemClock::default(), _folder: folder }
    }

    fn start_again(&mut self) {
        self.server = ServerProcess::start(&self.config, &[]);
        *self.world.addresses.lock().unwrap() = addresses(&self.server);
    }

    /// The phone goes by the machine's clock, as the process does.
    fn in_time(&self, phone: &Phone, ahead: i64) {
        phone.set_clock_ahead(0);
        phone.set_clock_ahead(self.real.now().0.div_euclid(1000) - phone.clock() + ahead);
    }

    /// A request, accepted; and the same again, which isn't.
    async fn accepted(&self, phone: &Phone, ahead: i64) -> Draft {
        self.in_time(phone, ahead);
        let order = phone.draft_for_shop("GET", "/orders", None);
        assert_eq!(order.check(&self.world, "-").await.user(), "42");
        assert_eq!(order.check(&self.world, "-").await.denied(), "401 proof_replayed");
        order
    }
}

fn addresses(server: &ServerProcess) -> Addresses {
    Addresses { public: server.public.clone(), check: server.check.clone(), admin: server.admin.clone() }
}

async fn scene() -> (Killed, Phone) {
    let scene = Killed::start().await;
    let phone = Phone::new(scene.world.clone(), "shop", DEFAULT_APPID, "lilei").keyed();
    scene.back_end.knows(&phone.openid(), "42");
    phone.log_in().await;
    (scene, phone)
}

#[tokio::test]
async fn killed_it_accepts_nothing_again() {
    let (mut scene, phone) = scene().await;
    let mut seen = Vec::new();
    for ahead in [0, 4, -30] {
        seen.push(scene.accepted(&phone, ahead).await);
    }
    for _ in 0..2 {
        scene.server.kill();
        scene.start_again();
        for order in &seen {
            assert_eq!(order.check(&scene.world, "-").await.denied(), "401 proof_stale");
        }
        // A new one has to wait for some seconds, and is told so; nobody is logged out, and logins go on.
        scene.in_time(&phone, 0);
        let refused = phone.check("-").await;
        assert_eq!(refused.denied(), "401 proof_stale");
        let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=11).contains(&wait), "{wait}");
        // A login needs no signature.
        let other = Phone::new(scene.world.clone(), "shop", DEFAULT_APPID, "lilei").keyed();
        other.log_in().await;
    }
}

#[tokio::test]
async fn stopped_in_order_it_goes_on_at_once() {
    let (mut scene, phone) = scene().await;
    let order = scene.accepted(&phone, 0).await;
    assert!(scene.server.terminate().success());
    scene.start_again();
    assert_eq!(order.check(&scene.world, "-").await.denied(), "401 proof_replayed");
    let order = scene.accepted(&phone, 0).await;
    // Killed after it: what the stop had kept is not what is known now.
    scene.server.kill();
    scene.start_again();
    assert_eq!(order.check(&scene.world, "-").await.denied(), "401 proof_stale");
}
