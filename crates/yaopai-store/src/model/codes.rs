//! Bind codes.

use yaopai_core::ids::SessionId;
use yaopai_core::ports::{BIND_CODES_MAX, BindCode, BindCodeHash};
use yaopai_core::time::Timestamp;

use super::state::State;

/// Keeps a code; of the user's others, the first to expire make room.
pub(super) fn keep(state: &mut State, code: BindCode) {
    let of_user = |c: &&BindCode| c.realm == code.realm && c.user == code.user;
    let mut others: Vec<_> = state.bind_codes.values().filter(of_user).map(|c| (c.expires_at, c.hash)).collect();
    others.sort_unstable_by(|a, b| b.cmp(a));
    for (_, hash) in others.into_iter().skip(BIND_CODES_MAX - 1) {
        state.bind_codes.remove(&hash);
    }
    state.bind_codes.insert(code.hash, code);
}

pub(super) fn preview(state: &mut State, hash: &BindCodeHash, session: SessionId, now: Timestamp) -> Option<BindCode> {
    let session = state.sessions.get(&session).filter(|s| s.ended.is_none())?;
    let code = state.bind_codes.get_mut(hash).filter(|code| code.shows(session, now))?;
    code.seen_by = Some(session.id);
    Some(code.clone())
}

/// Deletes codes, the longest expired first. Answers how many.
pub(super) fn purge(state: &mut State, now: Timestamp, limit: usize) -> usize {
    let expired = state.bind_codes.values().filter(|c| c.expires_at <= now);
    let mut expired: Vec<_> = expired.map(|c| (c.expires_at, c.hash)).collect();
    expired.sort_unstable();
    expired.truncate(limit);
    for (_, hash) in &expired {
        state.bind_codes.remove(hash);
    }
    expired.len()
}
