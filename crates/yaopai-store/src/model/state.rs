//! What the reference engine keeps, and how it is looked up.

use std::collections::BTreeMap;

use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId, UserId};
use yaopai_core::moving::AppMove;
use yaopai_core::ports::{
    BindCode, BindCodeHash, Change, DataKey, FileHash, Identity, ImportMark, Jar, KeptAnswer, LoginRecord, PastProofs,
    SigningKey,
};
use yaopai_core::session::{Claims, EndReason, Ended, Session};
use yaopai_core::time::{Downtime, Timestamp};

use super::audit::Log;

#[derive(Clone, Default)]
pub(super) struct State {
    pub alive_at: Option<Timestamp>,
    pub downtime: Downtime,
    pub data_keys: BTreeMap<u32, DataKey>,
    pub identities: BTreeMap<IdentityId, Kept>,
    pub by_openid: BTreeMap<(AppName, String), IdentityId>,
    pub claims: BTreeMap<(Realm, UserId), Claims>,
    pub disabled: BTreeMap<(Realm, UserId), Timestamp>,
    /// `openid`, `unionid` and `claims` of these are not looked at: [`State::session`] fills them in.
    pub sessions: BTreeMap<SessionId, Session>,
    pub bind_codes: BTreeMap<BindCodeHash, BindCode>,
    pub logins: BTreeMap<[u8; 32], LoginRecord>,
    pub imports: BTreeMap<FileHash, ImportMark>,
    pub proofs: PastProofs,
    /// Of live sessions only.
    pub jars: BTreeMap<SessionId, Jar>,
    pub answers: BTreeMap<[u8; 32], KeptHere>,
    pub moves: BTreeMap<(Realm, AppName), AppMove>,
    /// In order.
    pub signing_keys: Vec<SigningKey>,
    pub log: Log,
}

/// An answer to an admin call.
#[derive(Clone)]
pub(super) struct KeptHere {
    pub realm: Realm,
    pub answer: KeptAnswer,
    pub expires_at: Timestamp,
}

#[derive(Clone)]
pub(super) struct Kept {
    pub identity: Identity,
    pub session_key: Option<Vec<u8>>,
}

impl State {
    pub fn session(&self, id: SessionId) -> Option<Session> {
        self.sessions.get(&id).map(|kept| self.joined(kept))
    }

    /// The session with what is kept elsewhere.
    pub fn joined(&self, kept: &Session) -> Session {
        let mut session = kept.clone();
        if let Some(Kept { identity, .. }) = self.identities.get(&session.identity) {
            session.openid.clone_from(&identity.openid);
            session.unionid.clone_from(&identity.unionid);
        }
        session.claims = session.user.as_ref().and_then(|user| self.claims_of(&session.realm, user));
        session
    }

    pub fn claims_of(&self, realm: &Realm, user: &UserId) -> Option<Claims> {
        self.claims.get(&(realm.clone(), user.clone())).cloned()
    }

    pub fn disabled_at(&self, realm: &Realm, user: &UserId) -> Option<Timestamp> {
        self.disabled.get(&(realm.clone(), user.clone())).copied()
    }

    /// Live sessions for which `wanted` holds, in id order.
    pub fn live(&self, wanted: impl Fn(&Session) -> bool) -> Vec<SessionId> {
        self.sessions.values().filter(|s| s.ended.is_none() && wanted(s)).map(|s| s.id).collect()
    }

    /// Another identity of the app that the user has.
    pub fn has_other(&self, realm: &Realm, app: &AppName, user: &UserId, than: Option<IdentityId>) -> bool {
        self.identities
            .values()
            .map(|k| &k.identity)
            .any(|i| i.realm == *realm && i.app == *app && i.user.as_ref() == Some(user) && Some(i.id) != than)
    }

    pub fn end(&mut self, id: SessionId, reason: EndReason, at: Timestamp, changes: &mut Vec<Change>) -> bool {
        let Some(session) = self.sessions.get_mut(&id).filter(|s| s.ended.is_none()) else { return false };
        session.ended = Some(Ended { reason, at });
        self.jars.remove(&id);
        changes.push(Change::Ended(id));
        true
    }

    /// Keeps claims. True if they are new.
    pub fn say(&mut self, realm: &Realm, user: &UserId, claims: Option<&Claims>) -> bool {
        let key = (realm.clone(), user.clone());
        let before = match claims {
            Some(claims) => self.claims.insert(key, claims.clone()),
            None => self.claims.remove(&key),
        };
        before.as_ref() != claims
    }

    /// Live sessions whose principal changes when these claims or this unionid do.
    pub fn put(&self, ids: impl IntoIterator<Item = SessionId>, changes: &mut Vec<Change>) {
        changes.extend(ids.into_iter().filter_map(|id| self.session(id)).map(|s| Change::Put(Box::new(s))));
    }
}
