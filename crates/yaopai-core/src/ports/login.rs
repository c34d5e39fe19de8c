//! A login as a store takes it.

use crate::ids::{AppName, IdentityId, SessionId};
use crate::moving::Why;
use crate::ports::UserFound;
use crate::session::{Limits, Session};
use crate::time::{Timestamp, Uptime};

/// A login, to be opened as a session.
#[derive(Debug, Clone)]
pub struct Open {
    /// The session as the login wants it. Its `identity`, `user` and `claims`, and whether its secret may act as the user,
    /// are the store's to fill in: they depend on what it finds.
    pub session: Session,
    /// Used as the identity's id if it is new.
    pub new_identity: IdentityId,
    /// WeChat's session_key, sealed; replaces the one kept with the identity.
    pub session_key: Option<Vec<u8>>,
    /// The user the identity is to have if it has none: from `auto` or from the back end's `resolve`.
    pub user: Option<UserFound>,
    /// May the identity's unionid name its user?
    pub link: Option<LinkBy>,
    /// May a user have a second identity of this app?
    pub second_identity: bool,
    /// How many sessions the user may have.
    pub limits: Limits,
    /// The idle time-out in milliseconds: sessions idle for longer don't count.
    pub idle_ms: i64,
    /// Now, on the idle time line.
    pub up: Uptime,
    /// What makes the login idempotent.
    pub login: LoginRecord,
}

/// How an identity that is new here may get the user of the same person's other identities.
#[derive(Debug, Clone)]
pub struct LinkBy {
    /// The apps whose identities count.
    pub apps: Vec<AppName>,
    /// Is that user taken before the login's own [`Open::user`]? Before one that was made up for the login, but never before
    /// one that the back end named.
    pub first: bool,
}

/// A login's answer, kept for a short time so that the same login gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRecord {
    /// A hash of app, code, request id and key.
    pub key: [u8; 32],
    /// The session that was opened.
    pub session: SessionId,
    /// The token's secret, sealed.
    pub sealed: Vec<u8>,
    /// Until when it may be handed out.
    pub expires_at: Timestamp,
}

/// How a login ended in the store.
#[derive(Debug, Clone)]
pub enum Opened {
    /// A session, as it is now.
    Opened(Box<Session>),
    /// The same, and its identity was to be linked, but is not: its unionid has several users, or its one user has another
    /// identity of this app. Which is meant is not ours to guess.
    NotLinked(Box<Session>),
    /// The same login was opened before: its record.
    Repeated(LoginRecord),
    /// The user is disabled.
    Disabled,
    /// The user has another identity of this app.
    Conflict,
    /// The user has too many sessions, and the newest yields.
    Full,
    /// The app is being moved, and this person is on the legacy side.
    Stays(Why),
}
