//! One node of many: what others have changed is read from the log, and believed for as long as that goes well.
//!
//! A thread of its own polls, because a busy runtime must not delay news of a kick. What is under way for a session that changed
//! elsewhere is looked at again: an ended session's is cut at once, of another change the store is asked whose it is now. While there
//! is no news, all that is under way is looked at again and again, and cut where nobody can say.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::{mpsc, watch};
use yaopai_core::ids::SessionId;
use yaopai_core::live::{Follower, Lease, LiveTable, News};
use yaopai_core::ports::{ChangeLog, Clock, Store};
use yaopai_core::session::Session;
use yaopai_core::time::Downtimes;

use crate::check::Principal;
use crate::gateway::{Cuts, user_of};
use crate::listen;
use crate::telemetry::Metrics;

/// How often the log is read.
const POLL_EVERY: Duration = Duration::from_millis(250);
/// How often it is seen to that there is news.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How far (milliseconds) the database's clock may be from ours before it is told.
const SKEW_TOLD: i64 = 5_000;
/// Sessions that are looked at again at a time.
const AT_A_TIME: usize = 64;

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
    /// Reads the log from here on. What is under way is looked at again until `stopping` turns true.
    pub fn start(
        mut self,
        store: Arc<dyn Store>,
        max_stale: Duration,
        stopping: watch::Receiver<bool>,
    ) -> std::io::Result<Following> {
        // As many as are under way at a time, and those are bounded.
        let (again, doubted) = mpsc::unbounded_channel();
        let again_of = Again { table: self.table.clone(), cuts: self.cuts.clone(), store, max_stale };
        tokio::spawn(again_of.look(doubted, stopping));
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

    fn poll(&mut self, state: &mut State, again: &mpsc::UnboundedSender<Vec<SessionId>>) {
        let Some(began) = self.table.lease().map(Lease::moment) else { return };
        let polled = match self.log.poll() {
            Ok(polled) => polled,
            Err(e) => {
                self.metrics.polled(false);
                if !std::mem::replace(&mut state.silent, true) {
                    tracing::warn!(error = %e, "no news of the other nodes: after max_stale each check asks the database");
                }
                return;
            }
        };
        self.metrics.polled(true);
        self.downtime.learn(polled.downtime);
        let skew = self.clock.shown().0 - polled.clock.0;
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
            Err(e) => {
                tracing::warn!(error = %e, "the log is another server's by now");
                return;
            }
        };
        if std::mem::replace(&mut state.silent, false) {
            tracing::info!("there is news of the other nodes again");
        }
        if !doubted.is_empty() {
            // Nobody listens any more: the server stops.
            let _ = again.send(doubted);
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
    max_stale: Duration,
}

impl Again {
    async fn look(self, mut doubted: mpsc::UnboundedReceiver<Vec<SessionId>>, mut stopping: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                () = listen::stopping(&mut stopping) => return,
                some = doubted.recv() => match some {
                    Some(some) => self.at(some).await,
                    None => return,
                },
                () = tokio::time::sleep(LOOK_EVERY) => {
                    // Before it is over: reading takes its time, too.
                    let left = self.table.lease().map_or(i64::MAX, Lease::left);
                    if left < i64::try_from(self.max_stale.as_millis() / 2).unwrap_or(i64::MAX) {
                        self.at(self.cuts.all()).await;
                    }
                }
            }
        }
    }

    /// One after the other, so that of two looks at a session the later one counts. What can't be told in time is cut.
    async fn at(&self, sessions: Vec<SessionId>) {
        let until = tokio::time::sleep(self.max_stale / 2);
        tokio::pin!(until);
        let mut left: HashSet<_> = sessions.iter().copied().collect();
        let mut looks = stream::iter(sessions).map(|id| self.look_at(id)).buffer_unordered(AT_A_TIME);
        loop {
            let looked = tokio::select! {
                looked = looks.next() => looked,
                () = &mut until => break,
            };
            let Some((id, found)) = looked else { break };
            left.remove(&id);
            match found {
                Some(session) => self.cuts.changed(id, user_of(&session)),
                None => self.cuts.end(id),
            }
        }
        left.into_iter().for_each(|id| self.cuts.end(id));
    }

    /// The session as it is; `None` if it has ended, or nobody can say in time.
    async fn look_at(&self, id: SessionId) -> (SessionId, Option<Session>) {
        let read = self.table.begin_read();
        let found = self.store.load(id).await.ok().flatten().filter(|found| found.ended.is_none());
        (id, found.filter(|_| read.is_none_or(|read| self.table.still_true(read))))
    }
}
