//! What is under way for which session, to be cut when that ends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, ChangeSink};

const SHARDS: usize = 16;

/// Who tells of a session's end, and how many holds listen.
type Held = HashMap<SessionId, (watch::Sender<bool>, usize)>;

/// Sessions with something under way. As large as that is: requests are bounded by the listener's connections, sockets by their
/// upstream's places.
#[derive(Default)]
pub struct Cuts {
    shards: [Mutex<Held>; SHARDS],
}

/// Something is under way for a session, until this is dropped.
pub struct Hold {
    cuts: Arc<Cuts>,
    session: SessionId,
    ended: watch::Receiver<bool>,
}

impl Cuts {
    /// Nothing is under way.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Holds a session. Its end is told from now on.
    pub fn hold(self: &Arc<Self>, session: SessionId) -> Arc<Hold> {
        let mut shard = self.shard(session);
        let (sender, count) = shard.entry(session).or_insert_with(|| (watch::Sender::new(false), 0));
        *count += 1;
        Arc::new(Hold { cuts: self.clone(), session, ended: sender.subscribe() })
    }

    /// The session has ended: all of its holds are told.
    pub fn end(&self, session: SessionId) {
        let mut shard = self.shard(session);
        if let Some((sender, _)) = shard.remove(&session) {
            // Under the lock: a hold that is dropped meanwhile must know whether it still counts.
            sender.send_replace(true);
        }
    }

    /// For how many sessions something is under way.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    /// Is nothing under way?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn shard(&self, session: SessionId) -> MutexGuard<'_, Held> {
        // The last byte is random.
        self.shards[usize::from(session.0[15]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Returns when the session has ended.
    pub async fn ended(&self) {
        // An error means that the sender is gone without having told; it is dropped only once it has, or with the last hold.
        if self.ended.clone().wait_for(|ended| *ended).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut shard = self.cuts.shard(self.session);
        // After the end there is nothing left of it, or only what came too late and counts for itself.
        if *self.ended.borrow() {
            return;
        }
        if let Entry::Occupied(mut held) = shard.entry(self.session) {
            held.get_mut().1 -= 1;
            if held.get().1 == 0 {
                held.remove();
            }
        }
    }
}

/// Tells a live table of changes first, so that no new request passes, and then what is under way of ends.
pub struct CuttingSink<S> {
    table: Arc<S>,
    cuts: Arc<Cuts>,
}

impl<S> CuttingSink<S> {
    /// Over this table.
    pub fn new(table: Arc<S>, cuts: Arc<Cuts>) -> Self {
        Self { table, cuts }
    }
}

impl<S: ChangeSink> ChangeSink for CuttingSink<S> {
    fn apply(&self, change: Change) {
        let ended = if let Change::Ended(session) = &change { Some(*session) } else { None };
        self.table.apply(change);
        if let Some(session) = ended {
            self.cuts.end(session);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    const ID: SessionId = SessionId([7; 16]);

    #[test]
    fn an_end_reaches_every_hold_and_no_other() {
        let cuts = Cuts::new();
        let (a, b, other) = (cuts.hold(ID), cuts.hold(ID), cuts.hold(SessionId([8; 16])));
        assert!(a.ended().now_or_never().is_none());
        cuts.end(ID);
        assert!(a.ended().now_or_never().is_some() && b.ended().now_or_never().is_some());
        assert!(other.ended().now_or_never().is_none());
    }

    #[test]
    fn what_is_over_leaves_nothing() {
        let cuts = Cuts::new();
        let (a, b) = (cuts.hold(ID), cuts.hold(ID));
        drop(a);
        assert_eq!(cuts.len(), 1);
        cuts.end(ID);
        let late = cuts.hold(ID);
        drop(b);
        assert_eq!(cuts.len(), 1, "a hold from before the end doesn't count for a later one");
        assert!(late.ended().now_or_never().is_none());
        drop(late);
        assert!(cuts.is_empty());
    }
}
