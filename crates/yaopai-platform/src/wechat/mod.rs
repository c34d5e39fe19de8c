//! WeChat: exchange of the login code, custody of the access token, the calls that need one, and what needs only a user's
//! session_key.

mod access_token;
mod aes_cbc;
mod answer;
mod api;
mod check_session_key;
mod config;
mod encrypted;
mod errcode;
mod exchange;
mod phone;
mod platform;
pub mod push;
mod signature;
mod user_keys;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use yaopai_core::app::App;
use yaopai_core::ids::AppName;
use yaopai_core::ports::{Clock, PlatformError};
use yaopai_core::shared_token::SealedTokens;
use yaopai_core::time::{Timestamp, millis};

pub use access_token::{AccessToken, TokenUrl, TokenUrlError};
pub use answer::Refusal;
pub use api::CallError;
pub use config::{Config, ConfigError, Endpoints, TokenKind};

use crate::breaker::Change;
use crate::http::{Allowed, Http, Reuse, Timeouts};
use crate::lane::Lane;
use access_token::Slot;
use config::Sites;

/// A warning about an app's configuration is repeated at most this often: every login would repeat it.
const WARN_PAUSE: Duration = Duration::from_secs(60);

/// The client of WeChat's server APIs, for all apps. Cheap to clone.
#[derive(Clone)]
pub struct WeChat(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    sites: Sites,
    /// One connection, one request: for what must not arrive twice.
    once: Http,
    /// For what may.
    pooled: Http,
    /// For the teams' own token URLs, whose scheme was checked one by one; none if no app has one.
    team: Option<Http>,
    config: Config,
    /// What nodes of many share; `None`: this one is alone.
    shared: Option<SealedTokens>,
    /// By name and appid, so that an app whose appid was changed doesn't inherit a token.
    apps: Mutex<HashMap<(AppName, String), Arc<AppState>>>,
}

/// What is remembered about one app. The two lanes are apart so that a fault of one API never closes the other: a login
/// needs no access token.
struct AppState {
    exchange: Lane,
    api: Lane,
    token: Slot,
    warned_at: AtomicI64,
}

impl WeChat {
    /// Checks the configuration and makes the HTTP clients. Connects to nothing.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn new(config: Config, clock: Arc<dyn Clock>) -> Result<Self, ConfigError> {
        Self::sharing(config, clock, None)
    }

    /// The same on one node of many, which share their access tokens.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn sharing(config: Config, clock: Arc<dyn Clock>, shared: Option<SealedTokens>) -> Result<Self, ConfigError> {
        let sites = Sites::new(&config)?;
        let timeouts = Timeouts { connect: config.connect_timeout, total: config.total_timeout };
        let allowed = Allowed { plain_http: config.allow_plain_http, simulator: config.allow_simulator };
        let http = |reuse| Http::new(reuse, timeouts, sites.https(), allowed);
        let (once, pooled) = (http(Reuse::Never)?, http(Reuse::Pooled)?);
        let team = match config.token_urls.is_empty() {
            true => None,
            false => {
                let https = config.token_urls.values().any(TokenUrl::is_https);
                Some(Http::new(Reuse::Never, timeouts, https, Allowed { plain_http: true, ..allowed })?)
            }
        };
        Ok(Self(Arc::new(Inner { clock, sites, once, pooled, team, config, shared, apps: Mutex::default() })))
    }
}

impl fmt::Debug for WeChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeChat").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Inner {
    fn app(&self, app: &App) -> Arc<AppState> {
        let key = (app.name.clone(), app.appid.clone());
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        let state = apps.entry(key).or_insert_with(|| {
            let lane = || Lane::new(self.config.lane, self.config.breaker);
            Arc::new(AppState {
                exchange: lane(),
                api: lane(),
                token: Slot::default(),
                warned_at: AtomicI64::new(i64::MIN),
            })
        });
        Arc::clone(state)
    }
}

impl AppState {
    /// Says what went wrong: an operator's fault aloud, once a minute; the rest for whoever looks.
    fn log(&self, app: &App, call: &'static str, error: &PlatformError, now: Timestamp) {
        let (app, appid) = (app.name.as_str(), app.appid.as_str());
        if matches!(error, PlatformError::Misconfigured { .. }) {
            let last = self.warned_at.load(Ordering::Relaxed);
            let due = now.0.saturating_sub(last) >= millis(WARN_PAUSE);
            if due && self.warned_at.compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                tracing::warn!(app, appid, call, %error, "the app's configuration is refused");
                return;
            }
        }
        tracing::debug!(app, appid, call, %error, "WeChat call failed");
    }
}

fn log_change(app: &App, call: &'static str, change: &Change) {
    let (app, appid) = (app.name.as_str(), app.appid.as_str());
    match change {
        Change::None => {}
        Change::Opened { seconds } => {
            tracing::warn!(app, appid, call, seconds, "WeChat is not reachable: the circuit breaker is open");
        }
        Change::Closed => tracing::warn!(app, appid, call, "WeChat is reachable again: the circuit breaker is closed"),
    }
}
