//! `/admin/v1/bind-codes`: codes by which a user's phone is bound from a page that the user is logged in to.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde_json::json;

use super::Admin;
use super::key::Keyed;
use super::users::{strictly, user_of};
use crate::api::answer::Refusal;
use crate::api::body::Fields;

/// `POST /admin/v1/bind-codes` `{user, masked, app?}`
pub async fn make(State(admin): State<Admin>, Keyed(realm): Keyed, fields: Fields) -> Result<Response, Refusal> {
    strictly(&fields, &["user", "masked", "app"])?;
    let app = fields.optional_text("app", 1..=64)?;
    let (user, masked) = (user_of(&fields)?, fields.text("masked", 1..=128)?);
    let made = admin.service.admin_bind_code(&realm, user, masked, app.as_deref().map(Into::into)).await?;
    let body = json!({ "bind_code": *made.text, "expires_in": made.expires_in });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}
