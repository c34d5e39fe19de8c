//! `/admin/v1/apps/{app}/…`: what an app's platform gives to its back end.

use serde::Serialize;
use utoipa::ToSchema;
use yaopai_wire::problem::Code;

use super::op::{Answered, AppPath, Call, Calls, NoStore, Op, Verb};
use crate::config::Scope;

pub(super) fn calls(calls: Calls) -> Calls {
    let token = Op {
        verb: Verb::Get,
        path: "/apps/{app}/access-token",
        id: "access_token",
        does: "The platform's access_token of an app, so that a team's other programs need not fight for it.",
        scopes: &[Scope::AccessToken],
        codes: &[Code::NotFound, Code::PlatformBusy, Code::PlatformUnavailable],
    };
    calls.on(token, access_token)
}

/// A platform's access_token.
#[derive(Serialize, ToSchema)]
struct AccessToken {
    /// The token.
    access_token: String,
    /// Seconds.
    expires_in: u64,
}

async fn access_token(call: Call, AppPath(app): AppPath) -> Answered<NoStore<AccessToken>> {
    let handed = call.service().admin_access_token(&call.realm, &app.as_str().into()).await?;
    tracing::info!(%app, key = call.key, "an access_token was handed out");
    Ok(NoStore(AccessToken { access_token: handed.token.to_string(), expires_in: handed.expires_in }))
}
