//! Codes: single use, short-lived, remembered for a while after use so that reuse is told from junk.

use std::collections::{HashMap, VecDeque};

use serde::Serialize;

use super::Subject;

/// Most codes kept; beyond, the oldest are forgotten and answer as unknown.
const MAX_CODES: usize = 50_000;
/// How long a code is remembered after its issue, in milliseconds.
const MEMORY_MS: u64 = 24 * 3600 * 1000;

/// What is known about a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeInfo {
    /// The appid it was issued in.
    pub app: String,
    /// The user whom it logs in.
    pub user: String,
    /// When it was issued, in milliseconds since the Unix epoch.
    pub issued_at_ms: u64,
    /// Whether it has been consumed.
    pub used: bool,
    /// Calls that showed it to the endpoint it is for, whatever their outcome.
    pub exchanges: u64,
}

/// Where a code stands for an app at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Unknown,
    Used,
    Expired,
    Good,
}

#[derive(Default)]
pub(crate) struct Codes {
    by_code: HashMap<String, CodeInfo>,
    oldest_first: VecDeque<String>,
}

impl Codes {
    pub(crate) fn insert(&mut self, code: String, subject: Subject, now: u64) {
        self.purge(now);
        let Subject { app, user } = subject;
        self.oldest_first.push_back(code.clone());
        self.by_code.insert(code, CodeInfo { app, user, issued_at_ms: now, used: false, exchanges: 0 });
    }

    fn purge(&mut self, now: u64) {
        while let Some(code) = self.oldest_first.front() {
            let old = self.by_code.get(code).is_none_or(|info| now.saturating_sub(info.issued_at_ms) > MEMORY_MS);
            if !old && self.by_code.len() < MAX_CODES {
                break;
            }
            self.by_code.remove(code);
            self.oldest_first.pop_front();
        }
    }

    pub(crate) fn get(&self, code: &str) -> Option<&CodeInfo> {
        self.by_code.get(code)
    }

    pub(crate) fn count(&mut self, code: &str) {
        if let Some(info) = self.by_code.get_mut(code) {
            info.exchanges += 1;
        }
    }

    /// Reuse is told before expiry: a used code answers 40163 for as long as it is remembered (INF).
    pub(crate) fn standing(&self, code: &str, appid: &str, ttl_s: u64, now: u64) -> Standing {
        match self.by_code.get(code) {
            Some(info) if info.app != appid => Standing::Unknown,
            None => Standing::Unknown,
            Some(info) if info.used => Standing::Used,
            Some(info) if now.saturating_sub(info.issued_at_ms) >= ttl_s.saturating_mul(1000) => Standing::Expired,
            Some(_) => Standing::Good,
        }
    }

    pub(crate) fn consume(&mut self, code: &str) {
        if let Some(info) = self.by_code.get_mut(code) {
            info.used = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        Subject { app: "wx".into(), user: "lilei".into() }
    }

    #[test]
    fn memory_is_bounded_by_number_and_by_age() {
        let mut codes = Codes::default();
        for n in 0..MAX_CODES + 10 {
            codes.insert(format!("c{n}"), subject(), 1);
        }
        assert_eq!(codes.by_code.len(), MAX_CODES);
        assert_eq!(codes.oldest_first.len(), MAX_CODES);
        assert_eq!(codes.standing("c0", "wx", 300, 1), Standing::Unknown);
        codes.insert("last".into(), subject(), MEMORY_MS + 2);
        assert_eq!(codes.by_code.len(), 1);
    }
}
