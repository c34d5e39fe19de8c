//! `/admin/v1/sessions` and `/admin/v1/users/{user}/sessions`: list and kick.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Filter, Subject};
use yaopai_core::service::Kick;
use yaopai_core::session::Session;
use yaopai_core::time::{Downtime, Timestamp};
use yaopai_wire::problem::Code;

use super::Admin;
use super::key::Keyed;
use super::page::Page;
use super::users::path_user;
use crate::api::answer::Refusal;
use crate::api::path::Segment;
use crate::rfc3339::rfc3339;

/// `GET /admin/v1/sessions?user=&app=&after=&limit=`: live sessions, oldest first.
pub async fn list(State(admin): State<Admin>, Keyed(realm): Keyed, Page(asked): Page) -> Result<Json<Value>, Refusal> {
    if asked.openid.is_some() {
        return Err(Error::field("openid", "Sessions are listed by user and app.").into());
    }
    let limit = asked.limit()?;
    let filter = Filter {
        subject: asked.user.as_deref().map(|u| Subject::User(u.into())),
        app: asked.app.as_deref().map(Into::into),
        after: asked.after_session()?,
        limit,
    };
    let (sessions, next) = admin.service.admin_sessions(&realm, &filter).await?;
    let list: Vec<Value> = sessions.iter().map(|s| object(s, admin.service.world().downtime)).collect();
    Ok(Json(json!({ "sessions": list, "next": next.map(|id| id.to_string()) })))
}

/// `GET /admin/v1/sessions/{session_id}`: one, ended or not.
pub async fn read(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(id): Segment,
) -> Result<Json<Value>, Refusal> {
    let session = admin.service.admin_session(&realm, parse(&id)?).await?;
    Ok(Json(object(&session, admin.service.world().downtime)))
}

/// `DELETE /admin/v1/sessions/{session_id}`: kick.
pub async fn kick(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(id): Segment,
) -> Result<http::StatusCode, Refusal> {
    admin.service.admin_kick(&realm, parse(&id)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// What is to be ended.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    user: Option<String>,
    app: Option<String>,
    device_type: Option<String>,
    before: Option<String>,
}

/// `DELETE /admin/v1/sessions?user=&app=&device_type=&before=`: kick those that all of it is true of.
pub async fn kick_all(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    named: Result<Query<Named>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let Query(Named { user, app, device_type, before }) = named.map_err(|_| {
        Error::new(Code::FieldInvalid, "The query takes user, app, device_type and before, each at most once.")
    })?;
    if user.is_none() && app.is_none() && device_type.is_none() && before.is_none() {
        // Everybody is logged out by `before`: never by a query that was forgotten.
        return Err(
            Error::field("before", "Name a user, an app, a device type, or an instant for all before it.").into()
        );
    }
    let (now, _) = admin.service.now();
    let until = before.as_deref().map_or(Ok(now), instant)?.min(now);
    let user = user.as_deref().map(path_user).transpose()?;
    let kick = Kick { user, app: app.as_deref().map(Into::into), device_type, until };
    let ended = admin.service.admin_kick_all(&realm, kick).await?;
    Ok(Json(json!({ "ended": ended })))
}

fn instant(text: &str) -> Result<Timestamp, Error> {
    let at: Option<jiff::Timestamp> = text.parse().ok();
    at.map(|at| Timestamp(at.as_millisecond()))
        .ok_or_else(|| Error::field("before", "An instant as RFC 3339 writes it: 2026-11-27T08:30:00Z."))
}

/// `DELETE /admin/v1/users/{user}/sessions`: kick all of a user's.
pub async fn kick_user(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<Json<Value>, Refusal> {
    let ended = admin.service.admin_kick_user(&realm, path_user(&user)?).await?;
    let ended: Vec<String> = ended.iter().map(ToString::to_string).collect();
    Ok(Json(json!({ "ended": ended })))
}

fn parse(id: &str) -> Result<SessionId, Error> {
    SessionId::parse(id).ok_or_else(|| Error::new(Code::NotFound, "The realm has no session of this id."))
}

fn object(s: &Session, downtime: Downtime) -> Value {
    json!({
        "session_id": s.id.to_string(),
        "app": s.app,
        "identity_id": s.identity.to_string(),
        "openid": s.openid,
        "unionid": s.unionid,
        "user": s.user,
        "device": s.device,
        "env_version": s.env_version.map(|v| v.as_str()),
        "key": s.key.kind(),
        "created_at": rfc3339(s.created_at),
        "vouched_at": rfc3339(s.vouched_at),
        "last_seen_at": rfc3339(Timestamp(s.last_seen.0 + downtime.0)),
        "absolute_expires_at": rfc3339(s.absolute_at),
        "ended": s.ended.map(|e| json!({ "reason": e.reason, "at": rfc3339(e.at) })),
    })
}
