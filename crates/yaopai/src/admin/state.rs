//! `/livez`, `/readyz`, `/metrics`: without a key, and without anything about users.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use serde_json::json;

use super::Admin;

/// Is the process there?
pub async fn livez() -> &'static str {
    "ok\n"
}

/// Can it do its work? The store must have taken a write lately and answer a read now.
pub async fn readyz(State(admin): State<Admin>) -> Response {
    let now = admin.service.world().clock.now();
    let written = now.0 - admin.health.upkept_at.load(Ordering::Relaxed) < 3 * admin.health.every_ms + 10_000;
    let read = admin.service.world().store.login(&[0; 32]).await.is_ok();
    let status = if written && read { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({
        "status": if status == StatusCode::OK { "ready" } else { "not_ready" },
        "store": { "read": read, "write": written },
        "development": admin.health.development,
        "version": env!("CARGO_PKG_VERSION"),
    });
    (status, Json(body)).into_response()
}

/// For Prometheus.
pub async fn metrics(State(admin): State<Admin>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (kind, admin.metrics.text()).into_response()
}
