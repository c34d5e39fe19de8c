//! What `yaopai init` writes.

use sha2::{Digest as _, Sha256};

/// The commented configuration. `{api_key_hash}` is filled in.
pub const TEMPLATE: &str = include_str!("template.toml");

/// An API key's hash as the configuration holds it.
pub fn api_key_hash(key: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(key)))
}
