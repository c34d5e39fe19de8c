//! Which sessions a call is about.

use crate::ids::{AppName, IdentityId, SessionId, UserId};
use crate::time::Timestamp;

/// Which sessions: always within one realm, so that no caller can reach into another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// One by id.
    One(SessionId),
    /// One by id, if it is the subject's own.
    Own(SessionId, Subject),
    /// Several by id.
    Some(Vec<SessionId>),
    /// All of a subject.
    All(Subject),
    /// All of an identity, with or without a user, that were opened at this time or before.
    Opened(IdentityId, Timestamp),
}

/// Whose sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user's, in all apps of the realm.
    User(UserId),
    /// An identity's sessions without a user.
    Guest(IdentityId),
}

/// Which sessions to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this subject.
    pub subject: Option<Subject>,
    /// Of this app.
    pub app: Option<AppName>,
    /// After this id (pagination; ids are time-ordered).
    pub after: Option<SessionId>,
    /// At most so many.
    pub limit: u32,
}
