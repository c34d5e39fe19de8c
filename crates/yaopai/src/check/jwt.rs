//! JWTs in a check's answer: `Authorization: Bearer …`, where the check's URL says for whom.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::Error;
use yaopai_core::ids::SessionId;
use yaopai_core::proof::Proven;

use super::{Ask, Checks, Principal, principal, refuse};
use crate::oauth::Wanted;

/// The answer of a check that passes, for hyper. Where a JWT was asked for and there is none, the header is there and empty: a proxy
/// that copies always overwrites what the client sent.
pub fn response(
    principal: &Principal,
    id: SessionId,
    proven: Proven,
    authorization: Option<&HeaderValue>,
) -> Response<Body> {
    let mut response = principal.response(id, proven);
    if let Some(authorization) = authorization {
        response.headers_mut().insert(header::AUTHORIZATION, authorization.clone());
    }
    response
}

/// The same as bytes on the wire.
pub fn write(authorization: Option<&HeaderValue>, to: &mut Vec<u8>) {
    if let Some(authorization) = authorization {
        to.extend_from_slice(b"authorization: ");
        to.extend_from_slice(authorization.as_bytes());
        to.extend_from_slice(b"\r\n");
    }
}

/// The answer of an open check without a session.
pub(super) fn guest(wanted: Option<Wanted>) -> Response<Body> {
    let mut response = principal::guest();
    if wanted.is_some() {
        response.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static(""));
    }
    response
}

/// The check's URL names an audience that the realm doesn't have.
pub(super) struct NoAudience;

impl Checks {
    /// Who the JWT is for that a check asks for, if it does. An unknown one is refused as misspelt.
    pub(super) fn wanted(&self, ask: &Ask<'_>) -> Result<Option<Wanted>, NoAudience> {
        let Some(name) = ask.jwt else { return Ok(None) };
        self.issuer.audience(name, ask.realm).map(Some).ok_or(NoAudience)
    }

    /// What `Authorization` is to be, if a JWT is asked for, off the fast path: here it may be signed.
    pub(super) fn authorization(
        &self,
        ask: &Ask<'_>,
        (principal, id, proven): (&Principal, SessionId, Proven),
    ) -> Result<Option<HeaderValue>, Error> {
        let wanted = self.wanted(ask).map_err(|NoAudience| refuse::no_audience())?;
        wanted.map(|wanted| self.issuer.sign(wanted, principal, id, proven)).transpose()
    }
}
