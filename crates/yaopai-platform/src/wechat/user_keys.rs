//! getUserEncryptKey: the keys that WeChat shares with one user's phone (`getUserCryptoManager`) and with us, so that a secret
//! common to both never crosses our own wire.
//!
//! `POST /wxa/business/getuserencryptkey`,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-info/internet/api_getuserencryptkey>. The page says GET
//! today and said POST before; an empty POST is what SDKs send. Any body, even `{}`, is answered 87009.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use yaopai_core::app::App;
use yaopai_core::ports::{PlatformError, UserKey};
use yaopai_core::time::Timestamp;
use zeroize::Zeroizing;

use super::answer::Answer;
use super::api::{CallError, Way};
use super::config::with_query;
use super::signature::signature;
use super::{AccessToken, WeChat, errcode};

const CALL: &str = "getUserEncryptKey";

/// WeChat answers the last three.
const KEYS_MAX: usize = 8;

/// Bytes of a key, and characters of its IV.
const KEY_LEN: usize = 16;

/// A key's whole life.
const KEY_LIFE: Duration = Duration::from_secs(3600);

impl WeChat {
    pub(super) async fn get_user_encrypt_key(
        &self,
        app: &App,
        openid: &str,
        session_key: &str,
    ) -> Result<Vec<UserKey>, PlatformError> {
        let state = &self.0.app(app);
        let signature = &signature(session_key, b"");
        let call = |token: AccessToken| async move {
            let url = with_query(
                &self.0.sites.of(&app.name).user_keys,
                &[
                    ("access_token", token.expose()),
                    ("openid", openid),
                    ("signature", signature),
                    ("sig_method", "hmac_sha256"),
                ],
            );
            // Lives are counted from here, not from when the answer came.
            let asked_at = self.0.clock.now();
            let way = Way { app, lane: &state.api, call: CALL };
            self.0.call(way, self.0.pooled.post_nothing(url), |answer| user_keys(answer, asked_at)).await
        };
        match self.with_token(app, call).await {
            Err(CallError::Refused(refusal)) if errcode::is_stale_key(refusal.errcode) => Err(PlatformError::KeyStale),
            result => result.map_err(|error| self.give_up(app, state, CALL, error)),
        }
    }
}

/// All keys, newest first; `None` if one of them is none.
fn user_keys(mut answer: Answer, now: Timestamp) -> Option<Vec<UserKey>> {
    let list = answer.objects("key_info_list").filter(|l| (1..=KEYS_MAX).contains(&l.len()))?;
    let mut keys = list.into_iter().map(|entry| user_key(entry, now)).collect::<Option<Vec<_>>>()?;
    keys.sort_by_key(|key| std::cmp::Reverse(key.version));
    Some(keys)
}

fn user_key(mut entry: Answer, now: Timestamp) -> Option<UserKey> {
    let key = Zeroizing::new(STANDARD.decode(entry.text("encrypt_key")?.as_str()).ok()?);
    // 16 characters that look like hex and are used as they are.
    let iv = entry.text("iv")?.to_string();
    let version = u32::try_from(entry.number("version")?).ok()?;
    let left = Duration::from_secs(u64::try_from(entry.number("expire_in")?).ok()?).min(KEY_LIFE);
    let expires_at = match left.is_zero() {
        false => now + left,
        // When a dead key died is not said, but when it was made.
        true => {
            entry.number("create_time").map_or(now, |made| Timestamp(made.saturating_mul(1000)) + KEY_LIFE).min(now)
        }
    };
    let fits = key.len() == KEY_LEN && iv.len() == KEY_LEN && iv.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(UserKey { version, key, iv, expires_at })
}
