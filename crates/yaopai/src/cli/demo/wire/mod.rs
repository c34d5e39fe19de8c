//! What crossed the wire, for the page to show: each request as it was sent and each answer as it came, secrets masked.
//! Written by those who see the real bytes (the front door, the tap before WeChat, the shop), and bounded.

mod mask;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use yaopai_core::ports::Clock;

/// How many entries are kept; the oldest go.
const ENTRIES_MAX: usize = 300;

/// The log.
pub struct Wire {
    clock: Arc<dyn Clock>,
    log: Mutex<Log>,
}

struct Log {
    /// Counts changes: who remembers the number it has seen asks only for what came after.
    revision: u64,
    last: u64,
    entries: VecDeque<Entry>,
    cleared: u64,
}

/// One line of the log.
#[derive(Clone, Serialize)]
pub struct Entry {
    /// Counts up; an answer comes later under the same number as its request.
    n: u64,
    #[serde(skip)]
    revision: u64,
    /// When it began, in milliseconds since the epoch by the demo's clock.
    at: i64,
    #[serde(flatten)]
    what: What,
}

#[derive(Clone, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum What {
    /// A person pressed something: what follows comes of it.
    Step { name: &'static str, about: Value },
    /// Somebody did or decided something that is no message.
    Note { who: &'static str, name: &'static str, about: Value },
    /// A request, and its answer once there is one.
    Exchange(Box<Exchange>),
}

#[derive(Clone, Serialize)]
struct Exchange {
    from: &'static str,
    to: &'static str,
    /// 0 for a client's or the website's own; 1 for one that was sent on its account.
    depth: usize,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Value,
    answer: Answer,
}

#[derive(Clone, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum Answer {
    Awaited,
    Came {
        status: u16,
        headers: Vec<(String, String)>,
        body: Value,
        /// It was sent, and its reader never got it.
        lost: bool,
    },
    /// The connection broke, or the time was up.
    Failed,
}

impl Wire {
    /// An empty log.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, log: Mutex::new(Log { revision: 0, last: 0, entries: VecDeque::new(), cleared: 0 }) }
    }

    /// A person pressed something.
    pub fn step(&self, name: &'static str, about: Value) {
        self.push(|| What::Step { name, about });
    }

    /// Somebody did or decided something.
    pub fn note(&self, who: &'static str, name: &'static str, about: Value) {
        self.push(|| What::Note { who, name, about });
    }

    /// A request is on its way. Its answer is told under the number that this returns.
    pub fn asked(
        &self,
        from: &'static str,
        to: &'static str,
        method: &Method,
        target: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> u64 {
        let (method, target) = (method.to_string(), mask::target(target));
        let (headers, body) = (mask::headers(headers), mask::body(body));
        // By who sends it, not by what is open: a phone sends several at a time.
        let depth = usize::from(["proxy", "yaopai"].contains(&from));
        self.push(|| {
            What::Exchange(Box::new(Exchange {
                from,
                to,
                depth,
                method,
                target,
                headers,
                body,
                answer: Answer::Awaited,
            }))
        })
    }

    /// It was answered.
    pub fn answered(&self, n: u64, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let (headers, body) = (mask::headers(headers), mask::body(body));
        let answer = Answer::Came { status: status.as_u16(), headers, body, lost: false };
        self.change(|e| e.n == n, |exchange| exchange.answer = answer);
    }

    /// There was no answer.
    pub fn failed(&self, n: u64) {
        self.change(|e| e.n == n, |exchange| exchange.answer = Answer::Failed);
    }

    /// The last answer to this request of `from` never reached it.
    pub fn lost(&self, from: &'static str, method: &Method, target: &str) {
        let target = mask::target(target);
        let is = |e: &Entry| match &e.what {
            What::Exchange(x) => x.from == from && x.method == method.as_str() && x.target == target,
            _ => false,
        };
        self.change(is, |exchange| {
            if let Answer::Came { lost, .. } = &mut exchange.answer {
                *lost = true;
            }
        });
    }

    /// Forgets all entries.
    pub fn clear(&self) {
        let mut log = self.lock();
        log.entries.clear();
        log.revision += 1;
        log.cleared = log.last;
    }

    /// What changed after a revision: the revision now, the number up to which all is cleared, and the entries.
    pub fn since(&self, revision: u64) -> (u64, u64, Vec<Entry>) {
        let log = self.lock();
        let gone = log.entries.front().map_or(log.cleared, |first| first.n - 1);
        (log.revision, gone, log.entries.iter().filter(|e| e.revision > revision).cloned().collect())
    }

    fn push(&self, what: impl FnOnce() -> What) -> u64 {
        let (at, what) = (self.clock.now().0, what());
        let mut log = self.lock();
        log.revision += 1;
        log.last += 1;
        let (n, revision) = (log.last, log.revision);
        if log.entries.len() >= ENTRIES_MAX {
            log.entries.pop_front();
        }
        log.entries.push_back(Entry { n, revision, at, what });
        n
    }

    fn change(&self, which: impl Fn(&Entry) -> bool, change: impl FnOnce(&mut Exchange)) {
        let mut log = self.lock();
        log.revision += 1;
        let revision = log.revision;
        if let Some(entry) = log.entries.iter_mut().rev().find(|e| which(e))
            && let What::Exchange(exchange) = &mut entry.what
        {
            change(exchange);
            entry.revision = revision;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use serde_json::json;

    fn ask(wire: &Wire, from: &'static str) -> u64 {
        wire.asked(from, "yaopai", &Method::GET, "/", &HeaderMap::new(), b"")
    }

    fn shown(wire: &Wire, since: u64) -> Vec<Value> {
        wire.since(since).2.iter().map(|e| serde_json::to_value(e).unwrap()).collect()
    }

    #[test]
    fn a_request_made_for_another_is_deeper_and_answers_come_later() {
        let wire = Wire::new(Arc::new(SystemClock::default()));
        wire.step("open", json!({}));
        let outer = ask(&wire, "phone");
        let inner = ask(&wire, "proxy");
        let (seen, ..) = wire.since(0);
        wire.answered(inner, StatusCode::OK, &HeaderMap::new(), b"");
        wire.answered(outer, StatusCode::NOT_FOUND, &HeaderMap::new(), b"{}");
        wire.lost("phone", &Method::GET, "/");
        let news = shown(&wire, seen);
        assert_eq!(news.len(), 2, "only what changed");
        assert_eq!((&news[0]["depth"], &news[1]["depth"]), (&json!(0), &json!(1)));
        assert_eq!(
            news[0]["answer"],
            json!({ "state": "came", "status": 404, "headers": [], "body": {}, "lost": true })
        );
    }

    #[test]
    fn it_is_bounded_and_says_what_is_gone() {
        let wire = Wire::new(Arc::new(SystemClock::default()));
        (0..ENTRIES_MAX + 5).for_each(|_| wire.step("open", json!({})));
        let (_, gone, entries) = wire.since(0);
        assert_eq!((gone, entries.len()), (5, ENTRIES_MAX));
        wire.clear();
        assert_eq!(wire.since(0).1, u64::try_from(ENTRIES_MAX).unwrap() + 5);
    }
}
