//! Whom a check has found out of the fast path.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::ids::SessionId;
use yaopai_core::proof::Proven;
use yaopai_core::{Error, Result};

use super::ask::OwnedAsk;
use super::{Checks, Principal, Proxy, refuse};

/// A session that was looked for in the store.
pub(super) struct Found {
    pub(super) principal: Principal,
    pub(super) session: SessionId,
    pub(super) proven: Proven,
    /// The cookie for a page in a web-view, as `Set-Cookie` has it.
    pub(super) view: Option<HeaderValue>,
}

impl Found {
    /// Nobody, unless it meets what is asked.
    pub(super) fn meeting(self, needs: &OwnedAsk, checks: &Checks) -> Result<Self, Error> {
        match needs.borrow().meets(&self.principal, checks.clock.now()) {
            Ok(()) => Ok(self),
            Err(code) => Err(refuse::because(code)),
        }
    }

    /// The answer of a check that passes.
    pub(super) fn response(self) -> Response<Body> {
        let mut response = self.principal.response(self.session, self.proven);
        if let Some(cookie) = self.view {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Checks {
    /// The proxy's answer.
    pub(super) fn answer_with(&self, proxy: Proxy, found: Result<Found, Error>) -> Response<Body> {
        match found {
            Ok(found) => {
                self.metrics.check_passed();
                found.response()
            }
            Err(e) => self.refuse(proxy, e),
        }
    }
}
