use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::ports::{BindingFilter, Identity, KnownUser, Open};
use yaopai_core::session::Claims;
use yaopai_core::time::Timestamp;

use super::Base;

/// The identity that a login finds.
pub struct Found {
    /// Which.
    pub id: IdentityId,
    /// Its realm.
    pub realm: Realm,
    /// Its unionid.
    pub unionid: Option<String>,
    /// Its user.
    pub user: Option<UserId>,
    /// What is said about the user.
    pub claims: Option<Claims>,
    /// Is the user disabled?
    pub disabled: bool,
}

/// What a login looks at before it decides.
pub struct Look {
    /// Its identity, if it is known.
    pub found: Option<Found>,
    /// The rest, where the engine has read it with that: if each reading is a way to a server and back, one for all is better.
    pub rest: Option<Rest>,
}

/// See [`Look::rest`].
pub struct Rest {
    /// Is the app being moved?
    pub moves: bool,
    /// Is there an answer of the same login that is still good?
    pub repeated: bool,
    /// The user that the login proposes.
    pub user: Option<Proposed>,
}

/// A user whom a login proposes.
pub struct Proposed {
    /// Whom.
    pub user: UserId,
    /// Is he disabled?
    pub disabled: bool,
    /// What is said about him.
    pub claims: Option<Claims>,
    /// Has he another identity than the one that was found?
    pub other: Option<OtherIdentity>,
}

impl Look {
    /// This user, if he is the one whom the login proposes, and was looked at.
    pub fn at(&self, user: &UserId) -> Option<&Proposed> {
        self.rest.as_ref()?.user.as_ref().filter(|proposed| proposed.user == *user)
    }
}

/// The platform's word on an identity that is known.
pub struct Word<'a> {
    /// As it is now.
    pub unionid: Option<&'a str>,
    /// A newer one, sealed.
    pub session_key: Option<&'a [u8]>,
    /// As it is now.
    pub user: Option<&'a UserId>,
    /// Since when, if it is bound by this.
    pub bound_at: Option<Timestamp>,
    /// When the platform said so.
    pub vouched_at: Timestamp,
}

/// Where a user has another identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherIdentity {
    /// In the app that was asked about.
    SameApp,
    /// Elsewhere in the realm.
    OtherApp,
}

/// Identities, and their users.
pub trait IdentityRows: Base {
    /// One of the realm.
    fn identity_by_id(&self, realm: &Realm, id: IdentityId) -> Result<Option<Identity>, Self::Error>;

    /// One by what the platform calls it.
    fn identity_by_openid(&self, app: &AppName, openid: &str) -> Result<Option<Identity>, Self::Error>;

    /// What a login looks at: the identity, and of the rest whatever is read as easily.
    fn look(&self, open: &Open) -> Result<Look, Self::Error>;

    /// The user that a session's identity has.
    fn user_of(&self, session: SessionId) -> Result<Option<UserId>, Self::Error>;

    /// Has the user another identity in the realm? One of the same app goes before others.
    fn other_identity(
        &self,
        realm: &Realm,
        app: &AppName,
        user: &UserId,
        than: Option<IdentityId>,
    ) -> Result<Option<OtherIdentity>, Self::Error>;

    /// Has the user another identity of the app?
    fn has_other(
        &self,
        realm: &Realm,
        app: &AppName,
        user: &UserId,
        than: Option<IdentityId>,
    ) -> Result<bool, Self::Error> {
        Ok(self.other_identity(realm, app, user, than)? == Some(OtherIdentity::SameApp))
    }

    /// The apps and users of a unionid.
    fn users_of_unionid(&self, realm: &Realm, unionid: &str) -> Result<Vec<(AppName, UserId)>, Self::Error>;

    /// Everybody with a unionid, in order of their ids.
    fn identities_of_unionid(&self, realm: &Realm, unionid: &str) -> Result<Vec<Identity>, Self::Error>;

    /// A user's, in no order.
    fn identities_of_user(&self, realm: &Realm, user: &UserId) -> Result<Vec<IdentityId>, Self::Error>;

    /// The first openid, in byte order, that the user has in the app.
    fn first_openid(&self, realm: &Realm, app: &AppName, user: &UserId) -> Result<Option<String>, Self::Error>;

    /// A new one.
    fn insert_identity(&self, identity: &Identity, session_key: Option<&[u8]>) -> Result<(), Self::Error>;

    /// Writes all that a login may change.
    fn update_identity(&self, id: IdentityId, word: &Word<'_>) -> Result<(), Self::Error>;

    /// The platform vouched anew, and nothing else has changed.
    fn vouched(&self, id: IdentityId, session_key: Option<&[u8]>, at: Timestamp) -> Result<(), Self::Error>;

    /// It gets its user.
    fn give_user(&self, id: IdentityId, user: &UserId, at: Timestamp) -> Result<(), Self::Error>;

    /// It leaves its user.
    fn take_user(&self, id: IdentityId) -> Result<(), Self::Error>;

    /// Since when it has its user.
    fn set_bound_at(&self, id: IdentityId, at: Timestamp) -> Result<(), Self::Error>;

    /// The platform's id of the person.
    fn set_unionid(&self, id: IdentityId, unionid: &str) -> Result<(), Self::Error>;

    /// The sealed session_key kept with it.
    fn session_key(&self, id: IdentityId) -> Result<Option<Vec<u8>>, Self::Error>;

    /// A page of them.
    fn list_identities(&self, realm: &Realm, filter: &BindingFilter) -> Result<Vec<Identity>, Self::Error>;
}

/// What is said about users.
pub trait UserRows: Base {
    /// What was said.
    fn claims(&self, realm: &Realm, user: &UserId) -> Result<Option<Claims>, Self::Error>;

    /// Keeps what is said. True if it is news.
    fn write_claims(&self, realm: &Realm, user: &UserId, claims: Option<&Claims>) -> Result<bool, Self::Error>;

    /// The same, of what is known to be news.
    fn put_claims(&self, realm: &Realm, user: &UserId, claims: &Claims) -> Result<(), Self::Error> {
        self.write_claims(realm, user, Some(claims)).map(drop)
    }

    /// Since when a user is disabled.
    fn disabled_at(&self, realm: &Realm, user: &UserId) -> Result<Option<Timestamp>, Self::Error>;

    /// Disables or enables. One that is disabled already stays so since it was.
    fn write_disabled(&self, realm: &Realm, user: &UserId, at: Option<Timestamp>) -> Result<(), Self::Error>;

    /// A page of those of whom anything is known, in byte order.
    fn list_users(&self, realm: &Realm, after: Option<&UserId>, limit: u32) -> Result<Vec<KnownUser>, Self::Error>;

    /// One of them; `None` if nothing is known of it.
    fn known_user(&self, realm: &Realm, user: &UserId) -> Result<Option<KnownUser>, Self::Error>;
}
