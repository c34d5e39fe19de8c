//! The server under test with all that it needs around it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use yaopai::clock::SystemEntropy;
use yaopai::config::{Address, Config};
use yaopai::serve::Server;
use yaopai_sim::{AppConfig, DEFAULT_APPID, DEFAULT_SECRET, RunningSim, Simulator};

use super::{BackEnd, Phone, Reply, TestClock, http_client};

/// The second app that the simulator knows.
pub const OTHER_APPID: &str = "wxfedcba9876543210";
pub const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// What WeChat's console was told of our end.
pub const PUSH_TOKEN: &str = "pushToken2026";
pub const PUSH_KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/// The key of the default realm. Others are `key-of-{realm}`.
const API_KEY: &str = "key-of-default";

/// What a test's configuration has beyond the usual, as TOML. `{sim}`, `{hook}`, `{other_appid}` and `{other_key}` (the hash
/// of the key of the realm `other`) are filled in.
pub struct Setup {
    /// Keys of the app `shop`.
    pub shop: &'static str,
    /// Keys of its `sessions`.
    pub sessions: &'static str,
    /// More keys of its webhook, each behind a comma.
    pub hook: &'static str,
    /// How it binds.
    pub binding: &'static str,
    /// `check = { … }` and the like.
    pub top: &'static str,
    /// More tables, at the end.
    pub tables: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self { shop: "", sessions: "", hook: "", binding: "webhook", top: "", tables: "" }
    }
}

/// Where it can be reached; it moves at each restart.
#[derive(Clone)]
pub struct Addresses {
    pub public: String,
    pub check: String,
    pub admin: String,
}

/// What phones need.
pub struct World {
    pub http: reqwest::Client,
    pub addresses: Mutex<Addresses>,
    pub sim: RunningSim,
    pub clock: TestClock,
}

pub struct TestApp {
    world: Arc<World>,
    pub back_end: BackEnd,
    server: Option<Server>,
    folder: TempDir,
    config: String,
}

impl std::ops::Deref for TestApp {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl TestApp {
    /// One app, `shop`, whose back end is asked by webhook.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let clock = TestClock::new();
        let apps = [AppConfig::new(DEFAULT_APPID, DEFAULT_SECRET), AppConfig::new(OTHER_APPID, DEFAULT_SECRET)];
        let sim = Simulator::builder().apps(apps).seed(1).clock(clock.for_simulator()).build().unwrap();
        let sim = sim.start_local().await.unwrap();
        let hook_clock = clock.clone();
        let back_end = BackEnd::start(WEBHOOK_SECRET, move || hook_clock.now_ms()).await;
        let folder = tempfile::tempdir().unwrap();
        write_secrets(folder.path());
        let config = config(&setup, &sim.base_url(), &back_end.url);
        let none = Addresses { public: String::new(), check: String::new(), admin: String::new() };
        let world = Arc::new(World { http: http_client(), addresses: Mutex::new(none), sim, clock });
        let mut app = Self { world, back_end, server: None, folder, config };
        app.start_server().await;
        app
    }

    async fn start_server(&mut self) {
        self.try_start().await.unwrap();
    }

    /// Starts it after a stop. If that fails, why.
    pub async fn try_start(&mut self) -> Result<(), String> {
        let config = Config::parse(&self.config, self.folder.path()).unwrap();
        let clock = Arc::new(self.clock.clone());
        let server = Server::start(config, clock, Arc::new(SystemEntropy)).await.map_err(|e| format!("{e:?}"))?;
        *self.addresses.lock().unwrap() =
            Addresses { public: url(&server.public), check: url(&server.check), admin: url(&server.admin) };
        self.server = Some(server);
        Ok(())
    }

    /// Stops it in order. Nothing answers any more.
    pub async fn stop(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// Stops it in order and starts it after a while on the same folder.
    pub async fn restart_after(&mut self, down: Duration) {
        self.stop().await;
        self.clock.advance(down);
        self.start_server().await;
    }

    /// It crashes and starts again: what is in the database files at this moment is all that is left of it.
    pub async fn crash(&mut self) {
        self.crash_with_clock_set_back(Duration::ZERO).await;
    }

    /// The same, and somebody sets the machine's clock back before it starts again.
    pub async fn crash_with_clock_set_back(&mut self, by: Duration) {
        let left = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap) {
            // The map of the log beside the file is memory, and the lock is a process's.
            let name = entry.file_name().into_string().unwrap();
            if !name.ends_with("-shm") && !name.ends_with(".lock") {
                std::fs::copy(entry.path(), left.path().join(name)).unwrap();
            }
        }
        // In order, but on the folder that nobody looks at any more.
        self.stop().await;
        self.folder = left;
        self.clock.set_back(by);
        self.start_server().await;
    }

    /// The database, to be changed while the server is stopped.
    pub fn database_to_change(&self) -> Connection {
        assert!(self.server.is_none(), "stop it first");
        Connection::open(self.folder.path().join("yaopai.db")).unwrap()
    }

    /// Starts it again with another configuration.
    pub async fn restart_with(&mut self, change: impl FnOnce(&str) -> String) {
        self.stop().await;
        let changed = change(&self.config);
        assert_ne!(changed, self.config);
        self.config = changed;
        self.start_server().await;
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// What the server does by itself every 15 s.
    pub async fn upkeep(&self) {
        self.server().service().upkeep().await.unwrap();
        self.server().issuer().upkeep().await.unwrap();
    }

    /// A phone with the app `shop` on it.
    pub fn phone(&self, person: &str) -> Phone {
        self.phone_in("shop", DEFAULT_APPID, person)
    }

    pub fn phone_in(&self, app: &str, appid: &str, person: &str) -> Phone {
        Phone::new(self.world.clone(), app, appid, person)
    }

    /// A phone of somebody who is new at WeChat.
    pub fn newcomer(&self, person: &str) -> Phone {
        self.sim.handle().add_user(yaopai_sim::UserConfig::named(person)).unwrap();
        self.phone(person)
    }

    /// A phone of somebody whom the back end knows as `user`.
    pub fn customer(&self, person: &str, user: &str) -> Phone {
        let phone = self.phone(person);
        self.back_end.knows(&phone.openid(), user);
        phone
    }

    /// An admin call with the default realm's key.
    pub async fn admin(&self, method: &str, path: &str, body: Option<serde_json::Value>) -> Reply {
        self.admin_as(API_KEY, method, path, body).await
    }

    pub async fn admin_as(&self, key: &str, method: &str, path: &str, body: Option<serde_json::Value>) -> Reply {
        let url = format!("{}{path}", self.addresses().admin);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(key);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        Reply::of(request.send().await.unwrap()).await
    }

    /// The back end makes a bind code for its user.
    pub async fn bind_code(&self, user: &str) -> String {
        let body = serde_json::json!({ "user": user, "masked": format!("{user}***") });
        self.admin("POST", "/admin/v1/bind-codes", Some(body)).await.field("bind_code")
    }

    pub async fn admin_get(&self, path: &str) -> serde_json::Value {
        self.admin("GET", path, None).await.ok().json()
    }

    /// The database, to look at.
    pub fn database(&self) -> Connection {
        Connection::open_with_flags(self.folder.path().join("yaopai.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
    }

    pub fn count(&self, table: &str) -> i64 {
        self.database().query_row(&format!("SELECT count(*) FROM {table}"), [], |r| r.get(0)).unwrap()
    }

    /// All that the database says about anybody, so that two looks can be compared.
    pub fn state(&self) -> BTreeMap<String, Vec<String>> {
        let db = self.database();
        let tables =
            ["identities", "users", "sessions", "logins", "jar", "bind_codes", "signing_keys", "moves", "move_lists"];
        tables.iter().map(|table| ((*table).to_owned(), rows(&db, table))).collect()
    }
}

impl World {
    pub fn addresses(&self) -> Addresses {
        self.addresses.lock().unwrap().clone()
    }
}

fn rows(db: &Connection, table: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
    let columns = statement.column_count();
    let row = |r: &rusqlite::Row<'_>| {
        let values = (0..columns).map(|i| match r.get_ref(i).unwrap() {
            // As text, so that what should be sealed and isn't can be read in it.
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.escape_ascii().to_string(),
            other => format!("{other:?}"),
        });
        Ok(values.collect::<Vec<_>>().join("|"))
    };
    statement.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn url(address: &Address) -> String {
    assert!(matches!(address, Address::Tcp(_)));
    address.to_string()
}

pub fn write_secrets(folder: &Path) {
    for (name, secret) in [
        ("master.key", MASTER_KEY),
        ("app.secret", DEFAULT_SECRET),
        ("webhook.secret", WEBHOOK_SECRET),
        ("push.token", PUSH_TOKEN),
        ("push.key", PUSH_KEY),
    ] {
        std::fs::write(folder.join(name), secret).unwrap();
    }
}

pub fn key_hash(key: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(key)))
}

fn config(setup: &Setup, sim: &str, hook: &str) -> String {
    let text = format!(
        r#"
        master_key = "file:master.key"
        development = true
        {top}
        listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}

        [[apps]]
        name = "shop"
        appid = "{DEFAULT_APPID}"
        secret = "file:app.secret"
        base_url = "{{sim}}"
        binding = "{binding}"
        {keyed}
        {shop}
        sessions = {{ {sessions} }}
        webhook = {{ url = "{{hook}}", secret = "file:webhook.secret", timeout = 1{its} }}

        [[api_keys]]
        name = "the shop's back end"
        hash = "{key}"
        {tables}"#,
        top = setup.top,
        binding = setup.binding,
        keyed = if setup.shop.contains("keyed") { "" } else { "keyed = \"offered\"" },
        shop = setup.shop,
        sessions = setup.sessions,
        its = setup.hook,
        tables = setup.tables,
        key = key_hash(API_KEY),
    );
    // Upkeep runs when the test says so; only `live` can say otherwise.
    let live = if setup.top.contains("live") || setup.tables.contains("[live]") {
        String::new()
    } else {
        "live = { flush_interval = 300 }\n".to_owned()
    };
    // As many as tests like, from the one address that they have.
    let limits = if setup.top.contains("limits") {
        ""
    } else {
        "limits = { binds_per_network = 0, logins_per_network = 0, logins_per_identity = 0, failed_proofs_per_identity = 0, \
         failed_proofs_per_network = 0 }\n"
    };
    live + limits
        + &text
            .replace("{sim}", sim)
            .replace("{hook}", hook)
            .replace("{other_appid}", OTHER_APPID)
            .replace("{other_key}", &key_hash("key-of-other"))
}
