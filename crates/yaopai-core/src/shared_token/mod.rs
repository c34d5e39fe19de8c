//! One platform token over all nodes: who fetches the next one, and what the others do meanwhile. Pure: `now` is the store's clock.
//!
//! Every engine loads the record under a lock, asks it, and saves it, so all of them decide alike. The owner of a lease may die; the
//! lease ends by itself, and the next owner has a higher number, so that what the first one still brings is refused.

mod sealed;

use std::collections::VecDeque;
use std::time::Duration;

use crate::ports::{SharedToken, TokenAsked, TokenDigest, TokenLease};
use crate::time::{Timestamp, millis};

pub use sealed::{Asked, SealedTokens};

/// How often a token may be found dead: more often, something is wrong that a new token doesn't cure.
pub const REPLACEMENTS: (usize, Duration) = (6, Duration::from_secs(60));

/// How often WeChat is told to make a new token. It allows 20 a day, and somebody else may do the same.
pub const FORCED: (usize, Duration) = (8, Duration::from_secs(24 * 3600));

/// WeChat ignores a forced refresh that follows another within 30 s.
pub const FORCED_APART: Duration = Duration::from_secs(31);

/// So long a token that the platform refused is taken for dead. Then it is tried again: perhaps only one of its servers had not
/// heard of it yet, and who can't have a new one made (a team's own URL) would do without any until its end.
pub const DEAD_FOR: Duration = Duration::from_secs(60);

/// No lease is longer. One that seems to be is from before the store's clock was set back.
pub const LEASE_MAX: Duration = Duration::from_secs(60);

/// When something happened of late.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Times(pub VecDeque<Timestamp>);

impl Times {
    /// Counts one more, if there is room for it.
    pub fn take(&mut self, now: Timestamp, (most, per): (usize, Duration)) -> bool {
        // Those of a future are from before the clock was set back.
        self.0.retain(|t| *t <= now && *t + per > now);
        let free = self.0.len() < most;
        if free {
            self.0.push_back(now);
        }
        free
    }

    /// The same, and none within `apart` of the last.
    pub fn take_apart(&mut self, now: Timestamp, most: (usize, Duration), apart: Duration) -> bool {
        let last = self.0.back().filter(|last| **last <= now);
        last.is_none_or(|last| *last + apart <= now) && self.take(now, most)
    }
}

/// A token in a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The text, sealed.
    pub sealed: Vec<u8>,
    /// Which one it is.
    pub digest: TokenDigest,
    /// When the next one is to be fetched.
    pub refresh_at: Timestamp,
    /// Until when it may be used.
    pub expires_at: Timestamp,
}

/// Who may fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The node.
    pub owner: String,
    /// Until when.
    pub until: Timestamp,
}

/// What all nodes know of one token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The one that nodes use.
    pub token: Option<Kept>,
    /// How many leases there were.
    pub fence: u64,
    /// Who fetches.
    pub lease: Option<Lease>,
    /// The last one that the platform refused, and when.
    pub dead: Option<(TokenDigest, Timestamp)>,
    /// When tokens were found dead.
    pub replaced: Times,
    /// When the platform was told to make one.
    pub forced: Times,
}

impl Record {
    /// See [`SharedTokens::ask`](crate::ports::SharedTokens::ask).
    pub fn ask(&mut self, now: Timestamp, node: &str, lease: Duration, dead: Option<TokenDigest>) -> TokenAsked {
        if let Some(dead) = dead
            && self.token.as_ref().is_some_and(|kept| kept.digest == dead)
        {
            if !self.replaced.take(now, REPLACEMENTS) {
                return TokenAsked::Enough;
            }
            self.dead = Some((dead, now));
            self.token = None;
        }
        let good = self.token.as_ref().filter(|kept| now < kept.expires_at).map(|kept| kept.seen_at(now));
        if let Some(token) = good.as_ref().filter(|token| !token.refresh_in.is_zero()) {
            return TokenAsked::Good(token.clone());
        }
        // A node that has a lease and asks is another life of it: one life fetches once at a time.
        let other = self.lease.as_ref().filter(|held| held.owner != node && held.is_live(now));
        if let Some(held) = other {
            return TokenAsked::Others(good, between(now, held.until));
        }
        self.fence += 1;
        self.lease = Some(Lease { owner: node.to_owned(), until: now + lease.min(LEASE_MAX) });
        TokenAsked::Yours(TokenLease { fence: self.fence, dead: self.dead_now(now) }, good)
    }

    /// See [`SharedTokens::keep`](crate::ports::SharedTokens::keep). A lease whose time is over is still its owner's, until
    /// another node has one.
    pub fn keep(&mut self, now: Timestamp, node: &str, fence: u64, token: SharedToken) -> bool {
        if !self.is_owner(node, fence) || self.dead_now(now) == Some(token.digest) {
            return false;
        }
        let SharedToken { sealed, digest, refresh_in, expires_in } = token;
        self.token = Some(Kept { sealed, digest, refresh_at: now + refresh_in, expires_at: now + expires_in });
        self.lease = None;
        true
    }

    /// See [`SharedTokens::force`](crate::ports::SharedTokens::force).
    pub fn force(&mut self, now: Timestamp, node: &str, fence: u64, lease: Duration) -> bool {
        let may = self.is_owner(node, fence) && self.forced.take_apart(now, FORCED, FORCED_APART);
        if may {
            self.lease = Some(Lease { owner: node.to_owned(), until: now + lease.min(LEASE_MAX) });
        }
        may
    }

    /// See [`SharedTokens::give_back`](crate::ports::SharedTokens::give_back).
    pub fn give_back(&mut self, node: &str, fence: u64) {
        if self.is_owner(node, fence) {
            self.lease = None;
        }
    }

    fn is_owner(&self, node: &str, fence: u64) -> bool {
        // The node, too: a standby that lacks the last leases counts from where it is.
        self.fence == fence && self.lease.as_ref().is_some_and(|held| held.owner == node)
    }

    fn dead_now(&self, now: Timestamp) -> Option<TokenDigest> {
        let (digest, at) = self.dead?;
        (at <= now && now < at + DEAD_FOR).then_some(digest)
    }
}

impl Lease {
    fn is_live(&self, now: Timestamp) -> bool {
        now < self.until && self.until <= now + LEASE_MAX
    }
}

impl Kept {
    fn seen_at(&self, now: Timestamp) -> SharedToken {
        SharedToken {
            sealed: self.sealed.clone(),
            digest: self.digest,
            refresh_in: between(now, self.refresh_at),
            expires_in: between(now, self.expires_at),
        }
    }
}

fn between(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(then.0.saturating_sub(now.0)).unwrap_or(0).min(millis(LIFE_MAX).unsigned_abs()))
}

/// No token is believed to live longer: one that seems to is from before the store's clock was set back.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;
