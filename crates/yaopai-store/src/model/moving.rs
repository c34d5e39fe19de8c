//! The state of the apps' moves, and who is on which side.

use async_trait::async_trait;
use yaopai_core::audit::Said;
use yaopai_core::ids::{AppName, Realm, SessionId, UserId};
use yaopai_core::moving::{self, AppMove, MoveFor, Why};
use yaopai_core::ports::{Change, MoveStore, StoreResult};
use yaopai_core::session::EndReason;
use yaopai_core::time::Timestamp;

use super::Model;
use super::state::State;
use crate::audited;

#[async_trait]
impl MoveStore for Model {
    async fn app_move(&self, realm: &Realm, app: &AppName) -> StoreResult<Option<AppMove>> {
        Ok(find(&self.disk.lock(), realm, app).cloned())
    }

    async fn move_for(
        &self,
        realm: &Realm,
        app: &AppName,
        openid: &str,
        named: Option<&UserId>,
    ) -> StoreResult<Option<MoveFor>> {
        Ok(of_person(&self.disk.lock(), realm, app, openid, named))
    }

    async fn leave(&self, session: SessionId, now: Timestamp) -> StoreResult<Option<Why>> {
        Ok(self.tell(|state, changes| leave(state, session, now, changes)))
    }
}

fn find<'s>(state: &'s State, realm: &Realm, app: &AppName) -> Option<&'s AppMove> {
    state.moves.get(&(realm.clone(), app.clone()))
}

/// What an app's move says of one person, whose user is known.
pub(super) fn of(state: &State, realm: &Realm, app: &AppName, openid: &str, user: Option<&UserId>) -> Option<MoveFor> {
    find(state, realm, app).map(|moving| moving.of(openid, user))
}

fn of_person(state: &State, realm: &Realm, app: &AppName, openid: &str, named: Option<&UserId>) -> Option<MoveFor> {
    let identity = state.by_openid.get(&(app.clone(), openid.to_owned())).and_then(|id| state.identities.get(id));
    let identity = identity.map(|kept| &kept.identity).filter(|identity| identity.realm == *realm);
    of(state, realm, app, openid, identity.and_then(|identity| identity.user.as_ref()).or(named))
}

pub(super) fn set(state: &mut State, realm: &Realm, app: &AppName, to: &AppMove) -> (Said, ()) {
    let was = state.moves.insert((realm.clone(), app.clone()), to.clone());
    (audited::move_set(realm, app, was.as_ref(), Some(to)), ())
}

pub(super) fn end(state: &mut State, realm: &Realm, app: &AppName) -> (Said, bool) {
    let was = state.moves.remove(&(realm.clone(), app.clone()));
    (audited::move_set(realm, app, was.as_ref(), None), was.is_some())
}

fn leave(state: &mut State, id: SessionId, now: Timestamp, changes: &mut Vec<Change>) -> (Said, Option<Why>) {
    let Some(session) = state.session(id) else { return (Said::new(), None) };
    let said = of_person(state, &session.realm, &session.app, &session.openid, session.user.as_ref());
    match moving::stays(said.as_ref(), &session.app, &session.openid) {
        Some(why) if state.end(id, EndReason::Moved, now, changes) => (audited::went_back(&session, why), Some(why)),
        _ => (Said::new(), None),
    }
}
