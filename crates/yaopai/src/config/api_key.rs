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
    /// All of these but the access tokens and the signing keys.
    Admin,
    /// Reading users, identities, bindings, sessions and moves.
    Read,
    /// Users: what is said about them, and who is disabled. Reading them, too.
    Users,
    /// Which identity is which user. Reading that, too.
    Bindings,
    /// Sessions: kicking them. Reading them, too.
    Sessions,
    /// Reading the audit log.
    Audit,
    /// The platforms' access tokens: whoever holds one can act as the app at its platform, so `admin` is not for them.
    AccessToken,
    /// Introspection, and nothing else: what a back end that only verifies needs.
    Introspect,
    /// The keys that sign JWTs, those of all realms.
    SigningKeys,
    /// The apps' moves: who is on which side. Reading that, too.
    Move,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Admin,
        Self::Read,
        Self::Users,
        Self::Bindings,
        Self::Sessions,
        Self::Move,
        Self::Audit,
        Self::Introspect,
        Self::AccessToken,
        Self::SigningKeys,
    ];

    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Read => "read",
            Self::Users => "users",
            Self::Bindings => "bindings",
            Self::Sessions => "sessions",
            Self::Audit => "audit",
            Self::Introspect => "introspect",
            Self::AccessToken => "access_token",
            Self::SigningKeys => "signing_keys",
            Self::Move => "move",
        }
    }

    /// Does `admin` include it? Not what reaches beyond the realm's own users and sessions.
    pub const fn is_of_admin(self) -> bool {
        !matches!(self, Self::AccessToken | Self::SigningKeys)
    }
}

impl ApiKey {
    /// May the key do what is for any of these scopes?
    pub fn may(&self, scopes: &[Scope]) -> bool {
        let has =
            |scope: &Scope| self.scopes.contains(scope) || (scope.is_of_admin() && self.scopes.contains(&Scope::Admin));
        scopes.iter().any(has)
    }
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
            format!("key {name:?} is for nothing: name some of {}, or leave scopes out", all_scopes()),
        ));
    }
    let scope = |scope: &file::Scope| match scope {
        file::Scope::Admin => Scope::Admin,
        file::Scope::Read => Scope::Read,
        file::Scope::Users => Scope::Users,
        file::Scope::Bindings => Scope::Bindings,
        file::Scope::Sessions => Scope::Sessions,
        file::Scope::Audit => Scope::Audit,
        file::Scope::AccessToken => Scope::AccessToken,
        file::Scope::Introspect => Scope::Introspect,
        file::Scope::SigningKeys => Scope::SigningKeys,
        file::Scope::Move => Scope::Move,
    };
    let scopes = entry.scopes.iter().map(scope).collect();
    Ok(ApiKey { name: name.clone(), realm: entry.realm.as_str().into(), hash, scopes })
}

fn all_scopes() -> String {
    Scope::ALL.map(|scope| format!("{:?}", scope.as_str())).join(", ")
}
