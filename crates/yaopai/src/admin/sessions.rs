//! `/admin/v1/sessions` and `/admin/v1/users/{user}/sessions`: list and kick.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Filter, Subject};
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
        "created_at": rfc3339(s.created_at),
        "vouched_at": rfc3339(s.vouched_at),
        "last_seen_at": rfc3339(Timestamp(s.last_seen.0 + downtime.0)),
        "absolute_expires_at": rfc3339(s.absolute_at),
        "ended": s.ended.map(|e| json!({ "reason": e.reason, "at": rfc3339(e.at) })),
    })
}
