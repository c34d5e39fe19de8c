//! Which key signs, and which ones are published: pure, by the keys and the time.
//!
//! A key is published when it is made, and signs some time later: a back end that keeps the published set for a while knows the
//! key before it meets a signature by it. Once the next one signs, it stays published until nothing that it has signed lives.

mod make;

use std::time::Duration;

use crate::ports::{SigningAlg, SigningKey};
use crate::time::Timestamp;

pub use make::{make, open};

/// The longest that anything signed may live.
pub const LIFE_MAX: Duration = Duration::from_secs(600);
/// How long a key stays published after it was followed: [`LIFE_MAX`], and five minutes for clocks that differ.
pub const OUTLIVES: Duration = Duration::from_secs(900);

/// When keys change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How long a key signs.
    pub every: Duration,
    /// How long it is published before.
    pub ahead: Duration,
}

/// What a key does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It is published, and will sign.
    Next,
    /// It signs.
    Signs,
    /// It has signed, and is published for as long as that lives.
    Retires,
}

impl Role {
    /// As answers name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Signs => "signs",
            Self::Retires => "retires",
        }
    }
}

fn order(key: &SigningKey) -> (Timestamp, &str) {
    (key.signs_from, &key.kid)
}

/// The newest key of an algorithm, whether it signs by now or not.
pub fn newest(keys: &[SigningKey], alg: SigningAlg) -> Option<&SigningKey> {
    keys.iter().filter(|key| key.alg == alg).max_by_key(|key| order(key))
}

/// The key that signs.
pub fn signer(keys: &[SigningKey], alg: SigningAlg, now: Timestamp) -> Option<&SigningKey> {
    keys.iter().filter(|key| key.alg == alg && key.signs_from <= now).max_by_key(|key| order(key))
}

/// What this one of the keys does.
pub fn role(keys: &[SigningKey], key: &SigningKey, now: Timestamp) -> Role {
    match signer(keys, key.alg, now) {
        Some(signer) if signer.kid == key.kid => Role::Signs,
        _ if key.signs_from > now => Role::Next,
        _ => Role::Retires,
    }
}

/// Those that nothing signed by them needs any more.
pub fn dead(keys: &[SigningKey], now: Timestamp) -> Vec<String> {
    let followed_at = |key: &SigningKey| {
        let later = keys.iter().filter(|other| other.alg == key.alg && order(other) > order(key));
        later.map(|other| other.signs_from).min()
    };
    let is_dead = |key: &&SigningKey| followed_at(key).is_some_and(|at| now >= at + OUTLIVES);
    keys.iter().filter(is_dead).map(|key| key.kid.clone()).collect()
}

impl Rotation {
    /// From when on the next key is to sign, if it is to be made now. The first one signs at once: nobody knows another.
    pub fn due(&self, keys: &[SigningKey], alg: SigningAlg, now: Timestamp) -> Option<Timestamp> {
        let Some(newest) = newest(keys, alg) else { return Some(now) };
        // One that will sign is not old, however late this server's clock was when it was made.
        let old = newest.signs_from <= now && now + self.ahead >= newest.signs_from + self.every;
        old.then(|| now + self.ahead)
    }
}

#[cfg(test)]
mod tests;
