//! `/yaopai/v1/session`: log in, read, refresh, log out.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::app::App;
use yaopai_core::service::{Granted, LoginRequest};
use yaopai_core::session::{Device, EnvVersion, Session};
use yaopai_core::time::Timestamp;
use yaopai_core::time::millis;

use super::answer::Refusal;
use super::body::Fields;
use super::{Api, no_content};
use crate::rfc3339::rfc3339;
use yaopai_wire::principal::slides;

/// `POST /session`
pub async fn login(State(api): State<Api>, fields: Fields) -> Result<Response, Refusal> {
    let request = LoginRequest {
        app: fields.text("app", 1..=64)?.as_str().into(),
        code: fields.text("code", 1..=512)?,
        request_id: fields.request_id()?,
        wants_key: fields.has("key"),
        device: device(&fields)?,
        env_version: env_version(&fields)?,
    };
    let granted = api.service.login(request).await?;
    Ok((StatusCode::CREATED, Json(login_object(&api, &granted))).into_response())
}

/// `GET /session`
pub async fn read(State(api): State<Api>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    let who = api.service.read(&token, slides(&headers)).await?;
    let (now, _) = api.service.now();
    Ok(Json(session_object(&api, &who.session, who.bound, &who.app, now)))
}

/// `POST /session/refresh`
pub async fn refresh(State(api): State<Api>, headers: HeaderMap, fields: Fields) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    let request_id = fields.request_id()?;
    let granted = match fields.optional_text("code", 1..=512)? {
        Some(code) => api.service.step_up(&token, &request_id, &code, slides(&headers)).await?,
        None => api.service.refresh(&token, &request_id, slides(&headers)).await?,
    };
    Ok(Json(login_object(&api, &granted)))
}

/// `DELETE /session`
pub async fn logout(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = api.token(&headers)?;
    api.service.logout(&token).await?;
    Ok(no_content())
}

/// What a login, a refresh and a bind answer with.
pub(super) fn login_object(api: &Api, granted: &Granted) -> Value {
    let (now, _) = api.service.now();
    let mut object = json!({});
    if let Some(token) = &granted.token {
        object["token"] = json!(token.reveal());
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
