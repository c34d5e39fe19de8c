//! Keys of keyed sessions: opened for verifying, sealed for the store.

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use yaopai_wire::signature::Key;
use zeroize::Zeroizing;

use super::Unproved;
use crate::ids::SessionId;
use crate::seal::{Place, SealError, Sealer};
use crate::session::{Session, SessionKey};
use crate::time::Timestamp;

/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// How long a version passes after a newer one is known: requests on their way were signed with it.
const PREVIOUS: std::time::Duration = std::time::Duration::from_secs(600);

type Bytes = Zeroizing<[u8; KEY_LEN]>;

/// A session's key, ready for verifying.
pub enum ProofKey {
    /// One for the session's whole life.
    HmacSha256(Bytes),
    /// Derived from WeChat's per-user key.
    WeChat(Box<KeyChain>),
}

/// The versions of a key that may have signed a request.
pub struct KeyChain {
    newest: Version,
    /// And until when it passes.
    previous: Option<(Version, Timestamp)>,
}

/// One version.
#[derive(Clone)]
pub struct Version {
    /// Counts up.
    pub number: u32,
    key: Bytes,
}

impl Version {
    /// The key of one session, out of a user's: HKDF-SHA256 (RFC 5869) without salt, `yaopai hmac-sha256 ` and the session's id as
    /// info. So one user's sessions have different keys, and the platform's own uses of its key have others still.
    pub fn derive(number: u32, user_key: &[u8], session: SessionId) -> Self {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let info = [b"yaopai hmac-sha256 ".as_slice(), &session.text()];
        let prk = Salt::new(HKDF_SHA256, &[]).extract(user_key);
        prk.expand(&info, Length).and_then(|okm| okm.fill(&mut key[..])).expect("32 bytes are not too many");
        Self { number, key }
    }
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_LEN
    }
}

impl KeyChain {
    /// The first version that is known.
    pub fn new(first: Version) -> Self {
        Self { newest: first, previous: None }
    }

    /// The newest version's number.
    pub fn newest(&self) -> u32 {
        self.newest.number
    }

    /// A newer version is known from now on. Of an older one nothing changes.
    #[must_use]
    pub fn followed_by(self, next: Version, now: Timestamp) -> Self {
        if next.number <= self.newest.number {
            return self;
        }
        Self { newest: next, previous: Some((self.newest, now + PREVIOUS)) }
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(2 * (4 + KEY_LEN) + 8));
        out.extend_from_slice(&self.newest.number.to_be_bytes());
        out.extend_from_slice(&self.newest.key[..]);
        if let Some((previous, until)) = &self.previous {
            out.extend_from_slice(&previous.number.to_be_bytes());
            out.extend_from_slice(&previous.key[..]);
            out.extend_from_slice(&until.0.to_be_bytes());
        }
        out
    }

    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let newest = version(&mut bytes)?;
        if bytes.is_empty() {
            return Some(Self::new(newest));
        }
        let previous = version(&mut bytes)?;
        let until = Timestamp(i64::from_be_bytes(bytes.try_into().ok()?));
        Some(Self { newest, previous: Some((previous, until)) })
    }
}

fn version(bytes: &mut &[u8]) -> Option<Version> {
    let (number, rest) = bytes.split_first_chunk()?;
    let (key, rest) = rest.split_first_chunk()?;
    *bytes = rest;
    Some(Version { number: u32::from_be_bytes(*number), key: Zeroizing::new(*key) })
}

impl ProofKey {
    /// Opens a session's key; `None` for a bearer session.
    ///
    /// # Errors
    /// It does not open: then the session is of no use, and never one without a key.
    pub fn open(session: &Session, sealer: &Sealer) -> Result<Option<Self>, SealError> {
        let row = session.id.to_string();
        let open = |sealed: &[u8]| sealer.unseal(key_place(&row), sealed);
        Ok(Some(match &session.key {
            SessionKey::Bearer => return Ok(None),
            SessionKey::HmacSha256(sealed) => {
                let key = open(sealed)?;
                let key = key.as_slice().try_into().map_err(|_| SealError::Broken("a key of the wrong length"))?;
                Self::HmacSha256(Zeroizing::new(key))
            }
            SessionKey::WeChat { sealed, .. } => {
                let chain = KeyChain::from_bytes(&open(sealed)?).ok_or(SealError::Broken("keys that are none"))?;
                Self::WeChat(Box::new(chain))
            }
        }))
    }

    /// Seals it for its session.
    ///
    /// # Errors
    /// No seals are left.
    pub fn seal(&self, session: SessionId, sealer: &Sealer) -> Result<SessionKey, SealError> {
        let row = session.to_string();
        Ok(match self {
            Self::HmacSha256(key) => SessionKey::HmacSha256(sealer.seal(key_place(&row), &key[..])?),
            Self::WeChat(chain) => {
                SessionKey::WeChat { newest: chain.newest(), sealed: sealer.seal(key_place(&row), &chain.to_bytes())? }
            }
        })
    }

    /// The key that a proof names: by the session's id, and a version where there are such.
    pub(super) fn named(&self, key_id: &str, session: SessionId, now: Timestamp) -> Result<Key<'_>, Unproved> {
        let (id, rest) = key_id.as_bytes().split_at_checked(36).ok_or(Unproved::OtherKey)?;
        if id != session.text() {
            return Err(Unproved::OtherKey);
        }
        match (self, rest) {
            (Self::HmacSha256(key), []) => Ok(Key::HmacSha256(key)),
            (Self::WeChat(chain), [b'.', digits @ ..]) => chain.named(number(digits).ok_or(Unproved::OtherKey)?, now),
            _ => Err(Unproved::OtherKey),
        }
    }
}

impl KeyChain {
    fn named(&self, number: u32, now: Timestamp) -> Result<Key<'_>, Unproved> {
        match &self.previous {
            _ if number == self.newest.number => Ok(Key::HmacSha256(&self.newest.key)),
            Some((previous, until)) if number == previous.number && now <= *until => Ok(Key::HmacSha256(&previous.key)),
            // An old one: nothing newer of it is to be learnt.
            _ if number < self.newest.number => Err(Unproved::OtherKey),
            _ => Err(Unproved::UnknownVersion),
        }
    }
}

/// A version in its one spelling.
fn number(digits: &[u8]) -> Option<u32> {
    let plain = digits.iter().all(u8::is_ascii_digit) && (digits.first() != Some(&b'0') || digits.len() == 1);
    std::str::from_utf8(digits).ok().filter(|_| plain)?.parse().ok()
}

/// Where a session's key lies.
pub fn key_place(row: &str) -> Place<'_> {
    Place { table: "sessions", row, column: "key" }
}

/// Which kind, and nothing else.
impl std::fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if matches!(self, Self::HmacSha256(_)) { "HmacSha256(…)" } else { "WeChat(…)" })
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
