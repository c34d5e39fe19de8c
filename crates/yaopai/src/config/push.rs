//! `[apps.push]`: how WeChat's message pushes are read, and where they go.

use yaopai_core::app::AppSecret;
use yaopai_platform::wechat::push::{Keys, KeysError};

use super::file::PushMode;
use super::{ConfigError, file, secret};
use crate::push::{Forward, Line};

pub(super) fn read(
    entry: &file::Push,
    appid: &str,
    development: bool,
    secrets: &secret::Secrets<'_>,
) -> Result<Line, ConfigError> {
    let key = match (&entry.encoding_aes_key, &entry.mode) {
        (Some(key), PushMode::Safe | PushMode::Compatible) => {
            Some(AppSecret::new(secrets.read("apps.push.encoding_aes_key", key)?))
        }
        (None, PushMode::Plain) => None,
        (None, _) => {
            return Err(ConfigError::value(
                "apps.push.encoding_aes_key",
                "is needed unless mode = \"plain\", in which nothing protects a push's body".into(),
            ));
        }
        (Some(_), PushMode::Plain) => {
            return Err(ConfigError::value("apps.push.mode", "\"plain\" has no use for encoding_aes_key".into()));
        }
    };
    let token = AppSecret::new(secrets.read("apps.push.token", &entry.token)?);
    let keys = Keys::new(appid, token, key.as_ref()).map_err(|e| {
        let name = match e {
            KeysError::Token => "apps.push.token",
            KeysError::EncodingAesKey => "apps.push.encoding_aes_key",
        };
        ConfigError::value(name, e.to_string())
    })?;
    let forward = entry.forward_url.as_deref().map(|url| forward(url, development)).transpose()?;
    Ok(Line { keys, forward, revoke_ends_sessions: entry.revoke_ends_sessions })
}

/// Errors never show the URL: who puts a key into its query, which is refused, must not find it in a log.
fn forward(url: &str, development: bool) -> Result<Forward, ConfigError> {
    const NAME: &str = "apps.push.forward_url";
    let parsed = reqwest::Url::parse(url).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
    let Some(parsed) = parsed.filter(|u| u.query().is_none() && u.fragment().is_none()) else {
        return Err(ConfigError::value(NAME, "is no http(s) URL without query and fragment".into()));
    };
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let near = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if parsed.scheme() == "http" && !near && !development {
        return Err(ConfigError::value(NAME, "is not https; that is for this machine only".into()));
    }
    Forward::new(url).map_err(|e| ConfigError::value(NAME, format!("no HTTPS client: {}", e.without_url())))
}
