//! `/yaopai/v1/sessions`: the user's own devices.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::time::Timestamp;
use yaopai_wire::problem::Code;

use super::answer::Refusal;
use super::path::Segment;
use super::{Api, no_content};
use crate::rfc3339::rfc3339;
use yaopai_wire::principal::slides;

/// `GET /sessions`
pub async fn list(State(api): State<Api>, headers: HeaderMap) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    let (who, sessions) = api.service.own_sessions(&token, slides(&headers)).await?;
    let downtime = api.service.world().downtime;
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
pub async fn kick(
    State(api): State<Api>,
    headers: HeaderMap,
    Segment(session_id): Segment,
) -> Result<Response, Refusal> {
    let token = api.token(&headers)?;
    let id = SessionId::parse(&session_id)
        .ok_or_else(|| Error::new(Code::NotFound, "The user has no live session of this id."))?;
    api.service.kick_own(&token, id, slides(&headers)).await?;
    Ok(no_content())
}
