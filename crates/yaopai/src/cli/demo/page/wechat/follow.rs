//! What crosses the wire tells of the mini program's session. The app itself is a browser's, and says nothing.

use http::{Method, header};
use serde_json::{Value, json};
use yaopai_core::ids::SessionId;
use yaopai_core::time::Timestamp;
use yaopai_wire::principal::CODE;
use yaopai_wire::signature::SIGNATURE;
use yaopai_wire::token::Token;
use zeroize::Zeroizing;

use super::super::tokens::Tokens;
use crate::cli::demo::client::Answer;
use crate::cli::demo::signing::Sent;

/// How many sessions of a phone are remembered, the last one included.
const SESSIONS_MAX: usize = 5;
const SESSION: &str = "/yaopai/v1/session";
const REFRESH: &str = "/yaopai/v1/session/refresh";
const BINDING: &str = "/yaopai/v1/binding";

/// One person's mini program, as far as the wire tells of it.
#[derive(Default)]
pub struct Follow {
    /// Every token that it was handed.
    pub tokens: Tokens,
    /// Its sessions, the one of its last request last.
    pub sessions: Vec<SessionId>,
    /// What it shows as its token; empty without a session.
    pub token: Zeroizing<String>,
    /// The last request that it signed: what a log or a trace on the way may hold of it.
    pub sent: Option<Sent>,
    /// When the session is to be refreshed.
    refresh_at: Option<Timestamp>,
    /// The `request_id` of the call whose answer got lost.
    lost: Option<String>,
    /// Why its session was over, if it then logs in without anybody's doing.
    over: Option<String>,
    /// What asks for WeChat's word.
    unvouched: Option<String>,
    /// What was signed by a wrong clock.
    stale: Option<(Method, String)>,
}

/// May the answer to it get lost on purpose? Those whose loss has to be survived.
pub fn is_losable(sent: &Sent) -> bool {
    sent.method == Method::POST && [SESSION, REFRESH, BINDING, "/orders"].contains(&sent.path.as_str())
}

/// Does it bind the person's account?
pub fn is_bind(sent: &Sent) -> bool {
    sent.method == Method::POST && sent.path == BINDING
}

impl Follow {
    /// Has it a session, as far as it knows?
    pub fn is_logged_in(&self) -> bool {
        !self.token.is_empty()
    }

    /// When the session is to be refreshed, if there is one.
    pub fn refresh_at(&self) -> Option<Timestamp> {
        self.refresh_at.filter(|_| self.is_logged_in())
    }

    /// A request is about to be sent. What there is to say of it before.
    pub fn asked(&mut self, sent: &Sent) -> Option<(&'static str, Value)> {
        if let Some(token) = bearer(sent) {
            self.hold(token);
        }
        if sent.headers.contains_key(SIGNATURE) {
            self.sent = Some(sent.clone());
        }
        if self.stale.take_if(|(method, path)| *method == sent.method && *path == sent.path).is_some() {
            return Some(("clock_set", json!({})));
        }
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        if self.lost.take_if(|lost| body["request_id"] == lost.as_str()).is_some() {
            return Some(("resent", json!({})));
        }
        if sent.method != Method::POST {
            return None;
        }
        match sent.path.as_str() {
            SESSION => self.over.take().map(|code| ("silent_login", json!({ "code": code }))),
            REFRESH if body["code"].is_string() => {
                self.unvouched.take().map(|code| ("step_up", json!({ "code": code })))
            }
            _ => None,
        }
    }

    /// It was answered, and nobody heard.
    pub fn lost(&mut self, sent: &Sent) {
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        self.lost = body["request_id"].as_str().map(str::to_owned);
    }

    /// It was answered.
    pub fn answered(&mut self, sent: &Sent, answer: &Answer, now: Timestamp) {
        match answer.headers.get(CODE).and_then(|code| code.to_str().ok()) {
            Some(code) => self.refused(sent, code, answer.headers.contains_key(header::RETRY_AFTER)),
            None if answer.status.is_success() => self.passed(sent, &answer.body, now),
            None => {}
        }
    }

    fn refused(&mut self, sent: &Sent, code: &str, later: bool) {
        let is_its_own = bearer(sent).is_some_and(|token| *token == **self.token);
        match code {
            "session_missing" | "session_unknown" | "session_expired" | "session_revoked" if is_its_own => {
                self.forget();
                self.over = Some(code.to_owned());
            }
            "session_kicked" | "session_replaced" | "session_ended" if is_its_own => self.forget(),
            "login_required" | "session_key_stale" => self.unvouched = Some(code.to_owned()),
            // With Retry-After the time is no cure: the server knows too little of the seconds before.
            "proof_stale" if !later => self.stale = Some((sent.method.clone(), sent.path.clone())),
            _ => {}
        }
    }

    fn passed(&mut self, sent: &Sent, body: &[u8], now: Timestamp) {
        match (&sent.method, sent.path.as_str()) {
            (&Method::POST, SESSION | REFRESH | BINDING) => {
                let body: Value = serde_json::from_slice(body).unwrap_or_default();
                if let Some(token) = body["token"].as_str() {
                    self.hold(token);
                }
                if let Some(seconds) = body["refresh_in"].as_u64() {
                    self.refresh_at = Some(now + std::time::Duration::from_secs(seconds));
                }
            }
            (&Method::DELETE, SESSION | BINDING) => self.forget(),
            _ => {}
        }
    }

    /// It has this token.
    fn hold(&mut self, token: &str) {
        let Ok(parsed) = Token::parse(token.as_bytes()) else { return };
        self.token = Zeroizing::new(token.to_owned());
        self.tokens.hold("phone", token);
        let id = SessionId(parsed.id);
        if self.sessions.last() != Some(&id) {
            self.sessions.retain(|other| *other != id);
            self.sessions.push(id);
            if self.sessions.len() > SESSIONS_MAX {
                self.sessions.remove(0);
            }
        }
    }

    fn forget(&mut self) {
        self.token = Zeroizing::default();
        self.refresh_at = None;
    }
}

fn bearer(sent: &Sent) -> Option<&str> {
    sent.headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}
