//! One node of many: what others have changed is read from the log, and believed for as long as that goes well.
//!
//! A thread of its own polls, because a busy runtime must not delay news of a kick. What is under way for a session that changed
//! elsewhere is looked at again: an ended session's is cut at once, of another change the store is asked whose it is now. While there
//! is no news, all that is under way is looked at again and again, and cut where nobody can say.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use yaopai_core::ids::SessionId;
use yaopai_core::live::{Follower, Lease, LiveTable, Moment, News};
use yaopai_core::ports::{ChangeLog, Clock, Store};
use yaopai_core::session::Session;
use yaopai_core::time::{Downtimes, millis};

use crate::check::Principal;
use crate::gateway::{Cuts, user_of};
use crate::telemetry::Metrics;

/// How often the log is read.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// How often it is seen to that there is news.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How far (milliseconds) the database's clock may be from ours before it is told.
const SKEW_TOLD: i64 = 5_000;
/// How long one look at all that is in doubt may take before what else has come is looked at, too.
const ROUND: Duration = Duration::from_millis(250);
/// Sessions that are looked at again at a time.
const AT_A_TIME: usize = 64;

/// Sessions of which a poll that began then has told something.
type Changes = (Moment, Vec<SessionId>);

/// What follows the log.
pub(super) struct Follow {
    pub log: Box<dyn ChangeLog>,
    pub table: Arc<LiveTable<Principal>>,
    pub cuts: Arc<Cuts>,
    pub downtime: Downtimes,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
}

/// A log that is followed.
pub(super) struct Following {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Follow {
    /// Reads the log from here on.
    pub fn start(mut self, store: Arc<dyn Store>, max_stale: Duration) -> std::io::Result<Following> {
        // As many as are under way at a time, and those are bounded.
        let (again, doubted) = mpsc::unbounded_channel();
        let (table, cuts, max_stale) = (self.table.clone(), self.cuts.clone(), millis(max_stale));
        tokio::spawn(Again { table, cuts, store, max_stale, doubts: HashMap::new() }.look(doubted));
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name("log".into()).spawn(move || {
            let mut state = State::default();
            loop {
                self.poll(&mut state, &again);
                match stopped.recv_timeout(POLL_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        })?;
        Ok(Following { stop, thread })
    }

    /// Counted each time, and told once.
    fn no_news(&self, state: &mut State, e: &dyn std::error::Error) {
        self.metrics.polled(false);
        if !std::mem::replace(&mut state.silent, true) {
            tracing::warn!(error = %e, "no news of the other nodes: after max_stale each check asks the database");
        }
    }

    fn poll(&mut self, state: &mut State, again: &mpsc::UnboundedSender<Changes>) {
        let Some(began) = self.table.lease().map(Lease::moment) else { return };
        let polled = match self.log.poll() {
            Ok(polled) => polled,
            Err(e) => return self.no_news(state, &e),
        };
        self.downtime.learn(polled.downtime);
        // The one that sessions expire by.
        let skew = self.clock.now().0 - polled.clock.0;
        if std::mem::replace(&mut state.skewed, skew.abs() > SKEW_TOLD) != (skew.abs() > SKEW_TOLD) {
            tracing::warn!(
                skew_ms = skew,
                "this node's clock and the database's differ; sessions expire by the node's"
            );
        }
        let doubted = match self.table.learn(&mut state.follower, &polled.page, began) {
            Ok(News::Lost) => self.cuts.all(),
            Ok(News::Changed(changes)) => {
                let ended = changes.iter().filter(|change| change.ended);
                ended.for_each(|change| self.cuts.end(change.session));
                let other = changes.iter().filter(|change| !change.ended).map(|change| change.session);
                other.filter(|id| self.cuts.holds(*id)).collect::<Vec<_>>()
            }
            Err(e) => return self.no_news(state, &e),
        };
        self.metrics.polled(true);
        if std::mem::replace(&mut state.silent, false) {
            tracing::info!("there is news of the other nodes again");
        }
        if !doubted.is_empty() {
            // Nobody listens any more: the server stops.
            let _ = again.send((began, doubted));
        }
    }
}

#[derive(Default)]
struct State {
    follower: Follower,
    /// The last poll failed.
    silent: bool,
    skewed: bool,
}

impl Following {
    /// Reads no more.
    pub async fn stop(self) {
        drop(self.stop);
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

/// Looks at what is under way again.
struct Again {
    table: Arc<LiveTable<Principal>>,
    cuts: Arc<Cuts>,
    store: Arc<dyn Store>,
    max_stale: i64,
    /// What isn't known to be right.
    doubts: HashMap<SessionId, Doubt>,
}

/// Since when something isn't known to be right.
#[derive(Clone, Copy)]
struct Doubt {
    since: Moment,
    /// Something about it changed; otherwise there is no news, and it is right if that comes.
    changed: bool,
}

/// What the store says.
enum Look {
    Is(Box<Session>),
    Ended,
    /// Nothing, or too late.
    Unknown,
}

impl Again {
    /// Until whoever reads the log has gone.
    async fn look(mut self, mut doubted: mpsc::UnboundedReceiver<Changes>) {
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let some = tokio::select! {
                some = doubted.recv() => match some {
                    Some(some) => Some(some),
                    None => return,
                },
                _ = every.tick() => None,
            };
            let mut next = some;
            while let Some((since, sessions)) = next {
                for id in sessions {
                    // An earlier doubt stays as old as it is.
                    self.doubts.entry(id).or_insert(Doubt { since, changed: true }).changed = true;
                }
                next = doubted.try_recv().ok();
            }
            self.round().await;
        }
    }

    async fn round(&mut self) {
        let table = self.table.clone();
        let Some(lease) = table.lease() else { return };
        if lease.left() < self.max_stale / 2 {
            for id in self.cuts.all() {
                self.doubts.entry(id).or_insert(Doubt { since: lease.renewed(), changed: false });
            }
        } else {
            self.doubts.retain(|_, doubt| doubt.changed);
        }
        let now = lease.moment();
        // What was looked at lately without news is as good as it would be with some.
        let due = self.doubts.iter().filter(|(_, doubt)| doubt.changed || now.since(doubt.since) > self.max_stale / 2);
        let due: Vec<_> = due.map(|(id, _)| *id).collect();
        let looks = stream::iter(due).map(|id| look_at(&table, &*self.store, id)).buffer_unordered(AT_A_TIME);
        tokio::pin!(looks);
        let round = tokio::time::sleep(ROUND);
        tokio::pin!(round);
        loop {
            let looked = tokio::select! {
                looked = looks.next() => looked,
                () = &mut round => None,
            };
            let Some((id, began, look)) = looked else { break };
            match look {
                Look::Is(session) => {
                    self.cuts.changed(id, user_of(&session));
                    self.doubts.insert(id, Doubt { since: began, changed: false });
                }
                Look::Ended => {
                    self.cuts.end(id);
                    self.doubts.remove(&id);
                }
                Look::Unknown => {}
            }
        }
        let now = lease.moment();
        let (max_stale, cuts) = (self.max_stale, self.cuts.clone());
        self.doubts.retain(|id, doubt| {
            let right = now.since(doubt.since) <= max_stale;
            if !right {
                cuts.end(*id);
            }
            right && cuts.holds(*id)
        });
    }
}

/// One after the other for each session, so that of two looks the later one counts.
async fn look_at(table: &LiveTable<Principal>, store: &dyn Store, id: SessionId) -> (SessionId, Moment, Look) {
    let began = table.lease().map_or(Moment::NEVER, Lease::moment);
    let look = match store.load(id).await {
        Ok(Some(found)) if found.ended.is_none() => Look::Is(Box::new(found)),
        Ok(_) => Look::Ended,
        Err(_) => Look::Unknown,
    };
    (id, began, look)
}
