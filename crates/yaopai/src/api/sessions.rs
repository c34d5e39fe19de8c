//! `/yaopai/v1/sessions`: the user's own devices.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::time::Timestamp;
use yaopai_wire::problem::Code;

use super::answer::Refusal;
use super::caller::Caller;
use super::path::Segment;
use super::{Api, no_content};
use crate::rfc3339::rfc3339;

/// `GET /sessions`
pub async fn list(State(api): State<Api>, caller: Caller) -> Result<Json<Value>, Refusal> {
    let (who, sessions) = api.service.own_sessions(&caller.credentials, caller.slide).await?;
    let downtime = api.service.world().downtime.get();
    let list: Vec<Value> = sessions
        .iter()
        .map(|s| {
            json!({
                "session_id": s.id.to_string(),
                "current": s.id == who.session.id,
                "app": s.app,
                "device": s.device,
                "created_at": rfc3339(s.created_at),
                "last_seen_at": rfc3339(Timestamp(s.last_seen.0 + downtime.0)),
            })
        })
        .collect();
    Ok(Json(json!({ "sessions": list })))
}

/// `DELETE /sessions/{session_id}`
pub async fn kick(State(api): State<Api>, caller: Caller, Segment(session_id): Segment) -> Result<Response, Refusal> {
    let id = SessionId::parse(&session_id)
        .ok_or_else(|| Error::new(Code::NotFound, "The user has no live session of this id."))?;
    api.service.kick_own(&caller.credentials, id, caller.slide).await?;
    Ok(no_content())
}
