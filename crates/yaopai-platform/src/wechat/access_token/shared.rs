//! A token that all nodes share: who fetches it is decided where it is kept ([`yaopai_core::shared_token`]), and here it is done.

use std::time::Duration;

use yaopai_core::ports::{PlatformError, TokenLease};
use yaopai_core::seal::SealError;
use yaopai_core::shared_token::{Asked, SealedTokens};
use yaopai_core::time::Timestamp;
use zeroize::Zeroizing;

use super::fetch::{Credentials, Source};
use super::slot::Outcome;
use super::{AccessToken, TOO_MANY};
use crate::wechat::{AppState, WeChat};

/// What a lease is longer than a fetch: the way to the store and back.
const MARGIN: Duration = Duration::from_secs(3);

/// Who waits for another node's fetch asks again so often.
const ASK_EVERY: Duration = Duration::from_millis(150);

/// A token that is about to be replaced by another node is taken again after this.
const SOON: Duration = Duration::from_secs(2);

/// After a failed fetch ahead of time, the old token serves on for so long before another try.
const LATER: Duration = Duration::from_secs(10);

/// So often one fetch may come to nothing because another node was quicker, or its token died meanwhile.
const FETCHES: u32 = 3;

/// One node's look for a token.
pub(super) struct Look<'a> {
    pub shared: &'a SealedTokens,
    pub credentials: &'a Credentials,
    pub state: &'a AppState,
    key: String,
    lease: Duration,
}

impl<'a> Look<'a> {
    pub fn new(wechat: &WeChat, shared: &'a SealedTokens, credentials: &'a Credentials, state: &'a AppState) -> Self {
        let lease = wechat.0.config.total_timeout + MARGIN;
        Self { shared, credentials, state, key: credentials.key(), lease }
    }

    fn now(&self, wechat: &WeChat) -> Timestamp {
        wechat.0.clock.now()
    }
}

impl WeChat {
    /// The token that nodes share, fetched if it is this node's turn. Ends by itself: a fetch takes no longer than its time-out,
    /// and another node's turn no longer than its lease.
    pub(super) async fn find_shared(&self, look: Look<'_>) -> Outcome {
        let patience = look.lease + self.0.config.total_timeout;
        let (mut waited, mut fetches) = (Duration::ZERO, 0);
        loop {
            // It counts once: what the store says after that is right, whatever this node heard before.
            let dead = look.state.token.lock().take_dead();
            let asked_at = look.now(self);
            let digest = dead.as_ref().map(|(dead, _)| SealedTokens::digest(dead.expose()));
            let asked = match look.shared.ask(&look.key, look.lease, digest).await {
                Ok(asked) => asked,
                Err(e) => {
                    look.state.token.lock().put_back(dead);
                    return failed(&e);
                }
            };
            let outcome = match asked {
                Asked::Good(text, refresh_in, expires_in) => got(text, asked_at + refresh_in, asked_at + expires_in),
                Asked::Others(Some((text, left)), _) => got(text, asked_at + SOON, asked_at + left),
                Asked::Others(None, left) if waited < patience => {
                    let pause = left.clamp(Duration::from_millis(10), ASK_EVERY);
                    tokio::time::sleep(pause).await;
                    waited += pause;
                    continue;
                }
                Asked::Others(None, _) => {
                    return unavailable("another node fetches the access token, and takes too long");
                }
                Asked::Enough => return unavailable(TOO_MANY),
                Asked::Yours(lease, meanwhile) => {
                    fetches += 1;
                    match self.fetch_for_all(&look, lease).await {
                        Some(outcome) => serve_on(outcome, meanwhile, asked_at, look.now(self)),
                        None if fetches < FETCHES => continue,
                        None => return unavailable("other nodes replace the access token as fast as it is fetched"),
                    }
                }
            };
            let now = look.now(self);
            if !matches!(&outcome.result, Ok(token) if look.state.token.lock().is_dead(now, token)) {
                return outcome;
            }
            // WeChat refused it while it was on its way here: the store has to hear of it.
        }
    }

    /// Fetches a token that is not the dead one, and keeps it for all. `None`: another one counts by now.
    async fn fetch_for_all(&self, look: &Look<'_>, lease: TokenLease) -> Option<Outcome> {
        let Look { shared, credentials, key, .. } = look;
        let mut outcome = self.fetch_once(credentials, false).await;
        let is_dead = |outcome: &Outcome| match &outcome.result {
            Ok(token) => lease.dead == Some(SealedTokens::digest(token.expose())),
            Err(_) => false,
        };
        if is_dead(&outcome) {
            let stable = matches!(credentials.source, Source::Stable(_));
            if stable && shared.force(key, lease.fence, look.lease).await.unwrap_or(false) {
                credentials.warn_forced();
                outcome = self.fetch_once(credentials, true).await;
            }
            if is_dead(&outcome) {
                shared.give_back(key, lease.fence).await;
                return Some(unavailable(credentials.still()));
            }
        }
        let Ok(token) = &outcome.result else {
            shared.give_back(key, lease.fence).await;
            return Some(outcome);
        };
        let now = look.now(self);
        let left = |then: Timestamp| Duration::from_millis(u64::try_from(then.0 - now.0).unwrap_or(0));
        let times = (left(outcome.refresh_at), left(token.expires_at));
        match shared.keep(key, lease.fence, token.expose(), times).await {
            Ok(true) => Some(outcome),
            Ok(false) => None,
            Err(error) => {
                // It is good all the same; soon it is asked for again, and then another node has perhaps a newer one.
                tracing::warn!(app = credentials.app.name.as_str(), %error, "an access token was not kept for the other nodes");
                Some(Outcome { refresh_at: outcome.refresh_at.min(now + LATER), ..outcome })
            }
        }
    }
}

/// A fetch ahead of time that fails costs nothing yet: the old token serves on.
fn serve_on(
    outcome: Outcome,
    old: Option<(Zeroizing<String>, Duration)>,
    asked_at: Timestamp,
    now: Timestamp,
) -> Outcome {
    match (&outcome.result, old) {
        (Err(error), Some((text, left))) => {
            tracing::warn!(%error, "no newer access token; the old one serves on");
            got(text, now + LATER, asked_at + left)
        }
        _ => outcome,
    }
}

fn got(text: Zeroizing<String>, refresh_at: Timestamp, expires_at: Timestamp) -> Outcome {
    Outcome { refresh_at, result: Ok(AccessToken { text: text.into(), expires_at }) }
}

fn failed(error: &SealError) -> Outcome {
    unavailable(format!("the access token that nodes share: {error}"))
}

fn unavailable(what: impl Into<String>) -> Outcome {
    Outcome::failed(PlatformError::Unavailable { retry_after: 1, what: what.into() })
}
