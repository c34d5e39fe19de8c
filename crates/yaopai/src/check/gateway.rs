//! The same question asked by our own gateway, which needs no answer as HTTP: who is it?

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use percent_encoding::percent_decode;
use yaopai_core::ids::{SessionId, UserId};
use yaopai_core::live::{FillTicket, Lease};
use yaopai_core::proof::Proven;
use yaopai_core::service::{Credentials, refused};
use yaopai_core::{Error, Result};
use yaopai_wire::carrier::Shown;
use yaopai_wire::fields::Fields as _;
use yaopai_wire::original::{KeptOriginal, Original};
use yaopai_wire::principal::{USER, reads_as, slides};
use yaopai_wire::problem::Code;
use yaopai_wire::signature::SIGNATURE_INPUT;
use yaopai_wire::ticket;

use super::found::Found;
use super::jwt::NoAudience;
use crate::gateway::user_of;

use super::{Ask, Checks, Decision, Principal, refuse};

/// What the gateway is told of a request that passes.
pub enum Verdict {
    /// It is a session's.
    Passed(Passed),
    /// No session was shown, and none is needed.
    Guest,
}

/// Whose request it is.
pub struct Passed {
    /// The principal headers that say something, for the upstream, and `Authorization` where a JWT is asked for.
    pub principal: Vec<(HeaderName, HeaderValue)>,
    /// The session.
    pub session: SessionId,
    /// Did a signature cover the digest of the body?
    pub body_signed: bool,
    /// Must the client read its session anew?
    pub risen: bool,
    /// A cookie for the client.
    pub view: Option<HeaderValue>,
}

/// When a question began. By it is told what has ended since.
#[derive(Clone, Copy)]
pub struct Begun(FillTicket);

impl Passed {
    fn new(principal: &Principal, session: SessionId, proven: Proven, authorization: Option<&HeaderValue>) -> Self {
        let mut headers = principal.headers(session, proven);
        if let Some(authorization) = authorization {
            headers.push((header::AUTHORIZATION, authorization.clone()));
        }
        let (body_signed, risen) = (proven.body_signed, principal.is_risen());
        Self { principal: headers, session, body_signed, risen, view: None }
    }

    /// Who it acts for, as the principal header has it; `None`: a guest, also where the session is a user's and the secret shown is
    /// from before that.
    pub fn user_header(&self) -> Option<&HeaderValue> {
        self.principal.iter().find(|(name, _)| *name == USER).map(|(_, user)| user)
    }

    /// The same as the user's id.
    pub fn user(&self) -> Option<UserId> {
        self.user_header().map(|user| UserId::from(percent_decode(user.as_bytes()).decode_utf8_lossy().as_ref()))
    }
}

impl From<Found> for Passed {
    fn from(found: Found) -> Self {
        Self {
            view: found.view,
            ..Self::new(&found.principal, found.session, found.proven, found.authorization.as_ref())
        }
    }
}

impl Checks {
    /// To be taken before [`Checks::judge`].
    pub fn begin(&self) -> Begun {
        Begun(self.table.begin_fill())
    }

    /// Does a request show anything of ours, good or not? A signature is two fields: `Signature` alone is somebody else's.
    pub fn shows_ours(&self, original: &Original<'_>, fields: &HeaderMap) -> bool {
        let ticket = original.query.map_or(ticket::Shown::Nothing, ticket::in_query);
        let views = ticket::in_cookies(fields.named(b"cookie"));
        !matches!(self.carriers.read(fields), Shown::Nothing)
            || !matches!(ticket, ticket::Shown::Nothing)
            || views.is_none_or(|views| !views.is_empty())
            || fields.keys().any(|name| reads_as(name.as_str(), SIGNATURE_INPUT))
    }

    /// Whose request is this, and may it pass? `from` says where the client is, if that is asked.
    ///
    /// # Errors
    /// The refusal that the client is to be told. Nothing has acted on the request.
    pub async fn judge(
        &self,
        ask: &Ask<'_>,
        original: &Original<'_>,
        fields: &HeaderMap,
        from: impl Fn() -> IpAddr,
    ) -> Result<Verdict, Error> {
        let wanted = self.wanted(ask).map_err(|NoAudience| refuse::no_audience())?;
        // What has to wait is boxed: it is rare, and the usual way's future need not have room for it.
        let found = match self.decide((ask, wanted), original, fields, Passed::new) {
            Decision::Pass(passed) => return Ok(Verdict::Passed(passed)),
            Decision::Guest => return Ok(Verdict::Guest),
            Decision::Sign(principal, id, proven) => self.found(&(*ask).to_owned(), principal, id, proven)?,
            Decision::Share(shared) => Box::pin(self.find_shared(&(*ask).to_owned(), shared, Some(from()))).await?,
            Decision::Refuse(code) => return Err(refuse::because(code)),
            Decision::Unproved(session, app, why) => {
                return Err(self.service.refused_proof(session, &app, Some(from()), why));
            }
            Decision::Ticket(tickets) => {
                Box::pin(self.find_by_ticket((*ask).to_owned(), (tickets, KeptOriginal::of(original)))).await?
            }
            Decision::Unsure(shown) => {
                let shown = Credentials { from: Some(from()), ..shown };
                Box::pin(self.find_slowly((*ask).to_owned(), shown, slides(fields))).await?
            }
        };
        Ok(Verdict::Passed(found.into()))
    }

    /// Says no if the session may have ended since then or is not this user's any more: who passes on a request holds its session
    /// first, so that a later change reaches it, and then asks this about an earlier one.
    ///
    /// # Errors
    /// Why it ended, or that it has just changed.
    pub async fn still(&self, begun: Begun, session: SessionId, user: Option<&HeaderValue>) -> Result<(), Error> {
        let (changed, lease) = (self.table.changed_since(begun.0, session), self.table.lease());
        if changed && lease.is_none() {
            return Err(Box::pin(self.ended(session)).await);
        }
        let known = || {
            // What isn't in the table and has changed is known to have.
            let same = |user: &HeaderValue| self.table.peek(session, |principal| principal.user() == user.as_bytes());
            user.is_none_or(|user| same(user).unwrap_or(true))
        };
        // Of many nodes one without news hears of no change, and of what changed it hears that it did.
        if !changed && known() && lease.is_none_or(Lease::holds) {
            return Ok(());
        }
        // The table knows the confirmed secret's principal; another secret may act as the user all the same.
        let read = self.table.begin_read();
        let found = self.service.look(session).await?;
        let found = found
            .filter(|found| found.ended.is_none() && user.is_none_or(|user| user_of(found).as_ref() == Some(user)));
        match found {
            Some(_) if read.is_none_or(|read| self.table.still_true(read)) => Ok(()),
            _ => Err(Box::pin(self.ended(session)).await),
        }
    }

    /// The same once more, where something was waited for since: before the first byte goes on. A node that is alone is told of an end by its
    /// hold; one of many may have stood still.
    ///
    /// # Errors
    /// As [`Self::still`].
    pub async fn still_now(&self, begun: Begun, session: SessionId, user: Option<&HeaderValue>) -> Result<(), Error> {
        let Some(lease) = self.table.lease() else { return Ok(()) };
        if lease.holds() && !self.table.changed_since(begun.0, session) {
            return Ok(());
        }
        Box::pin(self.still(begun, session, user)).await
    }

    /// Why a session ended, for its client.
    pub async fn ended(&self, session: SessionId) -> Error {
        match self.service.look(session).await {
            Ok(Some(found)) => match found.ended {
                Some(ended) => refused(ended.reason.code()),
                None => Error::new(Code::Unavailable, "The session has just changed; try again.").retry_after(1),
            },
            Ok(None) => refused(Code::SessionUnknown),
            Err(e) => e,
        }
    }
}
