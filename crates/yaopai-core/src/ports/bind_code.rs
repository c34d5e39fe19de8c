//! Bind codes as a store keeps them: a page of the back end's shows one, the person's phone redeems it.

use std::time::Duration;

use crate::ids::{AppName, Realm, SessionId, UserId};
use crate::session::Session;
use crate::time::Timestamp;

/// How long a bind code lives.
pub const BIND_CODE_LIFE: Duration = Duration::from_secs(300);
/// How many codes of one user live at a time, in a realm. A newer one takes the oldest's place: a page that shows a new code
/// each minute must not take the one that is being confirmed.
pub const BIND_CODES_MAX: usize = 5;

/// The hash of a bind code: all that is kept of it.
pub type BindCodeHash = [u8; 32];

/// A bind code that the back end made for one of its users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindCode {
    /// What it is looked up by.
    pub hash: BindCodeHash,
    /// Good in this realm only.
    pub realm: Realm,
    /// Good in this app only; `None`: in every app of the realm.
    pub app: Option<AppName>,
    /// Whom it binds to.
    pub user: UserId,
    /// The account as the person may see it before confirming: `138****8000`.
    pub masked: String,
    /// It is good before this.
    pub expires_at: Timestamp,
    /// The session that has shown it to its person. Nobody else's from then on.
    pub seen_by: Option<SessionId>,
}

impl BindCode {
    /// May this session show it to its person? The first that does keeps it: of two phones that hold one code, one has it
    /// from over the other's shoulder.
    pub fn shows(&self, session: &Session, now: Timestamp) -> bool {
        self.fits(session, now) && self.seen_by.is_none_or(|by| by == session.id)
    }

    /// May this session redeem it? Only after its person has seen whose account it is: a code that somebody else slips to
    /// the phone would bind the person to that one's account.
    pub fn redeems(&self, session: &Session, now: Timestamp) -> bool {
        self.fits(session, now) && self.seen_by == Some(session.id)
    }

    fn fits(&self, session: &Session, now: Timestamp) -> bool {
        self.realm == session.realm && self.app.as_ref().is_none_or(|app| *app == session.app) && now < self.expires_at
    }
}

/// What a bind rests on, beside the back end's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// A form that the back end judged.
    Form,
    /// A phone number that the platform vouched for, and nothing else. Numbers are recycled: it never binds a user who has
    /// an identity in the app.
    Phone,
    /// A bind code, which the bind redeems.
    Code(BindCodeHash),
}
