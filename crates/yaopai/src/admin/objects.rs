//! What several calls show, and what every refusal looks like.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use yaopai_core::ports::{Identity, KnownUser};
use yaopai_core::session::Claims;

use crate::rfc3339::rfc3339;

/// A WeChat account in an app, and whose it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Identity)]
pub struct IdentityObject {
    /// Our id of it: a UUID.
    identity_id: String,
    /// The app's name in the configuration.
    app: String,
    /// The platform's id of the account in this app.
    openid: String,
    /// The platform's id of the account over its apps, where there is one.
    #[schema(required = true)]
    unionid: Option<String>,
    /// The user that it is bound to.
    #[schema(required = true)]
    user: Option<String>,
    /// Since when it is bound.
    #[schema(required = true, format = DateTime)]
    bound_at: Option<String>,
    /// When it came to be known.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the platform last vouched for it. Null: not known, as of one that came in by a file.
    #[schema(required = true, format = DateTime)]
    vouched_at: Option<String>,
}

impl From<&Identity> for IdentityObject {
    fn from(i: &Identity) -> Self {
        Self {
            identity_id: i.id.to_string(),
            app: i.app.to_string(),
            openid: i.openid.clone(),
            unionid: i.unionid.clone(),
            user: i.user.as_ref().map(ToString::to_string),
            bound_at: i.bound_at.map(rfc3339),
            created_at: rfc3339(i.created_at),
            vouched_at: i.vouched_at.map(rfc3339),
        }
    }
}

/// What is known of a user.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserObject {
    /// The back end's own id.
    user: String,
    /// What the back end said about the user.
    #[schema(required = true, value_type = Option<Object>)]
    claims: Option<Value>,
    /// Since when the user is disabled.
    #[schema(required = true, format = DateTime)]
    disabled_at: Option<String>,
    /// How many identities are bound to it.
    identities: u64,
    /// How many of its sessions have not ended.
    sessions: u64,
}

impl From<&KnownUser> for UserObject {
    fn from(known: &KnownUser) -> Self {
        Self {
            user: known.user.to_string(),
            claims: known.claims.as_ref().map(Claims::to_json),
            disabled_at: known.disabled_at.map(rfc3339),
            identities: known.identities,
            sessions: known.sessions,
        }
    }
}

/// Which sessions ended by the call.
#[derive(Serialize, ToSchema)]
#[schema(as = Ended)]
pub struct EndedObject {
    /// Their ids.
    pub ended: Vec<String>,
}

/// A refusal (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
#[allow(dead_code, reason = "yaopai_wire::problem::Problem as it is written; a test compares them")]
pub struct ProblemObject {
    /// A URI reference that names the kind.
    r#type: String,
    /// The short text.
    title: String,
    /// The HTTP status again.
    status: u16,
    /// The stable code; docs/errors.md lists them.
    code: String,
    /// What to do.
    detail: String,
    /// Which field is at fault, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The back end's own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}
