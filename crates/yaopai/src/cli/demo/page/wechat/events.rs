//! What the runtime is to be told, until it has fetched it.

use std::collections::VecDeque;

use serde_json::Value;

/// How many wait at most. Whoever lets more lie fetches none: the oldest go.
const EVENTS_MAX: usize = 256;

/// Numbered from 1, on and on.
#[derive(Default)]
pub struct Events {
    last: u64,
    waiting: VecDeque<Value>,
}

impl Events {
    /// Another one.
    pub fn push(&mut self, event: Value) {
        if self.waiting.len() >= EVENTS_MAX {
            self.waiting.pop_front();
        }
        self.last += 1;
        self.waiting.push_back(event);
    }

    /// Nobody is to be told of what there is.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The number of the last one.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Those after a number. The ones before are known to have arrived.
    pub fn after(&mut self, number: u64) -> Vec<Value> {
        let first = self.last + 1 - u64::try_from(self.waiting.len()).unwrap_or(0);
        let arrived = usize::try_from((number + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.waiting.drain(..arrived.min(self.waiting.len()));
        self.waiting.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_arrived_is_forgotten_and_nothing_else() {
        let mut events = Events::default();
        (1..=3).for_each(|n| events.push(json!(n)));
        assert_eq!(events.after(0), [1, 2, 3]);
        assert_eq!(events.after(2), [3]);
        assert_eq!((events.after(0), events.last()), (vec![json!(3)], 3), "the first two are gone");
        assert_eq!(events.after(u64::MAX - 1), Vec::<Value>::new());
    }

    #[test]
    fn they_are_bounded() {
        let mut events = Events::default();
        (1..=EVENTS_MAX + 5).for_each(|n| events.push(json!(n)));
        let waiting = events.after(0);
        assert_eq!((waiting.len(), &waiting[0]), (EVENTS_MAX, &json!(6)));
    }
}
