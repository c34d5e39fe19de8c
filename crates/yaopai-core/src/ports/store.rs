//! The store: intents, each one atomic decision in the engine. No CRUD, so that no caller can read, think and write.
//!
//! Every engine loads the session inside its transaction, applies the pure rule of [`crate::session`], saves, and hands the
//! change to its [`ChangeSink`] in commit order, before it answers. So what a caller is told is always both durable and in
//! the table that checks read.

use async_trait::async_trait;

use crate::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use crate::ports::{
    Act, Acted, AuditStore, Bind, BindCode, BindCodeHash, BindEnd, BindTerms, BindingFilter, FileHash, Filter,
    Identity, ImportMark, ImportOutcome, ImportPiece, JarStore, KeptAnswer, KnownUser, LoginRecord, MoveStore, Open,
    Opened, Rotate, Rotated, SigningStore, Stale, StaleEnded, StepUp, UserFound, Which,
};
use crate::session::{Claims, EndReason, Session};
use crate::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

/// Where an engine sends each committed change, in commit order.
pub trait ChangeSink: Send + Sync {
    /// Applies one change. Must not block.
    fn apply(&self, change: Change);
}

/// A committed change of a session.
#[derive(Debug, Clone)]
pub enum Change {
    /// It was opened, or something about it changed: this is how it is now.
    Put(Box<Session>),
    /// It ended.
    Ended(SessionId),
}

/// A store failed. Nothing is known to have changed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("store: {what}")]
pub struct StoreError {
    /// Can the same call succeed later?
    pub retry: bool,
    /// For the log.
    pub what: String,
}

/// Results of this room.
pub type StoreResult<T> = Result<T, StoreError>;

/// A data key, sealed under the master key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKey {
    /// Counts up from 1.
    pub id: u32,
    /// The key, sealed under the master key.
    pub sealed: Vec<u8>,
    /// How many seals have been reserved with it.
    pub reserved: u64,
}

/// What is known of signed requests that were accepted before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PastProofs {
    /// Up to when there may have been such; `None`: there never were.
    pub leased_until: Option<Timestamp>,
    /// Which there were, sealed; `None` unless the last stop was in order.
    pub saved: Option<Vec<u8>>,
    /// Up to when there may have been such at nodes that these sessions were moved from. It may still have to come.
    pub elsewhere: Option<Timestamp>,
}

/// An engine. Methods that change something answer only after the change is durable and applied to the sink.
#[async_trait]
pub trait Store: AuditStore + JarStore + MoveStore + SigningStore + Send + Sync {
    /// The server starts. Counts the time since it was last known to be alive as downtime, and says how much that is in all.
    /// When it was alive never goes back: one start under a clock that is years late must not make years of downtime later.
    async fn resume(&self, now: Timestamp) -> StoreResult<Downtime>;

    /// Hands every live session to `visit`, in id order. For boot.
    async fn scan_live(&self, visit: &mut (dyn FnMut(Session) + Send)) -> StoreResult<()>;

    /// Opens a session. Finds or creates the identity, binds it if it has no user and `user` or `link` names one, makes room among
    /// the user's sessions, and keeps the login's record: all or nothing. A person whom the app's move leaves on the legacy side is
    /// refused before anything else is looked at but a repeat.
    async fn open(&self, open: Open) -> StoreResult<Opened>;

    /// The record of a login, if it was kept.
    async fn login(&self, key: &[u8; 32]) -> StoreResult<Option<LoginRecord>>;

    /// Refreshes a bearer session; ends it as `reused` where that is the finding.
    async fn rotate(&self, rotate: Rotate) -> StoreResult<Rotated>;

    /// Replaces a bearer session's secret without grace, and notes that the platform vouched anew: all or nothing. When the
    /// session expires does not change. A request that was answered before changes nothing and gets its answer.
    async fn step_up(&self, step_up: StepUp) -> StoreResult<Rotated>;

    /// The first use of a new secret. Answers the session as it is then, ended or not; `None` if there is none.
    async fn confirm(&self, id: SessionId, shown: SecretHash, now: Timestamp) -> StoreResult<Option<Session>>;

    /// Binds the session's identity and hands out a secret that may act as the user, in one step. A session that had no
    /// user needs room among the user's, as at a login: the oldest others end as `replaced`, or it is [`Rotated::Full`].
    /// Redeems the bind code, where that is the proof.
    ///
    /// An identity that has another user goes over to the new one if the shown secret acts as the old one and the session
    /// was [stepped up lately](Session::stepped_up_lately): the identity's other bound sessions end as `unbound`, this one's secrets so far act
    /// as nobody, and its jar is emptied.
    async fn bind(&self, bind: Bind) -> StoreResult<Rotated>;

    /// Ends sessions that have not ended. Answers which.
    async fn end(&self, realm: &Realm, which: &Which, reason: EndReason, now: Timestamp)
    -> StoreResult<Vec<SessionId>>;

    /// Ends sessions that have expired, as found by the sweeper: `(id, reason)`. One that was used meanwhile can't be among
    /// them, because an expired session never slides.
    async fn expire(&self, expired: Vec<(SessionId, EndReason)>, now: Timestamp) -> StoreResult<()>;

    /// Ends sessions that have expired and that nobody's table holds, so that no sweep finds them: one step of a walk over
    /// all live sessions. To be called after [`Store::touched`] has stored the last uses up to `up`.
    async fn expire_stale(&self, stale: Stale) -> StoreResult<StaleEnded>;

    /// One session, ended or not.
    async fn load(&self, id: SessionId) -> StoreResult<Option<Session>>;

    /// Live sessions of a realm.
    async fn list(&self, realm: &Realm, filter: &Filter) -> StoreResult<Vec<Session>>;

    /// Notes when sessions were last used, and that the server is alive. May be lost by a crash.
    async fn touched(&self, seen: Vec<(SessionId, Uptime)>, alive_at: Timestamp) -> StoreResult<()>;

    /// Deletes what nobody asks for any more: login records, bind codes and kept answers that expired before `now`, sessions that ended before
    /// `ended_before`. At most `limit` rows each, so that a sweep is never a burst. Answers how many.
    async fn purge(&self, now: Timestamp, ended_before: Timestamp, limit: u32) -> StoreResult<u64>;

    /// The identity, if the platform ever vouched for it.
    async fn identity(&self, app: &AppName, openid: &str) -> StoreResult<Option<Identity>>;

    /// WeChat's session_key of an identity, sealed, as the last login or step-up brought it.
    async fn session_key(&self, identity: IdentityId) -> StoreResult<Option<Vec<u8>>>;

    /// The back end binds an identity; its running sessions rise in place, their tokens unchanged. Only if this call gives
    /// the identity its user: a session that stayed a guest when its identity was bound may be a copied one, and the same
    /// word again must not raise it. Then only the claims are updated.
    ///
    /// Where more sessions have risen than the user may have, the oldest end as `replaced`, also where an app says that the
    /// newest yields: the back end's word must not fail for that.
    async fn bind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        user: UserFound,
        terms: &BindTerms,
    ) -> StoreResult<BindEnd>;

    /// The session's client has read that the back end bound it. Changes nothing where there was nothing to read.
    async fn bind_read(&self, session: SessionId) -> StoreResult<()>;

    /// Binds a piece of a file of bindings, rows that conflict apart, and moves the file's position, in one step: the log is
    /// asked before the commit, and what it answers is kept with the position. Fails without a trace if the position isn't
    /// where the piece begins (so no piece is taken twice) or the log fails. An identity that is known gets its user as by
    /// [`Store::bind_identity`]. Answers one outcome for each row, in their order.
    async fn import_bindings(&self, piece: ImportPiece) -> StoreResult<Vec<ImportOutcome>>;

    /// How far a file has come in. `None`: not begun, or ended.
    async fn import_mark(&self, file: &FileHash) -> StoreResult<Option<ImportMark>>;

    /// Forgets how far a file has come in.
    async fn end_import(&self, file: &FileHash) -> StoreResult<()>;

    /// Unbinds an identity, from this user only if one is named, and ends its bound sessions as `unbound`. False if there was
    /// no such binding.
    async fn unbind_identity(
        &self,
        realm: &Realm,
        identity: IdentityId,
        from: Option<&UserId>,
        now: Timestamp,
    ) -> StoreResult<bool>;

    /// Keeps a bind code that the back end made. Of the user's codes in the realm the newest [`BIND_CODES_MAX`] stay.
    ///
    /// [`BIND_CODES_MAX`]: crate::ports::BIND_CODES_MAX
    async fn keep_bind_code(&self, code: BindCode) -> StoreResult<()>;

    /// A live session shows a bind code to its person, and keeps it from all others by that. `None` if it may not: the code
    /// is another session's, another realm's or app's, has expired, or there is none.
    async fn preview(&self, code: &BindCodeHash, session: SessionId, now: Timestamp) -> StoreResult<Option<BindCode>>;

    /// A bind code. Whether it may be redeemed is [`Store::bind`]'s to decide.
    async fn bind_code(&self, code: &BindCodeHash) -> StoreResult<Option<BindCode>>;

    /// A back end changes something, and the answer that goes with it is kept in the same step: after a crash there are both or
    /// neither. What each action does is told at the methods of the same names.
    async fn act(&self, act: Act) -> StoreResult<Acted>;

    /// The answer that was kept under a key, if it is still good.
    async fn kept_answer(&self, key: &[u8; 32], now: Timestamp) -> StoreResult<Option<KeptAnswer>>;

    /// Users of whom anything is known, in byte order of their ids: they are bound, disabled, or something was said of them.
    async fn users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> StoreResult<Vec<KnownUser>>;

    /// One of them.
    async fn user(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<KnownUser>>;

    /// An identity of the realm.
    async fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> StoreResult<Option<Identity>>;

    /// Identities that are bound, or all, in order of their ids.
    async fn bindings(&self, realm: &Realm, filter: &BindingFilter) -> StoreResult<Vec<Identity>>;

    /// What is said about a user; running sessions learn it at once.
    async fn set_claims(&self, realm: &Realm, user: &UserId, claims: Option<Claims>, now: Timestamp)
    -> StoreResult<()>;

    /// What was said about a user.
    async fn claims(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Claims>>;

    /// Disables a user, or enables one (`None`). A disabled user has no live session: those there are end as `user_disabled`, also
    /// those of an identity that is bound to the user from now on; logins and binds by the client are refused. One that is
    /// disabled already stays so since it was. Answers which sessions ended.
    async fn set_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> StoreResult<Vec<SessionId>>;

    /// Since when a user is disabled.
    async fn disabled_at(&self, realm: &Realm, user: &UserId) -> StoreResult<Option<Timestamp>>;

    /// Keeps newer keys of a session whose keys have versions. Answers the session as it is then; `None` if it has ended, its key is
    /// of another kind, or it has a version as new as this.
    async fn renew_key(&self, session: SessionId, version: u32, sealed: Vec<u8>) -> StoreResult<Option<Session>>;

    /// Signed requests may be accepted up to this time. It never goes back.
    async fn lease_proofs(&self, until: Timestamp) -> StoreResult<()>;

    /// What is known of the signed requests that were accepted before this start. What a stop kept is taken: durably gone before this
    /// answers, so that it counts once.
    async fn take_proofs(&self) -> StoreResult<PastProofs>;

    /// Keeps the nonces of accepted requests over a stop in order, sealed.
    async fn keep_proofs(&self, sealed: Vec<u8>) -> StoreResult<()>;

    /// The data keys.
    async fn data_keys(&self) -> StoreResult<Vec<DataKey>>;

    /// Adds a data key; false if one with its id is there already.
    async fn add_data_key(&self, key: DataKey) -> StoreResult<bool>;

    /// Reserves `count` more seals with a data key; answers how many are reserved in all.
    async fn reserve_seals(&self, key: u32, count: u64) -> StoreResult<u64>;
}
