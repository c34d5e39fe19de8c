//! `/admin/v1/users`: what is known of users, and what the back end says about them.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_core::ids::UserId;
use yaopai_core::ports::Acted;
use yaopai_core::session::Claims;
use yaopai_wire::problem::Code;

use super::objects::{EndedObject, IdentityObject, UserObject};
use super::op::{Answered, Asked, Body, Call, Calls, Fielded, NoContent, Op, Shown, UserPath, Verb};
use super::{page, sessions};
use crate::api::body::Fields;
use crate::config::Scope;
use crate::rfc3339::rfc3339;

const READS: &[Scope] = &[Scope::Read, Scope::Users];
const CHANGES: &[Scope] = &[Scope::Users];

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |verb, path, id, does, scopes, codes| Op { verb, path, id, does, scopes, codes };
    let (claims, disabled) = ("/users/{user}/claims", "/users/{user}/disabled");
    let invalid: &[Code] = &[Code::FieldInvalid];
    let none: &[Code] = &[Code::NotFound];
    calls
        .on(op(Verb::Get, "/users", "list_users", "Users of whom anything is known.", READS, invalid), list)
        .on(op(Verb::Get, "/users/{user}", "read_user", "What is known of a user.", READS, none), read)
        .on(op(Verb::Get, claims, "read_claims", "What was said about a user.", READS, none), read_claims)
        .on(op(Verb::Put, claims, "set_claims", "Says something about a user.", CHANGES, none), set_claims)
        .on(op(Verb::Delete, claims, "clear_claims", "Takes back what was said.", CHANGES, none), clear_claims)
        .on(op(Verb::Get, disabled, "read_disabled", "Since when a user is disabled.", READS, none), read_disabled)
        .on(op(Verb::Put, disabled, "disable_user", "The user's sessions end, and none opens.", CHANGES, none), disable)
        .on(op(Verb::Delete, disabled, "enable_user", "The user may log in again.", CHANGES, none), enable)
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsked {
    /// The `next` of the page before.
    after: Option<String>,
    /// How many: 50; 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of users.
#[derive(Serialize, ToSchema)]
struct Users {
    /// In byte order of their ids.
    users: Vec<UserObject>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    next: Option<String>,
}

async fn list(call: Call, Asked(asked): Asked<ListAsked>) -> Answered<Shown<Users>> {
    let limit = page::limit(asked.limit)?;
    let after = page::after_user(asked.after.as_deref())?;
    let mut users = call.service().admin_users(&call.realm, after.as_ref(), limit + 1).await?;
    let next = page::cut(&mut users, limit, |known| page::next_user(&known.user));
    Ok(Shown(Users { users: users.iter().map(UserObject::from).collect(), next }))
}

/// A user, and the identities that are bound to it.
#[derive(Serialize, ToSchema)]
struct UserRead {
    /// The user.
    user: UserObject,
    /// The first 200 of them; `GET /admin/v1/identities?user=` lists all.
    identities: Vec<IdentityObject>,
}

async fn read(call: Call, UserPath(user): UserPath) -> Answered<Shown<UserRead>> {
    let (known, identities) = call.service().admin_user(&call.realm, &user, page::PAGE_MAX).await?;
    let identities = identities.iter().map(IdentityObject::from).collect();
    Ok(Shown(UserRead { user: UserObject::from(&known), identities }))
}

/// What was said about a user.
#[derive(Serialize, ToSchema)]
struct ClaimsObject {
    /// Whom.
    user: String,
    /// What. Null: nothing.
    #[schema(required = true, value_type = Option<Object>)]
    claims: Option<Value>,
}

/// What is to be said: any object of at most 1 KB, written as JSON in ASCII.
#[derive(ToSchema)]
#[schema(value_type = Object)]
struct NewClaims(#[allow(dead_code, reason = "read in `of`")] Option<Claims>);

impl Fielded for NewClaims {
    fn of(fields: Fields) -> Result<Self, Error> {
        claims_of(Some(&Value::Object(fields.into_map()))).map(Self)
    }
}

async fn read_claims(call: Call, UserPath(user): UserPath) -> Answered<Shown<ClaimsObject>> {
    let claims = call.service().admin_claims(&call.realm, &user).await?;
    Ok(Shown(ClaimsObject { user: user.to_string(), claims: claims.map(|c| c.to_json()) }))
}

async fn set_claims(
    call: Call,
    (UserPath(user), Body(NewClaims(claims))): (UserPath, Body<NewClaims>),
) -> Answered<Shown<ClaimsObject>> {
    let (of, said) = (user.to_string(), claims.as_ref().map(Claims::to_json));
    let shows = move |_: &Acted| Some(Shown(ClaimsObject { user: of.clone(), claims: said.clone() }));
    let acted = call.service().admin_set_claims(&call.realm, user, claims, call.keep(shows.clone())).await?;
    call.answer(acted, shows)
}

async fn clear_claims(call: Call, UserPath(user): UserPath) -> Answered<NoContent> {
    let shows = |_: &Acted| Some(NoContent);
    let acted = call.service().admin_set_claims(&call.realm, user, None, call.keep(shows)).await?;
    call.answer(acted, shows)
}

/// Since when a user is disabled.
#[derive(Serialize, ToSchema)]
struct Disabled {
    /// Who.
    user: String,
    /// Since when. Null: the user isn't.
    #[schema(required = true, format = DateTime)]
    disabled_at: Option<String>,
}

async fn read_disabled(call: Call, UserPath(user): UserPath) -> Answered<Shown<Disabled>> {
    let at = call.service().admin_disabled_at(&call.realm, &user).await?;
    Ok(Shown(Disabled { user: user.to_string(), disabled_at: at.map(rfc3339) }))
}

async fn disable(call: Call, UserPath(user): UserPath) -> Answered<Shown<EndedObject>> {
    let acted = call.service().admin_disable(&call.realm, user, call.keep(sessions::ended)).await?;
    call.answer(acted, sessions::ended)
}

async fn enable(call: Call, UserPath(user): UserPath) -> Answered<NoContent> {
    let shows = |_: &Acted| Some(NoContent);
    let acted = call.service().admin_enable(&call.realm, user, call.keep(shows)).await?;
    call.answer(acted, shows)
}

/// The user in a field of a body.
pub(super) fn user_of(fields: &Fields, field: &'static str) -> Result<UserId, Error> {
    optional_user(fields, field)?.ok_or_else(|| not_a_user(field))
}

/// The same where it may be left out.
pub(super) fn optional_user(fields: &Fields, field: &'static str) -> Result<Option<UserId>, Error> {
    match fields.value(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => UserId::from_json(value).map(Some).ok_or_else(|| not_a_user(field)),
    }
}

fn not_a_user(field: &'static str) -> Error {
    Error::field(field, "A string of 1 to 128 bytes, or an integer.")
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
