//! Tickets: for sockets, images and pages in a web-view, where a client can't set headers or sign. Asked for by a request that
//! can; good for one place, once, for [`TICKET_LIFE`].
//!
//! In memory: a restart forgets them, and the client asks for another.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use yaopai_wire::original::{Original, is_unclean};
use yaopai_wire::problem::Code;
use yaopai_wire::ticket::{Ticket, TicketHash};

use super::{Authenticated, Credentials, Service, refused};
use crate::audit::{Event, Kind};
use crate::error::{Error, Result};
use crate::ids::{SessionId, UserId};
use crate::session::{Session, Worth};
use crate::time::Timestamp;

/// How long a ticket is good.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How long a page in a web-view is let in by the cookie of its ticket, at most; not longer than its session lives.
pub const VIEW_LIFE: Duration = Duration::from_secs(30 * 60);
/// Tickets and views of one session at a time.
const PER_SESSION: u32 = 200;
/// Of all.
const MAX: usize = 200_000;
/// The longest authority and path, in bytes.
const PLACE_MAX: usize = 1024;

/// What a ticket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// `wx.connectSocket`.
    Socket,
    /// `<image src>`.
    Image,
    /// `<web-view src>`: its page gets a cookie, by which what the page loads from its own folder is let in too.
    WebView,
}

/// Where a ticket is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The host and, where the client sends it, the port: as in `Host`.
    pub authority: String,
    /// The path, percent-encoded as it is sent.
    pub path: String,
}

impl Place {
    /// A place that a request can name in one way only.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn new(authority: String, path: String) -> Result<Self> {
        let original = Original::new("GET", "https", &authority, &path);
        let host = authority.len() <= PLACE_MAX && !authority.bytes().any(|b| b.is_ascii_uppercase());
        if !host || original.as_ref().is_err_and(|e| *e == yaopai_wire::original::NotOriginal::Wrong("host")) {
            return Err(Error::field(
                "authority",
                "Send the host in lower case, with the port if it is not the scheme's own.",
            ));
        }
        let clean = original.is_ok_and(|o| o.query.is_none() && o.path.is_ascii() && !is_unclean(o.path));
        if !clean || path.len() > PLACE_MAX {
            return Err(Error::field("path", "Send a clean path, percent-encoded, without a query."));
        }
        Ok(Self { authority, path })
    }

    fn is(&self, original: &Original<'_>) -> bool {
        let path = original.path.len() + original.prefix.len() == self.path.len()
            && self.path.starts_with(original.prefix)
            && self.path.ends_with(original.path);
        self.authority == original.host && path
    }

    /// The folder that the path lies in, with its slash.
    pub fn folder(&self) -> &str {
        &self.path[..=self.path.rfind('/').unwrap_or(0)]
    }

    /// What lies in a folder only a clean path tells: a route that lets others in has its own idea of `/h5/../orders`.
    fn holds(&self, original: &Original<'_>) -> bool {
        let path = [original.prefix, original.path].concat();
        self.authority == original.host && path.starts_with(self.folder()) && !is_unclean(&path)
    }
}

/// Tickets and views that are good.
#[derive(Default)]
pub(super) struct Issuer(Mutex<Known>);

#[derive(Default)]
struct Known {
    tickets: HashMap<TicketHash, Issued>,
    of: HashMap<SessionId, u32>,
}

struct Issued {
    session: SessionId,
    /// As whom it acts. A session that has gone over to another user takes no ticket along.
    user: Option<UserId>,
    purpose: Purpose,
    place: Place,
    until: Timestamp,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Fresh,
    Used,
    /// The cookie of a page: good more than once.
    View,
}

/// What a good ticket stands for.
pub struct Redeemed {
    /// The session.
    pub who: Authenticated,
    /// The cookie for a page in a web-view, and the folder that it is good in.
    pub view: Option<(Ticket, String)>,
}

/// A ticket's session, user, purpose and place, and whether it is a page's cookie.
type Taken = (SessionId, Option<UserId>, Purpose, Place, bool);

/// What a request shows of tickets.
#[derive(Debug, Default)]
pub struct Tickets {
    /// In its query.
    pub ticket: Option<Ticket>,
    /// Pages' cookies.
    pub views: Vec<Ticket>,
}

impl Tickets {
    /// Is there nothing?
    pub fn is_empty(&self) -> bool {
        self.ticket.is_none() && self.views.is_empty()
    }
}

impl Issuer {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, hash: TicketHash, issued: Issued, now: Timestamp) -> Result<()> {
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
    fn take(&self, hash: TicketHash, original: &Original<'_>, now: Timestamp) -> Result<Taken> {
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
        Ok((issued.session, issued.user.clone(), issued.purpose, issued.place.clone(), view))
    }

    /// Forgets what is over.
    pub(super) fn purge(&self, now: Timestamp) {
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

impl Service {
    /// A ticket for a place, by a request that could prove itself.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn ticket(
        &self,
        credentials: &Credentials,
        purpose: Purpose,
        place: Place,
        slide: bool,
    ) -> Result<Ticket> {
        let who = self.authenticate(credentials, slide).await?;
        if purpose == Purpose::WebView && place.folder() == "/" {
            return Err(Error::field(
                "path",
                "Put the page into a folder of its own: its cookie is good for all that lies in the folder, and here that is everything.",
            ));
        }
        let user = who.session.user.clone().filter(|_| who.bound);
        self.issue(who.session.id, user, purpose, place, State::Fresh)
    }

    /// Who shows these in a request for `original`? The ticket counts; where it was used or is late, or there is none, the cookies.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn redeem(&self, shown: &Tickets, original: &Original<'_>) -> Result<Redeemed> {
        let (now, up) = self.now();
        let take = |ticket: &Ticket| self.inner.tickets.take(ticket.hash(), original, now);
        let taken = match shown.ticket.as_ref().map(take) {
            // A page that is loaded again: its ticket is used up, and its cookie lets it in.
            Some(Err(e)) if matches!(e.code, Code::ProofReplayed | Code::ProofStale) => {
                one_of(shown.views.iter().map(take)).map_err(|_| e)
            }
            Some(taken) => taken,
            None => one_of(shown.views.iter().map(take)),
        };
        // Of one that was never issued, or long ago, nobody can be told whose it is: anybody can make those up.
        let told = taken.as_ref().err().filter(|e| e.code != Code::ProofStale);
        self.tell_refused(Event::refused(Kind::Proof, ""), told);
        let (id, user, purpose, place, is_view) = taken?;
        let (session, app, read) = self.load_and_when(id).await?;
        self.still_true(read)?;
        let shown = session.secrets.current();
        if let Worth::Refused(code) = self.worth(&session, &app, &shown) {
            return Err(refused(code));
        }
        let bound = user.is_some();
        if bound && session.user != user {
            return Err(wrong(Code::ProofStale));
        }
        self.world().presence.touch(session.id, up, true);
        let view = if purpose == Purpose::WebView && !is_view {
            let folder = place.folder().to_owned();
            Some((self.issue(id, user, purpose, place, State::View)?, folder))
        } else {
            None
        };
        let who = Authenticated { session: nobody_unless(bound, session), bound, shown, body_signed: false, app };
        Ok(Redeemed { who, view })
    }

    fn issue(
        &self,
        session: SessionId,
        user: Option<UserId>,
        purpose: Purpose,
        place: Place,
        state: State,
    ) -> Result<Ticket> {
        let (now, _) = self.now();
        let until = now + if state == State::View { VIEW_LIFE } else { TICKET_LIFE };
        let ticket = Ticket::new(|bytes| self.world().entropy.fill(bytes));
        self.inner.tickets.keep(ticket.hash(), Issued { session, user, purpose, place, until, state }, now)?;
        Ok(ticket)
    }
}

/// The first that is good. Two people's are nobody's: one of them may have been put there.
fn one_of(taken: impl Iterator<Item = Result<Taken>>) -> Result<Taken> {
    let (good, bad): (Vec<_>, Vec<_>) = taken.partition(Result::is_ok);
    let mut good = good.into_iter().flatten();
    match good.next() {
        Some(first) if good.all(|other| (other.0, &other.1) == (first.0, &first.1)) => Ok(first),
        Some(_) => Err(refused(Code::SessionUnknown)),
        None => bad.into_iter().next().unwrap_or_else(|| Err(refused(Code::SessionMissing))),
    }
}

fn nobody_unless(bound: bool, session: Session) -> Session {
    if bound { session } else { Session { user: None, claims: None, ..session } }
}

fn wrong(code: Code) -> Error {
    Error::new(
        code,
        match code {
            Code::ProofReplayed => "This ticket was used: ask for a new one (POST /yaopai/v1/ticket).",
            Code::ProofInvalid => "This ticket is for another place, and for reading: ask for one for this.",
            _ => "This ticket is not good any more: ask for a new one (POST /yaopai/v1/ticket).",
        },
    )
}

#[cfg(test)]
#[path = "ticket_tests.rs"]
mod tests;
