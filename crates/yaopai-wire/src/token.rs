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
/// Id, secret and CRC-32.
const BYTES: usize = 16 + 32 + 4;
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
        let mut bytes = [0u8; BYTES];
        let whole = decode(&text[PREFIX.len()..], &mut bytes);
        let (mut id, mut secret, mut sum) = ([0u8; 16], [0u8; 32], [0u8; 4]);
        id.copy_from_slice(&bytes[..16]);
        secret.copy_from_slice(&bytes[16..48]);
        sum.copy_from_slice(&bytes[48..]);
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

/// Base64url (RFC 4648, section 5) without padding, for this one length: body and checksum in one go, as 64 characters are
/// 48 bytes and leave nothing over. Each value has exactly one spelling, so that no session has a second token. A fifth of
/// a check's instructions went into a decoder for any length.
fn decode(text: &[u8], bytes: &mut [u8; BYTES]) -> bool {
    let (quads, rest) = text.as_chunks::<4>();
    let mut seen = 0u8;
    for (quad, three) in quads.iter().zip(bytes.as_chunks_mut::<3>().0) {
        let [a, b, c, d] = quad.map(|c| VALUES[usize::from(c)]);
        seen |= a | b | c | d;
        let [_, x, y, z] = (u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d)).to_be_bytes();
        *three = [x, y, z];
    }
    // 17 × 4 characters, and two that hold the last byte and four zero bits.
    let &[a, b] = rest else { return false };
    let (a, b) = (VALUES[usize::from(a)], VALUES[usize::from(b)]);
    bytes[BYTES - 1] = a << 2 | b >> 4;
    (seen | a | b) < 64 && b & 0x0f == 0
}

/// What a character is worth; 255: it is none of the alphabet.
static VALUES: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut values = [255u8; 256];
    let mut n = 0;
    while n < alphabet.len() {
        values[alphabet[n] as usize] = n as u8;
        n += 1;
    }
    values
};

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
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let t = token([1; 16], [2; 32]);
        assert_eq!(format!("{t:?} {:?} {:?}", t.secret, t.secret.hash()), "Token(…) Secret(…) SecretHash(…)");
    }

    proptest! {
        /// Our decoder and everybody's take and refuse the same.
        #[test]
        fn decodes_as_others_do(text in "[A-Za-z0-9_=+/ -]{0,2}[A-Za-z0-9_-]{66}[A-Za-z0-9_=+/\\x00-]{2}") {
            let text = &text.as_bytes()[..70.min(text.len())];
            let (mut ours, mut theirs) = ([0u8; BYTES], [0u8; BYTES]);
            let same_length = text.len() == 70;
            let accepted = URL_SAFE_NO_PAD.decode_slice(text, &mut theirs).is_ok_and(|n| n == BYTES);
            prop_assert_eq!(decode(text, &mut ours), accepted && same_length);
            prop_assert!(!accepted || ours == theirs);
        }

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
