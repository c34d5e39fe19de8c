//! What back ends and operators call: `/admin/v1` with an API key of one realm, and the server's own state.

mod apps;
mod audit;
mod bind_codes;
mod bindings;
mod key;
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
use axum::routing::{delete, get, post};
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
        Self { service, keys: Arc::new(keys), metrics, health, scribe, issuer }
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
        let v1 = Router::new()
            .route("/sessions", get(sessions::list).delete(sessions::kick_all))
            .route("/sessions/{session_id}", get(sessions::read).delete(sessions::kick))
            .route("/users/{user}/sessions", delete(sessions::kick_user))
            .route("/users/{user}/claims", get(users::read_claims).put(users::set_claims).delete(users::clear_claims))
            .route("/users/{user}/disabled", get(users::disabled).put(users::disable).delete(users::enable))
            .route("/apps/{app}/access-token", get(apps::access_token))
            .route("/audit", get(audit::list))
            .route("/audit/head", get(audit::head))
            .route("/signing-keys", get(signing_keys::list))
            .route("/signing-keys/rotate", post(signing_keys::rotate))
            .route("/bind-codes", post(bind_codes::make))
            .route("/bindings", get(bindings::list).post(bindings::bind))
            .route("/bindings/{identity_id}", delete(bindings::unbind));
        Router::new()
            .nest("/admin/v1", v1)
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
