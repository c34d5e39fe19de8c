use yaopai_core::ids::{IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{Filter, Jar, JarCookie, Slot, Stale, StaleEnded};
use yaopai_core::session::{Ended, Other, Session};
use yaopai_core::time::{Timestamp, Uptime};

use super::Base;
use crate::audited::End;

/// Whose a session is.
pub struct Owned {
    /// Its identity.
    pub identity: IdentityId,
    /// Its user.
    pub user: Option<UserId>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// Sessions. Lists of ids are in order.
pub trait SessionRows: Base {
    /// One, ended or not.
    fn session(&self, id: SessionId) -> Result<Option<Session>, Self::Error>;

    /// A new one.
    fn insert_session(&self, session: &Session) -> Result<(), Self::Error>;

    /// Writes what a rule may have changed.
    fn save_session(&self, session: &Session) -> Result<(), Self::Error>;

    /// Ends one. False if it had ended, or there is none.
    fn end_session(&self, id: SessionId, ended: Ended) -> Result<bool, Self::Error>;

    /// What the audit log is told of one that has ended.
    fn end_of(&self, id: SessionId) -> Result<Option<End>, Self::Error>;

    /// The live sessions that the limits count: of the same user in the same app or, without a user, of the identity.
    fn others(&self, new: &Session, idle_ms: i64, up: Uptime, now: Timestamp) -> Result<Vec<Other>, Self::Error>;

    /// Whose a live one of the realm is, and when it was opened.
    fn live_one(&self, realm: &Realm, id: SessionId) -> Result<Option<Owned>, Self::Error>;

    /// The live ones of an identity of the realm that have no user.
    fn live_guests(&self, realm: &Realm, id: IdentityId) -> Result<Vec<SessionId>, Self::Error>;

    /// The live ones of an identity of the realm that were opened by then.
    fn live_opened(&self, realm: &Realm, id: IdentityId, by: Timestamp) -> Result<Vec<SessionId>, Self::Error>;

    /// A user's live ones.
    fn live_of_user(&self, realm: &Realm, user: &UserId) -> Result<Vec<SessionId>, Self::Error>;

    /// An identity's live ones.
    fn live_of_identity(&self, id: IdentityId) -> Result<Vec<SessionId>, Self::Error>;

    /// An identity's live ones that have a user.
    fn bound_of_identity(&self, id: IdentityId) -> Result<Vec<SessionId>, Self::Error>;

    /// One step's sessions that have expired, and where the next one goes on.
    fn stale(&self, stale: &Stale) -> Result<StaleEnded, Self::Error>;

    /// Keeps a newer version of a key. Of two that come at the same time the newer one stays, whichever is last. False if it is
    /// not newer, or the session is none that has such a key.
    fn renew_key(&self, id: SessionId, version: u32, sealed: &[u8]) -> Result<bool, Self::Error>;

    /// Live ones of a realm.
    fn list_sessions(&self, realm: &Realm, filter: &Filter) -> Result<Vec<Session>, Self::Error>;

    /// Every live one, some at a time, until `visit` says false.
    fn scan(&self, visit: &mut dyn FnMut(Vec<Session>) -> bool) -> Result<(), Self::Error>;

    /// When they were last used. An ended session is left as it is; the others never go back.
    fn seen(&self, seen: &[(SessionId, Uptime)]) -> Result<(), Self::Error>;

    /// Deletes ended ones, the longest ended first. Answers how many.
    fn purge_sessions(&self, ended_before: Timestamp, limit: u32) -> Result<u32, Self::Error>;
}

/// Jars: a row for each cookie, and a version with the session.
pub trait JarRows: Base {
    /// The version and the cookies, of one moment. Empty if the session has ended, or there is none.
    fn jar(&self, session: SessionId) -> Result<Jar, Self::Error>;

    /// The jar's version and the session's user; `None` if the session has ended, or there is none.
    fn jar_head(&self, session: SessionId) -> Result<Option<(u64, Option<UserId>)>, Self::Error>;

    /// Its cookies, in the order in which they came.
    fn cookies(&self, session: SessionId) -> Result<Vec<JarCookie>, Self::Error>;

    /// Writes one.
    fn write_cookie(&self, session: SessionId, cookie: &JarCookie) -> Result<(), Self::Error>;

    /// Removes one.
    fn drop_cookie(&self, session: SessionId, slot: &Slot) -> Result<(), Self::Error>;

    /// Counts a change.
    fn count_jar(&self, session: SessionId) -> Result<(), Self::Error>;

    /// Deletes a session's cookies.
    fn delete_jar(&self, session: SessionId) -> Result<(), Self::Error>;
}
