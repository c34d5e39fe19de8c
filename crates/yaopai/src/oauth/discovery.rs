//! `/.well-known/oauth-authorization-server` (RFC 8414) and `/.well-known/openid-configuration`, the same by the name that more
//! libraries ask for: where the keys and the introspection are.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use crate::admin::Admin;
use crate::api::answer::Refusal;

/// `GET`, for everybody.
pub async fn document(State(admin): State<Admin>) -> Result<Json<Value>, Refusal> {
    let issuer = admin.issuer();
    let name = issuer.name.as_deref().ok_or_else(|| {
        Error::new(
            Code::NotFound,
            "This server has no [jwt] issuer in its configuration; docs/api.md says what it is for.",
        )
    })?;
    let mut algs: Vec<&str> = issuer.audiences.iter().map(|audience| audience.alg.as_str()).collect();
    algs.sort_unstable();
    algs.dedup();
    Ok(Json(json!({
        "issuer": name,
        "jwks_uri": format!("{name}/.well-known/jwks.json"),
        "introspection_endpoint": format!("{name}/oauth2/introspect"),
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        // We are no place to log in at: who vouches for a user is a platform.
        "response_types_supported": [],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": algs,
    })))
}
