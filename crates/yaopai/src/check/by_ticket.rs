//! A check of a request that shows a ticket, or the cookie of a page in a web-view, instead of a token.

use std::sync::Arc;

use axum::body::Body;
use http::{HeaderValue, Response, header};
use yaopai_core::proof::Proven;
use yaopai_core::service::{Tickets, VIEW_LIFE};
use yaopai_wire::fields::Fields;
use yaopai_wire::original::KeptOriginal;
use yaopai_wire::ticket::{self, Shown, VIEW_COOKIE};

use super::ask::OwnedAsk;
use super::{Checks, Principal, Proxy, principal, refuse};

/// What a request without a token shows: a ticket in its query, and cookies of pages. These may stand beside it, and be several: a
/// browser adds them by itself. `None`: something in their place is none of ours.
pub(super) fn shown(in_query: Shown, fields: &impl Fields) -> Option<Tickets> {
    let views = ticket::in_cookies(fields.named(b"cookie"));
    match in_query {
        Shown::Nothing => Some(Tickets { ticket: None, views: views? }),
        Shown::Ticket(ticket) => Some(Tickets { ticket: Some(ticket), views: views.unwrap_or_default() }),
        Shown::Junk => None,
    }
}

impl Checks {
    pub(super) async fn decide_by_ticket(
        self: Arc<Self>,
        proxy: Proxy,
        needs: OwnedAsk,
        (tickets, original): (Tickets, KeptOriginal),
    ) -> Response<Body> {
        let redeemed = match self.service.redeem(&tickets, &original.borrow()).await {
            Ok(redeemed) => redeemed,
            Err(e) => return self.refuse(proxy, e),
        };
        let who = redeemed.who;
        let found = Principal::new(&who.session, who.bound, principal::place(&who.app));
        if let Err(code) = needs.borrow().meets(&found, self.clock.now()) {
            return self.refuse(proxy, refuse::because(code));
        }
        let proven = Proven { body_signed: false };
        let mut response = self.pass(proxy, &needs.borrow(), (&found, who.session.id, proven));
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
