//! The control API under `/_sim/…`: what [`SimHandle`] offers, over HTTP. JSON; unknown fields are refused.

mod bodies;
mod push;
mod wechat;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::{FromRequest, Path, Request, State as Shared},
    http::{
        StatusCode,
        header::{AUTHORIZATION, WWW_AUTHENTICATE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use self::bodies::Advance;
use crate::{Fault, SimError, SimHandle, simulator::Core};

pub(crate) fn routes(core: Arc<Core>) -> Router<Arc<Core>> {
    Router::new()
        .merge(wechat::routes())
        .merge(push::routes())
        .route("/faults", get(faults).post(set_fault).delete(clear_faults))
        .route("/faults/{id}", delete(clear_fault))
        .route("/counters", get(counters))
        .route("/clock", get(clock).post(advance))
        .route("/reset", post(reset))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "not_found", "the control API has no such path"))
        .method_not_allowed_fallback(async || {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path has other methods")
        })
        .layer(middleware::from_fn_with_state(core, authorize))
}

async fn authorize(Shared(core): Shared<Arc<Core>>, request: Request, next: Next) -> Response {
    let shown = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown =
        shown.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if shown.is_some_and(|(_, token)| core.control_token.matches(token)) {
        return next.run(request).await;
    }
    let message = "the control API needs `Authorization: Bearer <control token>`";
    let mut response = refusal(StatusCode::UNAUTHORIZED, "unauthorized", message);
    response.headers_mut().insert(WWW_AUTHENTICATE, axum::http::HeaderValue::from_static("Bearer"));
    response
}

fn refusal(status: StatusCode, error: &str, message: &str) -> Response {
    (status, Json(json!({"error": error, "message": message}))).into_response()
}

/// A refusal by the control API.
pub(crate) enum ControlError {
    Malformed(String),
    Sim(SimError),
    NotFound(&'static str),
}

impl From<SimError> for ControlError {
    fn from(error: SimError) -> Self {
        Self::Sim(error)
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, error, message) = match self {
            Self::Malformed(message) => (StatusCode::BAD_REQUEST, "malformed", message),
            Self::NotFound(what) => (StatusCode::NOT_FOUND, "not_found", what.to_owned()),
            Self::Sim(error) => {
                let (status, name) = match error {
                    SimError::UnknownApp(_) => (StatusCode::NOT_FOUND, "unknown_app"),
                    SimError::UnknownUser(_) => (StatusCode::NOT_FOUND, "unknown_user"),
                    SimError::AppMissing => (StatusCode::BAD_REQUEST, "app_missing"),
                    SimError::Exists(_) => (StatusCode::CONFLICT, "exists"),
                    SimError::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
                    SimError::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "too_many"),
                    SimError::NoSessionKey => (StatusCode::CONFLICT, "no_session_key"),
                    SimError::ClockNotManual => (StatusCode::CONFLICT, "clock_not_manual"),
                };
                (status, name, error.to_string())
            }
        };
        refusal(status, error, &message)
    }
}

pub(crate) type Answer<T = Json<Value>> = Result<T, ControlError>;

/// A JSON body, whatever its Content-Type; an empty one reads as `{}`. The message of a refusal names the unknown field.
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let bytes = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        let malformed = |error: serde_json::Error| ControlError::Malformed(error.to_string()).into_response();
        serde_json::from_slice(bytes).map(Self).map_err(malformed)
    }
}

pub(crate) fn handle(core: &Arc<Core>) -> SimHandle {
    SimHandle::new(Arc::clone(core))
}

async fn faults(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    Json(json!({"faults": handle(&core).faults()}))
}

async fn set_fault(Shared(core): Shared<Arc<Core>>, Body(fault): Body<Fault>) -> Answer<(StatusCode, Json<Value>)> {
    let id = handle(&core).set_fault(fault)?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

async fn clear_faults(Shared(core): Shared<Arc<Core>>) -> StatusCode {
    handle(&core).clear_faults();
    StatusCode::NO_CONTENT
}

async fn clear_fault(Shared(core): Shared<Arc<Core>>, Path(id): Path<u64>) -> Answer<StatusCode> {
    if handle(&core).clear_fault(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ControlError::NotFound("no fault of this number is on"))
    }
}

async fn counters(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    Json(json!(handle(&core).counters()))
}

async fn clock(Shared(core): Shared<Arc<Core>>) -> Json<Value> {
    Json(json!({"now_ms": handle(&core).now_ms()}))
}

async fn advance(Shared(core): Shared<Arc<Core>>, Body(body): Body<Advance>) -> Answer {
    let handle = handle(&core);
    handle.advance(std::time::Duration::from_millis(body.advance_ms))?;
    Ok(Json(json!({"now_ms": handle.now_ms()})))
}

async fn reset(Shared(core): Shared<Arc<Core>>) -> StatusCode {
    handle(&core).reset();
    StatusCode::NO_CONTENT
}
