//! Where WeChat is, and how patient we are with it. Checked when the client is made, not at the first login.

use std::collections::HashMap;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use yaopai_core::ids::AppName;

use super::TokenUrl;
use crate::breaker::BreakerPolicy;
use crate::http::HttpError;
use crate::lane::LanePolicy;

/// All that the client can be told.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where WeChat is.
    pub endpoints: Endpoints,
    /// Where it is for some apps: private deployments have their own host and path.
    pub app_endpoints: HashMap<AppName, Endpoints>,
    /// Where some apps' access tokens are fetched instead of from WeChat.
    pub token_urls: HashMap<AppName, TokenUrl>,
    /// Development: the platform may be reached by plain HTTP.
    pub allow_plain_http: bool,
    /// Development: the simulator's answers are taken.
    pub allow_simulator: bool,
    /// Name look-up, TCP and TLS together. Shorter than `total_timeout`, so that a dead network is told from a lost answer.
    pub connect_timeout: Duration,
    /// A whole call.
    pub total_timeout: Duration,
    /// Limits of each app's logins, and again of its other calls.
    pub lane: LanePolicy,
    /// The circuit breaker of each.
    pub breaker: BreakerPolicy,
}

/// Where WeChat is: a base URL, and a path for each API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Scheme, host, port and perhaps a path in front of every API's.
    pub base_url: String,
    /// code2Session.
    pub exchange: String,
    /// checkSessionKey.
    pub check_session_key: String,
    /// getPhoneNumber.
    pub phone: String,
    /// getUserEncryptKey.
    pub user_keys: String,
    /// Which access token is fetched.
    pub token_kind: TokenKind,
    /// getStableAccessToken.
    pub stable_token: String,
    /// getAccessToken.
    pub token: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            base_url: "https://api.weixin.qq.com".into(),
            exchange: "/sns/jscode2session".into(),
            check_session_key: "/wxa/checksession".into(),
            phone: "/wxa/business/getuserphonenumber".into(),
            user_keys: "/wxa/business/getuserencryptkey".into(),
            token_kind: TokenKind::Stable,
            stable_token: "/cgi-bin/stable_token".into(),
            token: "/cgi-bin/token".into(),
        }
    }
}

/// WeChat's two kinds of access token; neither disturbs the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Every fetch gets the same token until its last 5 minutes: right for several nodes.
    Stable,
    /// Every fetch replaces the token: only where nobody else fetches this app's.
    Plain,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endpoints: Endpoints::default(),
            app_endpoints: HashMap::new(),
            token_urls: HashMap::new(),
            allow_plain_http: false,
            allow_simulator: false,
            connect_timeout: Duration::from_secs(2),
            total_timeout: Duration::from_secs(5),
            lane: LanePolicy::default(),
            breaker: BreakerPolicy::default(),
        }
    }
}

/// The client can't be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The AppSecret would cross the network in clear.
    #[error("base_url of {of} is plain HTTP: the AppSecret would travel in clear; only development = true allows that")]
    PlainHttp {
        /// Whose setting: `WeChat` or an app's name.
        of: String,
    },
    /// A base URL or a path that can't be used.
    #[error("{setting} of {of} {reason}")]
    Endpoint {
        /// Whose setting.
        of: String,
        /// Its name.
        setting: &'static str,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No time, or no way to tell a dead network from a lost answer.
    #[error("the connect time-out must be more than 0 and less than the total time-out")]
    Timeouts,
    /// There is no HTTPS client.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// Checked endpoints.
#[derive(Debug)]
pub(super) struct Sites {
    common: Site,
    by_app: HashMap<AppName, Site>,
}

/// One platform's checked URLs.
#[derive(Debug)]
pub(super) struct Site {
    pub exchange: Url,
    pub check_session_key: Url,
    pub phone: Url,
    pub user_keys: Url,
    pub token_kind: TokenKind,
    /// Of this kind.
    pub token: Url,
}

impl Sites {
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        if config.connect_timeout.is_zero() || config.connect_timeout >= config.total_timeout {
            return Err(ConfigError::Timeouts);
        }
        let plain = config.allow_plain_http;
        let by_app = config.app_endpoints.iter();
        Ok(Self {
            common: Site::new("WeChat", &config.endpoints, plain)?,
            by_app: by_app
                .map(|(app, e)| Ok((app.clone(), Site::new(app.as_str(), e, plain)?)))
                .collect::<Result<_, ConfigError>>()?,
        })
    }

    /// The app's own, or the common one.
    pub fn of(&self, app: &AppName) -> &Site {
        self.by_app.get(app).unwrap_or(&self.common)
    }

    /// Is any of them HTTPS?
    pub fn https(&self) -> bool {
        std::iter::once(&self.common).chain(self.by_app.values()).any(|s| s.exchange.scheme() == "https")
    }
}

impl Site {
    fn new(of: &str, endpoints: &Endpoints, plain: bool) -> Result<Self, ConfigError> {
        let wrong = |setting, reason| ConfigError::Endpoint { of: of.into(), setting, reason };
        let base = Url::parse(&endpoints.base_url).map_err(|_| wrong("base_url", "is not a URL"))?;
        match base.scheme() {
            "https" => {}
            "http" if plain => {}
            "http" => return Err(ConfigError::PlainHttp { of: of.into() }),
            _ => return Err(wrong("base_url", "is neither http nor https")),
        }
        if !base.username().is_empty() || base.password().is_some() {
            return Err(wrong("base_url", "holds a user name or password"));
        }
        if base.query().is_some() || base.fragment().is_some() {
            return Err(wrong("base_url", "has a query or a fragment"));
        }
        let join = |setting, path: &str| {
            if !path.starts_with('/') || path.starts_with("//") || path.contains(['?', '#', '\\']) {
                return Err(wrong(setting, "is not an absolute path"));
            }
            let mut url = base.clone();
            url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
            Ok(url)
        };
        Ok(Self {
            exchange: join("exchange", &endpoints.exchange)?,
            check_session_key: join("check_session_key", &endpoints.check_session_key)?,
            phone: join("phone", &endpoints.phone)?,
            user_keys: join("user_keys", &endpoints.user_keys)?,
            token_kind: endpoints.token_kind,
            token: match endpoints.token_kind {
                TokenKind::Stable => join("stable_token", &endpoints.stable_token)?,
                TokenKind::Plain => join("token", &endpoints.token)?,
            },
        })
    }
}

/// RFC 3986's unreserved characters stay; a space becomes `%20`, which every server reads, and never `+`.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The URL with these parameters.
pub(super) fn with_query(url: &Url, parameters: &[(&str, &str)]) -> Url {
    let encode = |text| utf8_percent_encode(text, UNRESERVED).to_string();
    let query: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let mut url = url.clone();
    url.set_query(Some(&query.join("&")));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sites(base_url: &str, allow_plain_http: bool) -> Result<Sites, ConfigError> {
        let endpoints = Endpoints { base_url: base_url.into(), ..Endpoints::default() };
        Sites::new(&Config { endpoints, allow_plain_http, ..Config::default() })
    }

    #[test]
    fn base_urls() {
        for (base, expected) in [
            ("https://api.weixin.qq.com", "https://api.weixin.qq.com/sns/jscode2session"),
            ("https://10.0.0.1:8443/openserver/", "https://10.0.0.1:8443/openserver/sns/jscode2session"),
        ] {
            assert_eq!(sites(base, false).unwrap().common.exchange.as_str(), expected);
        }
        assert!(matches!(sites("http://127.0.0.1:9380", false), Err(ConfigError::PlainHttp { .. })));
        assert!(!sites("http://127.0.0.1:9380", true).unwrap().https());
        for bad in ["", "api.weixin.qq.com", "ftp://a", "https://u:p@a", "https://a?x=1", "https://a#x"] {
            assert!(matches!(sites(bad, true), Err(ConfigError::Endpoint { .. })), "{bad}");
        }
    }

    #[test]
    fn an_app_may_live_elsewhere_and_is_checked_as_strictly() {
        let own = |base: &str, exchange: &str| {
            let endpoints = Endpoints { base_url: base.into(), exchange: exchange.into(), ..Endpoints::default() };
            Sites::new(&Config { app_endpoints: [("own".into(), endpoints)].into(), ..Config::default() })
        };
        let sites = own("https://private.example", "/openserver/sns/jscode2session").unwrap();
        assert_eq!(sites.of(&"own".into()).exchange.as_str(), "https://private.example/openserver/sns/jscode2session");
        assert_eq!(sites.of(&"other".into()).exchange.host_str(), Some("api.weixin.qq.com"));
        assert!(matches!(own("http://private.example", "/x"), Err(ConfigError::PlainHttp { of }) if of == "own"));
        for path in ["x", "//evil.example/x", "/x?secret=1", "/x#", ""] {
            assert!(own("https://private.example", path).is_err(), "{path}");
        }
    }

    #[test]
    fn time_outs() {
        for (connect, total) in [(0, 5), (5, 5), (6, 5)] {
            let [connect_timeout, total_timeout] = [connect, total].map(Duration::from_secs);
            let config = Config { connect_timeout, total_timeout, ..Config::default() };
            assert!(matches!(Sites::new(&config), Err(ConfigError::Timeouts)));
        }
    }

    #[test]
    fn query_encoding() {
        let url = with_query(
            &Url::parse("https://a/b").unwrap(),
            &[("js_code", "the code is a mock one"), ("x", "a&b=c+d/é")],
        );
        assert_eq!(url.as_str(), "https://a/b?js_code=the%20code%20is%20a%20mock%20one&x=a%26b%3Dc%2Bd%2F%C3%A9");
    }
}
