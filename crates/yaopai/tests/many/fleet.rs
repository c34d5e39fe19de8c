//! Three nodes as three processes, PostgreSQL with a standby, the simulator, and a link between each node and each database.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{AppConfig, DEFAULT_APPID, DEFAULT_SECRET, RunningSim, Simulator, UserConfig};

use crate::back_end::BackEnd;
use crate::link::Link;
use crate::postgres::Server;
use crate::server_process::ServerProcess;
use crate::upgrade::next_release::{OF_THE_NEXT, Program};
use crate::worker::World;
use crate::{API_KEY, KIOSK_APPID};

pub const NODES: usize = 3;
const WEBHOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Who log in.
const PEOPLE: u64 = 200;
/// What the configuration says.
pub const MAX_STALE: i64 = 2_000;

pub struct Fleet {
    pub primary: Arc<Server>,
    pub standby: Arc<Server>,
    /// Of each node: to the primary, and to the standby.
    pub links: Vec<[Arc<Link>; 2]>,
    nodes: Vec<Mutex<ServerProcess>>,
    places: Vec<Place>,
    pub sim: RunningSim,
    pub back_end: BackEnd,
    http: reqwest::Client,
    next: AtomicU64,
    _folder: TempDir,
    clock: SystemClock,
    /// When each node went on after it was stopped; milliseconds.
    went_on: Vec<AtomicI64>,
}

/// Where a node listens: the same after a restart.
#[derive(Clone)]
struct Place {
    config: PathBuf,
    public: String,
    check: String,
    admin: String,
}

/// A session that a test holds.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    pub token: String,
    pub key: Option<[u8; 32]>,
}

/// How a fleet is configured, where it isn't as by default.
#[derive(Default, Clone, Copy)]
pub struct Shape<'a> {
    /// What `[cluster]` says of where nonces are remembered.
    pub nonces: &'a str,
    /// More of the configuration, at its end.
    pub tables: &'a str,
    /// What else `sessions` of the app `kiosk` says.
    pub sessions: &'a str,
}

/// What a check said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub status: u16,
    pub code: String,
}

impl Fleet {
    /// Nonces in PostgreSQL, and nothing else said.
    pub async fn start() -> Arc<Self> {
        Self::with(Shape::default()).await
    }

    pub async fn with(shape: Shape<'_>) -> Arc<Self> {
        let apps = [DEFAULT_APPID, KIOSK_APPID].map(|appid| AppConfig::new(appid, DEFAULT_SECRET));
        let (clock, back_ends) = (SystemClock::default(), SystemClock::default());
        let back_end = BackEnd::start(WEBHOOK_SECRET, move || back_ends.now().0).await;
        let sim = Simulator::builder().apps(apps).build().unwrap().start_local().await.unwrap();
        for n in 0..PEOPLE {
            sim.add_user(UserConfig::named(person(n))).unwrap();
        }
        let (primary, standby) = databases().await;
        let folder = tempfile::tempdir().unwrap();
        let (mut links, mut nodes, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for n in 0..NODES {
            let both = [Link::to(primary.folder()), Link::to(standby.folder())];
            let folder = folder.path().join(format!("node{n}"));
            let config = configure(&folder, n, &both, (&sim.base_url(), &back_end.url), shape);
            let at = config.clone();
            let process = tokio::task::spawn_blocking(move || ServerProcess::start(&at, &[])).await.unwrap();
            let (public, check, admin) = (process.public.clone(), process.check.clone(), process.admin.clone());
            places.push(Place { config, public, check, admin });
            nodes.push(Mutex::new(process));
            links.push(both);
        }
        let went_on = (0..NODES).map(|_| AtomicI64::new(i64::MIN)).collect();
        let http = client();
        Arc::new(Self {
            primary,
            standby,
            links,
            nodes,
            places,
            sim,
            back_end,
            http,
            next: AtomicU64::new(0),
            _folder: folder,
            clock,
            went_on,
        })
    }

    /// Milliseconds; never goes back.
    pub fn now(&self) -> i64 {
        self.clock.now().0
    }

    /// Logs in at a node, until one answers.
    pub async fn login(&self, node: usize, keyed: bool) -> Session {
        self.login_as(node, ("kiosk", KIOSK_APPID), None, keyed).await
    }

    /// A guest of the app that asks its back end, and who that is there.
    pub async fn login_guest(&self, node: usize, keyed: bool) -> (Session, String) {
        let who = person(self.next.fetch_add(1, Ordering::Relaxed) % PEOPLE);
        let openid = self.sim.openid(DEFAULT_APPID, &who).unwrap();
        (self.login_as(node, ("shop", DEFAULT_APPID), Some(&who), keyed).await, openid)
    }

    /// Somebody by name, of that app.
    pub async fn login_person(&self, node: usize, who: &str) -> Session {
        self.login_as(node, ("shop", DEFAULT_APPID), Some(who), false).await
    }

    /// Asks a node for the number of a phone's code. `None`: it doesn't answer.
    pub async fn phone(&self, node: usize, session: &Session, code: &str) -> Option<u16> {
        let url = format!("{}/yaopai/v1/phone", self.places[node].public);
        let answer =
            self.http.post(url).bearer_auth(&session.token).json(&json!({ "code": code })).send().await.ok()?;
        Some(answer.status().as_u16())
    }

    async fn login_as(&self, node: usize, (app, appid): (&str, &str), who: Option<&str>, keyed: bool) -> Session {
        for attempt in 0.. {
            // WeChat takes a hundred codes a minute of one account.
            let next = || person(self.next.fetch_add(1, Ordering::Relaxed) % PEOPLE);
            let who = who.map_or_else(next, str::to_owned);
            let code = self.sim.issue_code(appid, &who).unwrap();
            let key = if keyed { json!({ "alg": "hmac-sha256" }) } else { Value::Null };
            let body =
                json!({ "app": app, "code": code, "request_id": format!("login-{code}-0123456789"), "key": key });
            let at = (node + attempt) % NODES;
            let url = format!("{}/yaopai/v1/session", self.places[at].public);
            let answer = self.http.post(url).json(&body).send().await;
            if let Ok(answer) = answer
                && answer.status() == 201
                && let Ok(answer) = answer.json::<Value>().await
            {
                let text = |name: &str| answer[name].as_str().unwrap().to_owned();
                let key = answer["key"]["secret"].as_str().map(decoded);
                return Session { id: text("session_id"), token: text("token"), key };
            }
            assert!(attempt < 200, "nobody logs anybody in");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        unreachable!()
    }

    /// Kicks at a node. Is it done?
    pub async fn kick(&self, node: usize, id: &str, query: &str) -> bool {
        let url = format!("{}/admin/v1/sessions/{id}{query}", self.places[node].admin);
        let answer = self.http.delete(url).bearer_auth(API_KEY).send().await;
        answer.is_ok_and(|answer| answer.status() == 204)
    }

    /// The back end binds somebody at a node.
    pub async fn bind(&self, node: usize, openid: &str, user: &str) {
        let (status, text) = self.try_bind(node, openid, user).await.unwrap();
        assert_eq!(status, 200, "{text}");
    }

    /// The same. `None`: the node doesn't answer.
    pub async fn try_bind(&self, node: usize, openid: &str, user: &str) -> Option<(u16, String)> {
        let url = format!("{}/admin/v1/bindings", self.places[node].admin);
        let body = json!({ "app": "shop", "openid": openid, "user": user });
        let answer = self.http.post(url).bearer_auth(API_KEY).json(&body).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// Asks a node about a request. `None`: it doesn't answer.
    pub async fn check(&self, node: usize, token: &str, fields: &[(String, String)]) -> Option<Said> {
        self.check_asking(node, "require=session", token, fields).await
    }

    /// The same with these words.
    pub async fn check_asking(&self, node: usize, ask: &str, token: &str, fields: &[(String, String)]) -> Option<Said> {
        let url = format!("{}/check/nginx/{ask}/GET/https/shop.example/orders", self.places[node].check);
        let mut request = self.http.get(url).bearer_auth(token);
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let answer = request.send().await.ok()?;
        Some(said(&answer))
    }

    /// Begins a request at a node's gateway.
    pub async fn through(&self, node: usize, path: &str, token: &str) -> reqwest::Response {
        let url = format!("{}{path}", self.places[node].public);
        self.http.get(url).timeout(Duration::from_secs(120)).bearer_auth(token).send().await.unwrap()
    }

    /// Stops a node where it stands.
    pub fn pause(&self, node: usize) {
        signal(self.nodes[node].lock().unwrap().pid(), "STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self, node: usize) {
        // Before: what it decides from now on is later than this.
        self.went_on[node].store(self.now(), Ordering::SeqCst);
        signal(self.nodes[node].lock().unwrap().pid(), "CONT");
    }

    /// When it went on last.
    pub fn went_on(&self, node: usize) -> i64 {
        self.went_on[node].load(Ordering::SeqCst)
    }

    /// Kills a node, and starts it again.
    pub async fn crash(self: &Arc<Self>, node: usize) {
        self.kill(node);
        self.start_again(node).await;
    }

    /// The primary's machine burns, and the standby takes its place.
    pub async fn fail_over(self: &Arc<Self>) {
        let fleet = self.clone();
        let done = move || {
            fleet.primary.kill();
            fleet.standby.promote();
        };
        tokio::task::spawn_blocking(done).await.unwrap();
    }

    /// A node as the workers of the crash test see a server.
    pub fn world(&self, node: usize) -> World {
        World::new(&self.nodes[node].lock().unwrap(), &self.sim, &self.back_end)
    }

    /// Kills a node, as kill -9 does.
    pub fn kill(&self, node: usize) {
        self.nodes[node].lock().unwrap().kill();
    }

    /// Starts one that was killed.
    pub async fn start_again(self: &Arc<Self>, node: usize) {
        let fleet = self.clone();
        let started = move || {
            *fleet.nodes[node].lock().unwrap() = ServerProcess::start(&fleet.places[node].config, &[]);
        };
        tokio::task::spawn_blocking(started).await.unwrap();
    }

    /// Stops a node in order.
    pub async fn stop(self: &Arc<Self>, node: usize) {
        let fleet = self.clone();
        let stopped = move || assert!(fleet.nodes[node].lock().unwrap().terminate().success(), "node {node}");
        tokio::task::spawn_blocking(stopped).await.unwrap();
    }

    /// Starts one that was stopped or killed, with a program. What it says, if it refuses.
    pub async fn start_as(self: &Arc<Self>, node: usize, program: Program, more: &[&str]) -> Result<(), String> {
        let config = &self.places[node].config;
        let url = config.with_file_name("postgres");
        let said = std::fs::read_to_string(&url).unwrap();
        let said = said.strip_suffix(OF_THE_NEXT).unwrap_or(&said).to_owned();
        std::fs::write(url, if program == Program::This { said } else { said + OF_THE_NEXT }).unwrap();
        let mut args = vec![OsStr::new("serve"), OsStr::new("--config"), config.as_os_str()];
        args.extend(more.iter().map(OsStr::new));
        let (fleet, command) = (self.clone(), program.command(&args));
        let started = move || ServerProcess::of(command).map(|process| *fleet.nodes[node].lock().unwrap() = process);
        tokio::task::spawn_blocking(started).await.unwrap()
    }

    /// Refreshes at a node. `None`: it doesn't answer, or can't now.
    pub async fn refresh(&self, node: usize, token: &str, request_id: &str) -> Option<(u16, Value)> {
        let url = format!("{}/yaopai/v1/session/refresh", self.places[node].public);
        let body = json!({ "request_id": request_id });
        let answer = self.http.post(url).bearer_auth(token).json(&body).send().await.ok()?;
        let status = answer.status().as_u16();
        let body = answer.json::<Value>().await.ok()?;
        (status != 503).then_some((status, body))
    }

    /// A node's memory in RAM, in bytes.
    pub fn memory(&self, node: usize) -> u64 {
        let pid = self.nodes[node].lock().unwrap().pid();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
    }

    /// Where a node's configuration is.
    pub fn config(&self, node: usize) -> &Path {
        &self.places[node].config
    }

    /// Asks a node for a ticket.
    pub async fn ticket(&self, node: usize, session: &Session, path: &str, purpose: &str) -> String {
        let url = format!("{}/yaopai/v1/ticket", self.places[node].public);
        let body = json!({ "authority": "shop.example", "path": path, "for": purpose });
        let answer = self.http.post(url).bearer_auth(&session.token).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
        answer.json::<Value>().await.unwrap()["ticket"].as_str().unwrap().to_owned()
    }

    /// Asks a node about a request that shows what stands in its URL and this cookie, and no token. And the cookie that the answer sets.
    pub async fn show(&self, node: usize, uri: &str, cookie: Option<&str>) -> (Said, Option<String>) {
        let url = format!("{}/check/nginx/require=session/GET/https/shop.example{uri}", self.places[node].check);
        let mut request = self.http.get(url);
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let answer = request.send().await.unwrap();
        let set = answer.headers().get("set-cookie").map(|set| set.to_str().unwrap().to_owned());
        (said(&answer), set)
    }

    /// Previews a bind code that nobody has made: a guess. Status and code.
    pub async fn preview(&self, node: usize, session: &Session) -> String {
        let url = format!("{}/yaopai/v1/binding/preview", self.places[node].public);
        let body = json!({ "bind_code": "yb_AAAAAAAAAAAAAAAAAAAAAA" });
        let answer = self.http.post(url).bearer_auth(&session.token).json(&body).send().await.unwrap();
        let said = said(&answer);
        format!("{} {}", said.status, said.code)
    }

    /// Logs somebody in at a node, once. The status.
    pub async fn try_login(&self, node: usize) -> u16 {
        let code =
            self.sim.issue_code(KIOSK_APPID, &person(self.next.fetch_add(1, Ordering::Relaxed) % PEOPLE)).unwrap();
        let url = format!("{}/yaopai/v1/session", self.places[node].public);
        let body = json!({ "app": "kiosk", "code": code, "request_id": format!("login-{code}-0123456789") });
        self.http.post(url).json(&body).send().await.unwrap().status().as_u16()
    }

    /// What a node said.
    pub fn log(&self, node: usize) -> String {
        self.nodes[node].lock().unwrap().log()
    }

    /// Its metrics.
    pub async fn metric(&self, node: usize, name: &str) -> f64 {
        let url = format!("{}/metrics", self.places[node].admin);
        let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find(|line| line.starts_with(name) && line[name.len()..].starts_with([' ', '{']));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("no {name} in {text}"))
    }
}

fn said(answer: &reqwest::Response) -> Said {
    let field = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // nginx is told of what it would make a 500 by a field.
    let status = field("yaopai-status").parse().unwrap_or(answer.status().as_u16());
    Said { status, code: field("yaopai-code").to_owned() }
}

/// A primary, and a standby that must have a commit before it is acknowledged.
async fn databases() -> (Arc<Server>, Arc<Server>) {
    let both = || {
        let primary = Server::start_with(&["max_connections=120"]);
        let standby = primary.standby(&["max_connections=120"]);
        primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'");
        primary.sql("SELECT pg_reload_conf()");
        (primary, standby)
    };
    tokio::task::spawn_blocking(both).await.unwrap()
}

fn configure(
    folder: &Path,
    n: usize,
    links: &[Arc<Link>; 2],
    (sim, back_end): (&str, &str),
    Shape { nonces, tables, sessions }: Shape<'_>,
) -> PathBuf {
    std::fs::create_dir(folder).unwrap();
    let hosts = links.iter().map(|link| link.folder().display().to_string()).collect::<Vec<_>>().join(",");
    std::fs::write(folder.join("master.key"), "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
    std::fs::write(folder.join("app.secret"), DEFAULT_SECRET).unwrap();
    std::fs::write(folder.join("webhook.secret"), WEBHOOK_SECRET).unwrap();
    std::fs::write(folder.join("postgres"), format!("host={hosts} user=yaopai dbname=postgres")).unwrap();
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    // Of a test about them, its own.
    let none =
        "limits = { logins_per_identity = 0, logins_per_network = 0, binds_per_identity = 0, binds_per_network = 0 }";
    let limits = if tables.contains("[limits]") { "" } else { none };
    let mut text = format!(
        r#"
        master_key = "file:master.key"
        development = true
        live = {{ flush_interval = 1 }}
        {limits}
        [listen]
        public = "127.0.0.1:{}"
        check = "127.0.0.1:{}"
        admin = "127.0.0.1:{}"
        [cluster]
        postgres = "file:postgres"
        node = "node{n}"
        max_stale = {}
        {nonces}
        [[apps]]
        keyed = "offered"
        name = "shop"
        appid = "{DEFAULT_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        webhook = {{ url = "{back_end}", secret = "file:webhook.secret" }}
        sessions = {{ max = 1000 }}
        [[apps]]
        keyed = "offered"
        name = "kiosk"
        appid = "{KIOSK_APPID}"
        secret = "file:app.secret"
        base_url = "{sim}"
        binding = "auto"
        sessions = {{ max = 1000000, {sessions} }}
        "#,
        ports[0],
        ports[1],
        ports[2],
        MAX_STALE / 1000
    );
    let hash = yaopai::config::api_key_hash(API_KEY);
    write!(text, "[[api_keys]]\nname = \"test\"\nhash = \"{hash}\"\n{tables}\n").unwrap();
    let path = folder.join("yaopai.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// A back end behind the gateway, at one path: the `tables` of a [`Shape`].
pub fn route_to(back_end: SocketAddr, prefix: &str, cookies: &str) -> String {
    format!(
        "[[upstreams]]\nname = \"shop\"\nurls = [\"http://{back_end}\"]\n[[routes]]\nprefix = \"{prefix}\"\nupstream = \"shop\"\n\
         check = \"require=session\"\ncookies = \"{cookies}\""
    )
}

fn person(n: u64) -> String {
    format!("p{n}")
}

/// The same over restarts. Nobody else takes it in the moment between: it is one that the system doesn't lend out by itself soon again.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn decoded(key: &str) -> [u8; 32] {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(key).unwrap().try_into().unwrap()
}

#[allow(clippy::disallowed_methods, reason = "the test's one client; the rule is about the server's own calls")]
fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

fn signal(pid: u32, name: &str) {
    assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}
