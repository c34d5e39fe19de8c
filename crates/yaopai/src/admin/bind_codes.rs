//! `/admin/v1/bind-codes`: codes by which a user's phone is bound from a page that the user is logged in to.

use serde::Serialize;
use utoipa::ToSchema;
use yaopai_core::Error;
use yaopai_core::ids::UserId;
use yaopai_core::ports::{Acted, Action};
use yaopai_wire::problem::Code;

use super::op::{Answered, Body, Call, Calls, Created, Fielded, Op, Verb, strictly};
use super::users::user_of;
use crate::api::body::Fields;
use crate::config::Scope;

pub(super) fn calls(calls: Calls) -> Calls {
    let made = Op {
        verb: Verb::Post,
        path: "/bind-codes",
        id: "make_bind_code",
        does: "Makes a code by which a phone is bound to the user.",
        scopes: &[Scope::Bindings],
        codes: &[Code::FieldInvalid],
    };
    calls.on(made, make)
}

/// Whom the code is for.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct NewBindCode {
    /// The user: 1 to 128 bytes. An integer is taken as its decimal text.
    #[schema(value_type = String, min_length = 1)]
    user: UserId,
    /// What the person sees before confirming.
    #[schema(min_length = 1, max_length = 128)]
    masked: String,
    /// Good in this app only. Left out: in every app of the realm.
    #[schema(min_length = 1, max_length = 64)]
    app: Option<String>,
}

impl Fielded for NewBindCode {
    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["user", "masked", "app"])?;
        let app = fields.optional_text("app", 1..=64)?;
        Ok(Self { user: user_of(&fields, "user")?, masked: fields.text("masked", 1..=128)?, app })
    }
}

/// A code that was made.
#[derive(Serialize, ToSchema)]
struct BindCodeMade {
    /// For the QR code.
    bind_code: String,
    /// Seconds.
    expires_in: u64,
}

async fn make(call: Call, Body(new): Body<NewBindCode>) -> Answered<Created<BindCodeMade>> {
    let NewBindCode { user, masked, app } = new;
    let (made, code) = call.service().admin_bind_code(&call.realm, user, masked, app.as_deref().map(Into::into))?;
    let made = std::sync::Arc::new(made);
    let shows =
        move |_: &Acted| Some(Created(BindCodeMade { bind_code: made.text.to_string(), expires_in: made.expires_in }));
    let keep = call.keep(shows.clone());
    let acted = call.service().admin_act(&call.realm, Action::KeepBindCode(code), keep).await?;
    call.answer(acted, shows)
}
