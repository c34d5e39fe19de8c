//! Jars.

use async_trait::async_trait;
use yaopai_core::ids::SessionId;
use yaopai_core::jar;
use yaopai_core::ports::{Jar, JarChange, JarStore, StoreResult};
use yaopai_core::session::Session;

use super::Model;
use super::state::State;

#[async_trait]
impl JarStore for Model {
    async fn jar(&self, session: SessionId) -> StoreResult<Jar> {
        let state = self.disk.lock();
        let live = state.sessions.get(&session).filter(|session| session.ended.is_none());
        let Some(session) = live else { return Ok(Jar::default()) };
        let jar = state.jars.get(&session.id).cloned().unwrap_or_default();
        Ok(Jar { user: session.user.clone(), ..jar })
    }

    async fn jar_version(&self, session: SessionId) -> StoreResult<Option<u64>> {
        let state = self.disk.lock();
        let live = state.sessions.get(&session).filter(|session| session.ended.is_none());
        Ok(live.map(|_| state.jars.get(&session).map_or(0, |jar| jar.version)))
    }

    async fn put_cookies(&self, change: JarChange) -> StoreResult<Option<u64>> {
        Ok(self.run(|state, _| put(state, &change)))
    }
}

fn put(state: &mut State, change: &JarChange) -> Option<u64> {
    let live = |session: &&Session| session.ended.is_none() && session.user == change.user;
    state.sessions.get(&change.session).filter(live)?;
    let jar = state.jars.entry(change.session).or_default();
    if !jar::keep(&mut jar.cookies, change).is_empty() {
        jar.version += 1;
    }
    Some(jar.version)
}

/// Empties the jar of a session that goes on.
pub(super) fn empty(state: &mut State, session: SessionId) {
    let jar = state.jars.entry(session).or_default();
    *jar = Jar { version: jar.version + 1, ..Jar::default() };
}
