//! The session token: `yp1_` + base64url(16-byte session id ‖ 32-byte secret) + checksum.
//!
//! A selector and a verifier: the id finds the session, the secret proves it. Only the SHA-256 of the secret is ever
//! stored, and it is compared in constant time. The CRC-32 at the end is no security: it kills junk and typing errors
//! before any lookup, and lets secret scanners recognise a leaked token without asking us.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What every token starts with; `1` is the version of the layout.
pub const PREFIX: &str = "yp1_";
/// 48 bytes in base64url.
const BODY: usize = 64;
/// A CRC-32 in base64url.
const CHECKSUM: usize = 6;
/// The length of every token in bytes; all of them ASCII.
pub const LENGTH: usize = PREFIX.len() + BODY + CHECKSUM;

/// A session's 16-byte UUIDv7 (RFC 9562): time-ordered, so that a store's inserts are sequential.
pub type IdBytes = [u8; 16];

/// A token as shown by a client. `Debug` prints neither the secret nor the id's text form.
#[derive(Clone)]
pub struct Token {
    /// The selector: which session.
    pub id: IdBytes,
    /// The verifier: the proof.
    pub secret: Secret,
}

/// The 32 random bytes of a token. Wiped from memory when dropped, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret([u8; 32]);

/// SHA-256 of a [`Secret`]: the only form that is stored.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// The text is no token of ours: wrong prefix, length, alphabet or checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a session token")]
pub struct NotAToken;

// === impl Token ===

impl Token {
    /// Reads a token. Junk is refused here, before any lookup.
    ///
    /// # Errors
    /// [`NotAToken`]; it does not say what was wrong, because nothing a client does would differ.
    pub fn parse(text: &[u8]) -> Result<Self, NotAToken> {
        if text.len() != LENGTH || !text.starts_with(PREFIX.as_bytes()) {
            return Err(NotAToken);
        }
        // Body and checksum in one go: 64 characters are 48 bytes and leave nothing over. Strict alphabets without padding
        // have exactly one spelling per value: no second token for the same session.
        let mut bytes = [0u8; 52];
        let n = URL_SAFE_NO_PAD.decode_slice(&text[PREFIX.len()..], &mut bytes).map_err(|_| NotAToken)?;
        let (mut id, mut secret, mut sum) = ([0u8; 16], [0u8; 32], [0u8; 4]);
        id.copy_from_slice(&bytes[..16]);
        secret.copy_from_slice(&bytes[16..48]);
        sum.copy_from_slice(&bytes[48..]);
        let whole = n == bytes.len();
        bytes.zeroize();
        if !whole || u32::from_be_bytes(sum) != crc32fast::hash(&text[..PREFIX.len() + BODY]) {
            secret.zeroize();
            return Err(NotAToken);
        }
        Ok(Self { id, secret: Secret(secret) })
    }

    /// Writes the token as the client gets it. The caller hands it out once and keeps no copy.
    pub fn reveal(&self) -> String {
        let mut bytes = [0u8; 48];
        bytes[..16].copy_from_slice(&self.id);
        bytes[16..].copy_from_slice(&self.secret.0);
        let mut text = String::with_capacity(LENGTH);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        let sum = crc32fast::hash(text.as_bytes());
        URL_SAFE_NO_PAD.encode_string(sum.to_be_bytes(), &mut text);
        bytes.zeroize();
        text
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

// === impl Secret ===

impl Secret {
    /// Takes 32 bytes from the caller's entropy.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for sealing.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What is stored and compared.
    pub fn hash(&self) -> SecretHash {
        SecretHash(Sha256::digest(self.0).into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

// === impl SecretHash ===

impl SecretHash {
    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        // Eight bytes at a time, all of them whatever differs: a byte at a time is four times the work.
        let ((ours, _), (theirs, _)) = (self.0.as_chunks::<8>(), other.0.as_chunks::<8>());
        let same = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a).ct_eq(&u64::from_ne_bytes(*b));
        ours.iter().zip(theirs).fold(Choice::from(1), |all, (a, b)| all & same(a, b)).into()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn token(id: IdBytes, secret: [u8; 32]) -> Token {
        Token { id, secret: Secret::new(secret) }
    }

    #[test]
    fn layout_is_fixed() {
        let text = token([1; 16], [2; 32]).reveal();
        assert_eq!(text.len(), LENGTH);
        assert_eq!(text, "yp1_AQEBAQEBAQEBAQEBAQEBAQICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICn1kVgA");
    }

    #[test]
    fn hashes_match_only_in_every_byte() {
        let hash = SecretHash(std::array::from_fn(|n| n as u8));
        assert!(hash.matches(&hash.clone()));
        for at in 0..32 {
            let mut other = hash;
            other.0[at] ^= 0x80;
            assert!(!hash.matches(&other), "byte {at}");
            // Nor do two differences make up for each other.
            for second in (0..32).filter(|second| *second != at) {
                let mut other = other;
                other.0[second] ^= 0x80;
                assert!(!hash.matches(&other), "bytes {at} and {second}");
            }
        }
    }

    /// With the checksum that belongs to it.
    #[test]
    fn another_prefix_is_no_token() {
        let mut text = token([1; 16], [2; 32]).reveal().replace(PREFIX, "yp2_");
        text.truncate(PREFIX.len() + BODY);
        let sum = crc32fast::hash(text.as_bytes());
        URL_SAFE_NO_PAD.encode_string(sum.to_be_bytes(), &mut text);
        assert_eq!((text.len(), Token::parse(text.as_bytes()).err()), (LENGTH, Some(NotAToken)));
    }

    #[test]
    fn debug_shows_no_secret() {
        let t = token([1; 16], [2; 32]);
        assert_eq!(format!("{t:?} {:?} {:?}", t.secret, t.secret.hash()), "Token(…) Secret(…) SecretHash(…)");
    }

    proptest! {
        #[test]
        fn round_trip(id: [u8; 16], secret: [u8; 32]) {
            let t = Token::parse(token(id, secret).reveal().as_bytes()).unwrap();
            prop_assert_eq!(t.id, id);
            prop_assert_eq!(t.secret.expose(), &secret);
        }

        /// Any other spelling is refused: one token, one text.
        #[test]
        fn every_changed_byte_is_refused(id: [u8; 16], secret: [u8; 32], at in 0..LENGTH, to: u8) {
            let mut text = token(id, secret).reveal().into_bytes();
            prop_assume!(text[at] != to);
            text[at] = to;
            prop_assert!(Token::parse(&text).is_err());
        }

        #[test]
        fn junk_never_panics(junk: Vec<u8>) {
            prop_assert!(Token::parse(&junk).is_err());
        }
    }
}
