//! What the live table can't decide: a session past its bound, the first use of a new secret, one that was just retired, a
//! signature that the store or the platform has to be asked about, and everything unknown. The store is asked, in bounded number.

use std::sync::Arc;

use axum::body::Body;
use http::Response;
use yaopai_core::proof::Proven;
use yaopai_core::service::Credentials;

use super::ask::OwnedAsk;
use super::{Checks, Principal, Proxy, principal, refuse};

impl Checks {
    pub(super) async fn decide_slowly(
        self: Arc<Self>,
        proxy: Proxy,
        needs: OwnedAsk,
        shown: Credentials,
        slide: bool,
    ) -> Response<Body> {
        // Before the store is read: what is read must not undo a kick that comes in between.
        let ticket = self.table.begin_fill();
        let who = match self.service.authenticate(&shown, slide).await {
            Ok(who) => who,
            Err(e) => return self.refuse(proxy, e),
        };
        if !self.table.is_complete() {
            self.table.fill(ticket, &who.session);
        }
        let found = Principal::new(&who.session, who.bound, principal::place(&who.app));
        match needs.borrow().meets(&found, self.clock.now()) {
            Ok(()) => {
                let proven = Proven { body_signed: who.body_signed };
                self.pass(proxy, &needs.borrow(), (&found, who.session.id, proven))
            }
            Err(code) => self.refuse(proxy, refuse::because(code)),
        }
    }
}
