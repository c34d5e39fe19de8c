//! What is under way for which session and user, to be cut when the session ends or becomes another user's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use http::HeaderValue;
use tokio::sync::Notify;
use yaopai_core::ids::SessionId;
use yaopai_core::ports::{Change, ChangeSink};
use yaopai_core::session::Session;
use yaopai_wire::principal::encode_user;

const SHARDS: usize = 16;

/// A session's user as a principal header says it; `None` while there is none.
pub type User = Option<HeaderValue>;

/// What holds have been told of their session since the first of them began.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Said {
    Nothing,
    /// Whose it is now.
    User(User),
    Ended,
}

/// Where a session's holds are told of its changes. Nearly all of them never are: then nobody but who waits takes a lock here.
struct Told {
    /// Was anything ever said?
    any: AtomicBool,
    said: Mutex<Said>,
    again: Notify,
}

impl Told {
    fn nothing() -> Arc<Self> {
        Arc::new(Self { any: AtomicBool::new(false), said: Mutex::new(Said::Nothing), again: Notify::new() })
    }

    fn say(&self, now: Said) {
        *self.said() = now;
        self.any.store(true, Ordering::SeqCst);
        self.again.notify_waiters();
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where they are told, and how many holds there are.
type Held = HashMap<SessionId, (Arc<Told>, usize), RandomState>;

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
    /// For whom it passed. What passed without a user goes on when there is one.
    user: User,
    told: Arc<Told>,
}

impl Cuts {
    /// Nothing is under way.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// Holds a session for what passed as this user's. Its end, and that it is another user's, is told from now on.
    pub fn hold(self: &Arc<Self>, session: SessionId, user: User) -> Arc<Hold> {
        let mut shard = self.shard(session);
        let (told, count) = shard.entry(session).or_insert_with(|| (Told::nothing(), 0));
        *count += 1;
        Arc::new(Hold { cuts: self.clone(), session, user, told: told.clone() })
    }

    /// The session is this user's now: holds of another one are told.
    pub fn changed(&self, session: SessionId, user: User) {
        let shard = self.shard(session);
        if let Some((told, _)) = shard.get(&session) {
            told.say(Said::User(user));
        }
    }

    /// The session has ended: all of its holds are told.
    pub fn end(&self, session: SessionId) {
        let mut shard = self.shard(session);
        if let Some((told, _)) = shard.remove(&session) {
            // Under the lock: a hold that is dropped meanwhile must know whether it still counts.
            told.say(Said::Ended);
        }
    }

    /// Is something under way for it?
    pub fn holds(&self, session: SessionId) -> bool {
        self.shard(session).contains_key(&session)
    }

    /// For which sessions something is under way.
    pub fn all(&self) -> Vec<SessionId> {
        let held = |shard: &Mutex<Held>| {
            shard.lock().unwrap_or_else(PoisonError::into_inner).keys().copied().collect::<Vec<_>>()
        };
        self.shards.iter().flat_map(held).collect()
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

/// The session's user as a principal header would say it.
pub fn user_of(session: &Session) -> User {
    session.user.as_ref().and_then(|user| HeaderValue::from_str(&encode_user(user.as_str()).to_string()).ok())
}

impl Hold {
    /// Has the session ended, or is it no more its user's?
    pub fn is_over(&self) -> bool {
        self.told.any.load(Ordering::SeqCst)
            && match &*self.told.said() {
                Said::Nothing => false,
                Said::User(now) => self.user.is_some() && self.user != *now,
                Said::Ended => true,
            }
    }

    /// Returns when the session has ended, or is no more its user's.
    pub async fn ended(&self) {
        loop {
            // Hears from now on, before it is asked whether it came earlier.
            let again = self.told.again.notified();
            if self.is_over() {
                return;
            }
            again.await;
        }
    }
}

/// Returns when the session of what holds it has ended; nobody's doesn't.
pub async fn ended(hold: Option<&Arc<Hold>>) {
    match hold {
        Some(hold) => hold.ended().await,
        None => std::future::pending().await,
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut shard = self.cuts.shard(self.session);
        // After the end there is nothing left of it, or only what came too late and counts for itself.
        if self.told.any.load(Ordering::SeqCst) && *self.told.said() == Said::Ended {
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
    many: bool,
}

impl<S> CuttingSink<S> {
    /// Over this table; `many`: of one node of many.
    pub fn new(table: Arc<S>, cuts: Arc<Cuts>, many: bool) -> Self {
        Self { table, cuts, many }
    }
}

impl<S: ChangeSink> ChangeSink for CuttingSink<S> {
    fn apply(&self, change: Change) {
        let (session, user) = match &change {
            Change::Put(session) => (session.id, Some(user_of(session))),
            Change::Ended(session) => (*session, None),
        };
        self.table.apply(change);
        match user {
            // Of many nodes another one's later change may have been heard of before this one was told: the log tells in order.
            Some(_) if self.many => {}
            Some(user) => self.cuts.changed(session, user),
            None => self.cuts.end(session),
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
        let (a, b, other) = (cuts.hold(ID, None), cuts.hold(ID, None), cuts.hold(SessionId([8; 16]), None));
        assert!(a.ended().now_or_never().is_none());
        cuts.end(ID);
        assert!(a.ended().now_or_never().is_some() && b.ended().now_or_never().is_some());
        assert!(other.ended().now_or_never().is_none());
    }

    /// Not only who asks again.
    #[tokio::test(start_paused = true)]
    async fn who_waits_is_woken() {
        let cuts = Cuts::new();
        let holds = [cuts.hold(ID, None), cuts.hold(ID, Some(HeaderValue::from_static("42")))];
        let waiting = holds.map(|hold| tokio::spawn(async move { hold.ended().await }));
        tokio::task::yield_now().await;
        cuts.changed(ID, Some(HeaderValue::from_static("43")));
        let [one, other] = waiting.map(|waits| tokio::time::timeout(std::time::Duration::from_secs(1), waits));
        assert!(other.await.is_ok() && one.await.is_err(), "whose user has changed, and nobody else");
        let hold = cuts.hold(ID, None);
        let waits = tokio::spawn(async move { hold.ended().await });
        tokio::task::yield_now().await;
        cuts.end(ID);
        assert!(tokio::time::timeout(std::time::Duration::from_secs(1), waits).await.is_ok());
    }

    #[test]
    fn another_user_reaches_the_holds_of_the_one_before() {
        let user = |name: &'static str| Some(HeaderValue::from_static(name));
        let cuts = Cuts::new();
        let none = cuts.hold(ID, None);
        cuts.changed(ID, user("42"));
        let first = cuts.hold(ID, user("42"));
        cuts.changed(ID, user("42"));
        assert!(first.ended().now_or_never().is_none(), "a refresh");
        cuts.changed(ID, user("43"));
        let (late, second) = (cuts.hold(ID, user("42")), cuts.hold(ID, user("43")));
        assert!(first.ended().now_or_never().is_some() && late.ended().now_or_never().is_some());
        assert!(none.ended().now_or_never().is_none() && second.ended().now_or_never().is_none());
        cuts.changed(ID, None);
        assert!(second.ended().now_or_never().is_some());
        drop((none, first, late, second));
        assert!(cuts.is_empty());
    }

    #[test]
    fn what_is_over_leaves_nothing() {
        let cuts = Cuts::new();
        let (a, b) = (cuts.hold(ID, None), cuts.hold(ID, None));
        drop(a);
        assert_eq!(cuts.len(), 1);
        cuts.end(ID);
        let late = cuts.hold(ID, None);
        drop(b);
        assert_eq!(cuts.len(), 1, "a hold from before the end doesn't count for a later one");
        assert!(late.ended().now_or_never().is_none());
        drop(late);
        assert!(cuts.is_empty());
    }
}
