//! session_keys, user keys, access tokens, the AppSecret.

use super::{SimHandle, invalid};
use crate::{Secret, SimError, UserKey, config::validate::check_secret, state::State, wechat::key_bytes};

impl SimHandle {
    /// The live session_key, if there is one.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn session_key(&self, appid: &str, user: &str) -> Result<Option<String>, SimError> {
        let now = self.now_ms();
        let state = self.0.state();
        let subject = state.subject(appid, user)?;
        Ok(state.session_keys.live(&subject, now).map(str::to_owned))
    }

    /// Another device of the same user logs in: the session_key is replaced, whatever the policy.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn rotate_session_key(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        let policy = state.app(appid)?.session_key.clone();
        let State { session_keys, dice, .. } = &mut *state;
        Ok(session_keys.replace(&subject, &policy, now, dice))
    }

    /// Makes this the live session_key, so that a published vector can be played. A login may replace it: see
    /// [`crate::MinRefresh::Never`].
    ///
    /// # Errors
    /// Unknown app or user, or not the base64 of 16 bytes.
    pub fn set_session_key(&self, appid: &str, user: &str, key: &str) -> Result<(), SimError> {
        key_bytes(key)?;
        let now = self.now_ms();
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        let policy = state.app(appid)?.session_key.clone();
        state.session_keys.set(&subject, key.to_owned(), &policy, now);
        Ok(())
    }

    /// The session_key expires now.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn expire_session_key(&self, appid: &str, user: &str) -> Result<(), SimError> {
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        state.session_keys.expire(&subject);
        Ok(())
    }

    /// What the phone's `getUserCryptoManager().getLatestUserKey` yields.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn user_key(&self, appid: &str, user: &str) -> Result<UserKey, SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        let State { user_keys, dice, .. } = &mut *state;
        let newest = user_keys.latest(&subject, now, dice).into_iter().next();
        newest.ok_or(SimError::TooMany("user keys"))
    }

    /// A new version of that key, before the old one has expired.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn rotate_user_key(&self, appid: &str, user: &str) -> Result<(), SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        let subject = state.subject(appid, user)?;
        let State { user_keys, dice, .. } = &mut *state;
        user_keys.rotate(&subject, now, dice);
        Ok(())
    }

    /// Every access token of the app dies, as when somebody else's server fetched new ones.
    ///
    /// # Errors
    /// Unknown app.
    pub fn revoke_access_tokens(&self, appid: &str) -> Result<(), SimError> {
        let now = self.now_ms();
        let mut state = self.0.state();
        state.app(appid)?;
        state.tokens.revoke(appid, now);
        Ok(())
    }

    /// The administrator resets the AppSecret on WeChat's page, under the running server: the old one gets 40125, and every
    /// access token of the app dies (INF). Answers the new one, which is made fresh unless it is given.
    ///
    /// # Errors
    /// Unknown app, or a secret that a configuration could not have.
    pub fn rotate_secret(&self, appid: &str, secret: Option<Secret>) -> Result<Secret, SimError> {
        if let Some(secret) = &secret {
            check_secret(appid, secret).map_err(invalid)?;
        }
        let now = self.now_ms();
        let rotated = self.0.state().rotate_secret(appid, secret, now);
        rotated.ok_or_else(|| SimError::UnknownApp(appid.to_owned()))
    }
}
