//! `/yaopai/v1/binding/preview`: whose account a bind code is for, before the person confirms.

use std::ops::RangeInclusive;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::Api;
use super::super::answer::Refusal;
use super::super::body::Fields;
use super::super::caller::Caller;
use super::super::origin::Origin;

pub(super) const FIELD: &str = "bind_code";
pub(super) const BYTES: RangeInclusive<usize> = 1..=64;

/// `POST /binding/preview`
pub async fn preview(
    State(api): State<Api>,
    Origin(from): Origin,
    caller: Caller,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let bind_code = fields.text(FIELD, BYTES)?;
    let previewed = api.service.preview(&caller.credentials, &bind_code, from, caller.slide).await?;
    Ok(Json(json!({ "masked": previewed.masked, "expires_in": previewed.expires_in })))
}
