//! `/admin/v1/audit`: the realm's part of the audit log, and the head of the whole.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use super::Admin;
use super::key::Keyed;
use super::page::limit;
use crate::api::answer::Refusal;
use crate::audit;

/// What a page of it takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    after: Option<u64>,
    limit: Option<u32>,
}

/// `GET /admin/v1/audit?after=&limit=`: in order, from the oldest that is kept. `after` is a row's `seq`.
pub async fn list(
    State(admin): State<Admin>,
    Keyed(realm): Keyed,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let Query(asked) = asked.map_err(|_| {
        Error::new(Code::FieldInvalid, "The query takes after (a row's seq) and limit, each at most once.")
    })?;
    let limit = limit(asked.limit)?;
    let rows = admin.service.admin_audit(&realm, asked.after.unwrap_or(0), limit).await?;
    let full = rows.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.last().filter(|_| full).map(|kept| kept.row.seq);
    let list: Vec<Value> = rows.iter().map(|kept| audit::row(&admin.scribe, kept)).collect();
    Ok(Json(json!({ "events": list, "next": next })))
}

/// `GET /admin/v1/audit/head`: of all realms' rows.
pub async fn head(State(admin): State<Admin>, Keyed(_): Keyed) -> Result<Json<Value>, Refusal> {
    let head = admin.service.audit_head().await?;
    let head = head.ok_or_else(|| Error::new(Code::NotFound, "This server keeps no audit log."))?;
    let (now, _) = admin.service.now();
    Ok(Json(audit::head(&head, now)))
}
