//! `/yaopai/v1/binding`: who the user is, by the back end's word.

mod preview;

pub use preview::preview;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;
use yaopai_core::Error;
use yaopai_core::service::Offer;

use super::answer::Refusal;
use super::body::Fields;
use super::caller::Caller;
use super::origin::Origin;
use super::session::login_object;
use super::{Api, no_content};

/// `POST /binding`
pub async fn bind(
    State(api): State<Api>,
    Origin(from): Origin,
    caller: Caller,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let request_id = fields.request_id()?;
    let granted = api.service.bind(&caller.credentials, &request_id, offer(&fields)?, from, caller.slide).await?;
    Ok(Json(login_object(&api, &granted)))
}

fn offer(fields: &Fields) -> Result<Offer, Error> {
    match fields.text("way", 1..=16)?.as_str() {
        "form" => {
            let form =
                fields.optional_object("form")?.ok_or_else(|| Error::field("form", "This field is required."))?;
            Ok(Offer::Form(form.into_map()))
        }
        "phone" => Ok(Offer::Phone(fields.text("code", 1..=512)?)),
        "bind_code" => Ok(Offer::BindCode(fields.text(preview::FIELD, preview::BYTES)?.into())),
        _ => Err(Error::field("way", "One of form, phone and bind_code.")),
    }
}

/// `DELETE /binding`
pub async fn unbind(State(api): State<Api>, caller: Caller) -> Result<Response, Refusal> {
    api.service.unbind(&caller.credentials, caller.slide).await?;
    Ok(no_content())
}
