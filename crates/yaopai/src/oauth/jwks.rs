//! `/.well-known/jwks.json`: the public keys (RFC 7517).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header;
use serde_json::json;

use crate::admin::Admin;

/// `GET`, for everybody: public halves only. A key is here for some time before it signs, so it may be kept for that long.
pub async fn jwks(State(admin): State<Admin>) -> Response {
    let keys = admin.issuer().keys();
    let cache = format!("public, max-age={}", keys.max_age());
    ([(header::CACHE_CONTROL, cache)], Json(json!({ "keys": keys.published() }))).into_response()
}
