//! `/admin/v1/apps/{app}/…`: what an app's platform gives to its back end.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, header};
use serde_json::json;

use super::Admin;
use super::key::TokenKeyed;
use crate::api::answer::Refusal;
use crate::api::path::Segment;

/// `GET /admin/v1/apps/{app}/access-token`: so that a team's other programs need not fight for it.
pub async fn access_token(
    State(admin): State<Admin>,
    TokenKeyed { realm, key }: TokenKeyed,
    Segment(app): Segment,
) -> Result<Response, Refusal> {
    let handed = admin.service.admin_access_token(&realm, &app.as_str().into()).await?;
    tracing::info!(%app, key, "an access_token was handed out");
    let body = Json(json!({ "access_token": *handed.token, "expires_in": handed.expires_in }));
    Ok(([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], body).into_response())
}
