//! Events that belong to no transaction: refusals, and what back ends read. Whoever tells one never waits and never fails; a
//! flood of them leaves a few rows every ten seconds, and one that says how many more there were.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::by::By;
use super::event::{Event, Kind, Outcome};
use crate::ids::{AppName, Realm, SessionId};
use crate::time::Timestamp;

/// How long a span is, in milliseconds, and how many rows one has of each kind and app: a flood that goes on all day leaves some
/// twenty megabytes, whoever makes it.
const SPAN: i64 = 10_000;
const EACH_SPAN: u64 = 10;
/// Events that may wait to be written.
const WAITING_MAX: usize = 1024;
/// Kinds and apps that are counted at a time. Both come from fixed sets, so this is never reached by a stranger.
const COUNTED_MAX: usize = 4096;

/// An event, and who did it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// What.
    pub event: Event,
    /// Who.
    pub by: By,
}

/// What waits to be written.
#[derive(Default)]
pub struct Notes(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Noted>,
    spans: HashMap<(Kind, Option<AppName>), Span>,
    dropped: u64,
}

/// One span of one kind in one app.
struct Span {
    at: i64,
    realm: Option<Realm>,
    written: u64,
    suppressed: u64,
    /// What earlier spans suppressed and nobody has been told of.
    before: u64,
}

impl Span {
    /// The row for those that got none; of the running span only if that is `over`.
    fn row(&mut self, (kind, app): &(Kind, Option<AppName>), over: bool) -> Option<Noted> {
        let running = if over { std::mem::take(&mut self.suppressed) } else { 0 };
        let count = std::mem::take(&mut self.before) + running;
        let event = Event {
            outcome: Outcome::Suppressed,
            realm: self.realm.clone(),
            app: app.clone(),
            ..Event::new(*kind, "").times(count)
        };
        (count > 0).then(|| Noted { event, by: By::default() })
    }
}

impl Notes {
    /// Tells of something, on behalf of whom the running task works. `now` is what a flood is measured by.
    pub fn tell(&self, event: Event, now: Timestamp) {
        self.put(Noted { event, by: By::current() }, now);
    }

    /// A request's proof of its session's key was refused. For checks: it takes a lock for as long as it takes to count, and never
    /// waits for a row. They know no more of the session than this; the rest is looked up when the row is written. An empty
    /// `app`: not known.
    pub fn refused_proof(&self, session: SessionId, app: &AppName, code: &'static str, by: By, now: Timestamp) {
        let app = Some(app.clone()).filter(|app| !app.as_str().is_empty());
        let event = Event { session: Some(session), app, ..Event::refused(Kind::Proof, code) };
        self.put(Noted { event, by }, now);
    }

    fn put(&self, noted: Noted, now: Timestamp) {
        let span = now.0.div_euclid(SPAN);
        let mut waiting = self.lock();
        let key = (noted.event.kind, noted.event.app.clone());
        if waiting.spans.len() >= COUNTED_MAX && !waiting.spans.contains_key(&key) {
            waiting.dropped += 1;
            return;
        }
        let realm = noted.event.realm.clone();
        let count = waiting.spans.entry(key).or_insert(Span { at: span, realm, written: 0, suppressed: 0, before: 0 });
        // What an earlier span suppressed stays counted until it is drained, and is told then.
        if count.at != span {
            count.before += std::mem::take(&mut count.suppressed);
            (count.at, count.written) = (span, 0);
        }
        if count.written >= EACH_SPAN {
            count.suppressed += 1;
            return;
        }
        count.written += 1;
        if waiting.queue.len() >= WAITING_MAX {
            waiting.dropped += 1;
            return;
        }
        waiting.queue.push_back(noted);
    }

    /// What is to be written now. Counts of the running span wait for its end, unless this is the last call.
    pub fn drain(&self, now: Timestamp, last: bool) -> Vec<Noted> {
        let span = now.0.div_euclid(SPAN);
        let mut waiting = self.lock();
        let mut noted: Vec<Noted> = std::mem::take(&mut waiting.queue).into();
        waiting.spans.retain(|key, count| {
            let over = count.at != span || last;
            // Of earlier spans also while it goes on: a flood that never pauses must not go untold.
            noted.extend(count.row(key, over));
            !over
        });
        let dropped = std::mem::take(&mut waiting.dropped);
        if dropped > 0 {
            noted.push(Noted { event: Event::new(Kind::Dropped, "").times(dropped), by: By::default() });
        }
        noted
    }

    /// So many could not be written. They are told with the next that can.
    pub fn lost(&self, noted: &[Noted]) {
        let lost = noted.iter().map(|noted| noted.event.count);
        self.lock().dropped += lost.sum::<u64>();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
