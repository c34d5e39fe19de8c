//! Refusals as answers: RFC 9457 bodies, and the same in headers, because proxies drop bodies.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use yaopai_core::Error;
use yaopai_core::time::Timestamp;
use yaopai_wire::principal::{CODE, TIME};
use yaopai_wire::problem::{CONTENT_TYPE, Code, Problem};

use crate::rfc3339::rfc3339;

/// A refusal on its way out; what surrounds the handlers adds the clock, counts and logs it.
#[derive(Debug, Clone)]
pub struct Refusal(pub Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = body(&self.0);
        response.extensions_mut().insert(self);
        response
    }
}

/// A refusal, whole.
pub fn problem(error: &Error, now: Timestamp) -> Response {
    let mut response = body(error);
    response.extensions_mut().insert(Refusal(error.clone()));
    stamp(&mut response, now);
    response
}

/// Adds our clock: phone clocks lie.
pub fn stamp(response: &mut Response, now: Timestamp) {
    if let Ok(value) = HeaderValue::from_str(&rfc3339(now)) {
        response.headers_mut().insert(TIME, value);
    }
}

fn body(error: &Error) -> Response {
    let problem = Problem {
        field: error.field.map(str::to_owned),
        message: error.message.clone(),
        ..Problem::new(error.code, error.detail.as_ref())
    };
    let mut response = Response::new(Body::from(serde_json::to_vec(&problem).unwrap_or_default()));
    *response.status_mut() = error.code.status();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(CODE, HeaderValue::from_static(error.code.as_str()));
    if let Some(seconds) = error.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    // RFC 9110, section 11.6.1: a 401 names the scheme.
    if error.code.status() == http::StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"yaopai\""));
    }
    response
}

/// No such path.
pub async fn not_found() -> Refusal {
    Refusal(Error::new(Code::NotFound, "No such path; docs/api.md lists what there is."))
}

/// The path has other methods.
pub async fn method_not_allowed() -> Refusal {
    Refusal(Error::new(Code::MethodNotAllowed, "This path takes other methods; docs/api.md lists them."))
}
