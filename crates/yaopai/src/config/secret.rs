//! Secrets stand in files or in the environment, so that the configuration itself can be shown and committed.

use std::path::Path;

use yaopai_core::seal::MasterKey;

use super::ConfigError;

/// Reads secrets; relative files are relative to `folder`.
pub struct Secrets<'a> {
    pub folder: &'a Path,
}

impl Secrets<'_> {
    /// Reads `file:PATH` or `env:NAME`. Errors name the place, never the value.
    pub fn read(&self, key: &str, reference: &str) -> Result<String, ConfigError> {
        let text = if let Some(path) = reference.strip_prefix("file:") {
            let path = self.folder.join(path);
            std::fs::read_to_string(&path)
                .map_err(|e| ConfigError::value(key, format!("cannot read the file {}: {e}", path.display())))?
        } else if let Some(name) = reference.strip_prefix("env:") {
            std::env::var(name)
                .map_err(|_| ConfigError::value(key, format!("the environment variable {name} is not set")))?
        } else {
            return Err(ConfigError::value(
                key,
                "a secret does not stand in the configuration itself; write file:PATH or env:NAME".into(),
            ));
        };
        let text = text.trim().to_owned();
        if text.is_empty() {
            return Err(ConfigError::value(key, format!("{reference} is empty")));
        }
        Ok(text)
    }

    /// Reads the master key.
    pub fn master_key(&self, reference: &str) -> Result<MasterKey, ConfigError> {
        let text = self.read("master_key", reference)?;
        MasterKey::parse(&text).ok_or_else(|| {
            ConfigError::value(
                "master_key",
                format!("{reference} holds no key: 32 bytes as base64 or 64 hex digits; `yaopai init` makes one"),
            )
        })
    }
}
