//! `/admin/v1/audit`: the realm's part of the audit log, and the head of the whole.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use super::op::{Answered, Asked, Call, Calls, Op, Shown, Verb};
use super::page;
use crate::audit;
use crate::config::Scope;

pub(super) fn calls(calls: Calls) -> Calls {
    let op = |path, id, does, codes| Op { verb: Verb::Get, path, id, does, scopes: &[Scope::Audit], codes };
    calls
        .on(
            op("/audit", "list_events", "The realm's part of the audit log, from the oldest.", &[Code::FieldInvalid]),
            list,
        )
        .on(op("/audit/head", "audit_head", "The end of the whole chain, of all realms.", &[Code::NotFound]), head)
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListAsked {
    /// The `next` of the page before: a row's `seq`.
    after: Option<u64>,
    /// How many: 50; 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
struct Events {
    /// In order.
    events: Vec<EventObject>,
    /// Where the next page begins; null on the last.
    #[schema(required = true)]
    next: Option<u64>,
}

/// A row of the audit log. What does not apply is left out.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Event)]
struct EventObject {
    /// Counts over all realms.
    seq: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What happened. `unknown`: this version can't read it.
    kind: String,
    /// How it came out: `done`, `refused`, `suppressed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Why or how.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// How many, where it tells of more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    /// In which realm.
    #[serde(skip_serializing_if = "Option::is_none")]
    realm: Option<String>,
    /// In which app.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<String>,
    /// Which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    /// Which account.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_id: Option<String>,
    /// Who did it: `client`, `api_key`, `platform`, `operator`, `server`.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// The API key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Which session did it, if another.
    #[serde(skip_serializing_if = "Option::is_none")]
    by_session_id: Option<String>,
    /// Why personal fields are left out: `erased`, `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    personal: Option<String>,
    /// Whom it is about. Personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    /// From which address. Personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// On which device. Personal.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
}

async fn list(call: Call, Asked(asked): Asked<ListAsked>) -> Answered<Shown<Events>> {
    let limit = page::limit(asked.limit)?;
    let mut rows = call.service().admin_audit(&call.realm, asked.after.unwrap_or(0), limit + 1).await?;
    let next = page::cut(&mut rows, limit, |kept| kept.row.seq);
    let events: Result<Vec<_>, _> =
        rows.iter().map(|kept| read::<EventObject>(audit::row(&call.admin.scribe, kept))).collect();
    Ok(Shown(Events { events: events?, next }))
}

/// The end of the chain.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Head {
    /// The last row's number.
    seq: u64,
    /// The last row's MAC, in hex.
    mac: String,
    /// Now.
    #[schema(format = DateTime)]
    at: String,
}

async fn head(call: Call, (): ()) -> Answered<Shown<Head>> {
    let head = call.service().audit_head().await?;
    let head = head.ok_or_else(|| Error::new(Code::NotFound, "This server keeps no audit log."))?;
    let (now, _) = call.service().now();
    Ok(Shown(read(audit::head(&head, now))?))
}

/// What is exported and what the document says of it are one type.
fn read<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_json::from_value(value).map_err(|e| Error::new(Code::Internal, "Try again.").internal(e))
}
