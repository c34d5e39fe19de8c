//! The per-user encryption keys that `getUserCryptoManager` (phone) and `getuserencryptkey` (server) share: the last three
//! versions, an hour each.

use std::collections::HashMap;

use serde::Serialize;

use super::Subject;
use crate::dice::Dice;

const LIFE_MS: u64 = 3600 * 1000;
const VERSIONS: usize = 3;

/// One version of a user's key.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct UserKey {
    /// Base64 of 16 bytes.
    pub encrypt_key: String,
    /// 16 ASCII characters, to be used as their bytes.
    pub iv: String,
    /// Counts up from 1.
    pub version: u64,
    /// When it was made, in seconds since the Unix epoch.
    pub create_time: u64,
    /// When it expires, in seconds since the Unix epoch (what the phone's API calls `expireTime`).
    pub expire_time: u64,
}

impl std::fmt::Debug for UserKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UserKey").field("version", &self.version).finish_non_exhaustive()
    }
}

#[derive(Default)]
pub(crate) struct UserKeys(HashMap<Subject, Vec<UserKey>>);

impl UserKeys {
    /// The last versions, newest first; the newest is live, made if need be.
    pub(crate) fn latest(&mut self, subject: &Subject, now: u64, dice: &mut Dice) -> Vec<UserKey> {
        let live = self.0.get(subject).and_then(|keys| keys.first()).is_some_and(|key| now / 1000 < key.expire_time);
        if !live {
            self.rotate(subject, now, dice);
        }
        self.0.get(subject).cloned().unwrap_or_default()
    }

    /// A new version; the older ones stay in the list, at their own expiry.
    pub(crate) fn rotate(&mut self, subject: &Subject, now: u64, dice: &mut Dice) {
        let keys = self.0.entry(subject.clone()).or_default();
        let version = keys.first().map_or(1, |key| key.version + 1);
        let create_time = now / 1000;
        let expire_time = now.saturating_add(LIFE_MS) / 1000;
        keys.insert(0, UserKey { encrypt_key: dice.key(), iv: dice.hex(16), version, create_time, expire_time });
        keys.truncate(VERSIONS);
    }
}
