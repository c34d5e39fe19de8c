//! Whose personal fields a row holds, and the key that they are sealed under.
//!
//! A person's key is made of a random salt, which the store keeps and can erase, and of a key that only who holds the master
//! key has. Without the salt nobody can make it again. It counts against no data key, and costs no second seal.

use std::net::IpAddr;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::by::By;
use super::event::Event;
use crate::ids::{IdentityId, Realm, UserId};
use crate::ports::Entropy;
use crate::time::Timestamp;

/// How long one key serves, in milliseconds: 30 days. What is older than the retention goes by whole periods, so that no key
/// outlives its rows for long, and no row has to be looked for by its key.
const PERIOD: i64 = 30 * 24 * 3_600_000;

const AAD: &[u8] = b"yaopai audit 1";

/// In which period an instant lies.
pub fn period_of(at: Timestamp) -> i64 {
    at.0.div_euclid(PERIOD)
}

/// Whose key a row's personal fields are sealed under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The user's, wherever the row names one.
    User(Realm, UserId),
    /// The identity's, while it has no user.
    Identity(IdentityId),
    /// Nobody is known but for the address.
    Network(IpAddr),
}

impl Owner {
    /// Whose the event's personal fields are; `None` if it has none.
    pub fn of(event: &Event, by: &By) -> Option<Self> {
        match (&event.realm, &event.user, event.identity, by.from) {
            (Some(realm), Some(user), ..) => Some(Self::User(realm.clone(), user.clone())),
            (_, None, Some(identity), from) if from.is_some() || event.device.is_some() => {
                Some(Self::Identity(identity))
            }
            (.., Some(from)) => Some(Self::Network(from)),
            _ => None,
        }
    }

    /// As bytes, no two owners the same.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            // A realm's name holds no NUL.
            Self::User(realm, user) => [b"u", realm.as_str().as_bytes(), b"\0", user.as_str().as_bytes()].concat(),
            Self::Identity(id) => [b"i".as_slice(), &id.0].concat(),
            Self::Network(IpAddr::V4(ip)) => [b"4".as_slice(), &ip.octets()].concat(),
            Self::Network(IpAddr::V6(ip)) => [b"6".as_slice(), &ip.octets()].concat(),
        }
    }
}

/// A person's key, as a store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonKey {
    /// What rows name it by: the number of the first row under it, so no number comes twice. It says nothing about whose
    /// key it was.
    pub no: u64,
    /// What the key is made of. Erase it, and the key is gone.
    pub salt: [u8; 16],
}

impl std::fmt::Debug for PersonKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PersonKey({}, …)", self.no)
    }
}

/// What is personal in a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Personal {
    /// The business system's id of the person.
    pub user: Option<UserId>,
    /// The network address.
    pub from: Option<IpAddr>,
    /// The device's name.
    pub device: Option<String>,
}

/// Seals under a person's key: `nonce (12) ‖ ciphertext ‖ tag (16)`.
pub(super) fn seal(key: &[u8; 32], entropy: &dyn Entropy, plain: &[u8]) -> Vec<u8> {
    let mut nonce = [0u8; NONCE_LEN];
    entropy.fill(&mut nonce);
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + 16);
    sealed.extend_from_slice(&nonce);
    let mut body = plain.to_vec();
    let tag = aead(key).seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(AAD), &mut body);
    sealed.extend_from_slice(&body);
    sealed.extend_from_slice(tag.expect("AES-GCM seals what is this short").as_ref());
    sealed
}

/// `None`: it was changed, or sealed under another key.
pub(super) fn open(key: &[u8; 32], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let mut body = Zeroizing::new(body.to_vec());
    let len = aead(key).open_in_place(nonce, Aad::from(AAD), &mut body).ok()?.len();
    body.truncate(len);
    Some(body)
}

fn aead(key: &[u8; 32]) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("the key has 32 bytes"))
}
