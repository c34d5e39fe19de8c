//! How the phone calls: what it does by itself before a request, and after a refusal (docs/client-protocol.md).

use http::Method;
use serde_json::{Value, json};

use super::{Handset, Notice, Screen};
use crate::cli::demo::phone::Reply;

/// How often one press may send its request: once, and again after a silent login, a refresh or a step-up.
const TRIES: usize = 3;
const REFRESH: &str = "/yaopai/v1/session/refresh";

/// What to do after a refusal.
enum Next {
    Again,
    Stop,
}

impl Handset {
    /// Calls as the mini program does. `None`: it came to nothing, and the screen says why.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Option<Reply>> {
        self.ask_with(method, path, |_| Ok(body.clone())).await
    }

    /// The same, for a body that has to be made anew for each try.
    pub async fn ask_with(
        &mut self,
        method: Method,
        path: &str,
        body: impl Fn(&Self) -> anyhow::Result<Option<Value>>,
    ) -> anyhow::Result<Option<Reply>> {
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
            let reply = self.send(method.clone(), path, Some(&token), body(self)?).await?;
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

    /// The person, or the clock, wants the session extended now.
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
        let reply = self.deliver(REFRESH, Some(&token), body).await?;
        if reply.code.is_none() {
            self.keep(&reply)?;
        }
        Ok(reply)
    }

    /// Sends a call that may be sent again with the same `request_id`, and does so if its answer is lost.
    pub(in super::super) async fn deliver(
        &mut self,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> anyhow::Result<Reply> {
        let reply = self.send(Method::POST, path, token, Some(body.clone())).await?;
        if !std::mem::take(&mut self.lose) {
            return Ok(reply);
        }
        self.ground.wire.lost("phone", &Method::POST, path);
        self.note("resent", json!({}));
        self.send(Method::POST, path, token, Some(body)).await
    }

    /// Sends a request, and again if the phone's clock was wrong: it is set by the server's, and the request is signed anew.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Reply> {
        let reply = self.phone.send(method.clone(), path, token, body.clone(), &[]).await?;
        // With Retry-After the time is no cure: the server knows too little of the seconds before.
        if reply.code.as_deref() != Some("proof_stale") || reply.retry_after.is_some() {
            return Ok(reply);
        }
        self.phone.set_clock(&reply);
        self.note("clock_set", json!({}));
        self.phone.send(method, path, token, body, &[]).await
    }

    /// docs/client-protocol.md, "Reading a refusal".
    async fn meet(&mut self, reply: &Reply) -> anyhow::Result<Next> {
        let code = reply.code.clone().unwrap_or_default();
        match code.as_str() {
            "session_missing" | "session_unknown" | "session_expired" | "session_revoked" | "proof_required" => {
                self.log_in_silently(&code).await
            }
            "login_required" | "session_key_stale" => self.step_up(&code).await,
            "session_kicked" | "session_replaced" | "session_ended" => {
                self.note("told", json!({ "code": code }));
                self.forget();
                self.tell(reply);
                self.seen.screen = Screen::Out;
                Ok(Next::Stop)
            }
            "not_bound" => {
                self.note("bind_first", json!({}));
                self.seen.screen = Screen::Bind;
                Ok(Next::Stop)
            }
            _ => {
                self.tell(reply);
                Ok(Next::Stop)
            }
        }
    }

    /// WeChat vouches anew for the session's account, and nobody has to press anything. What was refused was refused before it
    /// did anything, so it may be sent again.
    async fn step_up(&mut self, code: &str) -> anyhow::Result<Next> {
        self.note("step_up", json!({ "code": code }));
        let token = self.phone.token.clone();
        let body = json!({ "request_id": self.phone.request_id(), "code": self.phone.wx_login()? });
        let reply = self.deliver(REFRESH, Some(&token), body).await?;
        match &reply.code {
            None => {
                self.keep(&reply)?;
                Ok(Next::Again)
            }
            // A login vouches as well, and there is no session left to lose.
            Some(code) if code.starts_with("session_") => self.log_in_silently(code).await,
            Some(_) => {
                self.tell(&reply);
                Ok(Next::Stop)
            }
        }
    }

    async fn log_in_silently(&mut self, code: &str) -> anyhow::Result<Next> {
        self.note("silent_login", json!({ "code": code }));
        self.forget();
        Ok(if self.login().await? { Next::Again } else { Next::Stop })
    }
}
