//! The keys that sign what back ends are handed, as a store keeps them.

use async_trait::async_trait;

use super::StoreResult;
use crate::time::Timestamp;

/// How a key signs (RFC 7518, section 3.1; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SigningAlg {
    /// ECDSA on P-256 with SHA-256: what every back end's library takes.
    Es256,
    /// Ed25519.
    EdDsa,
}

impl SigningAlg {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Es256, Self::EdDsa];

    /// As JOSE names it, and as a store keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads its name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|alg| alg.as_str() == text)
    }
}

/// One key. Which one signs, and which are published, follows from all of them: [`crate::signing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name in a JWT's header and in the published set; random.
    pub kid: String,
    /// How it signs.
    pub alg: SigningAlg,
    /// The private key as PKCS#8, sealed.
    pub sealed: Vec<u8>,
    /// When it was made, and published.
    pub made_at: Timestamp,
    /// From when on it signs.
    pub signs_from: Timestamp,
}

/// A key to be kept, if the newest one of its `alg` still is `after`.
#[derive(Debug, Clone)]
pub struct NextKey {
    /// The key.
    pub key: SigningKey,
    /// The `kid` of the one before; `None`: it is the first.
    pub after: Option<String>,
}

/// Keys to be made on request: all of them, or none.
#[derive(Debug, Clone)]
pub struct NextKeys {
    /// One for each `alg` that has none on its way.
    pub keys: Vec<NextKey>,
    /// The others of their `alg` are gone by the same step.
    pub alone: bool,
}

/// What an engine keeps of them.
#[async_trait]
pub trait SigningStore: Send + Sync {
    /// Every key, by the time from which it signs, then by `kid`.
    async fn signing_keys(&self) -> StoreResult<Vec<SigningKey>>;

    /// Keeps a key, if the newest one of its `alg` (the last of [`SigningStore::signing_keys`]) still is `after`: of several
    /// that make the next key at a time, one does. Answers whether it was kept.
    async fn add_signing_key(&self, key: SigningKey, after: Option<&str>) -> StoreResult<bool>;

    /// Forgets keys.
    async fn drop_signing_keys(&self, kids: Vec<String>) -> StoreResult<()>;
}
