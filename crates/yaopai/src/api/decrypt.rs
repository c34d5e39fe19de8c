//! `/yaopai/v1/decrypt`: what the platform encrypted under the session_key.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde_json::Value;
use yaopai_core::ports::Encrypted;

use super::Api;
use super::answer::Refusal;
use super::body::Fields;
use yaopai_wire::principal::slides;

/// `POST /decrypt`
pub async fn decrypt(State(api): State<Api>, headers: HeaderMap, fields: Fields) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    // A body has 32 KB at most; an IV is 24 characters of base64.
    let sealed = Encrypted { data: fields.text("encrypted_data", 1..=32_000)?, iv: fields.text("iv", 1..=64)? };
    Ok(Json(api.service.decrypt(&token, &sealed, slides(&headers)).await?))
}
