//! Encrypted phone data that was handed out, by its hash: what `checkencryptedmsg` is asked about.

use std::collections::{HashMap, VecDeque};

/// Most remembered; beyond, the oldest are forgotten.
const MAX: usize = 10_000;
/// The vendor's "last three days", in milliseconds.
const MEMORY_MS: u64 = 3 * 24 * 3600 * 1000;

#[derive(Default)]
pub(crate) struct HandedOut {
    /// Hash → appid and milliseconds since the Unix epoch.
    by_hash: HashMap<String, (String, u64)>,
    oldest_first: VecDeque<String>,
}

impl HandedOut {
    pub(crate) fn note(&mut self, hash: String, app: &str, now: u64) {
        if self.by_hash.insert(hash.clone(), (app.to_owned(), now)).is_none() {
            self.oldest_first.push_back(hash);
        }
        if self.oldest_first.len() > MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }

    /// When it was handed out to this app, in milliseconds since the Unix epoch.
    pub(crate) fn when(&self, hash: &str, app: &str, now: u64) -> Option<u64> {
        let (owner, at) = self.by_hash.get(hash)?;
        (owner == app && now.saturating_sub(*at) < MEMORY_MS).then_some(*at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut handed_out = HandedOut::default();
        for n in 0..MAX + 5 {
            handed_out.note(n.to_string(), "wx", 1);
        }
        assert_eq!((handed_out.by_hash.len(), handed_out.oldest_first.len()), (MAX, MAX));
        assert_eq!(handed_out.when("4", "wx", 1), None);
        assert_eq!(handed_out.when("5", "wx", 1), Some(1));
    }
}
