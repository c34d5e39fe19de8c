//! Who vouches for the user: WeChat, later the others.

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::app::App;

/// What a platform said about a login code.
#[derive(Clone)]
pub struct Vouched {
    /// The platform's id of the user in this app.
    pub openid: String,
    /// The platform's id of the person over its apps, where it gives one.
    pub unionid: Option<String>,
    /// WeChat's session_key (base64 text). Sealed at once, never sent anywhere.
    pub session_key: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Vouched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vouched").field("openid", &self.openid).field("unionid", &self.unionid).finish_non_exhaustive()
    }
}

/// A platform's API.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Exchanges a login code, once: a code that may have been used is never sent again.
    ///
    /// # Errors
    /// See [`PlatformError`]; [`PlatformError::NotReached`] is the only one after which the same code may be tried again.
    async fn exchange(&self, app: &App, code: &str) -> Result<Vouched, PlatformError>;
}

/// Why a platform did not vouch. `what` is for the log: it holds no URL (the AppSecret is in it) and no answer's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlatformError {
    /// It doesn't know the code, or the code is too old.
    #[error("the platform does not know the code")]
    CodeInvalid,
    /// The code was used before.
    #[error("the code was used before")]
    CodeUsed,
    /// It blocks this user.
    #[error("the platform blocks the user")]
    Blocked,
    /// Its quota is used up, or it asks for patience. The code may be spent.
    #[error("the platform is busy: {what}")]
    Busy {
        /// Seconds.
        retry_after: u32,
        /// For the log.
        what: String,
    },
    /// It did not answer, or not with anything that makes sense. The code may be spent.
    #[error("the platform is not available: {what}")]
    Unavailable {
        /// Seconds.
        retry_after: u32,
        /// For the log.
        what: String,
    },
    /// The request certainly never reached it (no connection, or the circuit breaker is open). The code is not spent.
    #[error("the platform was not reached: {what}")]
    NotReached {
        /// Seconds.
        retry_after: u32,
        /// For the log.
        what: String,
    },
    /// It refuses our appid, secret or address: an operator must act.
    #[error("the platform refuses our configuration: {what}")]
    Misconfigured {
        /// For the log.
        what: String,
    },
}
