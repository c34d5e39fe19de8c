//! `/yaopai/v1/session`: log in, read, refresh, log out.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::app::App;
use yaopai_core::service::{Granted, GrantedKey, KeyWanted, LoginRequest};
use yaopai_core::session::{Device, EnvVersion, Session};
use yaopai_core::time::Timestamp;
use yaopai_core::time::millis;

use super::answer::Refusal;
use super::body::Fields;
use super::caller::Caller;
use super::origin::Origin;
use super::{Api, no_content};
use zeroize::Zeroizing;

use crate::rfc3339::rfc3339;

/// `POST /session`
pub async fn login(State(api): State<Api>, Origin(from): Origin, fields: Fields) -> Result<Response, Refusal> {
    let request = LoginRequest {
        app: fields.text("app", 1..=64)?.as_str().into(),
        code: fields.text("code", 1..=512)?,
        request_id: fields.request_id()?,
        key: key(&fields)?,
        from,
        device: device(&fields)?,
        env_version: env_version(&fields)?,
    };
    let granted = api.service.login(request).await?;
    Ok((StatusCode::CREATED, Json(login_object(&api, &granted))).into_response())
}

/// `GET /session`
pub async fn read(State(api): State<Api>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let who = api.service.read(&caller.credentials, caller.slide).await?;
    let (now, _) = api.service.now();
    Ok(Json(session_object(&api, &who.session, who.bound, &who.app, now)))
}

/// `POST /session/refresh`
pub async fn refresh(State(api): State<Api>, caller: Caller, fields: Fields) -> Result<Json<Value>, Refusal> {
    let request_id = fields.request_id()?;
    let granted = match fields.optional_text("code", 1..=512)? {
        Some(code) => api.service.step_up(&caller.credentials, &request_id, &code, caller.slide).await?,
        None => api.service.refresh(&caller.credentials, &request_id, caller.slide).await?,
    };
    Ok(Json(login_object(&api, &granted)))
}

/// `DELETE /session`
pub async fn logout(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    api.service.logout(&caller.credentials).await?;
    Ok(no_content())
}

/// What a login, a refresh and a bind answer with.
pub(super) fn login_object(api: &Api, granted: &Granted) -> Value {
    let (now, _) = api.service.now();
    let mut object = json!({});
    if let Some(token) = &granted.token {
        object["token"] = json!(token.reveal());
    }
    match &granted.key {
        Some(GrantedKey::Own(key)) => {
            object["key"] = json!({"alg": "hmac-sha256", "secret": &*Zeroizing::new(STANDARD.encode(&key[..]))});
        }
        // So that its client knows that it was heard: the requests must be signed.
        Some(GrantedKey::Platforms) => object["key"] = json!({"alg": "hmac-sha256"}),
        None => {}
    }
    if let (Value::Object(into), Value::Object(rest)) =
        (&mut object, session_object(api, &granted.session, granted.bound, &granted.app, now))
    {
        into.extend(rest);
    }
    object
}

/// The same without the token. Durations in seconds: phone clocks lie.
fn session_object(api: &Api, session: &Session, bound: bool, app: &App, now: Timestamp) -> Value {
    let expires_in = api.service.expires_in(session, app);
    let mut object = json!({
        "session_id": session.id.to_string(),
        "expires_in": expires_in,
        "refresh_in": (millis(app.policy.refresh_after) / 1000).min(i64::try_from(expires_in).unwrap_or(i64::MAX)),
        "absolute_expires_in": now.seconds_until(session.absolute_at),
        "bound": bound,
    });
    if bound && let Some(user) = &session.user {
        object["user"] = json!(user);
        if let Some(claims) = &session.claims {
            object["claims"] = claims.to_json();
        }
    }
    object["vouched_at"] = json!(rfc3339(session.vouched_at));
    object["server_time"] = json!(rfc3339(now));
    object
}

/// The kind of key that is asked for. Nothing in it is ignored: a client that asked for more must not get less.
fn key(fields: &Fields) -> Result<Option<KeyWanted>, Error> {
    let wrong =
        || Error::field("key", "Send {\"alg\": \"hmac-sha256\"} or {\"wechat\": {\"version\": N}}, and nothing else.");
    match fields.value("key") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(key)) if key.len() == 1 => match (key.get("alg"), key.get("wechat")) {
            (Some(Value::String(alg)), None) if alg == "hmac-sha256" => Ok(Some(KeyWanted::HmacSha256)),
            (None, Some(Value::Object(wechat))) if wechat.len() == 1 => {
                let version = wechat.get("version").and_then(Value::as_u64).and_then(|v| u32::try_from(v).ok());
                version.map(|version| Some(KeyWanted::WeChat(version))).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        },
        Some(_) => Err(wrong()),
    }
}

fn device(fields: &Fields) -> Result<Device, Error> {
    let Some(device) = fields.optional_object("device")? else { return Ok(Device::default()) };
    Ok(Device {
        id: device.optional_text("id", 1..=64).map_err(|e| named(e, "device.id"))?,
        kind: device.optional_text("type", 1..=32).map_err(|e| named(e, "device.type"))?,
        name: device.optional_text("name", 1..=64).map_err(|e| named(e, "device.name"))?,
    })
}

fn named(e: Error, field: &'static str) -> Error {
    Error { field: Some(field), ..e }
}

fn env_version(fields: &Fields) -> Result<Option<EnvVersion>, Error> {
    match fields.optional_text("env_version", 1..=16)?.as_deref() {
        None => Ok(None),
        Some("develop") => Ok(Some(EnvVersion::Develop)),
        Some("trial") => Ok(Some(EnvVersion::Trial)),
        Some("release") => Ok(Some(EnvVersion::Release)),
        Some(_) => Err(Error::field("env_version", "One of develop, trial and release, or leave it out.")),
    }
}
