//! `/yaopai/v1/phone`: the person's number, by the platform's word.

use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use serde_json::{Value, json};

use super::Api;
use super::answer::Refusal;
use super::body::Fields;
use yaopai_wire::principal::slides;

/// `POST /phone`
pub async fn redeem(State(api): State<Api>, headers: HeaderMap, fields: Fields) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    let code = fields.text("code", 1..=512)?;
    let phone = api.service.phone(&token, &code, slides(&headers)).await?;
    Ok(Json(json!({ "phone": phone.number })))
}
