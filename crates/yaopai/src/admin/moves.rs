//! `/admin/v1/apps/{app}/move`: who of an app's people is on which side while it is being moved.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_core::ids::{AppName, UserId};
use yaopai_core::moving::{AppMove, LISTED_MAX, Share};
use yaopai_core::ports::Acted;
use yaopai_core::service::{MovedSoFar, Person};
use yaopai_wire::problem::Code;

use super::op::{Answered, AppPath, Asked, Body, Call, Calls, Fielded, NoContent, Op, Shown, Verb, strictly, user_id};
use crate::api::body::Fields;
use crate::config::Scope;

const READS: &[Scope] = &[Scope::Read, Scope::Move];
const CHANGES: &[Scope] = &[Scope::Move];
const OPENID_MAX: usize = 128;

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |verb, path, id, does, scopes, codes| Op { verb, path, id, does, scopes, codes };
    let (all, side) = ("/apps/{app}/move", "/apps/{app}/move/side");
    let none: &[Code] = &[Code::NotFound];
    let either: &[Code] = &[Code::NotFound, Code::FieldInvalid];
    calls
        .on(op(Verb::Get, all, "read_move", "Who of an app's people has moved.", READS, none), read)
        .on(op(Verb::Put, all, "set_move", "Says who of an app's people has moved.", CHANGES, none), set)
        .on(op(Verb::Delete, all, "end_move", "The app's move is over: everybody has moved.", CHANGES, none), end)
        .on(op(Verb::Get, side, "read_side", "On which side a person is, and by what.", READS, either), read_side)
}

/// The state of an app's move, and what it has done since the server's start.
#[derive(Serialize, ToSchema)]
#[schema(as = Move)]
struct MoveObject {
    /// The app's name in the configuration.
    app: String,
    /// Which part of its people has moved, in percent.
    share: f64,
    /// These have, whatever the share says.
    openids: Vec<String>,
    /// And so have these users.
    users: Vec<String>,
    /// Is everybody on the legacy side for now?
    back: bool,
    /// Logins of the app that were answered `not_moved`.
    stayed: u64,
    /// Refreshes that were.
    returned: u64,
    /// Requests of the old program's that the gateway's routes of the realm passed on, whichever app's.
    legacy_requests: u64,
}

async fn read(call: Call, AppPath(app): AppPath) -> Answered<Shown<MoveObject>> {
    let (state, so_far) = call.service().admin_app_move(&call.realm, &AppName::from(app.as_str())).await?;
    let AppMove { share, openids, users, back } = state;
    let MovedSoFar { stayed, returned, legacy_requests } = so_far;
    let (openids, users) = (openids.into_iter().collect(), users.iter().map(ToString::to_string).collect());
    Ok(Shown(MoveObject { app, share: share.percent(), openids, users, back, stayed, returned, legacy_requests }))
}

/// The whole state: what is left out is as if it had never been said.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMove {
    /// Which part of the app's people has moved, in percent, with two decimals at most. A growing share only adds people.
    #[schema(value_type = f64, minimum = 0, maximum = 100)]
    share: Share,
    /// These have, whatever the share says.
    #[schema(required = false, value_type = Vec<String>, max_items = 1000)]
    openids: BTreeSet<String>,
    /// And so have these users: 1 to 128 bytes. An integer is taken as its decimal text.
    #[schema(required = false, value_type = Vec<String>, max_items = 1000)]
    users: BTreeSet<UserId>,
    /// Everybody is on the legacy side for now, and the rest is kept for later.
    #[schema(required = false)]
    back: bool,
}

impl Fielded for NewMove {
    // Two lists of the longest names.
    const BODY_MAX: usize = 512 * 1024;

    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["share", "openids", "users", "back"])?;
        let share = fields.value("share").and_then(Value::as_f64).and_then(Share::of_percent);
        let share = share.ok_or_else(|| Error::field("share", "A number from 0 to 100 with two decimals at most."))?;
        let openid =
            |value: &Value| value.as_str().filter(|id| (1..=OPENID_MAX).contains(&id.len())).map(str::to_owned);
        let openids = list(&fields, "openids", openid, "A list of at most 1000 strings of 1 to 128 bytes.")?;
        let users = list(
            &fields,
            "users",
            UserId::from_json,
            "A list of at most 1000 strings of 1 to 128 bytes, or integers.",
        )?;
        let back = match fields.value("back") {
            None => false,
            Some(Value::Bool(back)) => *back,
            Some(_) => return Err(Error::field("back", "true or false.")),
        };
        Ok(Self { share, openids, users, back })
    }
}

fn list<T: Ord>(
    fields: &Fields,
    field: &'static str,
    one: impl Fn(&Value) -> Option<T>,
    takes: &'static str,
) -> Result<BTreeSet<T>, Error> {
    let wrong = || Error::field(field, takes);
    match fields.value(field) {
        None => Ok(BTreeSet::new()),
        Some(Value::Array(all)) if all.len() <= LISTED_MAX => {
            all.iter().map(|value| one(value).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

async fn set(call: Call, (AppPath(app), Body(new)): (AppPath, Body<NewMove>)) -> Answered<NoContent> {
    let NewMove { share, openids, users, back } = new;
    let state = AppMove { share, openids, users, back };
    let shows = |_: &Acted| Some(NoContent);
    let acted =
        call.service().admin_set_move(&call.realm, &AppName::from(app.as_str()), state, call.keep(shows)).await?;
    call.answer(acted, shows)
}

async fn end(call: Call, AppPath(app): AppPath) -> Answered<NoContent> {
    // Of a refusal nothing is kept.
    let shows = |acted: &Acted| (*acted != Acted::MoveEnded(false)).then_some(NoContent);
    let acted = call.service().admin_end_move(&call.realm, &AppName::from(app.as_str()), call.keep(shows)).await?;
    call.answer(acted, shows)
}

/// Whose side: one of them.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SideAsked {
    /// The account's of this openid.
    openid: Option<String>,
    /// This user's.
    user: Option<String>,
}

/// On which side a person is.
#[derive(Serialize, ToSchema)]
#[schema(as = MoveSide)]
struct SideObject {
    /// `yaopai`, or `legacy`: the old program's.
    side: &'static str,
    /// By what: `share`, `listed`, `back` or `no_move`.
    why: &'static str,
}

async fn read_side(
    call: Call,
    (AppPath(app), Asked(asked)): (AppPath, Asked<SideAsked>),
) -> Answered<Shown<SideObject>> {
    let person = match (asked.openid, asked.user) {
        (Some(openid), None) if (1..=OPENID_MAX).contains(&openid.len()) => Person::Openid(openid),
        (None, Some(user)) => Person::User(user_id(&user)?),
        (Some(_), None) => return Err(Error::field("openid", "1 to 128 bytes.").into()),
        _ => return Err(Error::new(Code::FieldInvalid, "Ask for one of openid and user.").into()),
    };
    let (side, why) = call.service().admin_side(&call.realm, &AppName::from(app.as_str()), &person).await?;
    Ok(Shown(SideObject { side: side.as_str(), why: why.as_str() }))
}
