//! Refusals of a check: the status, every principal header empty, and the refusal headers, because proxies drop bodies.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use yaopai_core::Error;
use yaopai_wire::original::NotOriginal;
use yaopai_wire::principal::STATUS;
use yaopai_wire::problem::Code;

use super::ask::NotAsked;
use super::{Checks, Proxy, principal, session_error};
use crate::api::answer::problem;

impl Checks {
    pub(super) fn refuse(&self, proxy: Proxy, error: Error) -> Response<Body> {
        self.metrics.check_refused(error.code);
        if error.code.status().is_server_error() {
            tracing::warn!(error = ?error, "a check failed");
        }
        let mut response = problem(&error, self.clock.now());
        let status = response.status();
        if proxy == Proxy::Nginx && status != StatusCode::UNAUTHORIZED && status != StatusCode::FORBIDDEN {
            response.headers_mut().insert(STATUS, HeaderValue::from(status.as_u16()));
            *response.status_mut() = StatusCode::FORBIDDEN;
        }
        principal::nobody(response.headers_mut());
        response
    }
}

/// A refusal by its code alone.
pub(super) fn because(code: Code) -> Error {
    match code {
        Code::HeaderForged => Error::new(code, "Remove the Yaopai-* identity header: only the server may set it."),
        Code::PathUnclean => Error::new(
            code,
            "Send a path without dot segments, //, ; and encoded slashes, or let the route allow them.",
        ),
        Code::TokenInQuery => Error::new(
            code,
            "URLs end up in logs: send the token as `Authorization: Bearer …`, and treat this one as lost.",
        ),
        Code::CarrierConflict => Error::new(code, "Send the token in exactly one place."),
        Code::NotFound => Error::new(
            code,
            "This listener answers checks: /check/nginx/…, /check/haproxy/…, /check/forward and /check/envoy/….",
        ),
        Code::AppNotAllowed => Error::new(code, "This route is for sessions of other apps."),
        code => session_error(code),
    }
}

pub(super) fn not_original(e: NotOriginal) -> Error {
    Error::new(Code::Malformed, format!("The proxy's configuration is at fault: {e}."))
}

pub(super) fn not_asked(e: NotAsked) -> Error {
    Error::new(
        Code::Malformed,
        format!("The proxy's configuration is at fault: {e}; docs/api.md lists what may be asked."),
    )
}

pub(super) fn no_audience() -> Error {
    Error::new(
        Code::Malformed,
        "The proxy's configuration is at fault: jwt= names no audience of the check's realm; [[audiences]] declares them.",
    )
}

pub(super) fn asked_by_client() -> Error {
    Error::new(
        Code::Malformed,
        "The check's query is the client's own: write what the check requires into the proxy's check URL, as in \
         /check/forward?require=bound.",
    )
}

pub(super) fn untrusted() -> Error {
    Error::new(Code::Malformed, "This peer is not among check.trusted_proxies, so its X-Forwarded-* are not believed.")
}
