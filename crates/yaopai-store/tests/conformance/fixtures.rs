//! Short names for what tests talk about. Sessions, identities, secrets are numbers.

use std::collections::HashMap;

use yaopai_core::app::Yields;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::*;
use yaopai_core::session::*;
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::Lab;

pub const T0: Timestamp = Timestamp(1_800_000_000_000);
pub const MINUTE: i64 = 60_000;
pub const IDLE: i64 = 30 * MINUTE;

pub fn later(ms: i64) -> Timestamp {
    Timestamp(T0.0 + ms)
}

pub fn id(n: u8) -> SessionId {
    SessionId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, n])
}

pub fn who(n: u8) -> IdentityId {
    IdentityId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, n])
}

pub fn h(n: u8) -> SecretHash {
    SecretHash([n; 32])
}

pub fn shop() -> AppName {
    AppName::from("shop")
}

pub fn main() -> Realm {
    Realm::from("main")
}

pub fn other_realm() -> Realm {
    Realm::from("other")
}

pub fn user(name: &str) -> UserId {
    UserId::from(name)
}

pub fn found(name: &str) -> UserFound {
    UserFound { user: user(name), claims: None }
}

pub fn said(role: &str) -> Claims {
    Claims::from_json(&serde_json::json!({ "role": role })).unwrap()
}

pub fn found_as(name: &str, role: &str) -> UserFound {
    UserFound { user: user(name), claims: Some(said(role)) }
}

/// A session as a login wants it.
pub fn wanted(n: u8, openid: &str) -> Session {
    Session {
        id: id(n),
        realm: main(),
        app: shop(),
        identity: who(n),
        openid: openid.into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: T0,
        vouched_at: T0,
        absolute_at: later(7 * 24 * 60 * MINUTE),
        last_seen: Uptime(T0.0),
        key: SessionKey::Bearer,
        secrets: Secrets::new(h(n), false),
        ended: None,
    }
}

/// Login number `n` of an openid: session `n`, secret `n`, identity `n` if it is new.
pub fn login(n: u8, openid: &str) -> Open {
    Open {
        session: wanted(n, openid),
        new_identity: who(n),
        session_key: Some(vec![n]),
        user: None,
        link: None,
        second_identity: false,
        limits: Limits { max: 12, max_of_type: None, yields: Yields::Oldest },
        idle_ms: IDLE,
        up: Uptime(T0.0),
        login: LoginRecord { key: [n; 32], session: id(n), sealed: vec![n, n], expires_at: later(MINUTE) },
    }
}

/// The same, with the user the back end names.
pub fn login_as(n: u8, openid: &str, name: &str) -> Open {
    Open { user: Some(found(name)), ..login(n, openid) }
}

pub fn request(id: &str) -> RequestHash {
    RequestHash::new("refresh", id)
}

/// A refresh of session `n` with the shown secret; `new` is the candidate.
pub fn refresh(n: u8, shown: u8, req: &str, new: u8, now: Timestamp) -> Rotate {
    let candidate = Candidate { hash: h(new), sealed: vec![new] };
    Rotate { id: id(n), shown: h(shown), request: request(req), candidate, now }
}

/// A step-up of session `n` with the shown secret; `new` is the candidate, and the session_key.
pub fn step_up(n: u8, shown: u8, req: &str, new: u8, now: Timestamp) -> StepUp {
    let rotate = Rotate { request: RequestHash::new("step-up", req), ..refresh(n, shown, req, new, now) };
    StepUp { rotate, session_key: Some(vec![new, new]) }
}

pub fn bind_as(n: u8, shown: u8, req: &str, new: u8, name: &str) -> Bind {
    let rotate = Rotate { request: RequestHash::new("bind", req), ..refresh(n, shown, req, new, T0) };
    let limits = Limits { max: 12, max_of_type: None, yields: Yields::Oldest };
    let (user, up) = (found(name), Uptime(T0.0));
    Bind { rotate, user, proof: Proof::Form, second_identity: false, limits, idle_ms: IDLE, up }
}

/// What the back end's binds go by, at a time.
pub fn terms(now: Timestamp) -> BindTerms {
    let limits = RiseLimits { max: 12, max_of_type: HashMap::new() };
    BindTerms { second_identity: false, limits, idle_ms: IDLE, up: Uptime(now.0), now }
}

/// The session and the secret of an answer.
#[track_caller]
pub fn answer(rotated: Rotated) -> (Session, u8) {
    match rotated {
        Rotated::Answer(session, answer) => (*session, answer.sealed[0]),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn opened(opened: Opened) -> Session {
    match opened {
        Opened::Opened(session) => *session,
        other => panic!("{other:?}"),
    }
}

impl Lab {
    /// Opens a session that must open.
    pub async fn must_open(&self, open: Open) -> Session {
        opened(self.open(open).await.unwrap())
    }

    /// A session that must be there.
    pub async fn get(&self, n: u8) -> Session {
        self.load(id(n)).await.unwrap().unwrap()
    }

    pub async fn reason(&self, n: u8) -> Option<EndReason> {
        self.get(n).await.ended.map(|e| e.reason)
    }

    /// What a secret of a session is worth.
    pub async fn standing(&self, n: u8, secret: u8, now: Timestamp) -> Standing {
        self.get(n).await.secrets.standing(&h(secret), now)
    }

    pub async fn identity_of(&self, openid: &str) -> Option<Identity> {
        self.identity(&shop(), openid).await.unwrap()
    }
}
