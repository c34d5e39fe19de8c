//! `/yaopai/v1/decrypt`: what the platform encrypted under the session_key.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use yaopai_core::ports::Encrypted;

use super::Api;
use super::answer::Refusal;
use super::body::Fields;
use super::caller::Caller;

/// `POST /decrypt`
pub async fn decrypt(State(api): State<Api>, caller: Caller, fields: Fields) -> Result<Json<Value>, Refusal> {
    // A body has 32 KB at most; an IV is 24 characters of base64.
    let sealed = Encrypted { data: fields.text("encrypted_data", 1..=32_000)?, iv: fields.text("iv", 1..=64)? };
    Ok(Json(api.service.decrypt(&caller.credentials, &sealed, caller.slide).await?))
}
