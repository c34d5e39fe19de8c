//! The phone that the page shows: a client that keeps to docs/client-protocol.md, and says why it does what it does.

use std::sync::Arc;

use anyhow::Context as _;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};
use yaopai_core::ids::SessionId;
use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;

use super::tokens::Tokens;
use crate::cli::demo::phone::{Ground, Phone, Reply};

/// How often one press may send its request: once, and again after a silent login or a refresh.
const TRIES: usize = 3;
/// How many sessions of the phone are remembered, the last one included.
const SESSIONS_MAX: usize = 5;

/// The phone, and the mini program on it.
pub struct Handset {
    pub(super) phone: Phone,
    pub(super) ground: Ground,
    clock: Arc<dyn Clock>,
    /// When the token at hand is to be refreshed.
    refresh_at: Timestamp,
    /// Minted with the token: however late a copy of its refresh arrives, the server knows it again.
    refresh_id: String,
    /// The answer to the next login, refresh or bind is to get lost.
    pub lose: bool,
    /// Every token it was handed.
    pub tokens: Tokens,
    /// Its sessions, the present one last.
    pub sessions: Vec<SessionId>,
    /// What the person wanted to order before there was a user.
    pub(super) pending: Option<String>,
    /// What its screen shows.
    pub seen: Seen,
}

/// A page of the mini program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    #[default]
    Shop,
    Orders,
    Me,
    Bind,
    /// No session, and the person has to say whether to go on.
    Out,
}

/// What a person sees.
#[derive(Default, Serialize)]
pub struct Seen {
    pub screen: Screen,
    /// Where to go once there is a session, or a user, again.
    pub wanted: Screen,
    pub notice: Option<Notice>,
    pub bound: bool,
    pub user: Option<String>,
    pub name: Option<String>,
    pub goods: Value,
    pub orders: Value,
    pub devices: Value,
    /// The ways to bind that this server has.
    pub ways: Vec<&'static str>,
    /// The masked account of a bind code, for the person to confirm.
    pub preview: Value,
}

/// Something the person is told.
#[derive(Serialize)]
pub struct Notice {
    pub code: String,
    /// The back end's own words, where it had some.
    pub message: Option<String>,
    /// Seconds after which it makes sense to try again.
    pub retry_after: Option<u64>,
}

/// What to do after a refusal.
enum Next {
    Again,
    Stop,
}

impl Handset {
    /// A phone with this WeChat user's account, and no session yet.
    pub fn new(ground: Ground, wechat: &'static str, clock: Arc<dyn Clock>) -> Self {
        let phone = Phone::new(ground.clone(), "phone", wechat);
        Self {
            phone,
            ground,
            clock,
            refresh_at: Timestamp(i64::MAX),
            refresh_id: String::new(),
            lose: false,
            tokens: Tokens::default(),
            sessions: Vec::new(),
            pending: None,
            seen: Seen::default(),
        }
    }

    /// Whose WeChat account it is.
    pub fn wechat(&self) -> &'static str {
        self.phone.wechat
    }

    /// When the token at hand is to be refreshed, if there is one.
    pub fn refresh_at(&self) -> Option<Timestamp> {
        (!self.phone.token.is_empty()).then_some(self.refresh_at)
    }

    /// The person opens a page of the mini program.
    pub async fn go(&mut self, to: Screen) -> anyhow::Result<()> {
        self.seen.notice = None;
        if to != Screen::Bind {
            (self.seen.wanted, self.pending) = (to, None);
        }
        let path = match to {
            Screen::Shop | Screen::Out => "/goods",
            Screen::Orders => "/orders",
            Screen::Me => "/yaopai/v1/sessions",
            Screen::Bind => {
                self.seen.ways = self.ways().await?;
                self.seen.screen = Screen::Bind;
                return Ok(());
            }
        };
        let Some(reply) = self.ask(Method::GET, path, None).await? else { return Ok(()) };
        match to {
            Screen::Orders => self.seen.orders = reply.body["orders"].clone(),
            Screen::Me => self.seen.devices = reply.body["sessions"].clone(),
            _ => self.seen.goods = reply.body["goods"].clone(),
        }
        self.seen.screen = if to == Screen::Out { Screen::Shop } else { to };
        Ok(())
    }

    /// The person orders something.
    pub async fn order(&mut self, item: &str) -> anyhow::Result<()> {
        self.seen.notice = None;
        self.seen.wanted = Screen::Orders;
        if self.ask(Method::POST, "/orders", Some(json!({ "item": item }))).await?.is_some() {
            return self.go(Screen::Orders).await;
        }
        // The check refused it, so the shop has not seen it: once there is a user, it may be sent again.
        self.pending = (self.seen.screen == Screen::Bind).then(|| item.to_owned());
        Ok(())
    }

    /// The person signs another of their devices out.
    pub async fn kick(&mut self, session_id: &str) -> anyhow::Result<()> {
        // It becomes part of a path.
        let Some(id) = SessionId::parse(session_id) else { return Ok(()) };
        if self.ask(Method::DELETE, &format!("/yaopai/v1/sessions/{id}"), None).await?.is_some() {
            self.go(Screen::Me).await?;
        }
        Ok(())
    }

    /// The person logs out.
    pub async fn logout(&mut self) -> anyhow::Result<()> {
        let token = self.phone.token.clone();
        if !token.is_empty() {
            self.phone.send(Method::DELETE, "/yaopai/v1/session", Some(&token), None, &[]).await?;
        }
        self.forget();
        self.seen.notice = None;
        self.seen.wanted = Screen::Shop;
        self.seen.screen = Screen::Out;
        Ok(())
    }

    /// Calls as the mini program does. `None`: it came to nothing, and the screen says why.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Option<Reply>> {
        for _ in 0..TRIES {
            if self.phone.token.is_empty() && !self.login().await? {
                return Ok(None);
            }
            if self.clock.now() >= self.refresh_at {
                self.note("refresh_due", json!({}));
                let refreshed = self.refresh_with(self.refresh_id.clone()).await?;
                if refreshed.code.is_some() {
                    match self.meet(&refreshed).await? {
                        Next::Again => continue,
                        Next::Stop => return Ok(None),
                    }
                }
            }
            let token = self.phone.token.clone();
            let reply = self.phone.send(method.clone(), path, Some(&token), body.clone(), &[]).await?;
            if reply.code.is_none() {
                return Ok(Some(reply));
            }
            if let Next::Stop = self.meet(&reply).await? {
                return Ok(None);
            }
        }
        self.seen.notice = Some(Notice { code: "gave_up".into(), message: None, retry_after: None });
        Ok(None)
    }

    /// `wx.login`, and the session for its code.
    pub async fn login(&mut self) -> anyhow::Result<bool> {
        let code = self.phone.wx_login()?;
        let body = self.phone.login_with(&code);
        let reply = self.deliver("/yaopai/v1/session", None, body).await?;
        if reply.code.is_some() {
            self.tell(&reply);
            self.seen.screen = Screen::Out;
            return Ok(false);
        }
        self.keep(&reply)?;
        Ok(true)
    }

    /// The person, or the clock, wants a new token now.
    pub async fn refresh(&mut self) -> anyhow::Result<()> {
        self.seen.notice = None;
        let reply = self.refresh_with(self.refresh_id.clone()).await?;
        if reply.code.is_some() {
            self.meet(&reply).await?;
        }
        Ok(())
    }

    async fn refresh_with(&mut self, request_id: String) -> anyhow::Result<Reply> {
        let token = self.phone.token.clone();
        let body = json!({ "request_id": request_id });
        let reply = self.deliver("/yaopai/v1/session/refresh", Some(&token), body).await?;
        if reply.code.is_none() {
            self.keep(&reply)?;
        }
        Ok(reply)
    }

    /// Sends a call that may be sent again with the same `request_id`, and does so if its answer is lost.
    pub(super) async fn deliver(&mut self, path: &str, token: Option<&str>, body: Value) -> anyhow::Result<Reply> {
        let reply = self.phone.send(Method::POST, path, token, Some(body.clone()), &[]).await?;
        if !std::mem::take(&mut self.lose) {
            return Ok(reply);
        }
        self.ground.wire.lost("phone");
        self.note("resent", json!({}));
        self.phone.send(Method::POST, path, token, Some(body), &[]).await
    }

    /// docs/client-protocol.md, "Reading a refusal".
    async fn meet(&mut self, reply: &Reply) -> anyhow::Result<Next> {
        let code = reply.code.clone().unwrap_or_default();
        match code.as_str() {
            "session_missing" | "session_unknown" | "session_expired" | "session_revoked" | "session_reused" => {
                self.log_in_silently(&code).await
            }
            "session_superseded" => {
                self.note("superseded", json!({}));
                let refreshed = self.refresh_with(self.phone.request_id()).await?;
                match refreshed.code {
                    None => Ok(Next::Again),
                    Some(code) => self.log_in_silently(&code).await,
                }
            }
            "session_kicked" | "session_replaced" | "session_ended" => {
                self.note("told", json!({ "code": code }));
                self.forget();
                self.tell(reply);
                self.seen.screen = Screen::Out;
                Ok(Next::Stop)
            }
            "not_bound" => {
                self.note("bind_first", json!({}));
                self.seen.ways = self.ways().await?;
                self.seen.screen = Screen::Bind;
                Ok(Next::Stop)
            }
            _ => {
                self.tell(reply);
                Ok(Next::Stop)
            }
        }
    }

    async fn log_in_silently(&mut self, code: &str) -> anyhow::Result<Next> {
        self.note("silent_login", json!({ "code": code }));
        self.forget();
        Ok(if self.login().await? { Next::Again } else { Next::Stop })
    }

    /// Drops the token, and what was known by it.
    pub fn forget(&mut self) {
        self.phone.token.clear();
        self.refresh_at = Timestamp(i64::MAX);
        (self.seen.bound, self.seen.user, self.seen.name) = (false, None, None);
    }

    /// Stores a login object.
    pub(super) fn keep(&mut self, reply: &Reply) -> anyhow::Result<()> {
        self.phone.keep(reply);
        self.tokens.hold("phone", &self.phone.token);
        self.refresh_id = self.phone.request_id();
        let seconds = reply.body["refresh_in"].as_u64().context("the answer has no refresh_in")?;
        self.refresh_at = self.clock.now() + std::time::Duration::from_secs(seconds);
        self.seen.bound = reply.body["bound"] == true;
        self.seen.user = reply.body["user"].as_str().map(str::to_owned);
        self.seen.name = reply.body["claims"]["name"].as_str().map(str::to_owned);
        let id = SessionId::parse(reply.text("session_id")).context("the answer has no session_id")?;
        if self.sessions.last() != Some(&id) {
            self.sessions.push(id);
            if self.sessions.len() > SESSIONS_MAX {
                self.sessions.remove(0);
            }
        }
        Ok(())
    }

    /// Tells the person what a refusal means for them.
    pub(super) fn tell(&mut self, reply: &Reply) {
        let code = reply.code.clone().unwrap_or_default();
        let message = reply.body["message"].as_str().map(str::to_owned);
        self.seen.notice = Some(Notice { code, message, retry_after: reply.retry_after });
    }

    pub(super) fn note(&self, name: &'static str, about: Value) {
        self.ground.wire.note("phone", name, about);
    }
}
