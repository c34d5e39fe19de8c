//! `/yaopai/v1/ticket`: for sockets, images and web-views.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::service::{Place, Purpose, TICKET_LIFE};

use super::Api;
use super::answer::Refusal;
use super::body::Fields;
use super::caller::Caller;

/// `POST /ticket`
pub async fn issue(State(api): State<Api>, caller: Caller, fields: Fields) -> Result<Json<Value>, Refusal> {
    let purpose = match fields.text("for", 1..=16)?.as_str() {
        "socket" => Purpose::Socket,
        "image" => Purpose::Image,
        "web-view" => Purpose::WebView,
        _ => return Err(Refusal(Error::field("for", "One of socket, image and web-view."))),
    };
    let place = Place::new(fields.text("authority", 1..=1024)?, fields.text("path", 1..=1024)?)?;
    let ticket = api.service.ticket(&caller.credentials, purpose, place, caller.slide).await?;
    Ok(Json(json!({ "ticket": ticket.reveal(), "expires_in": TICKET_LIFE.as_secs() })))
}
