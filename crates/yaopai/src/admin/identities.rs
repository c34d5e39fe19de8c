//! `/admin/v1/identities`: the accounts that platforms vouched for, bound or not.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yaopai_core::ports::BindingFilter;
use yaopai_wire::problem::Code;

use super::objects::IdentityObject;
use super::op::{Answered, Asked, Call, Calls, IdentityPath, Op, Shown, Verb};
use super::page;
use crate::config::Scope;

const READS: &[Scope] = &[Scope::Read, Scope::Bindings];

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |path, id, does, codes| Op { verb: Verb::Get, path, id, does, scopes: READS, codes };
    calls
        .on(op("/identities", "list_identities", "Accounts, bound or not.", &[Code::FieldInvalid]), list)
        .on(op("/identities/{identity_id}", "read_identity", "One account, and whose it is.", &[Code::NotFound]), read)
}

/// Which identities: those that all of it is true of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsked {
    /// Bound to this user.
    user: Option<String>,
    /// Of this app.
    app: Option<String>,
    /// With this openid.
    openid: Option<String>,
    /// With this unionid.
    unionid: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many: 50; 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of identities.
#[derive(Serialize, ToSchema)]
struct Identities {
    /// In order of their ids.
    identities: Vec<IdentityObject>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    next: Option<String>,
}

async fn list(call: Call, Asked(asked): Asked<ListAsked>) -> Answered<Shown<Identities>> {
    let limit = page::limit(asked.limit)?;
    let filter = BindingFilter {
        user: asked.user.as_deref().map(Into::into),
        app: asked.app.as_deref().map(Into::into),
        openid: asked.openid,
        unionid: asked.unionid,
        unbound_too: true,
        after: page::after_identity(asked.after.as_deref())?,
        limit: limit + 1,
    };
    let mut identities = call.service().admin_bindings(&call.realm, &filter).await?;
    let next = page::cut(&mut identities, limit, |i| i.id.to_string());
    Ok(Shown(Identities { identities: identities.iter().map(IdentityObject::from).collect(), next }))
}

async fn read(call: Call, IdentityPath(id): IdentityPath) -> Answered<Shown<IdentityObject>> {
    Ok(Shown(IdentityObject::from(&call.service().admin_identity(&call.realm, id).await?)))
}
