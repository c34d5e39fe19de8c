//! Tickets that are remembered: on a node that is alone. A restart forgets them, and the client asks for another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use yaopai_wire::original::Original;
use yaopai_wire::problem::Code;
use yaopai_wire::ticket::TicketHash;

use super::{ActsAs, Place, Purpose, Taken, wrong};
use crate::error::{Error, Result};
use crate::ids::{SessionId, UserId};
use crate::time::Timestamp;

/// Tickets and views of one session at a time.
const PER_SESSION: u32 = 200;
/// Of all.
const MAX: usize = 200_000;

/// Tickets and views that are good.
#[derive(Default)]
pub(in crate::service) struct Issuer(Mutex<Known>);

#[derive(Default)]
struct Known {
    tickets: HashMap<TicketHash, Issued>,
    of: HashMap<SessionId, u32>,
}

pub(super) struct Issued {
    pub session: SessionId,
    /// As whom it acts. A session that has gone over to another user takes no ticket along.
    pub user: Option<UserId>,
    pub purpose: Purpose,
    pub place: Place,
    pub until: Timestamp,
    pub state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Fresh,
    Used,
    /// The cookie of a page: good more than once.
    View,
}

impl Issuer {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn keep(&self, hash: TicketHash, issued: Issued, now: Timestamp) -> Result<()> {
        let mut known = self.lock();
        if known.tickets.len() >= MAX {
            known.forget(now);
        }
        let count = known.of.get(&issued.session).copied().unwrap_or_default();
        if known.tickets.len() >= MAX || count >= PER_SESSION {
            let detail = "Too many tickets at a time; use those there are, and ask again later.";
            return Err(Error::new(Code::RateLimited, detail).retry_after(30));
        }
        known.of.insert(issued.session, count + 1);
        known.tickets.insert(hash, issued);
        Ok(())
    }

    /// Takes a ticket, once; a view as often as it likes. In one step.
    pub(super) fn take(&self, hash: TicketHash, original: &Original<'_>, now: Timestamp) -> Result<Taken> {
        let mut known = self.lock();
        let issued = known.tickets.get_mut(&hash).filter(|issued| now <= issued.until);
        let issued = issued.ok_or_else(|| wrong(Code::ProofStale))?;
        let (view, here) = match issued.state {
            State::View => (true, issued.place.holds(original)),
            State::Fresh | State::Used => (false, issued.place.is(original)),
        };
        // Who shows it elsewhere must not use it up.
        if !here || !matches!(original.method, "GET" | "HEAD") {
            return Err(wrong(Code::ProofInvalid));
        }
        if issued.state == State::Used {
            return Err(wrong(Code::ProofReplayed));
        }
        if issued.state == State::Fresh {
            issued.state = State::Used;
        }
        let acts_as = ActsAs::Known(issued.user.clone());
        Ok(Taken { session: issued.session, acts_as, purpose: issued.purpose, view, used: None })
    }

    /// Forgets what is over.
    pub fn purge(&self, now: Timestamp) {
        self.lock().forget(now);
    }
}

impl Known {
    fn forget(&mut self, now: Timestamp) {
        self.tickets.retain(|_, issued| now <= issued.until);
        self.of.clear();
        for issued in self.tickets.values() {
            *self.of.entry(issued.session).or_default() += 1;
        }
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
