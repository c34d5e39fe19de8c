//! A token in the team's own keeping: another program of theirs fetches it from WeChat, and we ask that program, so that the
//! two don't replace each other's.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;
use yaopai_core::app::AppSecret;
use yaopai_core::ports::PlatformError;

use super::fetch::{Issued, read};
use crate::http::Fault;
use crate::wechat::WeChat;
use crate::wechat::api::{CallError, read_answer};
use crate::wechat::errcode::SOON;

/// Where a team keeps an app's access token: `GET` it, and `{"access_token": "…", "expires_in": 7200}` comes back, as from
/// WeChat itself. `expires_in` is what is left, in seconds.
#[derive(Clone)]
pub struct TokenUrl {
    url: Url,
    secret: Option<AppSecret>,
}

/// The URL can't be used. Says nothing of it: its query may hold a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenUrlError {
    /// No URL, or another scheme.
    #[error("is no http(s) URL")]
    NoUrl,
    /// The access token would cross the network in clear.
    #[error("is plain HTTP to another machine: whoever reads along can act as the app; use https")]
    PlainHttp,
    /// A name or password in the URL.
    #[error("holds a user name or password; a secret goes into access_token_url_secret")]
    UserInfo,
    /// What is after `#` is never sent.
    #[error("has a fragment")]
    Fragment,
    /// The secret can't stand in a header.
    #[error("has a secret that is not printable ASCII without spaces")]
    Secret,
}

impl TokenUrl {
    /// Checks the URL. `secret`, if there is one, is shown as `Authorization: Bearer`. Plain HTTP is for this machine only,
    /// or for development.
    ///
    /// # Errors
    /// See [`TokenUrlError`].
    pub fn new(url: &str, secret: Option<AppSecret>, allow_plain_http: bool) -> Result<Self, TokenUrlError> {
        let url = Url::parse(url).map_err(|_| TokenUrlError::NoUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if allow_plain_http || is_loopback(&url) => {}
            "http" => return Err(TokenUrlError::PlainHttp),
            _ => return Err(TokenUrlError::NoUrl),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TokenUrlError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(TokenUrlError::Fragment);
        }
        let fits = |s: &AppSecret| !s.expose().is_empty() && s.expose().bytes().all(|b| b.is_ascii_graphic());
        if !secret.as_ref().is_none_or(fits) {
            return Err(TokenUrlError::Secret);
        }
        Ok(Self { url, secret })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(in crate::wechat) fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }
}

impl fmt::Debug for TokenUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUrl").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl WeChat {
    pub(super) async fn ask_team(&self, url: &TokenUrl) -> Result<Issued, PlatformError> {
        let answer = match &self.0.team {
            Some(http) => http.get_as(url.url.clone(), url.secret.as_ref().map(AppSecret::expose)).await,
            // There is a client if there is a URL.
            None => Err(Fault::NotReached("no HTTP client".into())),
        };
        if let Err(Fault::Status(status @ (401 | 403))) = answer {
            let what = format!("access_token_url answers HTTP status {status}: is access_token_url_secret right?");
            return Err(PlatformError::Misconfigured { what });
        }
        read_answer(answer, read).map_err(|error| match error {
            // The team's errcode is not WeChat's word about our AppSecret.
            CallError::Refused(refusal) => {
                let what = format!("access_token_url answers errcode {}", refusal.errcode);
                PlatformError::Unavailable { retry_after: SOON, what }
            }
            CallError::Failed(error) => named(error),
        })
    }
}

/// Says whose fault it is: an operator would look for it at WeChat.
fn named(error: PlatformError) -> PlatformError {
    let name = |what| format!("access_token_url: {what}");
    match error {
        PlatformError::Unavailable { retry_after, what } => {
            PlatformError::Unavailable { retry_after, what: name(what) }
        }
        PlatformError::NotReached { retry_after, what } => PlatformError::NotReached { retry_after, what: name(what) },
        PlatformError::Misconfigured { what } => PlatformError::Misconfigured { what: name(what) },
        other => other,
    }
}
