//! Whom a check has found out of the fast path.

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::ids::SessionId;
use yaopai_core::proof::Proven;
use yaopai_core::{Error, Result};

use super::ask::OwnedAsk;
use super::{Checks, Principal, Proxy, jwt, refuse};

/// A session that was looked for in the store.
pub(super) struct Found {
    pub(super) principal: Principal,
    pub(super) session: SessionId,
    pub(super) proven: Proven,
    /// What `Authorization` is to be, where a JWT is asked for.
    pub(super) authorization: Option<HeaderValue>,
    /// The cookie for a page in a web-view, as `Set-Cookie` has it.
    pub(super) view: Option<HeaderValue>,
}

impl Found {
    /// The answer of a check that passes.
    pub(super) fn response(self) -> Response<Body> {
        let mut response = jwt::response(&self.principal, self.session, self.proven, self.authorization.as_ref());
        if let Some(cookie) = self.view {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        response
    }
}

impl Checks {
    /// Whom it is, if it meets what is asked. Here a JWT may be signed.
    pub(super) fn found(
        &self,
        needs: &OwnedAsk,
        principal: Principal,
        session: SessionId,
        proven: Proven,
    ) -> Result<Found, Error> {
        let ask = needs.borrow();
        ask.meets(&principal, self.clock.now()).map_err(refuse::because)?;
        let authorization = self.authorization(&ask, (&principal, session, proven))?;
        Ok(Found { principal, session, proven, authorization, view: None })
    }

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
