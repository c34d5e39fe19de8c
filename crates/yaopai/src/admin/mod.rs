//! What back ends and operators call: `/admin/v1` with an API key of one realm, and the server's own state.

mod apps;
mod audit;
mod bind_codes;
mod bindings;
mod identities;
mod key;
mod merge;
mod moves;
mod objects;
mod op;
mod page;
mod sessions;
mod signing_keys;
mod state;
mod users;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use utoipa::openapi::OpenApi;
use yaopai_core::Service;
use yaopai_core::audit::{Actor, By, Scribe};

use crate::api::answer::{self, Refusal};
use crate::config::ApiKey;
use crate::listen::Peer;
use crate::oauth::{Issuer, discovery, introspect, jwks};
use crate::telemetry::Metrics;

pub use key::{Asking, generate as generate_key};

/// The largest form of an introspection in bytes.
const ASKED_MAX: usize = 16 << 10;

/// What the handlers need.
#[derive(Clone)]
pub struct Admin {
    service: Service,
    keys: Arc<Vec<ApiKey>>,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    scribe: Arc<Scribe>,
    in_flight: Arc<op::InFlight>,
    document: Arc<str>,
    issuer: Arc<Issuer>,
}

/// Whether the server can do its work.
#[derive(Debug)]
pub struct Health {
    /// Shown in `/readyz`, so that nobody runs development settings without noticing.
    pub development: bool,
    /// When upkeep last succeeded (milliseconds since the epoch): its writes went through the store's only writer.
    pub upkept_at: AtomicI64,
    /// How often it should (milliseconds).
    pub every_ms: i64,
}

impl Admin {
    /// Puts it together.
    pub fn new(
        service: Service,
        keys: Vec<ApiKey>,
        metrics: Arc<Metrics>,
        health: Arc<Health>,
        scribe: Arc<Scribe>,
        issuer: Arc<Issuer>,
    ) -> Self {
        let (in_flight, document) = (Arc::default(), document().to_pretty_json().unwrap_or_default().into());
        Self { service, keys: Arc::new(keys), metrics, health, scribe, in_flight, document, issuer }
    }

    /// What signs.
    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The services.
    pub(crate) fn service(&self) -> &Service {
        &self.service
    }

    /// The routes.
    pub fn router(self) -> Router {
        let (v1, _) = calls().done();
        Router::new()
            .nest("/admin/v1", v1)
            .route("/admin/v1/openapi.json", get(op::openapi))
            .route("/oauth2/introspect", post(introspect::introspect).layer(DefaultBodyLimit::max(ASKED_MAX)))
            .route("/.well-known/jwks.json", get(jwks::jwks))
            .route("/.well-known/oauth-authorization-server", get(discovery::document))
            .route("/.well-known/openid-configuration", get(discovery::document))
            .route("/livez", get(state::livez))
            .route("/readyz", get(state::readyz))
            .route("/metrics", get(state::metrics))
            .fallback(answer::not_found)
            .method_not_allowed_fallback(answer::method_not_allowed)
            .layer(from_fn_with_state(self.clone(), around))
            .with_state(self)
    }
}

/// Every call below `/admin/v1`.
fn calls() -> op::Calls {
    let calls = sessions::calls(op::Calls::new());
    let calls = users::calls(calls);
    let calls = identities::calls(calls);
    let calls = bindings::calls(calls);
    let calls = merge::calls(calls);
    let calls = bind_codes::calls(calls);
    let calls = audit::calls(calls);
    let calls = signing_keys::calls(calls);
    let calls = moves::calls(calls);
    apps::calls(calls)
}

/// The OpenAPI document of the admin API: made of the same calls as its routes.
pub fn document() -> OpenApi {
    calls().done().1
}

async fn around(State(admin): State<Admin>, request: Request, next: Next) -> Response {
    let from = match request.extensions().get().copied().unwrap_or(Peer::Local) {
        Peer::Ip(ip) => Some(ip.to_canonical()),
        Peer::Local => None,
    };
    // Whose key it is, is known when it was looked up.
    let mut response = By::actor(Actor::Client, from).scope(next.run(request)).await;
    if let Some(Refusal(error)) = response.extensions_mut().remove::<Refusal>() {
        if error.code.status().is_server_error() {
            tracing::warn!(error = ?error, "an admin call failed");
        } else {
            tracing::debug!(error = ?error, "an admin call was refused");
        }
        answer::stamp(&mut response, admin.service.world().clock.now());
    }
    response
}
