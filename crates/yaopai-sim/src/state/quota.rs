use std::collections::HashMap;

use super::Subject;

/// Logins per user and calendar minute (that the minute is the clock's is INF).
#[derive(Default)]
pub(crate) struct Quota(HashMap<Subject, (u64, u32)>);

impl Quota {
    /// Counts one more; answers whether it is within `limit`. Bounded by the number of users and apps.
    pub(crate) fn take(&mut self, subject: &Subject, limit: u32, now: u64) -> bool {
        let minute = now / 60_000;
        let (at, count) = self.0.entry(subject.clone()).or_insert((minute, 0));
        if *at != minute {
            (*at, *count) = (minute, 0);
        }
        *count = count.saturating_add(1);
        *count <= limit
    }
}
