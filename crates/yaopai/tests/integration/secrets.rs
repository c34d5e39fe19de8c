//! No secret in clear, at rest or in a log: the real binary logs at TRACE while everything is done that has to do with a
//! secret, failures included; then every byte of the database and of the log is read.

use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, Endpoint, Fault, RunningSim, Simulator};

use crate::support::scan::{Scanner, decode, forms};
use crate::support::server_process::ServerProcess;
use crate::support::{Act, BackEnd, Reply, http_client, raw, request_id};

const PHONE_NUMBER: &str = "13912345678";
const PASSWORD: &str = "correct horse battery staple";
const API_KEY: &str = "yk_f3Wc0nPq7sK1v9XyZbA2dE4gH6jL8mN0oR5tU7wQ";

/// A walk through everything, and the secrets seen on the way.
struct Walk {
    folder: tempfile::TempDir,
    sim: RunningSim,
    back_end: BackEnd,
    server: ServerProcess,
    http: Client,
    secrets: Scanner,
    logins: u32,
}

fn random(word: &str) -> [u8; 32] {
    Sha256::digest(word).into()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl Walk {
    async fn start() -> Self {
        let sim = Simulator::builder().build().unwrap().start_local().await.unwrap();
        let (master, hook) = (random("master"), random("hook"));
        let hook_text = format!("whsec_{}", base64(&hook));
        let clock = SystemClock::default();
        let back_end = BackEnd::start(&hook_text, move || clock.now().0).await;
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("master.key", &base64(&master));
        write("app.secret", DEFAULT_SECRET);
        write("webhook.secret", &hook_text);
        let config = format!(
            r#"
            master_key = "file:master.key"
            development = true
            listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
            live = {{ flush_interval = 1 }}
            [[apps]]
            name = "shop"
            appid = "{DEFAULT_APPID}"
            secret = "file:app.secret"
            base_url = "{sim}"
            webhook = {{ url = "{hook}", secret = "file:webhook.secret", timeout = 1 }}
            [[api_keys]]
            name = "shop"
            hash = "sha256:{key}"
            "#,
            sim = sim.base_url(),
            hook = back_end.url,
            key = hex::encode(Sha256::digest(API_KEY)),
        );
        write("yaopai.toml", &config);
        let server = ServerProcess::start(&folder.path().join("yaopai.toml"), &["--log", "trace"]);
        let mut secrets = Scanner::default();
        secrets.bytes("master key", &master);
        secrets.text("master key's text", &base64(&master));
        secrets.bytes("webhook secret", &hook);
        secrets.text("webhook secret's text", &hook_text);
        secrets.text("app secret", DEFAULT_SECRET);
        secrets.text("API key", API_KEY);
        secrets.text("phone number", PHONE_NUMBER);
        secrets.text("password", PASSWORD);
        Self { folder, sim, back_end, server, http: http_client(), secrets, logins: 0 }
    }

    async fn send(&self, method: &str, url: &str, token: Option<&str>, body: Option<Value>) -> Reply {
        let request = self.http.request(method.parse().unwrap(), url);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let request = if let Some(body) = body { request.json(&body) } else { request };
        Reply::of(request.send().await.unwrap()).await
    }

    async fn api(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Reply {
        self.send(method, &format!("{}/yaopai/v1{path}", self.server.public), Some(token), body).await
    }

    async fn check(&self, token: &str) -> Reply {
        let url = format!("{}/check/nginx/require=session/GET/https/h/orders", self.server.check);
        self.send("GET", &url, Some(token), None).await
    }

    /// Remembers the token of an answer as a secret.
    fn took(&mut self, what: &str, reply: &Reply) -> String {
        let token = reply.field("token");
        self.secrets.token(&format!("token of {what}"), &token);
        token
    }

    /// A login; its code, its request id and the session_key are secrets too.
    async fn login(&mut self, person: &str) -> (Reply, Value) {
        self.logins += 1;
        let code = self.sim.issue_code(DEFAULT_APPID, person).unwrap();
        let id = format!("{}-{}", hex::encode(random(&format!("{}", self.logins))), self.logins);
        self.secrets.text(&format!("code {}", self.logins), &code);
        self.secrets.text(&format!("request id {}", self.logins), &id);
        let body = json!({ "app": "shop", "code": code, "request_id": id, "device": { "name": "李雷的手机" } });
        let reply =
            self.send("POST", &format!("{}/yaopai/v1/session", self.server.public), None, Some(body.clone())).await;
        if let Some(key) = self.sim.session_key(DEFAULT_APPID, person).unwrap() {
            self.secrets.text(&format!("session_key {}", self.logins), &key);
            self.secrets.bytes(&format!("session_key {}'s bytes", self.logins), &decode(&key));
        }
        (reply, body)
    }

    async fn everything(&mut self) {
        // A customer, with cookies of the back end's own session.
        self.back_end.knows(&self.sim.openid(DEFAULT_APPID, "lilei").unwrap(), "42");
        self.secrets.text("back end's session id", "node0-7c1f2a9be3d8-back-end");
        self.back_end.sets_cookies(&["JSESSIONID=node0-7c1f2a9be3d8-back-end; Path=/; HttpOnly"]);
        let (reply, body) = self.login("lilei").await;
        let token = self.took("a login", &reply);
        let again = self.send("POST", &format!("{}/yaopai/v1/session", self.server.public), None, Some(body)).await;
        assert_eq!(again.field("token"), token);
        assert_eq!(self.check(&token).await.user(), "42");

        // Refreshes: two lost answers, then one that is used.
        for word in ["a", "a", "b"] {
            let body = json!({ "request_id": request_id(word) });
            let reply = self.api("POST", "/session/refresh", &token, Some(body)).await;
            self.took("a refresh", &reply);
            if word == "b" {
                assert_eq!(self.check(&reply.field("token")).await.user(), "42");
            }
        }

        // A stranger binds: wrong password, right one, conflict.
        let (reply, _) = self.login("xiaohong").await;
        let stranger = self.took("a stranger", &reply);
        self.back_end.has_account(PHONE_NUMBER, PASSWORD, "43");
        let form = |password: &str| json!({ "account": PHONE_NUMBER, "password": password, "phone": PHONE_NUMBER });
        let bind = |word: &str, password: &str| json!({ "way": "form", "request_id": request_id(word), "form": form(password) });
        let wrong = format!("{PASSWORD} but wrong");
        assert_eq!(
            self.api("POST", "/binding", &stranger, Some(bind("1", &wrong))).await.refusal(),
            "422 binding_rejected"
        );
        for act in [Act::Status(500), Act::Say(format!("no JSON: {PHONE_NUMBER} {PASSWORD}")), Act::Hang] {
            self.back_end.acts("bind", act);
            let reply = self.api("POST", "/binding", &stranger, Some(bind("2", PASSWORD))).await;
            assert_eq!(reply.refusal(), "503 backend_unavailable");
        }
        self.back_end.recovers();
        let reply = self.api("POST", "/binding", &stranger, Some(bind("3", PASSWORD))).await;
        let bound = self.took("a bind", &reply);
        assert_eq!(self.check(&bound).await.user(), "43");

        // What clients and proxies do wrong.
        for query in [format!("?token={bound}"), format!("?a={bound}&b=1")] {
            let url = format!("{}/yaopai/v1/session{query}", self.server.public);
            self.send("GET", &url, None, None).await.refusal();
            let url = format!("{}/check/nginx/require=open/GET/https/h/orders{query}", self.server.check);
            self.send("GET", &url, None, None).await.denied();
            let url = format!("{}/check/nginx/token={bound}/GET/https/h/orders", self.server.check);
            self.send("GET", &url, Some(&bound), None).await.denied();
        }
        self.check(&format!("{bound}x")).await.denied();
        self.check(&raw::forged_token(&bound)).await.denied();
        self.api("DELETE", &format!("/sessions/{bound}"), &bound, None).await.refusal();
        self.api("POST", "/binding", &bound, Some(json!({ "password": PASSWORD, "form": PHONE_NUMBER })))
            .await
            .refusal();
        let half = format!(r#"{{"way": "form", "form": {{"password": "{PASSWORD}", "phone": "{PHONE_NUMBER}"#);
        let url = format!("{}/yaopai/v1/binding", self.server.public);
        let request = self.http.post(url).bearer_auth(&bound).header("content-type", "application/json");
        Reply::of(request.body(half).send().await.unwrap()).await.refusal();

        // The admin API: the right key, a wrong one that is nearly right.
        let claims = format!("{}/admin/v1/users/43/claims", self.server.admin);
        self.send("PUT", &claims, Some(API_KEY), Some(json!({ "roles": ["clerk"] }))).await.ok();
        self.send("GET", &claims, Some(&format!("{API_KEY}x")), None).await.refusal();
        self.send("GET", &format!("{claims}?key={API_KEY}"), None, None).await.refusal();
        self.send("GET", &format!("{}/admin/v1/sessions", self.server.admin), Some(API_KEY), None).await.ok();

        // WeChat on a bad day. Each of these requests has the AppSecret and a code in its URL.
        for fault in [
            Fault::reset_before(),
            Fault::reset_after(),
            Fault::bad_gateway(),
            Fault::truncated_body(),
            Fault::errcode(40125),
            Fault::errcode(40029),
            Fault::string_errcode(),
        ] {
            self.sim.set_fault(fault.on(Endpoint::Jscode2session).once()).unwrap();
            let (reply, _) = self.login("xiaoming").await;
            if reply.status.is_success() {
                self.took("a login after a fault", &reply);
            }
        }
        // The back end on one of its own.
        for act in [Act::Status(500), Act::Say(format!("<p>{PHONE_NUMBER}</p>")), Act::Hang] {
            self.back_end.acts("resolve", act);
            self.back_end.acts("opened", Act::Status(500));
            self.login("xiaoming").await.0.refusal();
            let (reply, _) = self.login("lilei").await;
            self.took("a login without the back end", &reply);
        }
        self.back_end.recovers();
        self.api("DELETE", "/session", &bound, None).await.ok();
        assert_eq!(self.check(&bound).await.denied(), "401 session_ended");
        assert_eq!(self.back_end.forgeries(), [""; 0]);
        // A round of upkeep or two.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }

    /// WeChat is gone: nobody answers at its address.
    async fn platform_gone(&mut self) {
        let code = self.sim.issue_code(DEFAULT_APPID, "lilei").unwrap();
        self.secrets.text("code that went nowhere", &code);
        let url = format!("{}/yaopai/v1/session", self.server.public);
        let sim = std::mem::replace(&mut self.sim, Simulator::builder().build().unwrap().start_local().await.unwrap());
        sim.shutdown().await;
        for _ in 0..2 {
            let body = json!({ "app": "shop", "code": code, "request_id": request_id("gone") });
            let reply = self.send("POST", &url, None, Some(body)).await;
            assert_eq!(reply.refusal(), "503 platform_unavailable");
        }
    }

    #[track_caller]
    fn nothing_is_in_clear(&self, when: &str) {
        let files = database_files(self.folder.path());
        for (name, bytes) in &files {
            assert_eq!(self.secrets.find(bytes), [""; 0], "{name}, {when}");
        }
        assert_eq!(self.secrets.find(self.server.log().as_bytes()), [""; 0], "log, {when}");
    }
}

/// The database's files, and whatever else the server wrote beside its configuration.
fn database_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let given = ["yaopai.toml", "master.key", "app.secret", "webhook.secret"];
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    let written = entries.filter(|e| !given.contains(&e.file_name().to_str().unwrap()));
    let read = |e: std::fs::DirEntry| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap());
    written.map(read).collect()
}

#[tokio::test]
async fn no_secret_lies_in_clear_in_the_database_or_in_a_log() {
    let mut walk = Walk::start().await;
    walk.everything().await;
    walk.platform_gone().await;

    let files = database_files(walk.folder.path());
    let size = |name: &str| files.iter().find(|(n, _)| n == name).map_or(0, |(_, bytes)| bytes.len());
    assert!(size("yaopai.db") > 0 && size("yaopai.db-wal") > 0, "what was written lies in both");
    walk.nothing_is_in_clear("running");
    walk.server.kill();
    walk.nothing_is_in_clear("killed");

    // It was all really there, and really logged.
    let log = walk.server.log();
    for said in ["DEBUG", "login", "webhook `opened` failed", "platform_unavailable", "a call failed"] {
        assert!(log.contains(said), "{said} is not in the log: {log}");
    }
    let config = walk.folder.path().join("yaopai.toml");
    walk.server = ServerProcess::start(&config, &["--log", "trace"]);
    assert!(walk.server.terminate().success());
    walk.nothing_is_in_clear("stopped in order");
    assert!(walk.secrets.names().len() > 60, "{:?}", walk.secrets.names());
}

/// The scan itself is tested: every secret, in every form, is found where the real ones would be.
#[tokio::test]
async fn a_planted_secret_is_found() {
    let mut walk = Walk::start().await;
    let (reply, _) = walk.login("lilei").await;
    let token = walk.took("a login", &reply);
    walk.server.kill();
    walk.nothing_is_in_clear("before");

    let secret = yaopai_wire::token::Token::parse(token.as_bytes()).unwrap().secret;
    for (form, planted) in forms(secret.expose()) {
        // In a log line.
        let mut log = walk.server.log().into_bytes();
        log.extend([b" DEBUG login token=", planted.as_slice(), b" done"].concat());
        assert!(!walk.secrets.find(&log).is_empty(), "{form}");
        // In a row, which SQLite writes into the log beside the file first.
        let copy = tempfile::tempdir().unwrap();
        for (name, bytes) in database_files(walk.folder.path()) {
            std::fs::write(copy.path().join(name), bytes).unwrap();
        }
        let db = rusqlite::Connection::open(copy.path().join("yaopai.db")).unwrap();
        db.execute("UPDATE identities SET session_key = ?1", [&planted]).unwrap();
        let found: Vec<_> =
            database_files(copy.path()).iter().flat_map(|(_, bytes)| walk.secrets.find(bytes)).collect();
        assert!(!found.is_empty(), "{form}");
    }
    // A token as a whole, and in the middle of something that is base64 itself.
    for around in ["", "a", "ab", "abc"] {
        let wrapped = base64(format!("{around}{{\"token\":\"{token}\"}}").as_bytes());
        assert!(!walk.secrets.find(wrapped.as_bytes()).is_empty(), "{around}");
    }
}
