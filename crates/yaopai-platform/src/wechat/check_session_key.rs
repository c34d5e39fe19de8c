//! checkSessionKey: is our copy of a user's session_key still the valid one?
//!
//! `GET /wxa/checksession`,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey>

use yaopai_core::app::App;
use yaopai_core::ports::PlatformError;

use super::api::{CallError, Way};
use super::config::with_query;
use super::signature::signature;
use super::{AccessToken, WeChat, errcode};

const CALL: &str = "checkSessionKey";

impl WeChat {
    /// Asks WeChat whether this session_key (base64 text) is still valid for the user.
    ///
    /// # Errors
    /// WeChat can't be asked, or doesn't say.
    pub async fn check_session_key(&self, app: &App, openid: &str, session_key: &str) -> Result<bool, PlatformError> {
        let state = &self.0.app(app);
        let signature = &signature(session_key, b"");
        let call = |token: AccessToken| async move {
            let url = with_query(
                &self.0.sites.of(&app.name).check_session_key,
                &[
                    ("access_token", token.expose()),
                    ("openid", openid),
                    ("signature", signature),
                    ("sig_method", "hmac_sha256"),
                ],
            );
            let way = Way { app, lane: &state.api, call: CALL };
            self.0.call(way, self.0.pooled.get(url), |_| Some(true)).await
        };
        match self.with_token(app, call).await {
            Err(CallError::Refused(refusal)) if errcode::is_stale_key(refusal.errcode) => Ok(false),
            result => result.map_err(|error| self.give_up(app, state, CALL, error)),
        }
    }
}
