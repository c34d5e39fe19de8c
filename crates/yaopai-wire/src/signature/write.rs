//! Signing: what a client does, for tests, the simulator's phones and whoever writes a client in Rust.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::Mac as _;

use super::base::Needs;
use super::input::Ordered;
use super::key::hmac;
use super::{Component, Key, NotAProof, Param, Proof, SIGNATURE_LENGTH};
use crate::fields::Fields;
use crate::original::Original;

/// What a client chooses.
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    /// Now, in seconds since 1970.
    pub created: i64,
    /// At least 128 random bits, base64url or hex.
    pub nonce: &'a str,
    /// The session's id.
    pub key_id: &'a str,
}

/// The two fields of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// `Signature-Input`.
    pub input: String,
    /// `Signature`.
    pub signature: String,
}

/// Signs a request. `fields` hold `Authorization` and `Content-Digest` where they are covered.
///
/// # Errors
/// The request can be written in two ways, or lacks a field that must be covered.
pub fn sign(
    key: Key<'_>,
    original: &Original<'_>,
    fields: &impl Fields,
    needs: Needs,
    Params { created, nonce, key_id }: Params<'_>,
) -> Result<Signed, NotAProof> {
    let (mut components, mut params) = (Ordered::EMPTY, Ordered::EMPTY);
    for component in Component::ALL.into_iter().filter(|c| needs.covers(*c, original, fields)) {
        components.push(component);
    }
    for param in Param::ALL {
        params.push(param);
    }
    let proof = Proof { created, nonce, key_id, alg: key.alg(), components, params, signature: [0; SIGNATURE_LENGTH] };
    let mut mac = hmac(key);
    proof.feed(original, fields, needs, &mut |piece| mac.update(piece))?;
    Ok(Signed {
        input: format!("yaopai={}", proof.signature_params()),
        signature: format!("yaopai=:{}:", STANDARD.encode(mac.finalize().into_bytes())),
    })
}
