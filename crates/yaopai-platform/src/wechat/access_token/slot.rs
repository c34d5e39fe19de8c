//! What is known of one app's token, and whether to ask WeChat. Time comes in, decisions come out.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use yaopai_core::ports::PlatformError;
use yaopai_core::time::Timestamp;

use super::{AccessToken, Result, Waiting};

/// The pause after the first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// How often a token may be found dead: more often, something is wrong that a new token doesn't cure.
const REPLACEMENTS: (usize, Duration) = (6, Duration::from_secs(60));

/// How often WeChat is told to make a new token. It allows 20 a day; another node may do the same.
const FORCED: (usize, Duration) = (8, Duration::from_secs(24 * 3600));

/// WeChat ignores a forced refresh that follows another within 30 s.
const FORCED_APART: Duration = Duration::from_secs(31);

/// So long a token that WeChat refused is taken for dead. Then it is tried again: perhaps only one of WeChat's servers had
/// not heard of it yet, and who can't have a new one made (a team's own URL) would do without any until its end.
const DEAD_FOR: Duration = Duration::from_secs(60);

/// One app's token.
#[derive(Default)]
pub(in crate::wechat) struct Slot(Mutex<Custody>);

#[derive(Default)]
pub(super) struct Custody {
    current: Option<Held>,
    /// The last one that WeChat refused, and when.
    dead: Option<(AccessToken, Timestamp)>,
    flight: Option<Waiting>,
    failure: Option<Failure>,
    replaced: Times,
    forced: Times,
}

struct Held {
    token: AccessToken,
    refresh_at: Timestamp,
}

/// WeChat failed: nobody asks before `until`.
struct Failure {
    count: u32,
    until: Timestamp,
    error: PlatformError,
}

/// When something happened of late.
#[derive(Default)]
struct Times(VecDeque<Timestamp>);

impl Times {
    fn take(&mut self, now: Timestamp, (most, per): (usize, Duration)) -> bool {
        self.0.retain(|t| *t + per > now);
        let free = self.0.len() < most;
        if free {
            self.0.push_back(now);
        }
        free
    }
}

/// What a caller gets.
pub(super) enum Need {
    /// This token; all is well.
    Nothing(AccessToken),
    /// This token, and the caller starts a fetch that nobody waits for.
    Ahead(AccessToken, watch::Sender<Option<Result>>),
    /// The result of a fetch that is under way.
    Wait(Waiting),
    /// The result of a fetch that the caller starts.
    Fetch(Waiting, watch::Sender<Option<Result>>),
    /// The last failure: WeChat isn't asked again yet.
    Patience(PlatformError),
}

/// What a fetch brought.
pub(super) struct Outcome {
    /// When to fetch the next.
    pub refresh_at: Timestamp,
    pub result: Result,
}

impl Outcome {
    pub fn failed(error: PlatformError) -> Self {
        Self { refresh_at: Timestamp::default(), result: Err(error) }
    }
}

impl Slot {
    pub(super) fn lock(&self) -> MutexGuard<'_, Custody> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Custody {
    /// A caller wants a token.
    pub fn want(&mut self, now: Timestamp) -> Need {
        let resting = self.failure.as_ref().is_some_and(|f| now < f.until);
        match &self.current {
            Some(held) if now < held.token.expires_at => {
                let token = held.token.clone();
                if now < held.refresh_at || self.flight.is_some() || resting {
                    return Need::Nothing(token);
                }
                Need::Ahead(token, self.take_off().1)
            }
            _ => self.join(now),
        }
    }

    /// A caller was told that a token is dead. However many are told, there is one fetch: those who come later find another
    /// token here, or the fetch under way.
    pub fn replace(&mut self, now: Timestamp, dead: &AccessToken) -> Need {
        if let Some(held) = &self.current {
            if !held.token.is(dead) && now < held.token.expires_at {
                return Need::Nothing(held.token.clone());
            }
            if held.token.is(dead) && !self.replaced.take(now, REPLACEMENTS) {
                let what = "WeChat refuses every access token that it hands out".into();
                return Need::Patience(PlatformError::Unavailable { retry_after: 10, what });
            }
            self.dead = Some((dead.clone(), now));
            self.current = None;
        }
        self.join(now)
    }

    pub fn is_dead(&self, now: Timestamp, token: &AccessToken) -> bool {
        self.dead.as_ref().is_some_and(|(dead, since)| dead.is(token) && now < *since + DEAD_FOR)
    }

    /// May WeChat be told to make a new token? Counts as done.
    pub fn may_force(&mut self, now: Timestamp) -> bool {
        self.forced.0.back().is_none_or(|last| *last + FORCED_APART <= now) && self.forced.take(now, FORCED)
    }

    /// A fetch has ended.
    pub fn land(&mut self, now: Timestamp, outcome: Outcome) -> Result {
        self.flight = None;
        let result = match outcome.result {
            // Refused by WeChat while the fetch was under way.
            Ok(token) if self.is_dead(now, &token) => Err(PlatformError::Unavailable {
                retry_after: 1,
                what: "the access token died while it was fetched".into(),
            }),
            result => result,
        };
        match result {
            Ok(token) => {
                self.failure = None;
                self.current = Some(Held { token: token.clone(), refresh_at: outcome.refresh_at });
                Ok(token)
            }
            Err(error) => {
                let count = self.failure.as_ref().map_or(0, |f| f.count).saturating_add(1);
                let pause = (PAUSE * 2u32.saturating_pow(count - 1).min(64)).min(PAUSE_MAX);
                let failure = self.failure.insert(Failure { count, until: now + pause, error });
                Err(failure.at(now))
            }
        }
    }

    /// The task of a fetch died without a result.
    pub fn abandon(&mut self, flight: &watch::Sender<Option<Result>>) {
        if self.flight.as_ref().is_some_and(|waiting| waiting.same_channel(&flight.subscribe())) {
            self.flight = None;
        }
    }

    fn join(&mut self, now: Timestamp) -> Need {
        if let Some(waiting) = &self.flight {
            return Need::Wait(waiting.clone());
        }
        match &self.failure {
            Some(failure) if now < failure.until => Need::Patience(failure.at(now)),
            _ => {
                let (waiting, flight) = self.take_off();
                Need::Fetch(waiting, flight)
            }
        }
    }

    fn take_off(&mut self) -> (Waiting, watch::Sender<Option<Result>>) {
        let (flight, waiting) = watch::channel(None);
        self.flight = Some(waiting.clone());
        (waiting, flight)
    }
}

impl Failure {
    /// The failure, with the rest of the pause, if the platform's own wish isn't longer.
    fn at(&self, now: Timestamp) -> PlatformError {
        let rest = u32::try_from(now.seconds_until(self.until)).unwrap_or(u32::MAX).max(1);
        let mut error = self.error.clone();
        match &mut error {
            PlatformError::Busy { retry_after, .. }
            | PlatformError::Unavailable { retry_after, .. }
            | PlatformError::NotReached { retry_after, .. } => *retry_after = rest.max(*retry_after),
            _ => {}
        }
        error
    }
}

#[cfg(test)]
#[path = "slot_tests.rs"]
mod tests;
