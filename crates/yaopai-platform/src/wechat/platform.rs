//! WeChat as the domain sees it; each call has a file of its own.

use async_trait::async_trait;
use serde_json::Value;
use yaopai_core::app::App;
use yaopai_core::ports::{CannotOpen, Encrypted, HandedToken, Phone, Platform, PlatformError, UserKey, Vouched};
use yaopai_core::time::Timestamp;
use zeroize::Zeroizing;

use super::{WeChat, encrypted};

#[async_trait]
impl Platform for WeChat {
    async fn exchange(&self, app: &App, code: &str) -> Result<Vouched, PlatformError> {
        self.code2session(app, code).await
    }

    async fn phone(&self, app: &App, openid: &str, code: &str) -> Result<Phone, PlatformError> {
        self.get_phone_number(app, openid, code).await
    }

    fn open(&self, app: &App, session_key: &str, sealed: &Encrypted, now: Timestamp) -> Result<Value, CannotOpen> {
        encrypted::open(&app.appid, session_key, sealed, now)
    }

    async fn knows_session_key(&self, app: &App, openid: &str, session_key: &str) -> Result<bool, PlatformError> {
        self.check_session_key(app, openid, session_key).await
    }

    async fn user_keys(&self, app: &App, openid: &str, session_key: &str) -> Result<Vec<UserKey>, PlatformError> {
        self.get_user_encrypt_key(app, openid, session_key).await
    }

    async fn access_token(&self, app: &App) -> Result<HandedToken, PlatformError> {
        let token = WeChat::access_token(self, app).await?;
        Ok(HandedToken {
            token: Zeroizing::new(token.expose().to_owned()),
            expires_in: self.0.clock.now().seconds_until(token.expires_at()),
        })
    }
}
