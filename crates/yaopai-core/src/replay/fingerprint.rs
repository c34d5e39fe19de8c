//! What is remembered of a nonce: 64 bits of a keyed hash.

use std::fmt;
use std::hash::Hasher as _;
use std::num::NonZeroU64;

use siphasher::sip::SipHasher24;
use zeroize::Zeroizing;

use crate::ids::SessionId;
use crate::ports::Entropy;

/// The key of the hash: 16 random bytes. Keyed, so that nobody can choose nonces that crowd one window of the table, or
/// that look like somebody else's.
#[derive(Clone)]
pub(super) struct HashKey(pub Zeroizing<[u8; 16]>);

impl HashKey {
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut key = Zeroizing::new([0; 16]);
        entropy.fill(&mut *key);
        Self(key)
    }

    /// SipHash-2-4 (<https://www.aumasson.jp/siphash/siphash.pdf>) of the session's 16 bytes and then the nonce's. The first
    /// part has one length, so two different pairs never are the same bytes.
    ///
    /// 0 marks a free slot, so a hash of 0 becomes 1.
    pub fn fingerprint(&self, session: SessionId, nonce: &str) -> NonZeroU64 {
        NonZeroU64::new(self.hash([&session.0, nonce.as_bytes()])).unwrap_or(NonZeroU64::MIN)
    }

    /// The hash of parts that follow one another.
    pub fn hash<const N: usize>(&self, parts: [&[u8]; N]) -> u64 {
        let mut hasher = SipHasher24::new_with_key(&self.0);
        for part in parts {
            hasher.write(part);
        }
        hasher.finish()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(…)")
    }
}
