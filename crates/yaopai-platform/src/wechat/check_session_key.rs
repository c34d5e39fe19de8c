//! checkSessionKey: is our copy of a user's session_key still the valid one?
//!
//! `GET /wxa/checksession`,
//! <https://developers.weixin.qq.com/miniprogram/dev/server/API/user-login/api_checksessionkey>

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use yaopai_core::app::App;
use yaopai_core::ports::PlatformError;

use super::api::{CallError, Way};
use super::config::with_query;
use super::{AccessToken, Refusal, WeChat};

const CALL: &str = "checkSessionKey";

/// "invalid signature": the key is not, or no longer, the user's.
const INVALID_SIGNATURE: i64 = 87009;

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
            Err(CallError::Refused(Refusal { errcode: INVALID_SIGNATURE, .. })) => Ok(false),
            result => result.map_err(|error| self.give_up(app, state, CALL, error)),
        }
    }
}

/// HMAC-SHA256 in lower-case hex. The key is the session_key's base64 *text*, not the bytes that it encodes.
fn signature(session_key: &str, message: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(session_key.as_bytes()).expect("HMAC takes keys of any length");
    hex::encode(mac.chain_update(message).finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn signatures() {
        // The official tutorial of http-signature; the other two were computed by the rule that it proves.
        for (key, message, expected) in [
            (
                "o0q0otL8aEzpcZL/FT9WsQ==",
                r#"{"foo":"bar"}"#,
                "654571f79995b2ce1e149e53c0a33dc39c0a74090db514261454e8dbe432aa0b",
            ),
            ("o0q0otL8aEzpcZL/FT9WsQ==", "", "46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128"),
            ("tiihtNczf5v6AKRyjwEUhQ==", "", "7154f9f8b4b76b92f541cbf0e37d48840fa06e5e42da92a6f80168a1516a4735"),
        ] {
            assert_eq!(signature(key, message.as_bytes()), expected);
        }
    }
}
