//! With an empty jar the first request goes alone, so that parallel ones don't open several sessions over there.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::Result;
use crate::ids::SessionId;
use crate::service::Service;
use crate::time::Timestamp;

/// How long others wait for the first.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// How many of a session's wait; more don't.
const WAITING_MAX: usize = 32;
/// For so long after one came back nobody goes alone: a back end that sets no cookies answers side by side.
const QUIET: Duration = Duration::from_secs(60);
/// How many sessions a shard remembers for that; in more, nobody waits.
const GATES_MAX: usize = 1024;

/// A session's.
pub(in crate::service) enum Gate {
    /// One goes alone.
    Taken(Arc<Way>),
    /// One did, and came back then.
    Open(Timestamp),
}

impl Gate {
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        matches!(self, Self::Open(at) if now >= *at + QUIET)
    }
}

/// What the others wait for.
pub(in crate::service) struct Way {
    /// Never has a permit; closed when the first is back.
    back: Semaphore,
    waiting: AtomicUsize,
}

/// What a request to the back end holds until the cookies of its answer are kept, or it has failed. With it the first goes alone;
/// for all others it is nothing.
#[must_use = "others go on when it is dropped"]
pub struct Alone(Option<First>);

struct First {
    service: Service,
    session: SessionId,
    way: Arc<Way>,
}

impl Alone {
    /// Does it go alone?
    pub fn is_first(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.service.opens(self.session, &self.way);
    }
}

/// Counted while it waits, and not when its client has hung up.
struct Waiting(Arc<Way>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What a request is to do.
enum Turn {
    First(Arc<Way>),
    Wait(Waiting),
    Go,
}

impl Service {
    /// To be asked for before the cookies of a request ([`Service::cookies_for`]) and held until those of its answer are learned. If the
    /// jar is empty, one goes on at once and the others when that one is back, or after some seconds.
    ///
    /// # Errors
    /// The store's.
    pub async fn alone(&self, session: SessionId) -> Result<Alone> {
        if !self.jar_is_empty(session).await? {
            return Ok(Alone(None));
        }
        let now = self.world().clock.now();
        let turn = turn(&mut self.inner.jars.shard(session).gates, session, now);
        match turn {
            Turn::First(way) => {
                let first = First { service: self.clone(), session, way };
                // Another may have come back between the two looks.
                let alone = self.jar_is_empty(session).await?;
                Ok(Alone(alone.then_some(first)))
            }
            Turn::Wait(Waiting(ref way)) => {
                if tokio::time::timeout(WAIT_MAX, way.back.acquire()).await.is_err() {
                    // It may be a long poll: nobody else shall wait for it.
                    self.opens(session, way);
                }
                Ok(Alone(None))
            }
            Turn::Go => Ok(Alone(None)),
        }
    }

    fn opens(&self, session: SessionId, way: &Arc<Way>) {
        let now = self.world().clock.now();
        let mut shard = self.inner.jars.shard(session);
        // Another's by now, if this one took longer than anybody waits.
        if matches!(shard.gates.get(&session), Some(Gate::Taken(taken)) if Arc::ptr_eq(taken, way)) {
            shard.gates.insert(session, Gate::Open(now));
        }
        way.back.close();
    }

    /// The jar was emptied: the next goes alone again.
    pub(in crate::service) fn first_again(&self, session: SessionId) {
        let gates = &mut self.inner.jars.shard(session).gates;
        if matches!(gates.get(&session), Some(Gate::Open(_))) {
            gates.remove(&session);
        }
    }
}

fn turn(gates: &mut HashMap<SessionId, Gate>, session: SessionId, now: Timestamp) -> Turn {
    match gates.get(&session) {
        Some(Gate::Taken(way)) if way.waiting.load(Ordering::Relaxed) < WAITING_MAX => {
            way.waiting.fetch_add(1, Ordering::Relaxed);
            return Turn::Wait(Waiting(Arc::clone(way)));
        }
        Some(gate) if gate.is_over(now) => {}
        Some(_) => return Turn::Go,
        None => {
            if gates.len() >= GATES_MAX {
                gates.retain(|_, gate| !gate.is_over(now));
            }
            if gates.len() >= GATES_MAX {
                return Turn::Go;
            }
        }
    }
    let way = Arc::new(Way { back: Semaphore::new(0), waiting: AtomicUsize::new(0) });
    gates.insert(session, Gate::Taken(Arc::clone(&way)));
    Turn::First(way)
}
