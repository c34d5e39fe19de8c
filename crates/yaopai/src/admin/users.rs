//! `/admin/v1/users/{user}/claims` and `…/disabled`: what the back end says about a user.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::{USER_ID_MAX, UserId};
use yaopai_core::session::Claims;
use yaopai_wire::problem::Code;

use super::Admin;
use super::key::Keyed;
use crate::api::answer::Refusal;
use crate::api::body::Fields;
use crate::api::path::Segment;
use crate::rfc3339::rfc3339;

/// `GET`
pub async fn read_claims(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<Json<Value>, Refusal> {
    let claims = admin.service.admin_claims(&realm, &path_user(&user)?).await?;
    Ok(Json(json!({ "user": user, "claims": claims.map(|c| c.to_json()) })))
}

/// `PUT` `{…}`: the body is the claims; running sessions learn them at once.
pub async fn set_claims(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
    fields: Fields,
) -> Result<Json<Value>, Refusal> {
    let user = path_user(&user)?;
    let claims = claims_of(Some(&Value::Object(fields.into_map())))?;
    admin.service.admin_set_claims(&realm, &user, claims.clone()).await?;
    Ok(Json(json!({ "user": user, "claims": claims.map(|c| c.to_json()) })))
}

/// `DELETE`
pub async fn clear_claims(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<http::StatusCode, Refusal> {
    admin.service.admin_set_claims(&realm, &path_user(&user)?, None).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// `GET /admin/v1/users/{user}/disabled`: since when.
pub async fn disabled(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<Json<Value>, Refusal> {
    let at = admin.service.admin_disabled_at(&realm, &path_user(&user)?).await?;
    Ok(Json(json!({ "user": user, "disabled_at": at.map(rfc3339) })))
}

/// `PUT`: the user's sessions end, and no new one opens.
pub async fn disable(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<Json<Value>, Refusal> {
    let ended = admin.service.admin_disable(&realm, &path_user(&user)?).await?;
    let ended: Vec<String> = ended.iter().map(ToString::to_string).collect();
    Ok(Json(json!({ "ended": ended })))
}

/// `DELETE`: the user may log in again.
pub async fn enable(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(user): Segment,
) -> Result<http::StatusCode, Refusal> {
    admin.service.admin_enable(&realm, &path_user(&user)?).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

/// The `{user}` of a path.
pub(super) fn path_user(user: &str) -> Result<UserId, Error> {
    if !(1..=USER_ID_MAX).contains(&user.len()) {
        return Err(Error::new(Code::NotFound, "A user id has 1 to 128 bytes."));
    }
    Ok(UserId::from(user))
}

/// The `user` of a body.
pub(super) fn user_of(fields: &Fields) -> Result<UserId, Error> {
    let user = fields.value("user").and_then(UserId::from_json);
    user.ok_or_else(|| Error::field("user", "A string of 1 to 128 bytes, or an integer."))
}

/// The claims of a body, if there are any.
pub(super) fn claims_of(value: Option<&Value>) -> Result<Option<Claims>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => Claims::from_json(value)
            .map(Some)
            .ok_or_else(|| Error::field("claims", "An object of at most 1 KB, written as JSON in ASCII.")),
    }
}

/// In `/admin` an unknown field is refused: a misspelt one must not pass as none.
pub(super) fn strictly(fields: &Fields, known: &[&str]) -> Result<(), Error> {
    if fields.names().all(|n| known.contains(&n)) {
        return Ok(());
    }
    Err(Error::new(Code::FieldInvalid, format!("Unknown field; this call takes {}.", known.join(", "))))
}
