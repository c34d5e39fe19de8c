//! A check of a request that shows a ticket, or the cookie of a page in a web-view, instead of a token.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::proof::Proven;
use yaopai_core::service::VIEW_LIFE;
use yaopai_wire::fields::Fields;
use yaopai_wire::original::Original;
use yaopai_wire::ticket::{self, Shown, Ticket, VIEW_COOKIE};

use super::ask::OwnedAsk;
use super::{Checks, Principal, Proxy, principal, refuse};

/// What the request is about, kept while the store is asked.
pub(super) struct Target {
    method: Box<str>,
    scheme: Box<str>,
    host: Box<str>,
    prefix: Box<str>,
    path: Box<str>,
}

impl Target {
    pub(super) fn of(original: &Original<'_>) -> Self {
        Self {
            method: original.method.into(),
            scheme: original.scheme.into(),
            host: original.host.into(),
            prefix: original.prefix.into(),
            path: original.path.into(),
        }
    }

    fn original(&self) -> Original<'_> {
        let (method, scheme, host) = (&*self.method, &*self.scheme, &*self.host);
        Original { method, scheme, host, prefix: &self.prefix, path: &self.path, query: None }
    }
}

/// What a request without a token shows: a ticket in its query, or a page's cookie. The cookie may stand beside the ticket: a browser
/// adds it by itself to the next page of the same folder, and to the same page when that is loaded again.
pub(super) fn shown(in_query: Shown, fields: &impl Fields) -> (Shown, Option<Ticket>) {
    match (in_query, ticket::in_cookies(fields.named(b"cookie"))) {
        (Shown::Nothing, cookie) => (cookie, None),
        (Shown::Ticket(ticket), Shown::Ticket(view)) => (Shown::Ticket(ticket), Some(view)),
        (in_query, _) => (in_query, None),
    }
}

impl Checks {
    pub(super) async fn decide_by_ticket(
        self: Arc<Self>,
        proxy: Proxy,
        needs: OwnedAsk,
        (ticket, view, target): (Ticket, Option<Ticket>, Target),
    ) -> Response<Body> {
        let redeemed = match self.service.redeem(&ticket, view.as_ref(), &target.original()).await {
            Ok(redeemed) => redeemed,
            Err(e) => return self.refuse(proxy, e),
        };
        let who = redeemed.who;
        let found = Principal::new(&who.session, who.bound, principal::place(&who.app));
        if let Err(code) = needs.borrow().meets(&found, self.clock.now()) {
            return self.refuse(proxy, refuse::because(code));
        }
        self.metrics.check_passed();
        let mut response = found.response(who.session.id, Proven { body_signed: false });
        if let Some((view, folder)) = redeemed.view {
            // Of this host alone, for the page's folder, and no script's: it lets in who has it.
            let cookie = format!(
                "{VIEW_COOKIE}={}; Path={folder}; Max-Age={}; HttpOnly; Secure; SameSite=Lax",
                view.reveal(),
                VIEW_LIFE.as_secs()
            );
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
        }
        response
    }
}
