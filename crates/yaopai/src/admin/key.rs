//! API keys: `Authorization: Bearer yk_…`. Each opens one realm; only hashes are known here.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use yaopai_core::Error;
use yaopai_core::ids::Realm;
use yaopai_core::ports::Entropy;
use yaopai_wire::problem::Code;
use zeroize::Zeroizing;

use super::Admin;
use crate::api::answer::Refusal;

/// The realm that the request's key opens.
pub struct Keyed(pub Realm);

/// A new key: `yk_` and 256 random bits.
pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
    use base64::Engine as _;
    let mut bytes = Zeroizing::new([0u8; 32]);
    entropy.fill(&mut bytes[..]);
    Zeroizing::new(format!("yk_{}", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&bytes[..])))
}

impl FromRequestParts<Admin> for Keyed {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Refusal> {
        let mut values = parts.headers.get_all(header::AUTHORIZATION).iter();
        let shown = match (values.next(), values.next()) {
            (Some(value), None) => value.as_bytes().strip_prefix(b"Bearer "),
            _ => None,
        };
        let hash: [u8; 32] = Sha256::digest(shown.unwrap_or_default()).into();
        // All keys are compared, in constant time: how long it takes says nothing about which one is near.
        let mut realm = None;
        for key in admin.keys.iter() {
            if bool::from(key.hash.ct_eq(&hash)) && shown.is_some() {
                realm = Some(key.realm.clone());
            }
        }
        realm.map(Self).ok_or_else(|| {
            Refusal(Error::new(Code::ApiKeyInvalid, "Send an API key of the realm as `Authorization: Bearer yk_…`."))
        })
    }
}
