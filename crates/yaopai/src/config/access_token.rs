//! An app whose access token the team keeps by itself.

use yaopai_core::app::AppSecret;
use yaopai_platform::wechat::{TokenUrl, TokenUrlError};

use super::secret::Secrets;
use super::{ConfigError, file};

/// The app's `access_token_url` with its secret, if it has one. Errors name the app and never the URL, whose query may hold
/// a key.
pub(super) fn token_url(
    entry: &file::App,
    secrets: &Secrets<'_>,
    development: bool,
) -> Result<Option<TokenUrl>, ConfigError> {
    const SECRET: &str = "apps.access_token_url_secret";
    let secret = match &entry.access_token_url_secret {
        Some(reference) => Some(AppSecret::new(secrets.read(SECRET, reference)?)),
        None => None,
    };
    let Some(url) = &entry.access_token_url else {
        return match secret {
            Some(_) => {
                Err(ConfigError::value(SECRET, format!("app {:?} has no access_token_url to show it to", entry.name)))
            }
            None => Ok(None),
        };
    };
    TokenUrl::new(url, secret, development).map(Some).map_err(|e| {
        let key = if e == TokenUrlError::Secret { SECRET } else { "apps.access_token_url" };
        ConfigError::value(key, format!("app {:?}: {e}", entry.name))
    })
}
