//! Apps and users.

use super::{SimHandle, invalid};
use crate::{
    AppConfig, SimError, UserConfig, UserInfo,
    config::validate::{check_app, check_user},
    state::State,
};

impl SimHandle {
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

    /// The named app, or the only one there is.
    ///
    /// # Errors
    /// Unknown app, or none named while there are several.
    pub fn app_or_only(&self, appid: Option<&str>) -> Result<String, SimError> {
        self.0.state().app_or_only(appid)
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
}
