//! One mini program and its knobs.

use std::net::IpAddr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Guesses, PushConfig, Secret};

/// A mini program.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AppConfig {
    /// `wx` and 16 lower-case hex digits.
    pub appid: String,
    /// The AppSecret.
    pub secret: Secret,
    /// If not empty, interfaces that take the AppSecret answer 40164 to every other address.
    #[serde(default)]
    pub ip_whitelist: Vec<IpAddr>,
    /// The AppSecret is frozen: 40243.
    #[serde(default)]
    pub frozen: bool,
    /// The Open Platform account; apps of the same one see the same unionid.
    #[serde(default = "open_platform")]
    pub open_platform: String,
    /// Life of a login or phone code, in seconds.
    #[serde(default = "code_ttl")]
    pub code_ttl: u64,
    /// errcode of an expired, unused code. The vendor does not say; 40029 is probable (INF), 42003 possible.
    #[serde(default = "expired_code_errcode")]
    pub expired_code_errcode: i64,
    /// Logins per user and calendar minute before 45011.
    #[serde(default = "login_limit")]
    pub login_limit_per_minute: u32,
    /// How the session_key lives.
    #[serde(default)]
    pub session_key: SessionKeyPolicy,
    /// Oddities of the answers on the wire.
    #[serde(default)]
    pub answer: AnswerShape,
    /// What nobody has confirmed.
    #[serde(default)]
    pub guesses: Guesses,
    /// Where its messages are pushed; nowhere if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<PushConfig>,
}

fn open_platform() -> String {
    "default".to_owned()
}

fn code_ttl() -> u64 {
    300
}

fn expired_code_errcode() -> i64 {
    40029
}

fn login_limit() -> u32 {
    100
}

impl AppConfig {
    /// An app with every knob at its default.
    pub fn new(appid: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            appid: appid.into(),
            secret: Secret::new(secret),
            ip_whitelist: Vec::new(),
            frozen: false,
            open_platform: open_platform(),
            code_ttl: code_ttl(),
            expired_code_errcode: expired_code_errcode(),
            login_limit_per_minute: login_limit(),
            session_key: SessionKeyPolicy::default(),
            answer: AnswerShape::default(),
            guesses: Guesses::default(),
            push: None,
        }
    }
}

/// When WeChat replaces a user's session_key. The vendor publishes neither number, so both are knobs; the defaults are the
/// harshest: every `wx.login` replaces the key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionKeyPolicy {
    /// A key younger than this is kept.
    pub min_refresh: MinRefresh,
    /// At which step a key may be replaced.
    pub rotate_at: RotateAt,
    /// Life of a key in seconds (INF; staff once said 3 days).
    pub ttl: u64,
}

impl Default for SessionKeyPolicy {
    fn default() -> Self {
        Self { min_refresh: MinRefresh::Seconds(0), rotate_at: RotateAt::Issue, ttl: 3 * 24 * 3600 }
    }
}

/// The least age at which a login replaces the session_key: seconds, or `"never"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinRefresh {
    /// At this age in seconds; 0 replaces it every time.
    Seconds(u64),
    /// Only when it has expired.
    Never,
}

impl Serialize for MinRefresh {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Seconds(seconds) => serializer.serialize_u64(*seconds),
            Self::Never => serializer.serialize_str("never"),
        }
    }
}

impl<'de> Deserialize<'de> for MinRefresh {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Seconds(u64),
            Word(String),
        }
        let wrong = || de::Error::custom("min_refresh is a number of seconds or \"never\"");
        match Raw::deserialize(deserializer).map_err(|_| wrong())? {
            Raw::Seconds(seconds) => Ok(Self::Seconds(seconds)),
            Raw::Word(word) if word == "never" => Ok(Self::Never),
            Raw::Word(_) => Err(wrong()),
        }
    }
}

/// The step at which a login may replace the session_key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RotateAt {
    /// When the phone obtains a code (what the vendor's page says).
    #[default]
    Issue,
    /// When the server exchanges it.
    Exchange,
    /// At both.
    Both,
}

impl RotateAt {
    pub(crate) fn issue(self) -> bool {
        matches!(self, Self::Issue | Self::Both)
    }

    pub(crate) fn exchange(self) -> bool {
        matches!(self, Self::Exchange | Self::Both)
    }
}

/// Oddities that real answers had at one time or another; all off by default but the unionid.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct AnswerShape {
    /// A success that has no errcode carries `"errcode":0,"errmsg":"ok"`, as the documentation's example of code2Session and
    /// years past had it.
    pub errcode_zero: bool,
    /// A successful login carries `"expires_in":7200`, as in 2016.
    pub expires_in: bool,
    /// Slashes are written `\/`.
    pub escape_slashes: bool,
    /// Fields that nobody has documented.
    pub extra_fields: bool,
    /// The fields come in another order each time.
    pub shuffle_keys: bool,
    /// The unionid is there: the app belongs to an Open Platform account.
    pub unionid: bool,
    /// `countryCode` is a number, as in the documentation's example, not a string, as in its table.
    pub numeric_country_code: bool,
}

impl Default for AnswerShape {
    fn default() -> Self {
        Self {
            errcode_zero: false,
            expires_in: false,
            escape_slashes: false,
            extra_fields: false,
            shuffle_keys: false,
            unionid: true,
            numeric_country_code: false,
        }
    }
}
