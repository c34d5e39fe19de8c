//! The one live session_key per (app, user).

use std::collections::HashMap;

use super::Subject;
use crate::{MinRefresh, SessionKeyPolicy, dice::Dice};

struct SessionKey {
    key: String,
    created_ms: u64,
    expires_ms: u64,
    /// The one that it displaced.
    before: Option<String>,
}

#[derive(Default)]
pub(crate) struct SessionKeys(HashMap<Subject, SessionKey>);

impl SessionKeys {
    /// The key, if one is live.
    pub(crate) fn live(&self, subject: &Subject, now: u64) -> Option<&str> {
        self.0.get(subject).filter(|key| now < key.expires_ms).map(|key| key.key.as_str())
    }

    /// The last key that is dead: the one before the live one, or the one that has expired.
    pub(crate) fn old(&self, subject: &Subject, now: u64) -> Option<&str> {
        let held = self.0.get(subject)?;
        if now < held.expires_ms { held.before.as_deref() } else { Some(&held.key) }
    }

    /// A login: replaces the key if it is gone or old enough, and hands out the one that is live then.
    pub(crate) fn refresh(
        &mut self,
        subject: &Subject,
        policy: &SessionKeyPolicy,
        now: u64,
        dice: &mut Dice,
    ) -> String {
        let live = self.0.get(subject).filter(|key| now < key.expires_ms);
        let keep = live.filter(|key| match policy.min_refresh {
            MinRefresh::Never => true,
            MinRefresh::Seconds(least) => now.saturating_sub(key.created_ms) < least.saturating_mul(1000),
        });
        match keep {
            Some(key) => key.key.clone(),
            None => self.replace(subject, policy, now, dice),
        }
    }

    /// The live key, made if there is none.
    pub(crate) fn live_or_new(
        &mut self,
        subject: &Subject,
        policy: &SessionKeyPolicy,
        now: u64,
        dice: &mut Dice,
    ) -> String {
        match self.live(subject, now) {
            Some(key) => key.to_owned(),
            None => self.replace(subject, policy, now, dice),
        }
    }

    /// A new key with a whole life.
    pub(crate) fn replace(
        &mut self,
        subject: &Subject,
        policy: &SessionKeyPolicy,
        now: u64,
        dice: &mut Dice,
    ) -> String {
        let key = dice.key();
        self.set(subject, key.clone(), policy, now);
        key
    }

    /// This key, with a whole life.
    pub(crate) fn set(&mut self, subject: &Subject, key: String, policy: &SessionKeyPolicy, now: u64) {
        let expires_ms = now.saturating_add(policy.ttl.saturating_mul(1000));
        let before = self.0.remove(subject).map(|held| held.key);
        self.0.insert(subject.clone(), SessionKey { key, created_ms: now, expires_ms, before });
    }

    /// `resetusersessionkey`: the old key dies at once, the new one inherits its expiry: it is no renewal.
    pub(crate) fn reset(&mut self, subject: &Subject, now: u64, dice: &mut Dice) -> Option<String> {
        let held = self.0.get_mut(subject).filter(|key| now < key.expires_ms)?;
        held.before = Some(std::mem::replace(&mut held.key, dice.key()));
        held.created_ms = now;
        Some(held.key.clone())
    }

    pub(crate) fn expire(&mut self, subject: &Subject) {
        if let Some(held) = self.0.get_mut(subject) {
            held.expires_ms = 0;
        }
    }
}
