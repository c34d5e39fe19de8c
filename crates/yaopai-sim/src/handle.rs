//! Control without HTTP: what a Rust test uses.

use std::{fmt, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    AppConfig, CodeInfo, ConfigError, Counters, Fault, FaultStatus, MOCK_CODE, SimError, UserConfig, UserInfo, UserKey,
    config::validate::{check_app, check_user},
    simulator::Core,
    state::State,
};

/// A handle on a simulator; cheap to clone.
#[derive(Clone)]
pub struct SimHandle(Arc<Core>);

impl fmt::Debug for SimHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SimHandle")
    }
}

impl SimHandle {
    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self(core)
    }

    /// The bearer token of the control API.
    pub fn control_token(&self) -> &str {
        self.0.control_token.expose()
    }

    /// The simulator's time in milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        self.0.clock.now_ms()
    }

    /// Moves a manual clock forward.
    ///
    /// # Errors
    /// [`SimError::ClockNotManual`].
    pub fn advance(&self, by: Duration) -> Result<(), SimError> {
        if self.0.clock.advance(by) { Ok(()) } else { Err(SimError::ClockNotManual) }
    }

    /// Back to the configuration: codes, keys, tokens, faults, counters and added users are gone. Nothing that was issued
    /// before is issued again. A manual clock stays where it is.
    pub fn reset(&self) {
        self.0.state().reset();
    }

    /// The phone calls `wx.login`: a login code.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn issue_code(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let now = self.now_ms();
        self.0.state().issue_code(appid, user, now)
    }

    /// The user presses `<button open-type="getPhoneNumber">`: a phone code.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn issue_phone_code(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let now = self.now_ms();
        self.0.state().issue_phone_code(appid, user, now)
    }

    /// How often this login code was shown to code2Session, whatever the outcome. 0 for a code that was never issued.
    pub fn exchanges_of(&self, code: &str) -> u64 {
        if code == MOCK_CODE {
            return self.0.state().counters.mock_exchanges;
        }
        self.code(code).map_or(0, |code| code.exchanges)
    }

    /// What is known about a login code.
    pub fn code(&self, code: &str) -> Option<CodeInfo> {
        self.0.state().codes.get(code).cloned()
    }

    /// What is known about a phone code.
    pub fn phone_code(&self, code: &str) -> Option<CodeInfo> {
        self.0.state().phone_codes.get(code).cloned()
    }

    /// How often an endpoint was called, by the last segment of its path (`jscode2session`, `token`, `stable_token` …).
    ///
    /// # Panics
    /// No endpoint has this name: a misspelt name would make an assertion of 0 calls pass.
    pub fn calls(&self, endpoint: &str) -> u64 {
        assert!(crate::Endpoint::ALL.iter().any(|known| known.name() == endpoint), "no endpoint is named {endpoint:?}");
        self.0.state().counters.calls.get(endpoint).copied().unwrap_or(0)
    }

    /// All counters.
    pub fn counters(&self) -> Counters {
        self.0.state().counters.clone()
    }

    /// Switches a fault on; answers its number.
    ///
    /// # Errors
    /// The fault contradicts itself, names an unknown app or user, or too many are on.
    pub fn set_fault(&self, fault: Fault) -> Result<u64, SimError> {
        let mut state = self.0.state();
        if let Some(app) = &fault.app {
            state.app(app)?;
        }
        if let Some(user) = &fault.user {
            state.people.get(user)?;
        }
        state.faults.set(fault)
    }

    /// The faults that are on.
    pub fn faults(&self) -> Vec<FaultStatus> {
        self.0.state().faults.list()
    }

    /// Switches one fault off; answers whether it was on.
    pub fn clear_fault(&self, id: u64) -> bool {
        self.0.state().faults.clear_one(id)
    }

    /// Switches all faults off.
    pub fn clear_faults(&self) {
        self.0.state().faults.clear();
    }

    /// The apps as they are now.
    pub fn apps(&self) -> Vec<AppConfig> {
        self.0.state().apps.values().cloned().collect()
    }

    /// Changes an app's knobs. Its appid and Open Platform account stay.
    ///
    /// # Errors
    /// Unknown app, or a value that a configuration could not have.
    pub fn update_app(&self, appid: &str, change: impl FnOnce(&mut AppConfig)) -> Result<(), SimError> {
        self.try_update_app(appid, |app| {
            change(app);
            Ok(())
        })
    }

    pub(crate) fn try_update_app(
        &self,
        appid: &str,
        change: impl FnOnce(&mut AppConfig) -> Result<(), SimError>,
    ) -> Result<(), SimError> {
        let mut state = self.0.state();
        let before = state.app(appid)?.clone();
        let mut after = before.clone();
        change(&mut after)?;
        after.appid = before.appid;
        after.open_platform = before.open_platform;
        check_app(&after).map_err(invalid)?;
        state.apps.insert(appid.to_owned(), after);
        Ok(())
    }

    /// The users, by name.
    pub fn users(&self) -> Vec<UserInfo> {
        let state = self.0.state();
        let names = state.people.names();
        names.iter().filter_map(|name| state.people.info(&state.apps, name).ok()).collect()
    }

    /// One user.
    ///
    /// # Errors
    /// Unknown user.
    pub fn user(&self, name: &str) -> Result<UserInfo, SimError> {
        let state = self.0.state();
        state.people.info(&state.apps, name)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// The name or an id is taken or has a wrong shape.
    pub fn add_user(&self, user: UserConfig) -> Result<UserInfo, SimError> {
        check_user(&user).map_err(invalid)?;
        let mut state = self.0.state();
        let State { people, apps, .. } = &mut *state;
        people.add(apps, &user)?;
        people.info(apps, &user.name)
    }

    /// Makes WeChat consider the user high-risk (logins answer 40226), or not.
    ///
    /// # Errors
    /// Unknown user.
    pub fn block_user(&self, name: &str, blocked: bool) -> Result<(), SimError> {
        self.0.state().people.get_mut(name)?.blocked = blocked;
        Ok(())
    }

    /// Gives the user another phone number.
    ///
    /// # Errors
    /// Unknown user, or a number that a configuration could not have.
    pub fn set_phone(&self, name: &str, phone: &str) -> Result<(), SimError> {
        let mut state = self.0.state();
        let user = state.people.get_mut(name)?;
        let changed = UserConfig { phone: Some(phone.to_owned()), ..user.clone() };
        check_user(&changed).map_err(invalid)?;
        *user = changed;
        Ok(())
    }

    /// The user's openid in an app.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn openid(&self, appid: &str, user: &str) -> Result<String, SimError> {
        let state = self.0.state();
        state.people.openid(&state.subject(appid, user)?)
    }

    /// The user's unionid in an app; `None` if the app answers with none.
    ///
    /// # Errors
    /// Unknown app or user.
    pub fn unionid(&self, appid: &str, user: &str) -> Result<Option<String>, SimError> {
        let state = self.0.state();
        let app = state.app(appid)?;
        let unionid = state.people.unionid(app, user)?;
        Ok(app.answer.unionid.then_some(unionid))
    }

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
        if STANDARD.decode(key).ok().is_none_or(|bytes| bytes.len() != 16) {
            return Err(SimError::Invalid("session_key: the base64 of 16 bytes".to_owned()));
        }
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

    /// The named app, or the only one there is.
    ///
    /// # Errors
    /// Unknown app, or none named while there are several.
    pub fn app_or_only(&self, appid: Option<&str>) -> Result<String, SimError> {
        self.0.state().app_or_only(appid)
    }
}

fn invalid(error: ConfigError) -> SimError {
    SimError::Invalid(error.to_string())
}
