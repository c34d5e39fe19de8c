//! What the live table can't decide: a session past its bound, the first use of a new secret, one that was just retired, a
//! signature that the store or the platform has to be asked about, and everything unknown. The store is asked, in bounded number.

use yaopai_core::proof::Proven;
use yaopai_core::service::Credentials;
use yaopai_core::{Error, Result};

use super::ask::OwnedAsk;
use super::found::Found;
use super::{Checks, Principal, principal};

impl Checks {
    pub(super) async fn find_slowly(&self, needs: OwnedAsk, shown: Credentials, slide: bool) -> Result<Found, Error> {
        // Before the store is read: what is read must not undo a kick that comes in between.
        let ticket = self.table.begin_fill();
        let who = self.service.authenticate(&shown, slide).await?;
        if !self.table.is_complete() {
            self.table.fill(ticket, &who.session);
        }
        let principal = Principal::new(&who.session, who.bound, principal::place(&who.app));
        let proven = Proven { body_signed: who.body_signed };
        self.found(&needs, principal, who.session.id, proven)
    }
}
