//! All randomness of the simulator, seeded: the same seed and the same calls give the same codes, keys and tokens.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rand_chacha::{
    ChaCha20Rng,
    rand_core::{Rng, SeedableRng},
};
use sha2::{Digest, Sha256};

const ALPHANUMERIC: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A seeded stream of ids.
pub(crate) struct Dice(ChaCha20Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }

    /// A stream that depends only on the seed and the labels, not on what was drawn before: a user's openid must be the same
    /// whichever user logs in first, and over restarts.
    fn derived(seed: u64, labels: &[&str]) -> Self {
        let mut hash = Sha256::new();
        hash.update(seed.to_be_bytes());
        for label in labels {
            hash.update((label.len() as u64).to_be_bytes());
            hash.update(label.as_bytes());
        }
        Self(ChaCha20Rng::from_seed(hash.finalize().into()))
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    pub(crate) fn number(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// A number below `bound` (slightly biased, which does not matter here).
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.0.next_u64() % bound.max(1) as u64) as usize
    }

    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(ALPHANUMERIC[self.below(ALPHANUMERIC.len())])).collect()
    }

    pub(crate) fn hex(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(b"0123456789abcdef"[self.below(16)])).collect()
    }

    /// 16 random bytes as the base64 text that WeChat calls a session_key (24 characters).
    pub(crate) fn key(&mut self) -> String {
        STANDARD.encode(self.bytes::<16>())
    }

    /// The shape of a WeChat access token: `NN_` and URL-safe base64, about 140 characters.
    pub(crate) fn access_token(&mut self) -> String {
        format!("{}_{}", 70 + self.below(29), URL_SAFE_NO_PAD.encode(self.bytes::<102>()))
    }

    /// The shape of an openid or unionid: `o` and 27 characters of URL-safe base64.
    fn person_id(&mut self) -> String {
        let mut id = format!("o{}", URL_SAFE_NO_PAD.encode(self.bytes::<21>()));
        id.truncate(28);
        id
    }
}

/// The openid of a user in an app.
pub(crate) fn openid(seed: u64, appid: &str, user: &str) -> String {
    Dice::derived(seed, &["openid", appid, user]).person_id()
}

/// The "original id" of an app, by which messages name it.
pub(crate) fn original_id(appid: &str) -> String {
    format!("gh_{}", Dice::derived(0, &["original_id", appid]).hex(12))
}

/// The unionid of a user over the apps of one Open Platform account.
pub(crate) fn unionid(seed: u64, open_platform: &str, user: &str) -> String {
    Dice::derived(seed, &["unionid", open_platform, user]).person_id()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_those_of_wechat() {
        let mut dice = Dice::new(1);
        assert_eq!(dice.key().len(), 24);
        assert_eq!(dice.alphanumeric(32).len(), 32);
        let token = dice.access_token();
        assert_eq!(token.len(), 139);
        let id = openid(1, "wx0123456789abcdef", "lilei");
        assert!(id.starts_with('o') && id.len() == 28, "{id}");
    }

    #[test]
    fn labels_do_not_run_into_each_other() {
        assert_ne!(openid(1, "ab", "c"), openid(1, "a", "bc"));
        assert_ne!(openid(1, "ab", "c"), openid(2, "ab", "c"));
        assert_ne!(openid(1, "ab", "c"), unionid(1, "ab", "c"));
    }
}
