//! What the mini program calls: `/yaopai/v1` on the public listener. One file a resource, as in the URL.

pub mod answer;
mod binding;
pub mod body;
mod caller;
mod decrypt;
mod digest;
mod json;
pub(crate) mod origin;
pub(crate) mod path;
mod phone;
mod session;
mod sessions;
mod ticket;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post};
use http::{HeaderValue, header};
use ipnet::IpNet;
use yaopai_core::audit::{Actor, By};
use yaopai_core::{Error, Service};
use yaopai_wire::carrier::{Carriers, Shown, holds_token};
use yaopai_wire::principal::BOUND;
use yaopai_wire::problem::Code;

use crate::listen::Peer;
use crate::push::{self, Pushes};
use crate::telemetry::Metrics;
use answer::Refusal;

/// How long one call may take, the slowest webhook and platform included.
const CALL_MAX: Duration = Duration::from_secs(30);

/// What the handlers need.
#[derive(Clone)]
pub struct Api {
    service: Service,
    carriers: Arc<Carriers>,
    /// Whose `X-Forwarded-For` is believed.
    proxies: Arc<[IpNet]>,
    /// What a proxy in front takes off the paths that clients call.
    stripped_prefix: Arc<str>,
    metrics: Arc<Metrics>,
    pushes: Pushes,
}

impl FromRef<Api> for Pushes {
    fn from_ref(api: &Api) -> Self {
        api.pushes.clone()
    }
}

impl Api {
    /// Puts it together.
    pub fn new(
        service: Service,
        carriers: Carriers,
        (proxies, stripped_prefix): (Vec<IpNet>, String),
        metrics: Arc<Metrics>,
        pushes: Pushes,
    ) -> Self {
        Self {
            service,
            carriers: Arc::new(carriers),
            proxies: proxies.into(),
            stripped_prefix: stripped_prefix.into(),
            metrics,
            pushes,
        }
    }

    /// The routes.
    pub fn router(self) -> Router {
        let v1 = Router::new()
            .route("/session", post(session::login).get(session::read).delete(session::logout))
            .route("/session/refresh", post(session::refresh))
            .route("/binding", post(binding::bind).delete(binding::unbind))
            .route("/binding/preview", post(binding::preview))
            .route("/phone", post(phone::redeem))
            .route("/ticket", post(ticket::issue))
            .route("/decrypt", post(decrypt::decrypt))
            .route("/push/{app}", get(push::verify).post(push::receive))
            .route("/sessions", get(sessions::list))
            .route("/sessions/{session_id}", delete(sessions::kick));
        Router::new()
            .nest("/yaopai/v1", v1)
            .fallback(answer::not_found)
            .method_not_allowed_fallback(answer::method_not_allowed)
            .layer(from_fn_with_state(self.clone(), around))
            .with_state(self)
    }
}

/// Around every call: no token in a URL, no body but the one that was signed, a time limit, the clock on refusals, nothing cached.
async fn around(State(api): State<Api>, request: Request, next: Next) -> Response {
    let now = || api.service.world().clock.now();
    let shown = api.carriers.read(request.headers());
    let peer = request.extensions().get().copied().unwrap_or(Peer::Local);
    let by = By::actor(Actor::Client, Some(origin::origin(peer, request.headers(), &api.proxies)));
    let mut response = if request.uri().query().is_some_and(holds_token) {
        let detail = "URLs end up in logs: send the token as `Authorization: Bearer …`, and treat this one as lost.";
        answer::problem(&Error::new(Code::TokenInQuery, detail), now())
    } else {
        let call = async move {
            match digest::checked(request).await {
                Ok(request) => next.run(request).await,
                Err(refusal) => refusal.into_response(),
            }
        };
        match tokio::time::timeout(CALL_MAX, by.scope(call)).await {
            Ok(response) => response,
            Err(_) => {
                let slow = Error::new(Code::Unavailable, "This took too long; try again.").retry_after(2);
                answer::problem(&slow, now())
            }
        }
    };
    match response.extensions_mut().remove::<Refusal>() {
        Some(Refusal(error)) => {
            api.metrics.call_refused(error.code);
            if error.code.status().is_server_error() {
                tracing::warn!(error = ?error, "a call failed");
            } else {
                tracing::debug!(error = ?error, "a call was refused");
            }
            answer::stamp(&mut response, now());
        }
        None => {
            api.metrics.call_done();
            // Asked after the call: what the client has just read is no news any more.
            if let Shown::Token(token, _) = shown
                && api.service.world().presence.risen(&token)
            {
                response.headers_mut().insert(BOUND, HeaderValue::from_static("1"));
            }
        }
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// 204.
fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = http::StatusCode::NO_CONTENT;
    response
}
