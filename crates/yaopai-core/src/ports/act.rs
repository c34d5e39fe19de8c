//! What a back end changes through the admin API: one step, in which the call's answer is kept as well.

use std::fmt;
use std::sync::Arc;

use super::{BindCode, BindEnd, BindTerms, Identity, NextKeys, SigningKey, StoreError, UserFound, Which};
use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::moving::AppMove;
use crate::session::{Claims, EndReason};
use crate::time::Timestamp;

/// A change within a realm.
#[derive(Debug, Clone)]
pub struct Act {
    /// In which realm. Nothing of another one is seen or changed.
    pub realm: Realm,
    /// What.
    pub action: Action,
    /// The answer to keep with it, in the same step. If one is kept under its key already, nothing is changed.
    pub keep: Option<Keep>,
    /// Now.
    pub now: Timestamp,
}

/// What a back end can do.
#[derive(Debug, Clone)]
pub enum Action {
    /// Nothing: it was done before, in steps, and only the answer is to be kept.
    Nothing,
    /// These sessions end, for this reason: `kicked`, or `moved` where a whole app goes back.
    Kick(Which, EndReason),
    /// This is said about a user.
    SetClaims(UserId, Option<Claims>),
    /// A user is disabled, or enabled (`None`).
    SetDisabled(UserId, Option<Timestamp>),
    /// An identity gets its user.
    Bind(IdentityId, UserFound, BindTerms),
    /// An identity loses its user; its bound sessions end as `unbound`.
    Unbind(IdentityId),
    /// An identity goes from its user to another.
    Move(Move),
    /// All identities of one person become one user's.
    Merge(Merge),
    /// A bind code is kept.
    KeepBindCode(BindCode),
    /// This is the state of an app's move from now on.
    SetMove(AppName, AppMove),
    /// An app's move is over: everybody is on our side.
    EndMove(AppName),
    /// The next keys sign. They are the whole server's; of the realm is only the answer.
    AddKeys(NextKeys),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acted {
    /// Done.
    Done,
    /// These sessions ended by it.
    Ended(Vec<SessionId>),
    /// A bind's or a move's end.
    Bound(BindEnd),
    /// Was there a binding to end?
    Unbound(bool),
    /// Was there an app's move to end?
    MoveEnded(bool),
    /// What a merge did, or would do.
    Merged(Merged),
    /// The keys as they are now, in the order in which they sign. `None`: somebody else was quicker, and nothing was changed.
    Keys(Option<Vec<SigningKey>>),
    /// The answer was kept before. Nothing was changed.
    Repeated(KeptAnswer),
    /// The realm has as many answers as it may keep. Nothing was changed.
    Full,
}

/// Makes an answer, sealed, of what came of a change. `None`: a refusal, of which nothing is kept. It may be asked more than once,
/// because a transaction may be run again. An error undoes the change.
pub type Answer = Arc<dyn Fn(&Acted) -> Result<Option<Vec<u8>>, StoreError> + Send + Sync>;

/// An answer to keep.
#[derive(Clone)]
pub struct Keep {
    /// Under what: a digest that has the realm, the API key and the client's key in it.
    pub key: [u8; 32],
    /// A digest of what was asked.
    pub request: [u8; 32],
    /// Good before this.
    pub expires_at: Timestamp,
    /// How many the realm may have.
    pub most: u64,
    /// The answer.
    pub answer: Answer,
}

impl fmt::Debug for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keep").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// An answer that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// To what.
    pub request: [u8; 32],
    /// The answer, sealed.
    pub sealed: Vec<u8>,
}

/// An identity goes from its user to another. Its bound sessions end as `unbound`; its guests stay guests: one that had no user
/// when its identity was bound may be a copy.
#[derive(Debug, Clone)]
pub struct Move {
    /// Which.
    pub identity: IdentityId,
    /// From this user only, if one is named.
    pub from: Option<UserId>,
    /// To whom.
    pub to: UserFound,
    /// May a user have a second identity of this app?
    pub second_identity: bool,
    /// What an audit row calls it.
    pub why: &'static str,
}

/// All identities that share a unionid become one user's.
#[derive(Debug, Clone)]
pub struct Merge {
    /// The platform's id of the person.
    pub unionid: String,
    /// The apps of one open platform, each with what its binds go by. A unionid of another platform is another person's.
    pub apps: Vec<(AppName, BindTerms)>,
    /// Whose they become. `None`: the one user that they have.
    pub user: Option<UserId>,
    /// Only say what would be done.
    pub dry_run: bool,
}

/// What a merge did, or would do. With a conflict among the outcomes nothing was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Whose they are. `None`: nobody was named, and they have no user, or several.
    pub user: Option<UserId>,
    /// Each of them as it was before, in order of their ids, and what becomes of it.
    pub identities: Vec<(Identity, MergeOutcome)>,
    /// Was it done?
    pub done: bool,
}

impl Merged {
    /// Is there anything that stands against it?
    pub fn conflicts(&self) -> bool {
        self.identities.iter().any(|(_, outcome)| matches!(outcome, MergeOutcome::Conflict(_)))
    }
}

/// What becomes of one identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeOutcome {
    /// It is the user's already.
    Kept,
    /// It had no user; its running sessions rise in place.
    Bound,
    /// It had another; its bound sessions end.
    Moved,
    /// It can't be done.
    Conflict(MergeConflict),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeConflict {
    /// Nobody was named, and none of them has a user.
    NoUser,
    /// Nobody was named, and they have several.
    SeveralUsers,
    /// The user would have two identities of this app, which it does not allow.
    SecondIdentity,
}

/// What is known of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUser {
    /// The back end's own id.
    pub user: UserId,
    /// What was said.
    pub claims: Option<Claims>,
    /// Since when.
    pub disabled_at: Option<Timestamp>,
    /// How many identities are bound to it.
    pub identities: u64,
    /// How many sessions of it have not ended.
    pub sessions: u64,
}
