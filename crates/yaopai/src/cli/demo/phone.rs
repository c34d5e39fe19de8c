//! A mini program on a phone, as far as a server can tell: it logs in, refreshes, binds and calls by the client protocol.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};
use yaopai_core::ports::{Clock, Entropy};
use yaopai_sim::{DEFAULT_APPID, SimHandle};
use yaopai_wire::principal::CODE;

use super::client::Client;
use super::signing::{self, Sent, SessionKey};
use super::tale::{Tale, short};
use super::wire::Wire;
use super::world::APP;

/// What phones need of the world.
#[derive(Clone)]
pub struct Ground {
    /// Where `wx.login` gets its codes.
    pub wx: Option<SimHandle>,
    /// `http://host:port` of the front door.
    pub front: String,
    pub client: Client,
    pub entropy: Arc<dyn Entropy>,
    pub clock: Arc<dyn Clock>,
    pub tale: Arc<Tale>,
    pub wire: Arc<Wire>,
}

/// A device with a WeChat account and the mini program on it.
pub struct Phone {
    kind: &'static str,
    /// Whose WeChat account it is.
    pub wechat: &'static str,
    ground: Ground,
    /// What the mini program keeps in its storage: the token, and the key that each request is signed with.
    pub token: String,
    pub key: Option<SessionKey>,
    /// The last request that it signed: what a log or a trace on the way may hold of it.
    sent: Mutex<Option<Sent>>,
}

/// What the mini program's request got.
pub struct Reply {
    pub status: StatusCode,
    /// The refusal's code: from the header, because proxies drop bodies.
    pub code: Option<String>,
    pub body: Value,
}

impl Phone {
    /// A device of this kind (`phone`, `tablet`) with this WeChat user's account.
    pub fn new(ground: Ground, kind: &'static str, wechat: &'static str) -> Self {
        Self { kind, wechat, ground, token: String::new(), key: None, sent: Mutex::default() }
    }

    /// A new id for a request: 128 random bits. Sending the request again means sending the same id again.
    pub fn request_id(&self) -> String {
        let mut random = [0u8; 16];
        self.ground.entropy.fill(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }

    /// `wx.login`: a code from WeChat.
    pub fn wx_login(&self) -> anyhow::Result<String> {
        let wx = self.ground.wx.as_ref().context("there is no simulated WeChat to log in at")?;
        let code = wx.issue_code(DEFAULT_APPID, self.wechat)?;
        self.ground.tale.act(self.kind, &format!("wx.login of {} → code {:?}", self.wechat, short(&code)));
        self.ground.wire.note(self.kind, "wx_login", json!({ "code": short(&code) }));
        Ok(code)
    }

    /// `wx.login`, and the session for its code. Token and key are kept.
    pub async fn login(&mut self) -> anyhow::Result<Reply> {
        let body = self.login_with(&self.wx_login()?);
        let reply = self.send(Method::POST, "/yaopai/v1/session", None, Some(body), &[]).await?;
        self.keep(&reply)?;
        Ok(reply)
    }

    /// What is sent to log in with this code.
    fn login_with(&self, code: &str) -> Value {
        json!({
            "app": APP,
            "code": code,
            "request_id": self.request_id(),
            "key": signing::wanted(),
            "device": { "type": self.kind, "name": format!("{}'s {}", self.wechat, self.kind) },
        })
    }

    /// Extends the session. The answer is the caller's: it may get lost.
    pub async fn refresh(&self, token: &str, request_id: &str) -> anyhow::Result<Reply> {
        let body = json!({ "request_id": request_id });
        self.send(Method::POST, "/yaopai/v1/session/refresh", Some(token), Some(body), &[]).await
    }

    /// Sends the bind form.
    pub async fn bind(&mut self, account: &str, password: &str) -> anyhow::Result<Reply> {
        let form = json!({ "account": account, "password": password });
        let body = json!({ "way": "form", "form": form, "request_id": self.request_id() });
        let token = self.token.clone();
        let reply = self.send(Method::POST, "/yaopai/v1/binding", Some(&token), Some(body), &[]).await?;
        self.keep(&reply)?;
        Ok(reply)
    }

    /// Calls with the token that is kept.
    pub async fn get(&self, path: &str) -> anyhow::Result<Reply> {
        self.send(Method::GET, path, Some(&self.token), None, &[]).await
    }

    /// Any request. With a token and the key beside it, it is signed.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
        more: &[(&'static str, &'static str)],
    ) -> anyhow::Result<Reply> {
        let mut headers = HeaderMap::new();
        // By it the front door tells the devices apart when it prints what it sees.
        headers.insert(header::USER_AGENT, HeaderValue::from_static(self.kind));
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, format!("Bearer {token}").parse()?);
        }
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        for (name, value) in more {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let body = body.map(|b| Bytes::from(b.to_string())).unwrap_or_default();
        let mut request = Sent { method, path: path.to_owned(), headers, body };
        if let (Some(key), Some(_)) = (&self.key, token) {
            let created = self.ground.clock.now().0.div_euclid(1000);
            let host = self.ground.front.trim_start_matches("http://");
            key.sign(&mut request, host, created, &self.request_id())?;
            *self.sent.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.clone());
        }
        self.deliver(request).await
    }

    /// The last request that it signed.
    pub fn sent(&self) -> Option<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sends a request as it is: a copy of another device's, it may be.
    pub async fn repeat(&self, mut copy: Sent) -> anyhow::Result<Reply> {
        copy.headers.insert(header::USER_AGENT, HeaderValue::from_static(self.kind));
        self.deliver(copy).await
    }

    async fn deliver(&self, Sent { method, path, headers, body }: Sent) -> anyhow::Result<Reply> {
        let answer = self.ground.client.send(method, &format!("{}{path}", self.ground.front), headers, body).await?;
        let text = |name| answer.headers.get(name).and_then(|v| v.to_str().ok());
        let code = text(CODE).map(str::to_owned);
        let body = if answer.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&answer.body).with_context(|| format!("the answer of {path} is no JSON"))?
        };
        Ok(Reply { status: answer.status, code, body })
    }

    /// Stores the answer's token and key, if it has them. Only a login's has a key: nothing else changes it.
    pub fn keep(&mut self, reply: &Reply) -> anyhow::Result<()> {
        if let Some(token) = reply.body.get("token").and_then(Value::as_str) {
            self.token = token.to_owned();
        }
        if let Some(key) = SessionKey::of(&reply.body)? {
            self.key = Some(key);
        }
        Ok(())
    }
}

impl Reply {
    /// A field of the answer, as text.
    pub fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// It must have worked.
    pub fn passed(self, status: u16) -> anyhow::Result<Self> {
        match &self.code {
            None if self.status == status => Ok(self),
            code => bail!("expected {status}, got {} {}", self.status.as_u16(), code.as_deref().unwrap_or_default()),
        }
    }

    /// It must have been refused, for this reason.
    pub fn refused(self, status: u16, code: &str) -> anyhow::Result<Self> {
        if self.status == status && self.code.as_deref() == Some(code) {
            return Ok(self);
        }
        let got = self.code.as_deref().unwrap_or("without a refusal's code");
        bail!("expected {status} {code}, got {} {got}", self.status.as_u16())
    }
}
