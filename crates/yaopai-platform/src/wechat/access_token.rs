//! Custody of an app's access_token: fetched once for all callers, ahead of its end, and never in a storm.
//!
//! What is kept and when to ask is [`slot`], without a clock or a network of its own; here it meets both. A fetch runs in a
//! task of its own, so that a caller who goes away takes it from nobody.

mod fetch;
mod shared;
mod slot;
mod team;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use yaopai_core::app::App;
use yaopai_core::ports::PlatformError;
use zeroize::Zeroizing;

use super::{AppState, WeChat, config::TokenKind};
use fetch::{Credentials, Source};
use shared::Look;
pub(super) use slot::Slot;
use slot::{Need, Outcome};
pub use team::{TokenUrl, TokenUrlError};

/// An access token: whoever has it can act as the app. Never prints.
#[derive(Clone)]
pub struct AccessToken {
    text: Arc<Zeroizing<String>>,
    /// It serves until then.
    expires_at: yaopai_core::time::Timestamp,
}

impl AccessToken {
    /// The text, for the one request that needs it.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// When it should no longer be used. A little before WeChat stops taking it.
    pub fn expires_at(&self) -> yaopai_core::time::Timestamp {
        self.expires_at
    }

    fn is(&self, other: &Self) -> bool {
        // Both are ours: nobody can measure how long this takes.
        *self.text == *other.text
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// What a fetch left for those who wait for it.
type Result = std::result::Result<AccessToken, PlatformError>;

/// Those who wait; `None` until there is a result.
type Waiting = watch::Receiver<Option<Result>>;

impl WeChat {
    /// The app's access token. Near its end it is still handed out while a new one is fetched.
    ///
    /// # Errors
    /// There is none and none is to be had. While WeChat fails, most callers are told so without asking it again.
    pub async fn access_token(&self, app: &App) -> Result {
        let state = self.0.app(app);
        let now = self.0.clock.now();
        // Not in the match itself, which would keep the lock: a task that can't be spawned is dropped, and that locks.
        let need = state.token.lock().want(now);
        let waiting = match need {
            Need::Nothing(token) => return Ok(token),
            Need::Ahead(token, flight) => {
                self.fetch(app, &state, flight);
                return Ok(token);
            }
            Need::Wait(waiting) => waiting,
            Need::Fetch(waiting, flight) => {
                self.fetch(app, &state, flight);
                waiting
            }
            Need::Patience(error) => return Err(error),
        };
        wait(waiting).await
    }

    /// A token in place of one that WeChat refused as dead.
    pub(super) async fn replace_token(&self, app: &App, dead: &AccessToken) -> Result {
        let state = self.0.app(app);
        let now = self.0.clock.now();
        let need = state.token.lock().replace(now, dead);
        let waiting = match need {
            Need::Nothing(token) | Need::Ahead(token, _) => return Ok(token),
            Need::Wait(waiting) => waiting,
            Need::Fetch(waiting, flight) => {
                self.fetch(app, &state, flight);
                waiting
            }
            Need::Patience(error) => return Err(error),
        };
        wait(waiting).await
    }

    fn fetch(&self, app: &App, state: &Arc<AppState>, flight: watch::Sender<Option<Result>>) {
        let site = self.0.sites.of(&app.name);
        let source = match (self.0.config.token_urls.get(&app.name), site.token_kind) {
            (Some(url), _) => Source::Team(url.clone()),
            (None, TokenKind::Stable) => Source::Stable(site.token.clone()),
            (None, TokenKind::Plain) => Source::Plain(site.token.clone()),
        };
        let credentials = Credentials { app: app.clone(), source };
        let (client, landing) = (self.clone(), Landing { state: Arc::clone(state), flight });
        tokio::spawn(async move {
            let outcome = match &client.0.shared {
                Some(shared) => client.find_shared(Look::new(&client, shared, &credentials, &landing.state)).await,
                None => client.fetch_usable(&credentials, &landing.state).await,
            };
            let now = client.0.clock.now();
            if let Err(error) = &outcome.result {
                // The pauses between fetches bound how often this is said.
                let app = &credentials.app;
                tracing::warn!(app = app.name.as_str(), appid = app.appid, %error, "no access token");
            }
            landing.land(now, outcome);
        });
    }

    /// A token that WeChat did not refuse just before. It may hand out the same one, if only some of its servers think that
    /// it is dead; then it is told to make a new one, which it does 20 times a day. A team's own URL can't be told that, and
    /// WeChat must not be: the team's token would die.
    async fn fetch_usable(&self, credentials: &Credentials, state: &AppState) -> Outcome {
        let first = self.fetch_once(credentials, false).await;
        let dead = |outcome: &Outcome| {
            let now = self.0.clock.now();
            matches!(&outcome.result, Ok(token) if state.token.lock().is_dead(now, token))
        };
        if !dead(&first) {
            return first;
        }
        if matches!(credentials.source, Source::Stable(_)) && state.token.lock().may_force(self.0.clock.now()) {
            credentials.warn_forced();
            let second = self.fetch_once(credentials, true).await;
            if !dead(&second) {
                return second;
            }
        }
        Outcome::failed(PlatformError::Unavailable { retry_after: 1, what: credentials.still().into() })
    }
}

/// Ends a flight, also when its task dies: those who come later must not wait for it.
struct Landing {
    state: Arc<AppState>,
    flight: watch::Sender<Option<Result>>,
}

impl Landing {
    fn land(self, now: yaopai_core::time::Timestamp, outcome: Outcome) {
        let result = self.state.token.lock().land(now, outcome);
        self.flight.send_replace(Some(result));
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.state.token.lock().abandon(&self.flight);
    }
}

async fn wait(mut waiting: Waiting) -> Result {
    let lost = || PlatformError::NotReached { retry_after: 1, what: "the token's fetch was given up".into() };
    match waiting.wait_for(Option::is_some).await {
        Ok(result) => result.clone().unwrap_or_else(|| Err(lost())),
        Err(_) => Err(lost()),
    }
}

/// What is wrong when each new token dies at once.
const TOO_MANY: &str = "WeChat refuses every access token that it hands out";

/// Used this long before WeChat ends it: the answer's way here, and the next request's way back.
const SAFETY: Duration = Duration::from_secs(10);
