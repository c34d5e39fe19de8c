//! `/admin/v1/sessions` and `/admin/v1/users/{user}/sessions`: list and kick.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Acted, Filter, Subject};
use yaopai_core::service::Kick;
use yaopai_core::session::Session;
use yaopai_core::time::{Downtime, Timestamp};
use yaopai_wire::problem::Code;

use super::objects::EndedObject;
use super::op::{Answered, Asked, Call, Calls, NoContent, Op, SessionPath, Shown, UserPath, Verb, user_id};
use super::page;
use crate::config::Scope;
use crate::rfc3339::rfc3339;

const READS: &[Scope] = &[Scope::Read, Scope::Sessions];
const CHANGES: &[Scope] = &[Scope::Sessions];

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |verb, path, id, does, scopes, codes| Op { verb, path, id, does, scopes, codes };
    let (one, all) = ("/sessions/{session_id}", "/sessions");
    let invalid: &[Code] = &[Code::FieldInvalid];
    let unknown: &[Code] = &[Code::NotFound];
    calls
        .on(op(Verb::Get, all, "list_sessions", "Live sessions, oldest first.", READS, invalid), list)
        .on(op(Verb::Delete, all, "kick_sessions", "Ends all that this is true of.", CHANGES, KICK_CODES), kick_all)
        .on(op(Verb::Get, one, "read_session", "One session, ended or not.", READS, unknown), read)
        .on(op(Verb::Delete, one, "kick_session", "Ends one session.", CHANGES, unknown), kick)
        .on(
            op(Verb::Delete, "/users/{user}/sessions", "kick_user", "Ends all sessions of a user.", CHANGES, unknown),
            kick_user,
        )
}

const KICK_CODES: &[Code] = &[Code::FieldInvalid, Code::NotFound];

/// Which sessions to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsked {
    /// Of this user.
    user: Option<String>,
    /// Of this app.
    app: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many: 50; 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
struct Sessions {
    /// In order of when they were opened.
    sessions: Vec<SessionObject>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    next: Option<String>,
}

async fn list(call: Call, Asked(asked): Asked<ListAsked>) -> Answered<Shown<Sessions>> {
    let filter = Filter {
        subject: asked.user.as_deref().map(|u| Subject::User(u.into())),
        app: asked.app.as_deref().map(Into::into),
        after: page::after_session(asked.after.as_deref())?,
        limit: page::limit(asked.limit)?,
    };
    let (sessions, next) = call.service().admin_sessions(&call.realm, &filter).await?;
    let downtime = call.service().world().downtime.get();
    let sessions = sessions.iter().map(|s| SessionObject::of(s, downtime)).collect();
    Ok(Shown(Sessions { sessions, next: next.map(|id| id.to_string()) }))
}

async fn read(call: Call, SessionPath(id): SessionPath) -> Answered<Shown<SessionObject>> {
    let session = call.service().admin_session(&call.realm, id).await?;
    Ok(Shown(SessionObject::of(&session, call.service().world().downtime.get())))
}

/// When to answer.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Answers {
    /// `all`: once no node lets it pass any more, where there are many. Otherwise that takes `cluster.max_stale` from the answer on.
    #[param(inline)]
    wait: Option<Wait>,
}

/// For whom an answer waits.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Wait {
    /// All nodes.
    All,
}

impl Answers {
    /// Waits. By then every node has heard of what was done, or has heard nothing for so long that it believes nothing it knew before:
    /// it is as good as its word, and no node has to be asked for it.
    async fn when_settled(self, call: &Call) {
        if let (Some(Wait::All), Some(nodes)) = (self.wait, &call.service().world().nodes) {
            tokio::time::sleep(nodes.max_stale).await;
        }
    }
}

async fn kick(call: Call, (SessionPath(id), Asked(answers)): (SessionPath, Asked<Answers>)) -> Answered<NoContent> {
    let shows = |_: &Acted| Some(NoContent);
    let acted = call.service().admin_kick(&call.realm, id, call.keep(shows)).await?;
    answers.when_settled(&call).await;
    call.answer(acted, shows)
}

/// Which sessions to end: those that all of it is true of. At least one must be named.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Named {
    /// Of this user.
    user: Option<String>,
    /// Of this app.
    app: Option<String>,
    /// Of devices of this type.
    device_type: Option<String>,
    /// Opened at this instant (RFC 3339) or before.
    before: Option<String>,
    /// `all`: answer once no node lets them pass any more, where there are many.
    #[param(inline)]
    wait: Option<Wait>,
}

/// How many sessions ended.
#[derive(Serialize, ToSchema)]
struct EndedCount {
    /// So many.
    ended: u64,
}

async fn kick_all(call: Call, Asked(named): Asked<Named>) -> Answered<Shown<EndedCount>> {
    let Named { user, app, device_type, before, wait } = named;
    if user.is_none() && app.is_none() && device_type.is_none() && before.is_none() {
        // Everybody is logged out by `before`: never by a query that was forgotten.
        let detail = "Name a user, an app, a device type, or an instant for all before it.";
        return Err(Error::field("before", detail).into());
    }
    let (now, _) = call.service().now();
    let until = before.as_deref().map_or(Ok(now), instant)?.min(now);
    let user = user.as_deref().map(user_id).transpose()?;
    let kick = Kick { user, app: app.as_deref().map(Into::into), device_type, until };
    // How many ended before the last page is known only when that is reached.
    let once = call.once();
    let keep = move |before: u64| {
        once.map(|once| {
            once.keep(move |acted| match acted {
                Acted::Ended(ids) => Some(Shown(EndedCount { ended: before + ids.len() as u64 })),
                _ => None,
            })
        })
    };
    let (ended, acted) = call.service().admin_kick_all(&call.realm, kick, keep).await?;
    Answers { wait }.when_settled(&call).await;
    call.answer(acted, |_| Some(Shown(EndedCount { ended })))
}

fn instant(text: &str) -> Result<Timestamp, Error> {
    let at: Option<jiff::Timestamp> = text.parse().ok();
    at.map(|at| Timestamp(at.as_millisecond()))
        .ok_or_else(|| Error::field("before", "An instant as RFC 3339 writes it: 2026-11-27T08:30:00Z."))
}

async fn kick_user(
    call: Call,
    (UserPath(user), Asked(answers)): (UserPath, Asked<Answers>),
) -> Answered<Shown<EndedObject>> {
    let acted = call.service().admin_kick_user(&call.realm, user, call.keep(ended)).await?;
    answers.when_settled(&call).await;
    call.answer(acted, ended)
}

/// Which sessions ended.
pub(super) fn ended(acted: &Acted) -> Option<Shown<EndedObject>> {
    let Acted::Ended(ids) = acted else { return None };
    Some(Shown(EndedObject { ended: ids.iter().map(SessionId::to_string).collect() }))
}

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
struct SessionObject {
    /// A UUID.
    session_id: String,
    /// The app's name in the configuration.
    app: String,
    /// Our id of the account that opened it.
    identity_id: String,
    /// The platform's id of it in this app.
    openid: String,
    /// The platform's id of it over its apps, where there is one.
    #[schema(required = true)]
    unionid: Option<String>,
    /// Whose it is.
    #[schema(required = true)]
    user: Option<String>,
    /// What the client said of its device.
    device: DeviceObject,
    /// The client's own word: `develop`, `trial` or `release`.
    #[schema(required = true)]
    env_version: Option<String>,
    /// What its requests are signed with.
    key: String,
    /// When it was opened.
    #[schema(format = DateTime)]
    created_at: String,
    /// When the platform last vouched for it.
    #[schema(format = DateTime)]
    vouched_at: String,
    /// When it was last used.
    #[schema(format = DateTime)]
    last_seen_at: String,
    /// When it ends, used or not.
    #[schema(format = DateTime)]
    absolute_expires_at: String,
    /// How it ended. Null: it hasn't.
    #[schema(required = true)]
    ended: Option<EndObject>,
}

/// A device, by its client's word.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
struct DeviceObject {
    /// The client's own id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What limits by device type count.
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    /// For people to read.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

/// How a session ended.
#[derive(Serialize, ToSchema)]
#[schema(as = End)]
struct EndObject {
    /// Why.
    reason: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

impl SessionObject {
    fn of(s: &Session, downtime: Downtime) -> Self {
        Self {
            session_id: s.id.to_string(),
            app: s.app.to_string(),
            identity_id: s.identity.to_string(),
            openid: s.openid.clone(),
            unionid: s.unionid.clone(),
            user: s.user.as_ref().map(ToString::to_string),
            device: DeviceObject {
                id: s.device.id.clone(),
                r#type: s.device.kind.clone(),
                name: s.device.name.clone(),
            },
            env_version: s.env_version.map(|v| v.as_str().to_owned()),
            key: s.key.kind().to_owned(),
            created_at: rfc3339(s.created_at),
            vouched_at: rfc3339(s.vouched_at),
            last_seen_at: rfc3339(Timestamp(s.last_seen.0 + downtime.0)),
            absolute_expires_at: rfc3339(s.absolute_at),
            ended: s.ended.map(|e| EndObject { reason: e.reason.as_str().to_owned(), at: rfc3339(e.at) }),
        }
    }
}
