//! What was answered survives `kill -9`.

use serde_json::json;
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, RunningSim, Simulator};

use crate::support::server_process::ServerProcess;
use crate::support::{BackEnd, Reply, WEBHOOK_SECRET, http_client, request_id, write_secrets};

struct World {
    folder: tempfile::TempDir,
    sim: RunningSim,
    server: ServerProcess,
    http: reqwest::Client,
}

impl World {
    async fn start() -> (Self, BackEnd) {
        let sim = Simulator::builder().build().unwrap().start_local().await.unwrap();
        let clock = SystemClock::default();
        let back_end = BackEnd::start(WEBHOOK_SECRET, move || clock.now().0).await;
        let folder = tempfile::tempdir().unwrap();
        write_secrets(folder.path());
        let config = format!(
            r#"
            master_key = "file:master.key"
            development = true
            listen = {{ public = "127.0.0.1:0", check = "127.0.0.1:0", admin = "127.0.0.1:0" }}
            live = {{ flush_interval = 300 }}
            [[apps]]
            keyed = "offered"
            name = "shop"
            appid = "{DEFAULT_APPID}"
            secret = "file:app.secret"
            base_url = "{}"
            webhook = {{ url = "{}", secret = "file:webhook.secret" }}
            "#,
            sim.base_url(),
            back_end.url
        );
        std::fs::write(folder.path().join("yaopai.toml"), config).unwrap();
        let server = ServerProcess::start(&folder.path().join("yaopai.toml"), &[]);
        (Self { folder, sim, server, http: http_client() }, back_end)
    }

    /// Nothing is flushed, nothing is said: the process is gone in the middle of whatever it did.
    fn power_cut(&mut self) {
        self.server.kill();
        self.server = ServerProcess::start(&self.folder.path().join("yaopai.toml"), &[]);
    }

    async fn call(&self, method: &str, path: &str, token: &str, body: Option<serde_json::Value>) -> Reply {
        let url = format!("{}/yaopai/v1{path}", self.server.public);
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        Reply::of(request.send().await.unwrap()).await
    }

    async fn log_in(&self, person: &str) -> String {
        let code = self.sim.issue_code(DEFAULT_APPID, person).unwrap();
        self.login(&code, "login").await.field("token")
    }

    async fn login(&self, code: &str, word: &str) -> Reply {
        let body = json!({ "app": "shop", "code": code, "request_id": request_id(word) });
        let url = format!("{}/yaopai/v1/session", self.server.public);
        Reply::of(self.http.post(url).json(&body).send().await.unwrap()).await
    }

    async fn check(&self, token: &str) -> Reply {
        let url = format!("{}/check/nginx/-/GET/https/h/orders", self.server.check);
        Reply::of(self.http.get(url).bearer_auth(token).send().await.unwrap()).await
    }

    async fn refresh(&self, token: &str, word: &str) -> Reply {
        self.call("POST", "/session/refresh", token, Some(json!({ "request_id": request_id(word) }))).await
    }
}

#[tokio::test]
async fn what_was_answered_survives() {
    let (mut world, back_end) = World::start().await;
    back_end.knows(&world.sim.openid(DEFAULT_APPID, "lilei").unwrap(), "42");
    back_end.has_account("xiaohong", "secret", "43");

    // A login, and the same login asked again by a client that never saw the answer.
    let code = world.sim.issue_code(DEFAULT_APPID, "lilei").unwrap();
    let token = world.login(&code, "login").await.field("token");
    world.power_cut();
    assert_eq!(world.login(&code, "login").await.field("token"), token);
    assert_eq!(world.sim.exchanges_of(&code), 1);
    assert_eq!(world.check(&token).await.user(), "42");

    // A refresh, its repetition, and its first use, which retires the old one.
    let next = world.refresh(&token, "r").await.field("token");
    world.power_cut();
    assert_eq!(world.refresh(&token, "r").await.field("token"), next);
    assert_eq!(world.check(&next).await.user(), "42");
    world.power_cut();
    assert_eq!(world.check(&next).await.user(), "42");

    // A bind.
    let stranger = world.log_in("xiaohong").await;
    let form = json!({ "account": "xiaohong", "password": "secret" });
    let body = json!({ "way": "form", "request_id": request_id("b"), "form": form });
    let bound = world.call("POST", "/binding", &stranger, Some(body.clone())).await.field("token");
    world.power_cut();
    assert_eq!(world.call("POST", "/binding", &stranger, Some(body)).await.field("token"), bound);
    assert_eq!(back_end.calls("bind").len(), 1);
    assert_eq!(world.check(&bound).await.user(), "43");

    // A kick and a log-out.
    let other = world.log_in("lilei").await;
    let id = world.call("GET", "/session", &next, None).await.field("session_id");
    world.call("DELETE", &format!("/sessions/{id}"), &other, None).await.ok();
    world.call("DELETE", "/session", &bound, None).await.ok();
    world.power_cut();
    assert_eq!(world.check(&next).await.denied(), "401 session_kicked");
    assert_eq!(world.check(&bound).await.denied(), "401 session_ended");
    assert_eq!(world.check(&other).await.user(), "42");
}

/// Killed while logins are under way: whoever got a token has a session, and no code is spent twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_kill_under_load() {
    let (mut world, back_end) = World::start().await;
    back_end.knows(&world.sim.openid(DEFAULT_APPID, "lilei").unwrap(), "42");
    for round in 0..3 {
        let codes: Vec<String> = (0..12).map(|_| world.sim.issue_code(DEFAULT_APPID, "lilei").unwrap()).collect();
        let url = format!("{}/yaopai/v1/session", world.server.public);
        let sent: Vec<_> = codes
            .iter()
            .map(|code| {
                let body = json!({ "app": "shop", "code": code, "request_id": request_id(code) });
                let request = world.http.post(&url).json(&body);
                tokio::spawn(async move {
                    let response = request.send().await.ok()?;
                    let reply = response.error_for_status().ok()?.json::<serde_json::Value>().await.ok()?;
                    reply["token"].as_str().map(str::to_owned)
                })
            })
            .collect();
        tokio::time::sleep(std::time::Duration::from_millis(5 + 10 * round)).await;
        world.power_cut();
        for (sent, code) in sent.into_iter().zip(&codes) {
            if let Some(token) = sent.await.unwrap() {
                // Twelve is the limit of sessions: the earlier rounds' make room, this one's must all be there.
                assert_eq!(world.check(&token).await.user(), "42");
            }
            assert!(world.sim.exchanges_of(code) <= 1);
        }
    }
}
