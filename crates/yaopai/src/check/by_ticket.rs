//! A check of a request that shows a ticket, or the cookie of a page in a web-view, instead of a token.

use http::HeaderValue;
use yaopai_core::proof::Proven;
use yaopai_core::service::{Tickets, VIEW_LIFE};
use yaopai_core::{Error, Result};
use yaopai_wire::fields::Fields;
use yaopai_wire::original::KeptOriginal;
use yaopai_wire::ticket::{self, Shown, VIEW_COOKIE};

use super::ask::OwnedAsk;
use super::found::Found;
use super::{Checks, Principal, principal};

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
    pub(super) async fn find_by_ticket(
        &self,
        needs: OwnedAsk,
        (tickets, original): (Tickets, KeptOriginal),
    ) -> Result<Found, Error> {
        let redeemed = self.service.redeem(&tickets, &original.borrow()).await?;
        let who = redeemed.who;
        let principal = Principal::new(&who.session, who.bound, principal::place(&who.app));
        let view = redeemed.view.and_then(|(view, folder)| {
            // Of this host alone, for the page's folder, and no script's: it lets in who has it.
            let cookie = format!(
                "{VIEW_COOKIE}={}; Path={folder}; Max-Age={}; HttpOnly; Secure; SameSite=Lax",
                view.reveal(),
                VIEW_LIFE.as_secs()
            );
            HeaderValue::from_str(&cookie).ok()
        });
        let proven = Proven::BY_TOKEN;
        Ok(Found { view, ..self.found(&needs, principal, who.session.id, proven)? })
    }
}
