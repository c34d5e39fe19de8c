//! One fetch of an access token.
//!
//! `POST /cgi-bin/stable_token`, <https://developers.weixin.qq.com/doc/service/api/base/api_getstableaccesstoken>;
//! `GET /cgi-bin/token`, <https://developers.weixin.qq.com/doc/service/api/base/api_getaccesstoken>

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use yaopai_core::app::App;
use yaopai_core::ports::PlatformError;
use zeroize::Zeroizing;

use super::slot::Outcome;
use super::{AccessToken, SAFETY, TokenUrl};
use crate::wechat::answer::Answer;
use crate::wechat::api::{CallError, read_answer};
use crate::wechat::config::with_query;
use crate::wechat::{WeChat, errcode};

/// WeChat says to reserve 512 characters.
const TOKEN_MAX: usize = 2048;

/// No token is believed to live longer; WeChat's live 2 hours.
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);

/// A stable token changes only in its last 5 minutes: asked earlier, WeChat answers the same one again. A team's own keeper
/// does much the same; if it is later, it is asked every [`REST`].
const STABLE_MARGIN: Duration = Duration::from_secs(280);

/// A plain one is replaced at any time; the old one serves 5 minutes more.
const PLAIN_MARGIN: Duration = Duration::from_secs(600);

/// A fresh token is left alone at least so long, whatever its life.
const REST: Duration = Duration::from_secs(30);

/// What a fetch needs, owned, because it outlives its caller.
pub(super) struct Credentials {
    pub app: App,
    pub source: Source,
}

/// Who is asked for a token.
pub(super) enum Source {
    /// WeChat, for the one that all callers share.
    Stable(Url),
    /// WeChat, for a new one.
    Plain(Url),
    /// The team, which keeps it by itself.
    Team(TokenUrl),
}

impl Credentials {
    /// What nodes call this token where they share it: the app and who is asked, so that no change of the configuration brings
    /// another one's.
    pub fn key(&self) -> String {
        let (kind, url) = match &self.source {
            Source::Stable(url) => ("stable", url),
            Source::Plain(url) => ("plain", url),
            Source::Team(team) => ("team", team.url()),
        };
        // A team's URL may hold a key.
        let place = Sha256::digest(url.as_str());
        format!("wechat/{kind}/{}/{}/{}", self.app.name, self.app.appid, hex::encode(&place[..8]))
    }

    /// What is wrong when a dead token comes again.
    pub fn still(&self) -> &'static str {
        match self.source {
            Source::Team(_) => "access_token_url hands out the access token that WeChat refuses",
            _ => "WeChat hands out the access token that it refuses",
        }
    }

    pub fn warn_forced(&self) {
        tracing::warn!(app = self.app.name.as_str(), appid = self.app.appid, "{}: forcing a new one", self.still());
    }
}

/// A token and its life.
pub(super) type Issued = (Zeroizing<String>, Duration);

impl WeChat {
    pub(super) async fn fetch_once(&self, credentials: &Credentials, force: bool) -> Outcome {
        let Credentials { app, source } = credentials;
        // A token's life is counted from here, not from when the answer came.
        let asked_at = self.0.clock.now();
        let (issued, margin) = match source {
            Source::Stable(url) => (self.ask_for_stable(app, url, force).await, STABLE_MARGIN),
            Source::Plain(url) => (self.ask_for_plain(app, url).await, PLAIN_MARGIN),
            Source::Team(url) => (self.ask_team(url).await, STABLE_MARGIN),
        };
        let (token, life) = match issued {
            Ok(issued) => issued,
            Err(error) => return Outcome::failed(error),
        };
        tracing::debug!(
            app = app.name.as_str(),
            appid = app.appid,
            life = life.as_secs(),
            force,
            "got an access token"
        );
        let refresh_at = asked_at + life.saturating_sub(margin).max(REST.min(life / 2));
        let expires_at = asked_at + life.saturating_sub(SAFETY).max(life / 2);
        Outcome { refresh_at, result: Ok(AccessToken { text: Arc::new(token), expires_at }) }
    }

    async fn ask_for_stable(&self, app: &App, url: &Url, force: bool) -> Result<Issued, PlatformError> {
        let body = json!({
            "grant_type": "client_credential", "appid": app.appid, "secret": app.secret.expose(), "force_refresh": force,
        });
        let answer = self.0.once.post_json(url.clone(), body.to_string().into_bytes()).await;
        read_answer(answer, read).map_err(|error| self.no_token_because(error))
    }

    async fn ask_for_plain(&self, app: &App, url: &Url) -> Result<Issued, PlatformError> {
        let parameters = [("grant_type", "client_credential"), ("appid", &app.appid), ("secret", app.secret.expose())];
        let answer = self.0.once.get(with_query(url, &parameters)).await;
        read_answer(answer, read).map_err(|error| self.no_token_because(error))
    }

    fn no_token_because(&self, error: CallError) -> PlatformError {
        match error {
            CallError::Refused(refusal) => errcode::of_token(&refusal, self.0.clock.now()),
            CallError::Failed(error) => error,
        }
    }
}

/// `{access_token, expires_in}`, as WeChat writes it and as a team's URL must.
pub(super) fn read(mut answer: Answer) -> Option<Issued> {
    let token = answer.text("access_token")?;
    let life = Duration::from_secs(answer.number("expires_in")?.try_into().ok()?).min(LIFE_MAX);
    let usable = token.len() <= TOKEN_MAX && token.bytes().all(|b| b.is_ascii_graphic()) && !life.is_zero();
    usable.then_some((token, life))
}
