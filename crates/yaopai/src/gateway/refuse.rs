//! Refusals of the gateway.
//!
//! Once an upstream may have seen a request, none of the codes after which clients send any request again: `unavailable`,
//! `backend_unavailable`, `rate_limited`, `internal`.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use super::Gateway;
use super::body::Broken;
use crate::api::answer::problem;

impl Gateway {
    pub(super) fn refuse(&self, error: &Error) -> Response<Body> {
        self.metrics.gateway_refused(error.code);
        if error.code.status().is_server_error() {
            tracing::warn!(error = ?error, "a request was not passed on, or not answered");
        } else {
            tracing::debug!(error = ?error, "a request was refused");
        }
        let mut response = problem(error, self.clock.now());
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // What follows a request that could be read in two ways is not read at all. (Of HTTP/2 hyper leaves this out.)
        if matches!(error.code, Code::Malformed | Code::HeaderForged) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

/// No address of the upstream took the connection: it has seen nothing.
pub(super) fn unreachable() -> Error {
    Error::new(Code::BackendUnavailable, "The back end can't be reached; nothing was sent to it.").retry_after(2)
}

/// As many requests are at the upstream as may be.
pub(super) fn full() -> Error {
    Error::new(Code::BackendUnavailable, "Too many requests are at the back end; try again.").retry_after(1)
}

/// The connection broke after the request had gone there.
pub(super) fn failed() -> Error {
    Error::new(
        Code::UpstreamFailed,
        "The back end broke off; it may have done what was asked, so look before you ask again.",
    )
}

/// It didn't begin to answer in time.
pub(super) fn too_slow() -> Error {
    Error::new(
        Code::UpstreamTimeout,
        "The back end did not answer in time; it may do what was asked all the same, so look before you ask again.",
    )
}

/// The session ended while the upstream had the request.
pub(super) fn ended() -> Error {
    Error::new(Code::UpstreamFailed, "The session ended while the back end had the request.")
}

/// Its cookies could not be kept, and without them its session over there would be lost.
pub(super) fn not_kept() -> Error {
    Error::new(
        Code::UpstreamFailed,
        "The back end answered, but what it set could not be kept; look before you ask again.",
    )
}

/// The body isn't what was signed.
pub(super) fn other_body() -> Error {
    Error::new(Code::ProofInvalid, "The body is not the one that Content-Digest names: send what was signed.")
}

/// The body of a request to read can't be passed on: nobody knows how long it is.
pub(super) fn no_length() -> Error {
    Error::new(Code::Malformed, "Give the body a Content-Length, or send none with this method; nothing was sent on.")
}

/// A body came that no signature covers.
pub(super) fn unsigned_body() -> Error {
    Error::new(Code::BodyDigestRequired, "Send Content-Digest and sign it, or send no body with this method.")
}

/// Why a body did not go on to its end. The upstream has seen its beginning, and knows that it was no more.
pub(super) fn broken(why: Broken) -> Error {
    match why {
        Broken::OtherBody => other_body(),
        Broken::Ended => ended(),
        Broken::Slow => Error::new(Code::Malformed, "The request's body did not arrive: it was too slow."),
        Broken::Client => Error::new(Code::Malformed, "The request's body broke off."),
    }
}
