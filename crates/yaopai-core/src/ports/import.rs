//! Bindings that come in from a file. It is the back end's own table, handed over by an operator on the database's machine:
//! the one place where an openid that no platform has vouched for yet gets a user.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{BindTerms, Identity, UserFound};
use crate::ids::{AppName, IdentityId, Realm, UserId};
use crate::time::Timestamp;

/// What tells one import from another: SHA-256 of the file and of how it is read.
pub type FileHash = [u8; 32];

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// The app; one of [`ImportPiece::terms`].
    pub app: AppName,
    /// The platform's id of the person in the app.
    pub openid: String,
    /// The platform's id of the person over its apps, if the file knows it.
    pub unionid: Option<String>,
    /// The user it is to have.
    pub user: UserFound,
    /// Since when. `None`: now.
    pub bound_at: Option<Timestamp>,
    /// Used as the identity's id if it is new.
    pub new_identity: IdentityId,
}

/// What the rows of one app go by.
#[derive(Debug, Clone)]
pub struct ImportTerms {
    /// The app's realm.
    pub realm: Realm,
    /// As for a bind by the back end.
    pub bind: BindTerms,
}

/// Some rows of a file that stand together in it.
#[derive(Clone)]
pub struct ImportPiece {
    /// The file.
    pub file: FileHash,
    /// Where the piece begins, in bytes: where the piece before it ended, 0 for the first.
    pub from: u64,
    /// Where it ends, in bytes.
    pub to: u64,
    /// Its good rows, in the file's order.
    pub rows: Vec<ImportRow>,
    /// What each app's rows go by.
    pub terms: Arc<BTreeMap<AppName, ImportTerms>>,
    /// Who writes the report.
    pub log: Arc<dyn ImportLog>,
}

/// Writes the report of an import, so that it and the database never tell different things.
pub trait ImportLog: Send + Sync {
    /// Takes the outcomes of a piece's rows, in their order, before they are committed. What it answers is kept with the
    /// position. It is asked again if the transaction has to be run again, and blocks the engine meanwhile.
    ///
    /// # Errors
    /// For the operator, in a sentence. Then nothing of the piece is committed.
    fn note(&self, outcomes: &[ImportOutcome]) -> Result<String, String>;
}

/// How far a file has come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportMark {
    /// Up to here, in bytes.
    pub position: u64,
    /// What the log answered last.
    pub note: String,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportOutcome {
    /// The identity got its user by it.
    Bound,
    /// The identity had this user; claims that came along are kept.
    Already,
    /// Something else stands there, and nothing has changed.
    Conflict(ImportConflict),
}

/// What stands in a row's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportConflict {
    /// The identity has this other user.
    OtherUser(UserId),
    /// The user has this other identity of the app: its openid, the first in order if there are more.
    OtherIdentity(String),
    /// The identity belongs to this other realm, in which the app was before.
    OtherRealm(Realm),
    /// The identity has this other unionid.
    OtherUnionid(String),
}

impl ImportRow {
    /// The identity of an openid that was never seen.
    pub fn identity(&self, terms: &ImportTerms) -> Identity {
        let at = self.bound_at.unwrap_or(terms.bind.now);
        Identity {
            id: self.new_identity,
            realm: terms.realm.clone(),
            app: self.app.clone(),
            openid: self.openid.clone(),
            unionid: self.unionid.clone(),
            user: Some(self.user.user.clone()),
            bound_at: Some(at),
            created_at: at,
            vouched_at: None,
        }
    }

    /// What becomes of the row, by what stands in the store: the identity of its app and openid, and another identity of the
    /// app that the user has (only asked for where that matters).
    ///
    /// # Errors
    /// Those of `other`.
    pub fn judge<E>(
        &self,
        terms: &ImportTerms,
        identity: Option<&Identity>,
        other: impl FnOnce() -> Result<Option<String>, E>,
    ) -> Result<ImportOutcome, E> {
        use ImportConflict as C;
        use ImportOutcome::{Already, Bound, Conflict};
        if let Some(identity) = identity {
            if identity.realm != terms.realm {
                return Ok(Conflict(C::OtherRealm(identity.realm.clone())));
            }
            if let Some(has) = identity.user.as_ref().filter(|has| **has != self.user.user) {
                return Ok(Conflict(C::OtherUser(has.clone())));
            }
            // The unionid that stands there is the platform's word or an earlier file's: a row that knows better may as well
            // name the wrong openid.
            if let (Some(has), Some(says)) = (&identity.unionid, &self.unionid)
                && has != says
            {
                return Ok(Conflict(C::OtherUnionid(has.clone())));
            }
            if identity.user.is_some() {
                return Ok(Already);
            }
        }
        if terms.bind.second_identity {
            return Ok(Bound);
        }
        Ok(other()?.map_or(Bound, |openid| Conflict(C::OtherIdentity(openid))))
    }
}
