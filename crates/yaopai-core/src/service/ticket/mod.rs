//! Tickets: for sockets, images and pages in a web-view, where a client can't set headers or sign. Asked for by a request that
//! can; good for one place, once, for [`TICKET_LIFE`].
//!
//! A node that is alone remembers them (`kept`); of many nodes' tickets each says itself what it is good for (`told`).

mod kept;
mod told;

use std::time::Duration;

use yaopai_wire::original::{Original, is_unclean};
use yaopai_wire::problem::Code;
use yaopai_wire::ticket::Ticket;

use super::{Authenticated, Credentials, Service, refused};
use crate::audit::{Event, Kind};
use crate::error::{Error, Result};
use crate::ids::{SessionId, UserId};
use crate::ports::Use;
use crate::proof::Unproved;
use crate::session::{Session, Worth};
use kept::{Issued, State};
use told::Meaning;

pub(super) use kept::Issuer;

/// How long a ticket is good.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);
/// How long a page in a web-view is let in by the cookie of its ticket, at most; not longer than its session lives.
pub const VIEW_LIFE: Duration = Duration::from_secs(30 * 60);
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

/// What a good ticket stands for.
pub struct Redeemed {
    /// The session.
    pub who: Authenticated,
    /// The cookie for a page in a web-view, and the folder that it is good in.
    pub view: Option<(Ticket, String)>,
}

/// A ticket that is good here and now.
#[derive(Debug)]
struct Taken {
    session: SessionId,
    acts_as: ActsAs,
    purpose: Purpose,
    /// It is a page's cookie.
    view: bool,
    /// All nodes have to be asked whether it was used before.
    used: Option<Use>,
}

/// As whom a ticket acts. A session that has gone over to another user takes none along.
#[derive(Debug, PartialEq, Eq)]
enum ActsAs {
    Known(Option<UserId>),
    Digest(Option<[u8; 16]>),
}

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
        // What is shown at any node takes room in the store that all share: so many a minute, as signed requests may be.
        if self.world().nodes.is_some() {
            let (now, _) = self.now();
            let mut has_room = false;
            self.world().presence.count(who.session.id, &mut |quota| has_room = quota.take(now));
            if !has_room {
                let detail = "Too many tickets; use those there are, and ask again later.";
                return Err(Error::new(Code::RateLimited, detail).retry_after(60));
            }
        }
        let user = who.session.user.clone().filter(|_| who.bound);
        self.issue(who.session.id, user, purpose, place, false)
    }

    /// Who shows these in a request for `original`? The ticket counts; where it was used or is late, or there is none, the cookies.
    ///
    /// # Errors
    /// The refusal that the client is to be told.
    pub async fn redeem(&self, shown: &Tickets, original: &Original<'_>) -> Result<Redeemed> {
        let views = || shown.views.iter().map(|view| self.take(view, original));
        let taken = match &shown.ticket {
            None => one_of(views()),
            Some(ticket) => {
                let taken = match self.take(ticket, original) {
                    Ok(taken) => self.take_once(taken).await,
                    taken => taken,
                };
                match taken {
                    // A page that is loaded again: its ticket is used up, and its cookie lets it in.
                    Err(e) if matches!(e.code, Code::ProofReplayed | Code::ProofStale) => {
                        one_of(views()).map_err(|_| e)
                    }
                    taken => taken,
                }
            }
        };
        // Of one that was never issued, or long ago, nobody can be told whose it is: anybody can make those up.
        let told = taken.as_ref().err().filter(|e| e.code != Code::ProofStale);
        self.tell_refused(Event::refused(Kind::Proof, ""), told);
        let Taken { session: id, acts_as, purpose, view, .. } = taken?;
        let (session, app, read) = self.load_and_when(id).await?;
        self.still_true(read)?;
        let shown = session.secrets.current();
        if let Worth::Refused(code) = self.worth(&session, &app, &shown) {
            return Err(refused(code));
        }
        let bound = !matches!(acts_as, ActsAs::Known(None) | ActsAs::Digest(None));
        if bound && !self.is_whom(&session, &acts_as) {
            return Err(wrong(Code::ProofStale));
        }
        let (_, up) = self.now();
        self.world().presence.touch(session.id, up, true);
        let view = if purpose == Purpose::WebView && !view {
            let place = Place { authority: original.host.to_owned(), path: [original.prefix, original.path].concat() };
            let folder = place.folder().to_owned();
            let user = session.user.clone().filter(|_| bound);
            Some((self.issue(id, user, purpose, place, true)?, folder))
        } else {
            None
        };
        let who = Authenticated { session: nobody_unless(bound, session), bound, shown, body_signed: false, app };
        Ok(Redeemed { who, view })
    }

    /// One that is good here and now. Made by a node of the other kind, it is unknown.
    fn take(&self, ticket: &Ticket, original: &Original<'_>) -> Result<Taken> {
        let (now, _) = self.now();
        match (ticket, &self.world().nodes) {
            (Ticket::Kept(_), None) => self.inner.tickets.take(ticket.hash(), original, now),
            (Ticket::Told(told), Some(nodes)) => told::read(nodes.keys.tickets(), told, original, now),
            (Ticket::Kept(_), Some(_)) | (Ticket::Told(_), None) => Err(wrong(Code::ProofStale)),
        }
    }

    /// The same once over all nodes. In doubt not at all: its client asks for another.
    async fn take_once(&self, taken: Taken) -> Result<Taken> {
        let Some(used) = taken.used else { return Ok(taken) };
        match self.share(used).await {
            Ok(()) => Ok(taken),
            Err(Unproved::Replayed) => Err(wrong(Code::ProofReplayed)),
            Err(why) => {
                let refused = wrong(Code::ProofStale).internal(why.code().as_str());
                // As a signed request is told, or its client would ask for one after the other.
                let (now, _) = self.now();
                let wait = self.world().proofs.refusal(why, now).retry_after;
                Err(match wait {
                    Some(seconds) => refused.retry_after(seconds),
                    None => refused,
                })
            }
        }
    }

    /// Does the session still act as whom its ticket was made for?
    fn is_whom(&self, session: &Session, acts_as: &ActsAs) -> bool {
        match (acts_as, &self.world().nodes, &session.user) {
            (ActsAs::Known(user), ..) => session.user == *user,
            (ActsAs::Digest(Some(digest)), Some(nodes), Some(user)) => {
                told::user_digest(nodes.keys.tickets(), user) == *digest
            }
            (ActsAs::Digest(_), ..) => false,
        }
    }

    fn issue(
        &self,
        session: SessionId,
        user: Option<UserId>,
        purpose: Purpose,
        place: Place,
        view: bool,
    ) -> Result<Ticket> {
        let (now, _) = self.now();
        let world = self.world();
        if let Some(nodes) = &world.nodes {
            let mut random = [0; _];
            world.entropy.fill(&mut random);
            let meaning = Meaning { session, user: user.as_ref(), purpose, place: &place, view, made_at: now };
            return Ok(told::make(nodes.keys.tickets(), &meaning, &random));
        }
        let (until, state) = if view { (now + VIEW_LIFE, State::View) } else { (now + TICKET_LIFE, State::Fresh) };
        let ticket = Ticket::new(|bytes| world.entropy.fill(bytes));
        self.inner.tickets.keep(ticket.hash(), Issued { session, user, purpose, place, until, state }, now)?;
        Ok(ticket)
    }
}

/// The first that is good. Two people's are nobody's: one of them may have been put there.
fn one_of(taken: impl Iterator<Item = Result<Taken>>) -> Result<Taken> {
    let (good, bad): (Vec<_>, Vec<_>) = taken.partition(Result::is_ok);
    let mut good = good.into_iter().flatten();
    match good.next() {
        Some(first) if good.all(|other| (other.session, &other.acts_as) == (first.session, &first.acts_as)) => {
            Ok(first)
        }
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
