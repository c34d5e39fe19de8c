//! What a signature is verified with.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::base::Needs;
use super::{NotAProof, Proof};
use crate::fields::Fields;
use crate::original::Original;

/// Bytes of a signature. All algorithms so far have as many.
pub const SIGNATURE_LENGTH: usize = 32;

/// A session's key. Its kind is fixed at the login, so a request can't choose how it is verified.
#[derive(Clone, Copy)]
pub enum Key<'a> {
    /// `hmac-sha256` (RFC 9421, section 3.3.3).
    HmacSha256(&'a [u8; 32]),
}

impl Key<'_> {
    /// The algorithm's name (RFC 9421, section 6.2.2).
    pub fn alg(self) -> &'static str {
        match self {
            Self::HmacSha256(_) => "hmac-sha256",
        }
    }
}

impl Proof<'_> {
    /// Is it this key's, over this request? That the key is the session's, that `created` is of now and the nonce new, is the
    /// caller's to see.
    ///
    /// # Errors
    /// [`NotAProof`]
    pub fn verify(
        &self,
        key: Key<'_>,
        original: &Original<'_>,
        fields: &impl Fields,
        needs: Needs,
    ) -> Result<(), NotAProof> {
        if self.alg != key.alg() {
            return Err(NotAProof::OtherAlgorithm);
        }
        let mut mac = hmac(key);
        self.feed(original, fields, needs, &mut |piece| mac.update(piece))?;
        // In constant time.
        mac.verify_slice(&self.signature).map_err(|_| NotAProof::DoesNotVerify)
    }
}

pub(super) fn hmac(Key::HmacSha256(key): Key<'_>) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}
