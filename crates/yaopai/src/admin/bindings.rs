//! `/admin/v1/bindings`: which identity is which user.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_core::ids::UserId;
use yaopai_core::ports::{Acted, BindEnd, BindingFilter, Identity, UserFound};
use yaopai_core::session::Claims;
use yaopai_wire::problem::Code;

use super::op::{Answered, Asked, Body, Call, Calls, Fielded, IdentityPath, NoContent, Op, Shown, Verb, strictly};
use super::page;
use super::users::{claims_of, optional_user, user_of};
use crate::api::body::Fields;
use crate::config::Scope;
use crate::rfc3339::rfc3339;

const READS: &[Scope] = &[Scope::Read, Scope::Bindings];
const CHANGES: &[Scope] = &[Scope::Bindings];

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |verb, path, id, does, scopes, codes| Op { verb, path, id, does, scopes, codes };
    let (all, one, moved) = ("/bindings", "/bindings/{identity_id}", "/bindings/{identity_id}/move");
    let refused: &[Code] = &[Code::NotFound, Code::BindingConflict];
    let none: &[Code] = &[Code::NotFound];
    calls
        .on(op(Verb::Get, all, "list_bindings", "Accounts that are bound.", READS, &[Code::FieldInvalid]), list)
        .on(op(Verb::Post, all, "bind", "Binds an account; its sessions rise in place.", CHANGES, refused), bind)
        .on(op(Verb::Delete, one, "unbind", "Unbinds an account; its bound sessions end.", CHANGES, none), unbind)
        .on(
            op(Verb::Post, moved, "move_binding", "Takes an account from its user to another.", CHANGES, refused),
            move_binding,
        )
}

/// Which bindings: those that all of it is true of.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsked {
    /// Of this user.
    user: Option<String>,
    /// Of this app.
    app: Option<String>,
    /// Of the account with this openid.
    openid: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many: 50; 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of bindings.
#[derive(Serialize, ToSchema)]
struct Bindings {
    /// In order of their identities' ids.
    bindings: Vec<BindingObject>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    next: Option<String>,
}

/// An account that is bound.
#[derive(Serialize, ToSchema)]
#[schema(as = Binding)]
struct BindingObject {
    /// Our id of the account.
    identity_id: String,
    /// The app's name in the configuration.
    app: String,
    /// The platform's id of the account in this app.
    openid: String,
    /// The platform's id of it over its apps, where there is one.
    #[schema(required = true)]
    unionid: Option<String>,
    /// Whose it is.
    #[schema(required = true)]
    user: Option<String>,
    /// Since when.
    #[schema(required = true, format = DateTime)]
    bound_at: Option<String>,
}

impl From<&Identity> for BindingObject {
    fn from(i: &Identity) -> Self {
        Self {
            identity_id: i.id.to_string(),
            app: i.app.to_string(),
            openid: i.openid.clone(),
            unionid: i.unionid.clone(),
            user: i.user.as_ref().map(ToString::to_string),
            bound_at: i.bound_at.map(rfc3339),
        }
    }
}

async fn list(call: Call, Asked(asked): Asked<ListAsked>) -> Answered<Shown<Bindings>> {
    let limit = page::limit(asked.limit)?;
    let filter = BindingFilter {
        user: asked.user.as_deref().map(Into::into),
        app: asked.app.as_deref().map(Into::into),
        openid: asked.openid,
        after: page::after_identity(asked.after.as_deref())?,
        limit: limit + 1,
        ..BindingFilter::default()
    };
    let mut bindings = call.service().admin_bindings(&call.realm, &filter).await?;
    let next = page::cut(&mut bindings, limit, |i| i.id.to_string());
    Ok(Shown(Bindings { bindings: bindings.iter().map(BindingObject::from).collect(), next }))
}

/// Whom to bind to whom.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBinding {
    /// The app's name in the configuration.
    #[schema(min_length = 1, max_length = 64)]
    app: String,
    /// The account, which has logged in once.
    #[schema(min_length = 1, max_length = 128)]
    openid: String,
    /// The user: 1 to 128 bytes. An integer is taken as its decimal text.
    #[schema(value_type = String, min_length = 1)]
    user: UserId,
    /// What is said about the user. Left out: what was said stays.
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
}

impl Fielded for NewBinding {
    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["app", "openid", "user", "claims"])?;
        let (app, openid) = (fields.text("app", 1..=64)?, fields.text("openid", 1..=128)?);
        Ok(Self { app, openid, user: user_of(&fields, "user")?, claims: claims_of(fields.value("claims"))? })
    }
}

async fn bind(call: Call, Body(new): Body<NewBinding>) -> Answered<Shown<BindingObject>> {
    let NewBinding { app, openid, user, claims } = new;
    let found = UserFound { user, claims };
    let acted = call.service().admin_bind(&call.realm, &app.as_str().into(), &openid, found, call.keep(bound)).await?;
    call.answer(acted, bound)
}

fn bound(acted: &Acted) -> Option<Shown<BindingObject>> {
    let Acted::Bound(BindEnd::Bound(identity)) = acted else { return None };
    Some(Shown(BindingObject::from(&**identity)))
}

async fn unbind(call: Call, IdentityPath(id): IdentityPath) -> Answered<NoContent> {
    let shows = |acted: &Acted| matches!(acted, Acted::Unbound(true)).then_some(NoContent);
    let acted = call.service().admin_unbind(&call.realm, id, call.keep(shows)).await?;
    call.answer(acted, shows)
}

/// Where an account goes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    /// From this user only: if it is another's by then, nothing changes.
    #[schema(value_type = Option<String>, min_length = 1)]
    from: Option<UserId>,
    /// To whom: 1 to 128 bytes. An integer is taken as its decimal text.
    #[schema(value_type = String, min_length = 1)]
    user: UserId,
    /// What is said about that user. Left out: what was said stays.
    #[schema(value_type = Option<Object>)]
    claims: Option<Claims>,
}

impl Fielded for NewUser {
    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["from", "user", "claims"])?;
        let claims = claims_of(fields.value("claims"))?;
        Ok(Self { from: optional_user(&fields, "from")?, user: user_of(&fields, "user")?, claims })
    }
}

async fn move_binding(
    call: Call,
    (IdentityPath(id), Body(new)): (IdentityPath, Body<NewUser>),
) -> Answered<Shown<BindingObject>> {
    let NewUser { from, user, claims } = new;
    let to = UserFound { user, claims };
    let acted = call.service().admin_move(&call.realm, id, from, to, call.keep(bound)).await?;
    call.answer(acted, bound)
}
