//! `[[api_keys]]`: who may call the admin API, for which realm and for what.

use yaopai_core::ids::Realm;

use super::{ConfigError, file};

/// An API key: only its hash is known.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// For logs.
    pub name: String,
    /// The one realm that it opens.
    pub realm: Realm,
    /// SHA-256 of the key's text.
    pub hash: [u8; 32],
    /// What it is for.
    pub scopes: Vec<Scope>,
}

/// What an API key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Everything under `/admin/v1` but the access tokens.
    Admin,
    /// The platforms' access tokens.
    AccessToken,
    /// Introspection, and nothing else: what a back end that only verifies needs.
    Introspect,
    /// The keys that sign JWTs, those of all realms.
    SigningKeys,
}

/// Each key once: of two entries for one key, one would silently not count, its realm and its scopes.
pub(super) fn read_all(entries: &[file::ApiKey]) -> Result<Vec<ApiKey>, ConfigError> {
    let keys = entries.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    for (n, key) in keys.iter().enumerate() {
        if let Some(before) = keys[..n].iter().find(|before| before.hash == key.hash) {
            let what = format!("keys {:?} and {:?} are the same one: make another for each", before.name, key.name);
            return Err(ConfigError::value("api_keys.hash", what));
        }
    }
    Ok(keys)
}

fn read(entry: &file::ApiKey) -> Result<ApiKey, ConfigError> {
    let name = &entry.name;
    let hash = entry.hash.strip_prefix("sha256:").and_then(|h| hex::decode(h).ok()).and_then(|h| h.try_into().ok());
    let hash = hash.ok_or_else(|| {
        ConfigError::value(
            "api_keys.hash",
            format!("key {name:?}: must be sha256: and 64 hex digits; `yaopai init` shows how to make one"),
        )
    })?;
    if entry.scopes.is_empty() {
        return Err(ConfigError::value(
            "api_keys.scopes",
            format!(
                "key {name:?} is for nothing: name some of \"admin\", \"access_token\", \"introspect\" and \"signing_keys\", or leave scopes out"
            ),
        ));
    }
    let scope = |scope: &file::Scope| match scope {
        file::Scope::Admin => Scope::Admin,
        file::Scope::AccessToken => Scope::AccessToken,
        file::Scope::Introspect => Scope::Introspect,
        file::Scope::SigningKeys => Scope::SigningKeys,
    };
    let scopes = entry.scopes.iter().map(scope).collect();
    Ok(ApiKey { name: name.clone(), realm: entry.realm.as_str().into(), hash, scopes })
}
