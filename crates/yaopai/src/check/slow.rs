//! What the live table can't decide: a session past its bound, the first use of a new secret, one that was just retired, a
//! signature that the store or the platform has to be asked about, and everything unknown. The store is asked, in bounded number.

use std::net::IpAddr;

use yaopai_core::proof::Proven;
use yaopai_core::service::Credentials;
use yaopai_core::{Error, Result};

use super::ask::OwnedAsk;
use super::found::Found;
use super::{Checks, Principal, Shared, principal};

impl Checks {
    pub(super) async fn find_slowly(&self, needs: OwnedAsk, shown: Credentials, slide: bool) -> Result<Found, Error> {
        // Before the store is read: what is read must not undo a kick that comes in between.
        let ticket = self.table.begin_fill();
        let who = self.service.authenticate(&shown, slide).await?;
        if !self.table.is_complete() {
            self.table.fill(ticket, &who.session);
        }
        let principal = Principal::new(&who.session, who.bound, principal::place(&who.app));
        let proven = Proven { body_signed: who.body_signed, unshared: None };
        self.found(&needs, principal, who.session.id, proven)
    }

    /// What this node has proved, if it is the first use over all nodes.
    pub(super) async fn find_shared(
        &self,
        needs: &OwnedAsk,
        shared: Shared,
        from: Option<IpAddr>,
    ) -> Result<Found, Error> {
        let Shared { token, principal, session, proven, slide, begun } = shared;
        let proven = self
            .service
            .first_use(proven)
            .await
            .map_err(|why| self.service.refused_proof(session, &principal.place().app, from, why))?;
        // It was waited for: a kick may have come in between.
        if self.table.still_known(begun, session) {
            let found = self.found(needs, principal, session, proven);
            // What is refused here may have been allowed elsewhere a moment ago: only the store knows.
            if found.is_ok() {
                return found;
            }
        }
        let who = self.service.proved_before(&token, proven, slide).await?;
        let principal = Principal::new(&who.session, who.bound, principal::place(&who.app));
        self.found(needs, principal, session, proven)
    }
}
