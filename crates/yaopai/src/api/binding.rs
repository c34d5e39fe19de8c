//! `/yaopai/v1/binding`: who the user is, by the back end's word.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use serde_json::Value;
use yaopai_core::Error;
use yaopai_core::ports::Evidence;

use super::answer::Refusal;
use super::body::Fields;
use super::session::login_object;
use super::{Api, no_content};
use yaopai_wire::principal::slides;

/// `POST /binding`
pub async fn bind(State(api): State<Api>, headers: HeaderMap, fields: Fields) -> Result<Json<Value>, Refusal> {
    let token = api.token(&headers)?;
    let request_id = fields.request_id()?;
    let way = fields.text("way", 1..=16)?;
    if way != "form" {
        return Err(
            Error::field("way", "This server binds by `form`; `phone` and `bind_code` are not there yet.").into()
        );
    }
    let form = fields.optional_object("form")?.ok_or_else(|| Error::field("form", "This field is required."))?;
    let granted = api.service.bind(&token, &request_id, Evidence::Form(form.into_map()), slides(&headers)).await?;
    Ok(Json(login_object(&api, &granted)))
}

/// `DELETE /binding`
pub async fn unbind(State(api): State<Api>, headers: HeaderMap) -> Result<Response, Refusal> {
    let token = api.token(&headers)?;
    api.service.unbind(&token, slides(&headers)).await?;
    Ok(no_content())
}
