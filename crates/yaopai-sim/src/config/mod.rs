//! What a simulator starts with: a TOML file, or [`Config::default`].

mod app;
mod guesses;
mod push;
mod secret;
pub(crate) mod validate;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use app::{AnswerShape, AppConfig, MinRefresh, RotateAt, SessionKeyPolicy};
pub use guesses::{Guesses, UserKeyMethod};
pub(crate) use push::aes_key;
pub use push::{PushConfig, PushFormat, PushMode};
pub use secret::Secret;
use serde::{Deserialize, Serialize};

/// The appid of the built-in default app.
pub const DEFAULT_APPID: &str = "wx0123456789abcdef";
/// The AppSecret of the built-in default app.
pub const DEFAULT_SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The whole configuration. Unknown keys are refused.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where `yaopai sim` listens. Tests usually start on port 0 instead.
    pub listen: SocketAddr,
    /// Seed of every id. Without one, openids and unionids still stay the same over restarts, while codes, keys and tokens
    /// don't.
    pub seed: Option<u64>,
    /// Bearer token of the control API, at least 16 characters. Without one a fresh token is made at each start.
    pub control_token: Option<Secret>,
    /// Whose time is used.
    pub clock: ClockKind,
    /// Whether the literal `the code is a mock one`, which WeChat's DevTools sends where no real appid is set, logs in.
    pub mock_code: bool,
    /// The user whom the mock code logs in; the first user unless named.
    pub mock_code_user: Option<String>,
    /// The mini programs.
    pub apps: Vec<AppConfig>,
    /// The people; each has an openid in every app.
    pub users: Vec<UserConfig>,
}

/// The clock that a simulator made from a configuration runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockKind {
    /// The machine's own.
    #[default]
    System,
    /// Starts at 2026-01-01T00:00:00Z and moves only through the control API.
    Manual,
}

/// A person with WeChat.
#[derive(Clone, Debug, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// The name that tests and the control API use, 1–64 bytes; WeChat never shows it.
    pub name: String,
    /// The phone number (mainland China, without +86); made from the name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// WeChat considers the user high-risk: logins answer 40226.
    #[serde(default)]
    pub blocked: bool,
    /// A fixed unionid in place of the derived one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unionid: Option<String>,
    /// Fixed openids by appid, in place of the derived ones.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub openids: std::collections::BTreeMap<String, String>,
}

impl UserConfig {
    /// A user of this name, everything else by default.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 9380)),
            seed: None,
            control_token: None,
            clock: ClockKind::System,
            mock_code: true,
            mock_code_user: None,
            apps: vec![AppConfig::new(DEFAULT_APPID, DEFAULT_SECRET)],
            users: ["xiaoming", "xiaohong", "lilei"].into_iter().map(UserConfig::named).collect(),
        }
    }
}

impl Config {
    /// Reads and checks a TOML text.
    ///
    /// # Errors
    /// Names the unknown or wrong key and its place.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::Toml(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    /// Reads and checks a TOML file.
    ///
    /// # Errors
    /// As [`Config::from_toml`], with the file's name.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        let path = path.as_ref();
        let in_file = |error: String| ConfigError::File { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(|error| in_file(error.to_string()))?;
        Self::from_toml(&text).map_err(|error| in_file(error.to_string()))
    }

    /// Checks what the types can't: shapes, doubles, references.
    ///
    /// # Errors
    /// The first fault found, in words.
    pub fn validate(&self) -> Result<(), ConfigError> {
        validate::config(self)
    }

    /// The user whom DevTools' mock code logs in, if it does.
    pub(crate) fn mock_user(&self) -> Option<&str> {
        let first = || self.users.first().map(|user| user.name.as_str());
        self.mock_code.then(|| self.mock_code_user.as_deref().or_else(first)).flatten()
    }
}

/// Why a configuration was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, an unknown key, or a value of the wrong kind; the text names key, line and column.
    #[error("{0}")]
    Toml(String),
    /// A value that fits its type but not its meaning.
    #[error("{0}")]
    Invalid(String),
    /// The file can't be read, or one of the above in this file.
    #[error("{}: {error}", path.display())]
    File {
        /// The file as it was named.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named() {
        let cases = [
            ("lisen = \"127.0.0.1:1\"\n", "lisen"),
            ("[[apps]]\nappid = \"wx0123456789abcdef\"\nsecret = \"s\"\nsecrt = \"s\"\n", "secrt"),
            ("[[users]]\nname = \"a\"\nblokked = true\n", "blokked"),
            ("[[apps]]\nappid = \"wx0123456789abcdef\"\nsecret = \"s\"\n[apps.answer]\nerrcod = true\n", "errcod"),
        ];
        for (text, key) in cases {
            let error = Config::from_toml(text).expect_err(text).to_string();
            assert!(error.contains(&format!("unknown field `{key}`")), "{error}");
            assert!(error.contains("expected one of"), "{error}");
        }
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = r#"
            listen = "127.0.0.1:9999"
            seed = 7
            control_token = "0123456789abcdef"
            clock = "manual"
            mock_code_user = "b"
            [[apps]]
            appid = "wx00000000000000aa"
            secret = "s"
            ip_whitelist = ["10.0.0.1"]
            [apps.session_key]
            min_refresh = "never"
            rotate_at = "both"
            [apps.answer]
            errcode_zero = true
            [[users]]
            name = "a"
            [[users]]
            name = "b"
            openids = { wx00000000000000aa = "oFixed" }
        "#;
        let config = Config::from_toml(text).unwrap();
        assert_eq!(config.mock_user(), Some("b"));
        assert_eq!(config.apps[0].session_key.min_refresh, MinRefresh::Never);
        assert!(config.apps[0].answer.errcode_zero);
        assert_eq!(config.clock, ClockKind::Manual);
    }

    #[test]
    fn a_file_error_names_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sead = 1").unwrap();
        let error = Config::from_file(file.path()).unwrap_err().to_string();
        assert!(error.contains(file.path().to_str().unwrap()) && error.contains("`sead`"), "{error}");
    }

    #[test]
    fn secrets_do_not_show_in_debug() {
        let config = Config { control_token: Some(Secret::new("very-secret-token")), ..Config::default() };
        let shown = format!("{config:?}");
        assert!(!shown.contains(DEFAULT_SECRET) && !shown.contains("very-secret-token"), "{shown}");
    }

    /// The README's example names every key, and its values are the defaults where it says so.
    #[test]
    fn the_readmes_example_is_read() {
        let readme = include_str!("../../README.md");
        let (_, rest) = readme.split_once("```toml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let config = Config::from_toml(example).unwrap();
        let default = AppConfig::new(DEFAULT_APPID, DEFAULT_SECRET);
        let mut apps = config.apps.clone();
        assert!(apps[0].push.take().is_some());
        assert_eq!(format!("{apps:?}"), format!("{:?}", [default]));
        let written: toml::Table = toml::from_str(example).unwrap();
        let known = toml::Table::try_from(&config).unwrap();
        assert_eq!(written.keys().collect::<Vec<_>>(), known.keys().collect::<Vec<_>>());
        let app = |table: &toml::Table| table["apps"][0].as_table().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(app(&written), app(&known));
    }

    #[test]
    fn the_default_is_valid() {
        Config::default().validate().unwrap();
    }
}
