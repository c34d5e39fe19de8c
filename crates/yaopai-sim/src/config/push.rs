//! Where and how WeChat pushes an app's messages.

use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

const MAX_URL: usize = 2048;
const MAX_TIMEOUT_MS: u64 = 60_000;

/// 43 random characters seldom end in the zero bits that a strict decoder wants to see.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true));

/// Message push of an app, as the vendor's administration page sets it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PushConfig {
    /// The server's address for pushes, `http://` or `https://`.
    pub url: String,
    /// What signs: 3–32 letters and digits.
    pub token: Secret,
    /// What encrypts: 43 letters and digits, which are the base64 of 32 bytes without its `=`. Needed unless `mode` is plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding_aes_key: Option<Secret>,
    /// How the body is protected.
    #[serde(default)]
    pub mode: PushMode,
    /// How it is written.
    #[serde(default)]
    pub format: PushFormat,
    /// In JSON, the event's own keys have a space before them (`" OpenID"`), as in the vendor's sample.
    #[serde(default)]
    pub leading_spaces: bool,
    /// Milliseconds of real time without an answer before a push is sent again. The vendor's five seconds, unless a test is in
    /// a hurry.
    #[serde(default = "timeout_ms")]
    pub timeout_ms: u64,
}

fn timeout_ms() -> u64 {
    5000
}

/// How a push is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PushMode {
    /// The message as it is. The signature covers token, timestamp and nonce, and nothing of the body.
    #[default]
    Plain,
    /// The message both as it is and encrypted.
    Compatible,
    /// The message encrypted (AES-256-CBC).
    Safe,
}

/// How a push is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PushFormat {
    /// `<xml>…</xml>`
    Xml,
    /// JSON.
    #[default]
    Json,
}

impl PushConfig {
    /// To this address, signed with this token; plain JSON.
    pub fn new(url: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            token: Secret::new(token),
            encoding_aes_key: None,
            mode: PushMode::default(),
            format: PushFormat::default(),
            leading_spaces: false,
            timeout_ms: timeout_ms(),
        }
    }

    pub(crate) fn check(&self, appid: &str) -> Result<(), ConfigError> {
        let invalid = |what: &str| Err(ConfigError::Invalid(format!("apps: push of {appid}: {what}")));
        let is_web = |url: Url| matches!(url.scheme(), "http" | "https");
        if self.url.len() > MAX_URL || !self.url.parse::<Url>().is_ok_and(is_web) {
            return invalid("url: an address that begins with http:// or https://");
        }
        let word = |secret: &Secret| secret.expose().bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(3..=32).contains(&self.token.expose().len()) || !word(&self.token) {
            return invalid("token: 3 to 32 letters and digits");
        }
        match &self.encoding_aes_key {
            Some(key) if aes_key(key).is_none() => return invalid("encoding_aes_key: 43 letters and digits"),
            None if self.mode != PushMode::Plain => return invalid("encoding_aes_key: this mode needs one"),
            _ => {}
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&self.timeout_ms) {
            return invalid("timeout_ms: 1 to 60000");
        }
        Ok(())
    }
}

/// The 32 bytes of an EncodingAESKey.
pub(crate) fn aes_key(key: &Secret) -> Option<[u8; 32]> {
    if key.expose().len() != 43 {
        return None;
    }
    LENIENT.decode(format!("{}=", key.expose())).ok()?.try_into().ok()
}
