//! One fetch of an access token.
//!
//! `POST /cgi-bin/stable_token`, <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>;
//! `GET /cgi-bin/token`, <https://developers.weixin.qq.com/doc/service/api/base/api_getaccesstoken>

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::json;
use yaopai_core::app::App;

use super::slot::Outcome;
use super::{AccessToken, SAFETY};
use crate::wechat::answer::Answer;
use crate::wechat::api::{CallError, read_answer};
use crate::wechat::config::{TokenKind, with_query};
use crate::wechat::{WeChat, errcode};

/// WeChat says to reserve 512 characters.
const TOKEN_MAX: usize = 2048;

/// No token is believed to live longer; WeChat's live 2 hours.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

/// A stable token changes only in its last 5 minutes: asked earlier, WeChat answers the same one again.
const STABLE_MARGIN: Duration = Duration::from_secs(280);

/// A plain one is replaced at any time; the old one serves 5 minutes more.
const PLAIN_MARGIN: Duration = Duration::from_secs(600);

/// A fresh token is left alone at least so long, whatever its life.
const REST: Duration = Duration::from_secs(30);

/// What a fetch needs, owned, because it outlives its caller.
pub(super) struct Credentials {
    pub app: App,
    pub url: Url,
    pub kind: TokenKind,
}

impl WeChat {
    pub(super) async fn fetch_once(&self, credentials: &Credentials, force: bool) -> Outcome {
        let Credentials { app, url, kind } = credentials;
        // A token's life is counted from here, not from when the answer came.
        let asked_at = self.0.clock.now();
        let secret = app.secret.expose();
        let body = match kind {
            TokenKind::Stable => {
                let body = json!({
                    "grant_type": "client_credential", "appid": app.appid, "secret": secret, "force_refresh": force,
                });
                self.0.once.post_json(url.clone(), body.to_string().into_bytes()).await
            }
            TokenKind::Plain => {
                let parameters = [("grant_type", "client_credential"), ("appid", &app.appid), ("secret", secret)];
                self.0.once.get(with_query(url, &parameters)).await
            }
        };
        let (token, life) = match read_answer(body, read) {
            Ok(read) => read,
            Err(CallError::Refused(refusal)) => {
                return Outcome::failed(errcode::of_token(&refusal, self.0.clock.now()));
            }
            Err(CallError::Failed(error)) => return Outcome::failed(error),
        };
        tracing::debug!(
            app = app.name.as_str(),
            appid = app.appid,
            life = life.as_secs(),
            force,
            "got an access token"
        );
        let margin = if *kind == TokenKind::Stable { STABLE_MARGIN } else { PLAIN_MARGIN };
        let refresh_at = asked_at + life.saturating_sub(margin).max(REST.min(life / 2));
        let expires_at = asked_at + life.saturating_sub(SAFETY).max(life / 2);
        Outcome { refresh_at, result: Ok(AccessToken { text: Arc::new(token), expires_at }) }
    }
}

fn read(mut answer: Answer) -> Option<(zeroize::Zeroizing<String>, Duration)> {
    let token = answer.text("access_token")?;
    let life = Duration::from_secs(answer.number("expires_in")?.try_into().ok()?).min(LIFE_MAX);
    let usable = token.len() <= TOKEN_MAX && token.bytes().all(|b| b.is_ascii_graphic()) && !life.is_zero();
    usable.then_some((token, life))
}
