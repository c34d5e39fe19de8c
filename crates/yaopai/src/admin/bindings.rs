//! `/admin/v1/bindings`: which identity is which user.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_core::ids::IdentityId;
use yaopai_core::ports::{BindingFilter, Identity, UserFound};
use yaopai_wire::problem::Code;

use super::Admin;
use super::key::Keyed;
use super::page::Page;
use super::users::{claims_of, strictly, user_of};
use crate::api::answer::Refusal;
use crate::api::body::Fields;
use crate::api::path::Segment;
use crate::rfc3339::rfc3339;

/// `GET /admin/v1/bindings?user=&app=&openid=&after=&limit=`
pub async fn list(State(admin): State<Admin>, Keyed(realm): Keyed, Page(asked): Page) -> Result<Json<Value>, Refusal> {
    let limit = asked.limit()?;
    let filter = BindingFilter {
        user: asked.user.as_deref().map(Into::into),
        app: asked.app.as_deref().map(Into::into),
        after: asked.after_identity()?,
        openid: asked.openid,
        limit,
    };
    let identities = admin.service.admin_bindings(&realm, &filter).await?;
    let full = identities.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = identities.last().filter(|_| full).map(|i| i.id.to_string());
    let list: Vec<Value> = identities.iter().map(object).collect();
    Ok(Json(json!({ "bindings": list, "next": next })))
}

/// `POST /admin/v1/bindings` `{app, openid, user, claims?}`: running sessions rise in place, their tokens unchanged.
pub async fn bind(State(admin): State<Admin>, Keyed(realm): Keyed, fields: Fields) -> Result<Json<Value>, Refusal> {
    strictly(&fields, &["app", "openid", "user", "claims"])?;
    let (app, openid) = (fields.text("app", 1..=64)?, fields.text("openid", 1..=128)?);
    let found = UserFound { user: user_of(&fields)?, claims: claims_of(fields.value("claims"))? };
    let identity = admin.service.admin_bind(&realm, &app.as_str().into(), &openid, found).await?;
    Ok(Json(object(&identity)))
}

/// `DELETE /admin/v1/bindings/{identity_id}`: its bound sessions end.
pub async fn unbind(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    Segment(id): Segment,
) -> Result<http::StatusCode, Refusal> {
    let id = IdentityId::parse(&id)
        .ok_or_else(|| Error::new(Code::NotFound, "The realm has no binding of this identity."))?;
    admin.service.admin_unbind(&realm, id).await?;
    Ok(http::StatusCode::NO_CONTENT)
}

fn object(i: &Identity) -> Value {
    json!({
        "identity_id": i.id.to_string(),
        "app": i.app,
        "openid": i.openid,
        "unionid": i.unionid,
        "user": i.user,
        "bound_at": i.bound_at.map(rfc3339),
    })
}
