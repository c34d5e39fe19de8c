//! Who vouches for the user: WeChat, later the others.

use async_trait::async_trait;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::app::App;
use crate::time::Timestamp;

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

/// A platform's API. Not every platform has all of it: what one lacks stays as it is here.
#[async_trait]
pub trait Platform: Send + Sync {
    /// Exchanges a login code, once: a code that may have been used is never sent again.
    ///
    /// # Errors
    /// See [`PlatformError`]; [`PlatformError::NotReached`] is the only one after which the same code may be tried again.
    async fn exchange(&self, app: &App, code: &str) -> Result<Vouched, PlatformError>;

    /// Redeems the code of `getPhoneNumber`, once. The session's openid goes along, so that another person's code is refused
    /// by the platform itself.
    ///
    /// # Errors
    /// [`PlatformError::CodeInvalid`] also for another openid's code.
    async fn phone(&self, app: &App, openid: &str, code: &str) -> Result<Phone, PlatformError> {
        let _ = (app, openid, code);
        Err(PlatformError::Unsupported)
    }

    /// Opens data that the platform encrypted for this app under the session_key, and checks its watermark: whose it is, and
    /// that it is some minutes old at most. Asks nobody.
    ///
    /// What comes out is for the client, and proves nothing about it: where there is no MAC (WeChat), who sends the data can
    /// alter parts of it. A phone number that is to bind a user comes from [`Platform::phone`].
    ///
    /// # Errors
    /// [`CannotOpen`], and nothing about why: a padding error told apart from others would be an oracle.
    fn open(&self, app: &App, session_key: &str, sealed: &Encrypted, now: Timestamp) -> Result<Value, CannotOpen> {
        let _ = (app, session_key, sealed, now);
        Err(CannotOpen)
    }

    /// Is this session_key still the one that the platform knows?
    ///
    /// # Errors
    /// See [`PlatformError`].
    async fn knows_session_key(&self, app: &App, openid: &str, session_key: &str) -> Result<bool, PlatformError> {
        let _ = (app, openid, session_key);
        Err(PlatformError::Unsupported)
    }

    /// The user's own encryption keys, newest first (WeChat's `getUserEncryptKey`: three versions, an hour each).
    ///
    /// # Errors
    /// [`PlatformError::KeyStale`] if the session_key is not the current one.
    async fn user_keys(&self, app: &App, openid: &str, session_key: &str) -> Result<Vec<UserKey>, PlatformError> {
        let _ = (app, openid, session_key);
        Err(PlatformError::Unsupported)
    }

    /// The app's access_token, for a back end that calls the platform itself.
    ///
    /// # Errors
    /// See [`PlatformError`].
    async fn access_token(&self, app: &App) -> Result<HandedToken, PlatformError> {
        let _ = app;
        Err(PlatformError::Unsupported)
    }
}

/// A phone number that the platform vouched for.
#[derive(Clone, PartialEq, Eq)]
pub struct Phone {
    /// With the country's code where it isn't the platform's home: `13800138000`, `+1 2025550123`.
    pub number: String,
    /// Without it.
    pub pure: String,
    /// The country's code in digits: `86`.
    pub country: String,
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// Data encrypted under a session_key, as the client got it: base64 texts.
#[derive(Debug, Clone)]
pub struct Encrypted {
    /// `encryptedData`.
    pub data: String,
    /// `iv`.
    pub iv: String,
}

/// The data can't be opened: another key, another app's, altered, or no such data. One error for all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the encrypted data can't be opened with this session_key")]
pub struct CannotOpen;

/// One version of a user's encryption key.
#[derive(Clone)]
pub struct UserKey {
    /// Counts up.
    pub version: u32,
    /// The key, 16 bytes.
    pub key: Zeroizing<Vec<u8>>,
    /// 16 ASCII characters, used as bytes.
    pub iv: String,
    /// Until when the platform's client uses it.
    pub expires_at: Timestamp,
}

impl std::fmt::Debug for UserKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserKey").field("version", &self.version).finish_non_exhaustive()
    }
}

/// An access_token to be handed to a back end.
#[derive(Clone)]
pub struct HandedToken {
    /// The token.
    pub token: Zeroizing<String>,
    /// Seconds that it is good for.
    pub expires_in: u64,
}

impl std::fmt::Debug for HandedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HandedToken").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
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
    /// The session_key isn't the user's current one: a login or a refresh with a code brings the new one.
    #[error("the session_key is stale")]
    KeyStale,
    /// This platform has no such call.
    #[error("the platform has no such call")]
    Unsupported,
    /// It refuses our appid, secret or address: an operator must act.
    #[error("the platform refuses our configuration: {what}")]
    Misconfigured {
        /// For the log.
        what: String,
    },
}
