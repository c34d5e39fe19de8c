//! New keys, and kept ones opened.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine as _;
use zeroize::Zeroizing;

use crate::ports::{Entropy, SigningAlg, SigningKey};
use crate::seal::{Place, SealError, Sealer};
use crate::time::Timestamp;

fn place(kid: &str) -> Place<'_> {
    Place { table: "signing_keys", row: kid, column: "private_key" }
}

/// A new key, sealed for its place. Its bits are aws-lc's own, as those of its signatures are.
///
/// # Errors
/// No seals are left.
pub fn make(
    alg: SigningAlg,
    (made_at, signs_from): (Timestamp, Timestamp),
    sealer: &Sealer,
    entropy: &dyn Entropy,
) -> Result<SigningKey, SealError> {
    let mut name = [0; 12];
    entropy.fill(&mut name);
    let kid = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(name);
    let random = SystemRandom::new();
    let pkcs8 = match alg {
        SigningAlg::Es256 => EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random),
        SigningAlg::EdDsa => Ed25519KeyPair::generate_pkcs8v1(&random),
    };
    let pkcs8 = pkcs8.map_err(|_| SealError::Broken("a signing key can't be made"))?;
    let sealed = sealer.seal(place(&kid), pkcs8.as_ref())?;
    Ok(SigningKey { kid, alg, sealed, made_at, signs_from })
}

/// The private key, as PKCS#8 (RFC 5958).
///
/// # Errors
/// It does not open: damaged, moved, or of another master key.
pub fn open(key: &SigningKey, sealer: &Sealer) -> Result<Zeroizing<Vec<u8>>, SealError> {
    sealer.unseal(place(&key.kid), &key.sealed)
}
