//! Identities, and their binding to users, as a store takes it.

use crate::ids::{AppName, IdentityId, Realm, UserId};
use crate::ports::{Proof, Rotate, UserFound};
use crate::session::{Limits, RiseLimits};
use crate::time::{Timestamp, Uptime};

/// One (app, openid) that the platform vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Our id of it.
    pub id: IdentityId,
    /// Its realm.
    pub realm: Realm,
    /// Its app.
    pub app: AppName,
    /// The platform's id.
    pub openid: String,
    /// The platform's id over its apps, where there is one.
    pub unionid: Option<String>,
    /// The user it is bound to.
    pub user: Option<UserId>,
    /// Since when.
    pub bound_at: Option<Timestamp>,
    /// When it came to be known.
    pub created_at: Timestamp,
    /// When the platform last vouched for it. `None`: not known, as of one that came in by a file.
    pub vouched_at: Option<Timestamp>,
}

/// A bind by the client, with the back end's word.
#[derive(Debug, Clone)]
pub struct Bind {
    /// The secret rotates by it.
    pub rotate: Rotate,
    /// Whom the back end named.
    pub user: UserFound,
    /// What it rests on.
    pub proof: Proof,
    /// May a user have a second identity of this app? Never by a phone number alone, whatever stands here.
    pub second_identity: bool,
    /// How many sessions the user may have. They are counted when the session had no user before.
    pub limits: Limits,
    /// The idle time-out in milliseconds: sessions idle for longer don't count.
    pub idle_ms: i64,
    /// Now, on the idle time line.
    pub up: Uptime,
}

/// What a bind by the back end goes by.
#[derive(Debug, Clone)]
pub struct BindTerms {
    /// May a user have a second identity of this app?
    pub second_identity: bool,
    /// How many sessions the user may have.
    pub limits: RiseLimits,
    /// The idle time-out in milliseconds: sessions idle for longer don't count.
    pub idle_ms: i64,
    /// Now, on the idle time line.
    pub up: Uptime,
    /// Now.
    pub now: Timestamp,
}

/// How a bind by the back end ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BindEnd {
    /// Done; running sessions rose in place. The identity as it is now.
    Bound(Box<Identity>),
    /// No such identity in this realm.
    NotFound,
    /// The identity has another user, or the user has another identity of the app.
    Conflict,
}

/// Which identities to list: those that are bound.
#[derive(Debug, Clone, Default)]
pub struct BindingFilter {
    /// Of this user.
    pub user: Option<UserId>,
    /// Of this app.
    pub app: Option<AppName>,
    /// The identity with this openid (with `app`).
    pub openid: Option<String>,
    /// With this unionid.
    pub unionid: Option<String>,
    /// Those that have no user, too.
    pub unbound_too: bool,
    /// After this id (pagination).
    pub after: Option<IdentityId>,
    /// At most so many.
    pub limit: u32,
}
