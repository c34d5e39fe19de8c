//! What is known of one app's token, and whether to ask WeChat. Time comes in, decisions come out.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use yaopai_core::ports::PlatformError;
use yaopai_core::shared_token::{DEAD_FOR, FORCED, FORCED_APART, REPLACEMENTS, Times};
use yaopai_core::time::Timestamp;

use super::{AccessToken, Result, TOO_MANY, Waiting};

/// The pause after the first failure; each further one doubles it.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause after a failure.
const PAUSE_MAX: Duration = Duration::from_secs(60);

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
                return Need::Patience(PlatformError::Unavailable { retry_after: 10, what: TOO_MANY.into() });
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
        self.forced.take_apart(now, FORCED, FORCED_APART)
    }

    /// Nodes of many: the death that is news, for the store that says what counts. From then on it is for the store to say.
    pub fn take_dead(&mut self) -> Option<(AccessToken, Timestamp)> {
        self.dead.take()
    }

    /// The store didn't hear of it.
    pub fn put_back(&mut self, dead: Option<(AccessToken, Timestamp)>) {
        self.dead = self.dead.take().or(dead);
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
