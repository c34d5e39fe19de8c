//! Jars.

use async_trait::async_trait;
use yaopai_core::ids::SessionId;
use yaopai_core::jar;
use yaopai_core::ports::{Jar, JarChange, JarStore, StoreResult};

use super::Model;
use super::state::State;

#[async_trait]
impl JarStore for Model {
    async fn jar(&self, session: SessionId) -> StoreResult<Jar> {
        Ok(self.disk.lock().jars.get(&session).cloned().unwrap_or_default())
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
    state.sessions.get(&change.session).filter(|session| session.ended.is_none())?;
    let jar = state.jars.entry(change.session).or_default();
    if !jar::keep(&mut jar.cookies, change).is_empty() {
        jar.version += 1;
    }
    Some(jar.version)
}

/// Empties the jar of a session that goes on.
pub(super) fn empty(state: &mut State, session: SessionId) {
    let jar = state.jars.entry(session).or_default();
    *jar = Jar { version: jar.version + 1, cookies: Vec::new() };
}
