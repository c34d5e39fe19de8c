//! `[jwt]` and `[[audiences]]`.

use serde::Deserialize;

use super::realm;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jwt {
    pub issuer: Option<String>,
    pub rotate_after_days: u32,
    pub publish_ahead: u64,
    pub max_cached: usize,
}

impl Default for Jwt {
    fn default() -> Self {
        Self { issuer: None, rotate_after_days: 90, publish_ahead: 900, max_cached: 100_000 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    pub name: String,
    #[serde(default = "realm")]
    pub realm: String,
    #[serde(default)]
    pub alg: Alg,
    #[serde(default)]
    pub typ: Typ,
    #[serde(default = "sixty")]
    pub lifetime: u64,
    pub scope_from: Option<String>,
    #[serde(default)]
    pub top_level: Vec<String>,
}

fn sixty() -> u64 {
    60
}

#[derive(Deserialize, Default, Clone, Copy)]
pub enum Alg {
    #[default]
    #[serde(rename = "ES256")]
    Es256,
    #[serde(rename = "EdDSA")]
    EdDsa,
}

#[derive(Deserialize, Default, Clone, Copy)]
pub enum Typ {
    #[default]
    #[serde(rename = "JWT")]
    Jwt,
    #[serde(rename = "at+jwt")]
    AtJwt,
}
