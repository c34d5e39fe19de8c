//! The server with everything that is secret, and what is seen of secrets on the way.

use std::path::Path;

use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, DEFAULT_SECRET, RunningSim, Simulator};

use crate::support::scan::{Scanner, decode};
use crate::support::server_process::ServerProcess;
use crate::support::{BackEnd, PUSH_KEY, PUSH_TOKEN, Reply, http_client};

pub const PHONE_NUMBER: &str = "13912345678";
pub const PASSWORD: &str = "correct horse battery staple";
pub const API_KEY: &str = "yk_f3Wc0nPq7sK1v9XyZbA2dE4gH6jL8mN0oR5tU7wQ";

/// A walk through everything, and the secrets seen on the way.
pub struct Walk {
    pub folder: tempfile::TempDir,
    pub sim: RunningSim,
    pub back_end: BackEnd,
    pub server: ServerProcess,
    pub http: Client,
    pub secrets: Scanner,
    pub logins: u32,
}

pub fn random(word: &str) -> [u8; 32] {
    Sha256::digest(word).into()
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl Walk {
    pub async fn start() -> Self {
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
        write("push.token", PUSH_TOKEN);
        write("push.key", PUSH_KEY);
        let config = format!(
            r#"
            master_key = "file:master.key"
            development = true
            listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
            live = {{ flush_interval = 1 }}
            [[apps]]
            keyed = "offered"
            name = "shop"
            appid = "{DEFAULT_APPID}"
            secret = "file:app.secret"
            base_url = "{sim}"
            push = {{ token = "file:push.token", encoding_aes_key = "file:push.key", forward_url = "{hook}/push" }}
            webhook = {{ url = "{hook}", secret = "file:webhook.secret", timeout = 1 }}
            [[api_keys]]
            name = "shop"
            hash = "sha256:{key}"
            scopes = ["admin", "access_token"]
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
        secrets.text("push token", PUSH_TOKEN);
        secrets.text("push key", PUSH_KEY);
        // Its last character stands for more bits than there are bytes.
        secrets.bytes("push key's bytes", &decode(&PUSH_KEY[..40]));
        secrets.text("phone number", PHONE_NUMBER);
        secrets.text("password", PASSWORD);
        Self { folder, sim, back_end, server, http: http_client(), secrets, logins: 0 }
    }

    pub async fn send(&self, method: &str, url: &str, token: Option<&str>, body: Option<Value>) -> Reply {
        let request = self.http.request(method.parse().unwrap(), url);
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        let request = if let Some(body) = body { request.json(&body) } else { request };
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn api(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Reply {
        self.send(method, &format!("{}/yaopai/v1{path}", self.server.public), Some(token), body).await
    }

    pub async fn check(&self, token: &str) -> Reply {
        let url = format!("{}/check/nginx/require=session/GET/https/h/orders", self.server.check);
        self.send("GET", &url, Some(token), None).await
    }

    /// Remembers the token of an answer as a secret.
    pub fn took(&mut self, what: &str, reply: &Reply) -> String {
        let token = reply.field("token");
        self.secrets.token(&format!("token of {what}"), &token);
        token
    }

    /// A login; its code, its request id and the session_key are secrets too.
    pub async fn login(&mut self, person: &str) -> (Reply, Value) {
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

    #[track_caller]
    pub fn nothing_is_in_clear(&self, when: &str) {
        let files = database_files(self.folder.path());
        for (name, bytes) in &files {
            assert_eq!(self.secrets.find(bytes), [""; 0], "{name}, {when}");
        }
        assert_eq!(self.secrets.find(self.server.log().as_bytes()), [""; 0], "log, {when}");
    }
}

/// The database's files, and whatever else the server wrote beside its configuration.
pub fn database_files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let given = ["yaopai.toml", "master.key", "app.secret", "webhook.secret", "push.token", "push.key"];
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap());
    let written = entries.filter(|e| !given.contains(&e.file_name().to_str().unwrap()));
    let read = |e: std::fs::DirEntry| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap());
    written.map(read).collect()
}
