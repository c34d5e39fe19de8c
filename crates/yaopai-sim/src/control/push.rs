//! Control of message push.

use std::sync::Arc;

use axum::{Json, Router, extract::State as Shared, routing::post};
use serde_json::json;

use super::{
    Answer, Body,
    bodies::{PushBody, VerifyBody},
    handle,
};
use crate::{Push, simulator::Core};

pub(super) fn routes() -> Router<Arc<Core>> {
    Router::new().route("/push", post(push)).route("/push/verify", post(verify))
}

/// Beside every sending, the last one's status, body and milliseconds, which is what one looks for by hand.
async fn push(Shared(core): Shared<Arc<Core>>, Body(body): Body<PushBody>) -> Answer {
    let handle = handle(&core);
    let PushBody { app, user, event, fields, times, tamper } = body;
    let app = handle.app_or_only(app.as_deref())?;
    let report = handle.push(&app, &Push { user, event, fields, times: times.unwrap_or(1), tamper }).await?;
    let last = report.tries.last();
    Ok(Json(json!({
        "accepted": report.accepted,
        "status": last.and_then(|last| last.status),
        "body": last.map(|last| &last.body),
        "ms": last.map(|last| last.ms),
        "resends": report.resends,
        "tries": report.tries,
    })))
}

async fn verify(Shared(core): Shared<Arc<Core>>, Body(body): Body<VerifyBody>) -> Answer {
    let handle = handle(&core);
    let app = handle.app_or_only(body.app.as_deref())?;
    Ok(Json(json!(handle.verify_push_url(&app, body.tamper).await?)))
}
