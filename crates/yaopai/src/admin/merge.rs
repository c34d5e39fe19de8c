//! `POST /admin/v1/bindings/merge`: all accounts of one person become one user's.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use yaopai_core::Error;
use yaopai_core::ids::UserId;
use yaopai_core::ports::{Acted, Identity, MergeConflict, MergeOutcome, Merged};
use yaopai_core::service::Merging;
use yaopai_wire::problem::Code;

use super::op::{Answered, Body, Call, Calls, Fielded, Op, Shown, Verb, strictly};
use super::users::optional_user;
use crate::api::body::Fields;
use crate::config::Scope;

pub(super) fn calls(calls: Calls) -> Calls {
    let merge_all = Op {
        verb: Verb::Post,
        path: "/bindings/merge",
        id: "merge_bindings",
        does: "Gives all accounts of one unionid to one user: all, or none.",
        scopes: &[Scope::Bindings],
        codes: &[Code::NotFound, Code::BindingConflict],
    };
    calls.on(merge_all, merge)
}

/// Which accounts, and whose they become.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMerge {
    /// The platform's id of the person.
    #[schema(min_length = 1, max_length = 128)]
    unionid: String,
    /// The open platform, as apps name it in the configuration.
    #[schema(min_length = 1, max_length = 128)]
    open_platform: String,
    /// Whose they become. Left out: the one user that they have; if they have none or several, nothing is guessed.
    #[schema(value_type = Option<String>, min_length = 1)]
    user: Option<UserId>,
    /// Only say what would be done.
    #[schema(value_type = Option<bool>)]
    dry_run: bool,
}

impl Fielded for NewMerge {
    fn of(fields: Fields) -> Result<Self, Error> {
        strictly(&fields, &["unionid", "open_platform", "user", "dry_run"])?;
        let dry_run = match fields.value("dry_run") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(dry_run)) => *dry_run,
            Some(_) => return Err(Error::field("dry_run", "This field takes true or false.")),
        };
        let (unionid, open_platform) = (fields.text("unionid", 1..=128)?, fields.text("open_platform", 1..=128)?);
        Ok(Self { unionid, open_platform, user: optional_user(&fields, "user")?, dry_run })
    }
}

/// What was done, or would be.
#[derive(Serialize, ToSchema)]
struct MergeDone {
    /// Was it done? False of a dry run.
    done: bool,
    /// Whose they are, or would be. Null: that isn't clear.
    #[schema(required = true)]
    user: Option<String>,
    /// Each account, in order of their ids.
    identities: Vec<MergeStep>,
}

/// One account of it.
#[derive(Serialize, ToSchema)]
struct MergeStep {
    /// Our id of it.
    identity_id: String,
    /// The app's name in the configuration.
    app: String,
    /// The platform's id of it in this app.
    openid: String,
    /// Whose it was before.
    #[schema(required = true)]
    was: Option<String>,
    /// What becomes of it.
    outcome: Step,
    /// What stands against it, where something does.
    #[schema(required = true)]
    conflict: Option<Conflict>,
}

/// What becomes of an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Step {
    /// It is the user's already.
    Kept,
    /// It had no user; its running sessions rise in place.
    Bound,
    /// It had another user; its bound sessions end.
    Moved,
    /// Nothing: see `conflict`.
    Conflict,
}

/// What stands against a merge.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Conflict {
    /// Nobody was named, and none of the accounts has a user.
    NoUser,
    /// Nobody was named, and the accounts have several users.
    SeveralUsers,
    /// The user would have two accounts of this app, which it does not allow.
    SecondIdentity,
}

impl From<&(Identity, MergeOutcome)> for MergeStep {
    fn from((identity, outcome): &(Identity, MergeOutcome)) -> Self {
        let (outcome, conflict) = match outcome {
            MergeOutcome::Kept => (Step::Kept, None),
            MergeOutcome::Bound => (Step::Bound, None),
            MergeOutcome::Moved => (Step::Moved, None),
            MergeOutcome::Conflict(MergeConflict::NoUser) => (Step::Conflict, Some(Conflict::NoUser)),
            MergeOutcome::Conflict(MergeConflict::SeveralUsers) => (Step::Conflict, Some(Conflict::SeveralUsers)),
            MergeOutcome::Conflict(MergeConflict::SecondIdentity) => (Step::Conflict, Some(Conflict::SecondIdentity)),
        };
        Self {
            identity_id: identity.id.to_string(),
            app: identity.app.to_string(),
            openid: identity.openid.clone(),
            was: identity.user.as_ref().map(ToString::to_string),
            outcome,
            conflict,
        }
    }
}

async fn merge(call: Call, Body(new): Body<NewMerge>) -> Answered<Shown<MergeDone>> {
    let NewMerge { unionid, open_platform, user, dry_run } = new;
    let shows = move |acted: &Acted| match acted {
        // What is refused is not kept.
        Acted::Merged(merged) if !merged.identities.is_empty() && (merged.done || dry_run) => {
            Some(Shown(shown(merged)))
        }
        _ => None,
    };
    let merging = Merging { unionid, open_platform, user, dry_run };
    let acted = call.service().admin_merge(&call.realm, merging, call.keep(shows)).await?;
    call.answer(acted, shows)
}

fn shown(merged: &Merged) -> MergeDone {
    MergeDone {
        done: merged.done,
        user: merged.user.as_ref().map(ToString::to_string),
        identities: merged.identities.iter().map(MergeStep::from).collect(),
    }
}
