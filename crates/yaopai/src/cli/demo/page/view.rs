//! What the page draws around the mini program: whose it is, and the state of its session as the server itself has it.

use serde_json::{Value, json};
use yaopai_core::ids::{Realm, SessionId};
use yaopai_core::session::Session;
use yaopai_core::time::{Timestamp, millis};

use super::stage::{PEOPLE, Stage};
use super::wechat::Follow;
use crate::cli::demo::front::FRESH;
use crate::cli::demo::world::APP;

/// How long WeChat's word is fresh enough to pay by.
const FRESH_MS: i64 = FRESH as i64 * 1000;

impl Stage {
    /// Everything but the log.
    pub async fn view(&self) -> Value {
        let people = PEOPLE.map(|name| json!({ "user": name, "password": self.shop.password(name) }));
        let mut view = json!({
            "people": people,
            "ahead": self.clock.ahead(),
            // As the shop's website shows it to whoever is signed in there.
            "code": self.wechat.seen(|code| json!({ "picture": code.picture, "text": *code.code })),
            "outage": self.outage.is_some(),
            "thief": self.thief.as_ref().map(|t| {
                json!({ "has": if t.copy.is_some() { "request" } else { "token" }, "status": t.saw.0, "code": t.saw.1 })
            }),
        });
        if let Some(look) = self.wechat.look() {
            let known = |phone: &mut Follow| (phone.is_logged_in(), phone.refresh_at(), phone.sessions.clone());
            let (logged_in, refresh_at, sessions) = self.wechat.follow(known).unwrap_or_default();
            view["phone"] = json!({
                "holder": look.person,
                "page": look.page,
                "starts": look.starts,
                "lose": look.lose,
                "slow": look.slow,
                "logged_in": logged_in,
            });
            view["session"] = self.session(&sessions, refresh_at).await;
            view["past"] = self.past(&sessions).await;
        }
        view
    }

    /// The session of the phone's last request.
    async fn session(&self, sessions: &[SessionId], refresh_at: Option<Timestamp>) -> Value {
        let Some(id) = sessions.last() else { return Value::Null };
        let Some(session) = self.load(*id).await else { return json!({ "id": id.to_string(), "gone": true }) };
        let (now, up) = self.service.now();
        let policy = self.service.world().apps.get(&APP.into()).map(|app| app.policy.clone()).unwrap_or_default();
        let ended = session.ended.map(|e| e.reason);
        let ended = ended.or_else(|| session.expired(now, up, session.last_seen, policy.idle));
        let idle_until = now.0 + (session.last_seen + policy.idle).0 - up.0;
        json!({
            "id": id.to_string(),
            "user": session.user,
            "ended": ended.map(yaopai_core::session::EndReason::as_str),
            "code": ended.map(|reason| reason.code().as_str()),
            "created_at": session.created_at.0,
            "idle": millis(policy.idle),
            "idle_until": idle_until,
            "absolute": millis(policy.absolute),
            "absolute_until": session.absolute_at.0,
            "fresh": FRESH_MS,
            "fresh_until": session.vouched_at.0 + FRESH_MS,
            "refresh_at": refresh_at.map(|t| t.0),
            "key": session.key.kind(),
            "tokens": self.wechat.follow(|phone| phone.tokens.worth(&session, now)),
        })
    }

    /// Those before it, and why they ended.
    async fn past(&self, sessions: &[SessionId]) -> Value {
        let mut past = Vec::new();
        for id in sessions.iter().rev().skip(1) {
            let reason = self.load(*id).await.and_then(|s| s.ended).map(|e| e.reason.as_str());
            past.push(json!({ "id": id.to_string(), "ended": reason }));
        }
        Value::Array(past)
    }

    async fn load(&self, id: SessionId) -> Option<Session> {
        self.service.admin_session(&Realm::from("default"), id).await.ok()
    }
}
