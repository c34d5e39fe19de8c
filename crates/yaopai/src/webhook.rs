//! What we ask the back end: three calls, signed as Standard Webhooks describes, each with a time-out.
//!
//! A call is `POST {url}` with `{"type": "resolve" | "bind" | "opened", "timestamp": …, "data": {…}}`; the headers
//! `webhook-id`, `webhook-timestamp` and `webhook-signature` prove that it is ours (HMAC-SHA256 over
//! `id.timestamp.body`).

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::HeaderValue;
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::sync::Semaphore;
use yaopai_core::app::App;
use yaopai_core::ids::{AppName, UserId};
use yaopai_core::jar::{self, Cookie, LINES_MAX, Origin, To};
use yaopai_core::ports::{BackEnd, BackEndError, BindVerdict, Clock, Entropy, Evidence, UserFound};
use yaopai_core::session::{Claims, Session};
use zeroize::Zeroizing;

use crate::config::Webhook;
use crate::rfc3339::rfc3339;

/// The largest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// The longest message for the person, in bytes.
const MESSAGE_MAX: usize = 500;
/// How many calls of one app run at a time: a slow back end must not pile up connections, nor keep other apps' waiting.
const CALLS_MAX: usize = 128;
/// How many of them may be binds: whoever sends many must not keep others from logging in.
const BINDS_MAX: usize = 64;

/// The back ends of all apps, through their webhooks.
pub struct Webhooks {
    hooks: HashMap<AppName, Webhook>,
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    lanes: HashMap<AppName, Lane>,
}

/// One app's places.
struct Lane {
    calls: Semaphore,
    binds: Semaphore,
}

/// Decodes `whsec_` and base64 of 24 to 64 bytes (Standard Webhooks, "Signature scheme").
pub fn decode_secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = Zeroizing::new(STANDARD.decode(text.trim().strip_prefix("whsec_")?).ok()?);
    (24..=64).contains(&bytes.len()).then_some(bytes)
}

/// A new secret.
pub fn generate_secret(entropy: &dyn Entropy) -> Zeroizing<String> {
    let mut bytes = Zeroizing::new([0u8; 32]);
    entropy.fill(&mut bytes[..]);
    Zeroizing::new(format!("whsec_{}", STANDARD.encode(&bytes[..])))
}

/// The signature of one message, as it stands in `webhook-signature`.
pub fn sign(secret: &[u8], id: &str, timestamp: i64, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(body);
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

impl Webhooks {
    /// Makes the client.
    ///
    /// # Errors
    /// TLS can't be set up: no root certificates.
    #[allow(
        clippy::disallowed_methods,
        reason = "the webhook's one client; the platforms have their own, in their room"
    )]
    pub fn new(
        hooks: HashMap<AppName, Webhook>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, BackEndError> {
        let https = hooks.values().any(|h| h.url.starts_with("https://"));
        let builder = reqwest::Client::builder()
            .user_agent(concat!("yaopai/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .http1_only();
        let builder = if https { builder } else { builder.tls_certs_only([]) };
        let client = builder.build().map_err(|e| BackEndError(format!("no HTTPS client: {}", e.without_url())))?;
        let lane = || Lane { calls: Semaphore::new(CALLS_MAX), binds: Semaphore::new(BINDS_MAX) };
        let lanes = hooks.keys().map(|app| (app.clone(), lane())).collect();
        Ok(Self { hooks, client, clock, entropy, lanes })
    }

    async fn call(
        &self,
        app: &App,
        kind: &str,
        data: Value,
        cookies: &[Cookie],
    ) -> Result<(Value, Vec<String>), BackEndError> {
        let hook = self.hooks.get(&app.name).ok_or_else(|| BackEndError("the app has no webhook".into()))?;
        let lane = self.lanes.get(&app.name).ok_or_else(|| BackEndError("the app has no webhook".into()))?;
        let full = |_| BackEndError("too many calls are under way".into());
        let _bind = if kind == "bind" { Some(lane.binds.try_acquire().map_err(full)?) } else { None };
        let _call = lane.calls.try_acquire().map_err(full)?;
        // Whoever verifies it compares it with a clock of their own.
        let now = self.clock.shown();
        let body = json!({ "type": kind, "timestamp": rfc3339(now), "data": data }).to_string();
        let mut random = [0u8; 16];
        self.entropy.fill(&mut random);
        let (id, timestamp) = (format!("msg_{}", hex::encode(random)), now.0 / 1000);
        let secret = decode_secret(hook.secret.expose()).ok_or_else(|| BackEndError("its secret is broken".into()))?;
        let mut request = self
            .client
            .post(&hook.url)
            .timeout(hook.timeout)
            .header("content-type", "application/json")
            .header("webhook-id", &id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", sign(&secret, &id, timestamp, body.as_bytes()))
            .body(body);
        if let Some(cookie) = cookie_field(hook, cookies) {
            request = request.header("cookie", cookie);
        }
        let failed = |e: reqwest::Error| BackEndError(format!("{kind}: {}", e.without_url()));
        let mut response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(BackEndError(format!("{kind}: status {}", response.status())));
        }
        let cookies = response
            .headers()
            .get_all("set-cookie")
            .iter()
            .take(LINES_MAX)
            .filter_map(|v| std::str::from_utf8(v.as_bytes()).ok())
            .map(str::to_owned)
            .collect();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len() + chunk.len() > ANSWER_MAX {
                return Err(BackEndError(format!("{kind}: the answer is larger than {ANSWER_MAX} bytes")));
            }
            answer.extend_from_slice(&chunk);
        }
        // `opened` may answer with nothing at all.
        if answer.is_empty() && kind == "opened" {
            return Ok((Value::Null, cookies));
        }
        let value = serde_json::from_slice(&answer)
            .map_err(|e| BackEndError(format!("{kind}: the answer is no JSON (column {})", e.column())))?;
        Ok((value, cookies))
    }
}

#[async_trait]
impl BackEnd for Webhooks {
    async fn resolve(&self, app: &App, openid: &str, unionid: Option<&str>) -> Result<Option<UserFound>, BackEndError> {
        let (answer, _) = self.call(app, "resolve", identity(app, openid, unionid), &[]).await?;
        // A missing `user` is a mistake over there, not a word: "unbound" must be said.
        match answer.get("user") {
            Some(Value::Null) => Ok(None),
            Some(user) => found("resolve", user, &answer).map(Some),
            None => Err(BackEndError("resolve: the answer has no `user` (null means unknown)".into())),
        }
    }

    async fn bind(
        &self,
        app: &App,
        openid: &str,
        unionid: Option<&str>,
        evidence: &Evidence,
    ) -> Result<BindVerdict, BackEndError> {
        let mut data = identity(app, openid, unionid);
        match evidence {
            Evidence::Form(form) => {
                data["way"] = json!("form");
                data["form"] = Value::Object(form.clone());
            }
            Evidence::Phone(phone) => {
                data["way"] = json!("phone");
                data["phone"] = json!({ "number": phone.number, "pure": phone.pure, "country": phone.country });
            }
            Evidence::BindCode { user, masked } => {
                data["way"] = json!("bind_code");
                data["bind_code"] = json!({ "user": user, "masked": masked });
            }
        }
        let (answer, _) = self.call(app, "bind", data, &[]).await?;
        match answer.get("user") {
            Some(Value::Null) => {
                let message = answer.get("message").or(answer.get("reason")).and_then(Value::as_str);
                Ok(BindVerdict::Rejected(message.map(shorten)))
            }
            Some(user) => found("bind", user, &answer).map(BindVerdict::User),
            None => Err(BackEndError("bind: the answer has no `user` (null means rejected)".into())),
        }
    }

    async fn opened(&self, app: &App, session: &Session, cookies: &[Cookie]) -> Result<Vec<String>, BackEndError> {
        let mut data = identity(app, &session.openid, session.unionid.as_deref());
        data["user"] = json!(session.user);
        data["session_id"] = json!(session.id.to_string());
        data["identity_id"] = json!(session.identity.to_string());
        self.call(app, "opened", data, cookies).await.map(|(_, cookies)| cookies)
    }
}

/// Its own cookies, and those of the upstreams that it is a part of, whose path is its own, as a header.
fn cookie_field(hook: &Webhook, cookies: &[Cookie]) -> Option<HeaderValue> {
    let url = reqwest::Url::parse(&hook.url).ok()?;
    let origin = Origin::new(url.host_str()?, url.path())?;
    let field = jar::header(cookies, To::Webhook(&origin, &hook.cookies_of), |_| {})?;
    let mut value = HeaderValue::from_bytes(field.as_bytes()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn identity(app: &App, openid: &str, unionid: Option<&str>) -> Value {
    let mut data = json!({ "app": app.name, "realm": app.realm, "openid": openid });
    if let Some(unionid) = unionid {
        data["unionid"] = json!(unionid);
    }
    data
}

fn found(kind: &str, user: &Value, answer: &Value) -> Result<UserFound, BackEndError> {
    let user = UserId::from_json(user)
        .ok_or_else(|| BackEndError(format!("{kind}: `user` must be a string of 1 to 128 bytes or an integer")))?;
    let claims = match answer.get("claims") {
        None | Some(Value::Null) => None,
        Some(claims) => Some(
            Claims::from_json(claims)
                .ok_or_else(|| BackEndError(format!("{kind}: `claims` must be an object of at most 1 KB")))?,
        ),
    };
    Ok(UserFound { user, claims })
}

fn shorten(message: &str) -> String {
    let end = (0..=MESSAGE_MAX.min(message.len())).rev().find(|i| message.is_char_boundary(*i)).unwrap_or(0);
    message[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks specification ("Signature scheme").
    #[test]
    fn the_specification_s_example() {
        let secret = decode_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            sign(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_message_is_cut_at_a_character() {
        assert_eq!(shorten(&"店".repeat(400)).chars().count(), 166);
        assert_eq!(shorten("no"), "no");
    }
}
