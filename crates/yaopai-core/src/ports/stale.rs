//! Expired sessions that no table holds: a walk over the live ones.

use std::collections::BTreeMap;

use crate::ids::{AppName, IdentityId, SessionId};
use crate::session::EndReason;
use crate::time::{Timestamp, Uptime};

/// Where a walk over the live sessions goes on: after this one, in order of identity, then id.
pub type StaleAfter = (IdentityId, SessionId);

/// One step of a walk over the live sessions.
#[derive(Debug, Clone, Default)]
pub struct Stale {
    /// The idle time-out in milliseconds of each configured app. Sessions of any other app end of age only.
    pub idle_ms: BTreeMap<AppName, i64>,
    /// When idle time ends: taken before the last uses were flushed by [`Store::touched`](crate::ports::Store::touched).
    pub up: Uptime,
    /// Now.
    pub now: Timestamp,
    /// Where the last step left off; `None` begins anew.
    pub after: Option<StaleAfter>,
    /// Looks at so many live sessions, at most.
    pub limit: u32,
}

impl Stale {
    /// Has a session of this app expired, by what is stored of it, and how?
    pub fn expired(&self, app: &AppName, last_seen: Uptime, absolute_at: Timestamp) -> Option<EndReason> {
        if self.now >= absolute_at {
            return Some(EndReason::ExpiredAbsolute);
        }
        let idle = self.idle_ms.get(app).is_some_and(|idle_ms| self.up.0 >= last_seen.0.saturating_add(*idle_ms));
        idle.then_some(EndReason::ExpiredIdle)
    }
}

/// What one step of the walk did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StaleEnded {
    /// The sessions that it ended, and why.
    pub ended: Vec<(SessionId, EndReason)>,
    /// Where the next step goes on; `None` after the last live session.
    pub next: Option<StaleAfter>,
}
