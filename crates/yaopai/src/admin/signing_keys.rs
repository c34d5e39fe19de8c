//! `/admin/v1/signing-keys`: the keys that sign JWTs. They are the whole server's and not a realm's, so they have a scope of their
//! own.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::audit::{Event, Kind};

use super::Admin;
use super::key::SigningKeyed;
use super::users::strictly;
use crate::api::answer::Refusal;
use crate::api::body::Fields;
use crate::rfc3339::rfc3339;

/// `GET`: each key, and what it does.
pub async fn list(State(admin): State<Admin>, _: SigningKeyed) -> Json<Value> {
    Json(object(&admin))
}

/// `POST …/rotate` `{at_once?}`: the next key is published now and signs later, unless one is on its way. `at_once`: it signs now,
/// the others are withdrawn, and what they have signed stops being good as soon as back ends look at the published set again.
pub async fn rotate(State(admin): State<Admin>, _: SigningKeyed, fields: Fields) -> Result<Json<Value>, Refusal> {
    strictly(&fields, &["at_once"])?;
    let at_once = match fields.value("at_once") {
        None => false,
        Some(Value::Bool(at_once)) => *at_once,
        Some(_) => return Err(Error::field("at_once", "true or false.").into()),
    };
    admin.issuer().rotate(at_once).await.map_err(Error::from)?;
    admin.service.tell(Event::new(Kind::SigningKey, if at_once { "at_once" } else { "next" }));
    Ok(Json(object(&admin)))
}

fn object(admin: &Admin) -> Value {
    let keys = admin.issuer().keys().roles();
    let keys: Vec<Value> = keys
        .iter()
        .map(|(key, role)| {
            json!({
                "kid": key.kid,
                "alg": key.alg.as_str(),
                "role": role.as_str(),
                "made_at": rfc3339(key.made_at),
                "signs_from": rfc3339(key.signs_from),
            })
        })
        .collect();
    json!({ "keys": keys })
}
