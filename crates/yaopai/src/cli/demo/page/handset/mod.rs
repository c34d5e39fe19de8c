//! The phone that the page shows: a client that keeps to docs/client-protocol.md, and says why it does what it does.

mod calls;
mod seen;

use std::sync::Arc;

use anyhow::Context as _;
use http::Method;
use serde_json::{Map, Value, json};
use yaopai_core::ids::SessionId;
use yaopai_core::ports::Clock;
use yaopai_core::time::Timestamp;
use yaopai_sim::{DEFAULT_APPID, Encrypt, OpenData};
use zeroize::Zeroizing;

use super::tokens::Tokens;
use crate::cli::demo::phone::{Ground, Phone, Reply};
pub use seen::{Notice, Screen, Seen};

/// How far everybody has walked today.
const STEPS: u64 = 8642;
/// How many sessions of the phone are remembered, the last one included.
const SESSIONS_MAX: usize = 5;

/// The phone, and the mini program on it.
pub struct Handset {
    pub(super) phone: Phone,
    pub(super) ground: Ground,
    clock: Arc<dyn Clock>,
    /// When the session is to be refreshed.
    refresh_at: Timestamp,
    /// Minted with the last answer: however late a copy of its refresh arrives, the server knows it again.
    refresh_id: String,
    /// The answer to the next login, refresh or bind is to get lost.
    pub lose: bool,
    /// Every token it was handed.
    pub tokens: Tokens,
    /// Its sessions, the present one last.
    pub sessions: Vec<SessionId>,
    /// What the person wanted to order before there was a user.
    pub(super) pending: Option<String>,
    /// The bind code that it scanned last, until it is redeemed or turned down.
    pub(super) scanned: Option<Zeroizing<String>>,
    /// What its screen shows.
    pub seen: Seen,
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
            scanned: None,
            seen: Seen::default(),
        }
    }

    /// Whose WeChat account it is.
    pub fn wechat(&self) -> &'static str {
        self.phone.wechat
    }

    /// When the session is to be refreshed, if there is one.
    pub fn refresh_at(&self) -> Option<Timestamp> {
        (!self.phone.token.is_empty()).then_some(self.refresh_at)
    }

    /// The person opens a page of the mini program.
    pub async fn go(&mut self, to: Screen) -> anyhow::Result<()> {
        self.seen.notice = None;
        self.seen.steps = None;
        if to != Screen::Bind {
            (self.seen.wanted, self.pending) = (to, None);
        }
        let path = match to {
            Screen::Shop | Screen::Out => "/goods",
            Screen::Orders => "/orders",
            Screen::Me => "/yaopai/v1/sessions",
            Screen::Bind => {
                self.turn_down();
                self.seen.screen = Screen::Bind;
                return Ok(());
            }
        };
        let Some(reply) = self.ask(Method::GET, path, None).await? else { return Ok(()) };
        match to {
            Screen::Orders => {
                self.seen.orders = reply.body["orders"].clone();
                self.seen.paid = reply.body["paid"].as_u64().unwrap_or(0);
            }
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

    /// The person pays what they have ordered.
    pub async fn pay(&mut self) -> anyhow::Result<()> {
        self.seen.notice = None;
        if self.ask(Method::POST, "/pay", Some(json!({}))).await?.is_some() {
            self.go(Screen::Orders).await?;
        }
        Ok(())
    }

    /// `wx.getWeRunData`: the steps that WeChat counted, which come encrypted with the session_key. Only the server has that.
    pub async fn steps(&mut self) -> anyhow::Result<()> {
        self.seen.notice = None;
        let encrypted = |phone: &Self| {
            let wx = phone.ground.wx.as_ref().context("there is no simulated WeChat")?;
            let today = json!({ "timestamp": phone.clock.now().0 / 1000, "step": STEPS });
            let counted = Map::from_iter([("stepInfoList".to_owned(), json!([today]))]);
            let how = Encrypt { data: OpenData::Custom(counted), ..Encrypt::default() };
            let data = wx.encrypt(DEFAULT_APPID, phone.wechat(), &how)?;
            phone.note("get_steps", json!({}));
            Ok(Some(json!({ "encrypted_data": data.encrypted_data, "iv": data.iv })))
        };
        if let Some(reply) = self.ask_with(Method::POST, "/yaopai/v1/decrypt", encrypted).await? {
            self.seen.steps = reply.body["stepInfoList"][0]["step"].as_u64();
        }
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
            self.send(Method::DELETE, "/yaopai/v1/session", Some(&token), None).await?;
        }
        self.forget();
        self.seen.notice = None;
        self.seen.wanted = Screen::Shop;
        self.seen.screen = Screen::Out;
        Ok(())
    }

    /// Drops the token and the key, and what was known by them.
    pub fn forget(&mut self) {
        self.phone.token.clear();
        self.phone.key = None;
        self.refresh_at = Timestamp(i64::MAX);
        (self.seen.bound, self.seen.user, self.seen.name) = (false, None, None);
    }

    /// Stores a login object.
    pub(super) fn keep(&mut self, reply: &Reply) -> anyhow::Result<()> {
        self.phone.keep(reply)?;
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
