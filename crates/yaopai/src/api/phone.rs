//! `/yaopai/v1/phone`: the person's number, by the platform's word.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Api;
use super::answer::Refusal;
use super::body::Fields;
use super::caller::Caller;
use super::origin::Origin;

/// `POST /phone`
pub async fn redeem(
    State(api): State<Api>,
    Origin(from): Origin,
    caller: Caller,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let code = fields.text("code", 1..=512)?;
    let phone = api.service.phone(&caller.credentials, &code, from, caller.slide).await?;
    Ok(Json(json!({ "phone": phone.number })))
}
