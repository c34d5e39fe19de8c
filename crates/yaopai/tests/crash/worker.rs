//! The load: one person with several sessions, one call after the other, until the server is gone.

use std::sync::Arc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde_json::{Value, json};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;
use yaopai_sim::{DEFAULT_APPID, SimHandle, UserConfig};

use crate::back_end::BackEnd;
use crate::ledger::{Figures, Held, Open, Retired};
use crate::server_process::ServerProcess;
use crate::{API_KEY, KIOSK_APPID};

/// Where everything is, this round.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    public: String,
    check: String,
    admin: String,
    sim: SimHandle,
    back_end: BackEnd,
}

/// The connection broke: it is unknown whether the call happened.
pub struct Gone;

impl World {
    #[allow(clippy::disallowed_methods, reason = "the test's one client; the rule is about the server's own calls")]
    pub fn new(server: &ServerProcess, sim: &SimHandle, back_end: &BackEnd) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
        let (public, check, admin) = (server.public.clone(), server.check.clone(), server.admin.clone());
        Self(Arc::new(Inner { http, public, check, admin, sim: sim.clone(), back_end: back_end.clone() }))
    }

    /// Does the token pass, else why not, and as whom?
    pub async fn check(&self, token: &str) -> (bool, String, String) {
        self.try_check(token).await.unwrap_or_else(|Gone| panic!("the server is gone"))
    }

    async fn try_check(&self, token: &str) -> Result<(bool, String, String), Gone> {
        let url = format!("{}/check/nginx/require=session/GET/https/h/orders", self.0.check);
        let reply = self.0.http.get(url).bearer_auth(token).send().await.map_err(|_| Gone)?;
        let header = |name| reply.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        Ok((reply.status() == 200, header("yaopai-code"), header("yaopai-user")))
    }

    async fn call(&self, method: &str, url: String, bearer: &str, body: Option<Value>) -> Result<(u16, Value), Gone> {
        let request = self.0.http.request(method.parse().unwrap(), url).bearer_auth(bearer);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        let reply = request.send().await.map_err(|_| Gone)?;
        let status = reply.status().as_u16();
        let bytes = reply.bytes().await.map_err(|_| Gone)?;
        Ok((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    async fn api(&self, method: &str, path: &str, bearer: &str, body: Option<Value>) -> Result<(u16, Value), Gone> {
        self.call(method, format!("{}/yaopai/v1{path}", self.0.public), bearer, body).await
    }

    /// A refresh or a bind: the status, and the token if there is one.
    pub async fn granted(&self, path: &str, token: &str, body: &Value) -> (u16, String) {
        let answer = self.api("POST", path, token, Some(body.clone())).await;
        let (status, body) = answer.unwrap_or_else(|Gone| panic!("the server is gone"));
        (status, body["token"].as_str().unwrap_or_default().to_owned())
    }

    /// Milliseconds since the epoch.
    pub fn now(&self) -> i64 {
        SystemClock::default().now().0
    }

    async fn login(&self, app: &str, code: &str) -> Result<(u16, Value), Gone> {
        let body = json!({ "app": app, "code": code, "request_id": format!("login-{code}") });
        self.api("POST", "/session", "none", Some(body)).await
    }

    async fn live_sessions(&self, user: &str) -> usize {
        let url = format!("{}/admin/v1/sessions?user={user}&limit=200", self.0.admin);
        let (status, list) = self.call("GET", url, API_KEY, None).await.unwrap_or_else(|Gone| panic!("gone"));
        assert_eq!(status, 200);
        list["sessions"].as_array().unwrap().len()
    }
}

/// One person's phone, tablet, …
pub struct Worker {
    world: World,
    person: String,
    dice: ChaCha8Rng,
    report: Report,
}

/// What it was told.
#[derive(Default)]
pub struct Report {
    pub held: Vec<Held>,
    pub figures: Figures,
    person: String,
    /// A login that was sent and not answered: its app and code.
    open_login: Option<(&'static str, String)>,
}

impl Worker {
    pub fn new(world: World, person: String, seed: u64) -> Self {
        world.0.sim.add_user(UserConfig::named(&person)).unwrap();
        world.0.back_end.has_account(&person, "secret", &format!("u-{person}"));
        let report = Report { person: person.clone(), ..Report::default() };
        Self { world, person, dice: ChaCha8Rng::seed_from_u64(seed), report }
    }

    /// Until the server is gone.
    pub async fn run(mut self) -> Report {
        while self.step().await.is_ok() {}
        self.report.figures.unanswered += 1;
        self.report
    }

    async fn step(&mut self) -> Result<(), Gone> {
        let live: Vec<usize> = (0..self.report.held.len()).filter(|n| self.report.held[*n].ended.is_none()).collect();
        if live.is_empty() || (live.len() < 6 && self.dice.next_u32().is_multiple_of(4)) {
            return self.login().await;
        }
        let at = live[self.dice.next_u32() as usize % live.len()];
        match self.dice.next_u32() % 10 {
            0..=4 => self.refresh(at).await,
            5 | 6 => self.bind(at).await,
            7 => self.end(at, "session_ended").await,
            _ if live.len() > 2 => self.end(at, "session_kicked").await,
            _ => self.refresh(at).await,
        }
    }

    async fn login(&mut self) -> Result<(), Gone> {
        let (app, appid) =
            if self.dice.next_u32().is_multiple_of(4) { ("kiosk", KIOSK_APPID) } else { ("shop", DEFAULT_APPID) };
        let code = self.world.0.sim.issue_code(appid, &self.person).unwrap();
        self.report.open_login = Some((app, code.clone()));
        let (status, body) = self.world.login(app, &code).await?;
        assert_eq!(status, 201, "{body}");
        self.report.open_login = None;
        self.report.figures.logins += 1;
        self.report.held.push(held(&self.person, app, &body));
        Ok(())
    }

    /// A refresh, and half of the time the new token's first use.
    async fn refresh(&mut self, at: usize) -> Result<(), Gone> {
        let id = format!("refresh-{}-{}", self.dice.next_u64(), self.dice.next_u64());
        let held = &mut self.report.held[at];
        held.open = Some(Open::Refresh(id.clone()));
        let body = Some(json!({ "request_id": id }));
        let (status, body) = self.world.api("POST", "/session/refresh", &held.token, body).await?;
        assert_eq!(status, 200, "{body}");
        let old = std::mem::replace(&mut held.token, body["token"].as_str().unwrap().into());
        self.report.figures.refreshes += 1;
        if self.dice.next_u32().is_multiple_of(2) {
            held.open = Some(Open::Confirm);
            let sent = self.world.now();
            let (passes, code, _) = self.world.try_check(&held.token).await?;
            assert!(passes, "{code}");
            held.retired = Some(Retired { token: old, request_id: id, sent, answered: self.world.now() });
            self.report.figures.confirms += 1;
        }
        held.open = None;
        Ok(())
    }

    async fn bind(&mut self, at: usize) -> Result<(), Gone> {
        let id = format!("bind-{}-{}", self.dice.next_u64(), self.dice.next_u64());
        let held = &mut self.report.held[at];
        if held.app != "shop" {
            return self.refresh(at).await;
        }
        held.open = Some(Open::Bind(id.clone()));
        let form = json!({ "account": self.person, "password": "secret" });
        let body = Some(json!({ "way": "form", "form": form, "request_id": id }));
        let (status, body) = self.world.api("POST", "/binding", &held.token, body).await?;
        assert_eq!(status, 200, "{body}");
        held.token = body["token"].as_str().unwrap().into();
        held.user = Some(held.bound_to());
        held.open = None;
        self.report.figures.binds += 1;
        Ok(())
    }

    /// A log-out, or a kick by the back end.
    async fn end(&mut self, at: usize, code: &'static str) -> Result<(), Gone> {
        let held = &mut self.report.held[at];
        held.open = Some(Open::End(code));
        let (status, body) = if code == "session_ended" {
            self.world.api("DELETE", "/session", &held.token, None).await?
        } else {
            let (_, session) = self.world.api("GET", "/session", &held.token, None).await?;
            let id = session["session_id"].as_str().unwrap();
            let url = format!("{}/admin/v1/sessions/{id}", self.world.0.admin);
            self.world.call("DELETE", url, API_KEY, None).await?
        };
        assert_eq!(status, 204, "{body}");
        (held.ended, held.open) = (Some(code), None);
        self.report.figures.ends += 1;
        Ok(())
    }
}

impl Report {
    /// The login that was cut off is sent again: it yields one session, or none and a used code, never two.
    pub async fn finish_login(&mut self, world: &World, figures: &mut Figures) {
        let Some((app, code)) = self.open_login.take() else { return };
        figures.repeated += 1;
        let user = format!("u-{}", self.person);
        let bound = app == "shop" && self.held.iter().any(|h| h.user.as_ref() == Some(&user));
        let before = world.live_sessions(&user).await;
        let (status, body) = world.login(app, &code).await.unwrap_or_else(|Gone| panic!("gone"));
        if status == 201 {
            let again = world.login(app, &code).await.unwrap_or_else(|Gone| panic!("gone")).1;
            assert_eq!(body["token"], again["token"], "one login, one answer");
            self.held.push(held(&self.person, app, &body));
            figures.verified += 1;
        } else {
            assert_eq!(body["code"], "code_used", "{body}");
        }
        if bound {
            // Whether it was opened before the kill or now, it is there once.
            let alive = world.live_sessions(&user).await;
            assert!(alive <= before + 1, "{before} sessions, {alive} after one login");
        }
    }
}

fn held(person: &str, app: &'static str, body: &Value) -> Held {
    Held {
        person: person.into(),
        app,
        token: body["token"].as_str().unwrap().into(),
        user: body["user"].as_str().map(str::to_owned),
        ended: None,
        open: None,
        retired: None,
    }
}
