//! With an empty jar the first request to an upstream goes alone, so that parallel ones don't open several sessions over there. One that
//! has set nothing is believed to set nothing: then nobody waits for anybody.

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
/// For so long after one came back without an answer, or didn't, nobody goes alone.
const PAUSE: Duration = Duration::from_secs(60);
/// An upstream that has set nothing is believed to set nothing for as long as the session asks it that often.
const QUIET: Duration = Duration::from_secs(3600);
/// How many sessions a shard remembers for that. The longest quiet ones make room; where there are none, nobody waits.
const GATES_MAX: usize = 1024;

/// A session's, at one upstream.
enum Gate {
    /// One goes alone.
    Taken(Arc<Way>),
    /// It did, and nobody knows what came of it since then.
    Open(Arc<Way>, Timestamp),
    /// It came back with nothing. Asked last then.
    Quiet(Timestamp),
}

impl Gate {
    fn is_over(&self, now: Timestamp) -> bool {
        match self {
            Self::Taken(_) => false,
            Self::Open(_, at) => now >= *at + PAUSE,
            Self::Quiet(at) => now >= *at + QUIET,
        }
    }

    fn is_of(&self, way: &Arc<Way>) -> bool {
        matches!(self, Self::Taken(of) | Self::Open(of, _) if Arc::ptr_eq(of, way))
    }
}

/// Those of a shard's sessions, each session's by upstream.
#[derive(Default)]
pub(super) struct Gates(HashMap<SessionId, Vec<(Box<str>, Gate)>>);

impl Gates {
    fn get(&mut self, session: SessionId, upstream: &str) -> Option<&mut Gate> {
        self.0.get_mut(&session)?.iter_mut().find(|(of, _)| **of == *upstream).map(|(_, gate)| gate)
    }

    fn remove(&mut self, session: SessionId, which: impl Fn(&str, &Gate) -> bool) {
        if let Some(gates) = self.0.get_mut(&session) {
            gates.retain(|(of, gate)| !which(of, gate));
            if gates.is_empty() {
                self.0.remove(&session);
            }
        }
    }

    /// Forgets what is over.
    pub fn purge(&mut self, now: Timestamp) {
        self.0.retain(|_, gates| {
            gates.retain(|(_, gate)| !gate.is_over(now));
            !gates.is_empty()
        });
    }

    /// Is there room for one more session? The longest quiet quarter makes it.
    fn has_room(&mut self, now: Timestamp) -> bool {
        if self.0.len() < GATES_MAX {
            return true;
        }
        self.purge(now);
        if self.0.len() >= GATES_MAX {
            let quiet_since = |gates: &Vec<(Box<str>, Gate)>| {
                let each = gates.iter().map(|(_, gate)| if let Gate::Quiet(at) = gate { Some(*at) } else { None });
                each.collect::<Option<Vec<_>>>()?.into_iter().max()
            };
            let mut quiet: Vec<_> = self.0.iter().filter_map(|(id, gates)| Some((quiet_since(gates)?, *id))).collect();
            quiet.sort_unstable();
            for (_, id) in quiet.iter().take(GATES_MAX / 4) {
                self.0.remove(id);
            }
        }
        self.0.len() < GATES_MAX
    }

    fn turn(&mut self, session: SessionId, upstream: &str, now: Timestamp) -> Turn {
        if let Some(gate) = self.get(session, upstream) {
            match gate {
                Gate::Taken(way) if way.waiting.load(Ordering::Relaxed) < WAITING_MAX => {
                    way.waiting.fetch_add(1, Ordering::Relaxed);
                    return Turn::Wait(Waiting(Arc::clone(way)));
                }
                gate if gate.is_over(now) => {}
                Gate::Quiet(at) => {
                    *at = now;
                    return Turn::Go;
                }
                Gate::Taken(_) | Gate::Open(..) => return Turn::Go,
            }
        } else if !self.0.contains_key(&session) && !self.has_room(now) {
            return Turn::Go;
        }
        let way = Arc::new(Way { back: Semaphore::new(0), waiting: AtomicUsize::new(0) });
        self.remove(session, |of, _| of == upstream);
        self.0.entry(session).or_default().push((upstream.into(), Gate::Taken(Arc::clone(&way))));
        Turn::First(way)
    }
}

/// What the others wait for.
struct Way {
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
    upstream: Box<str>,
    way: Arc<Way>,
}

impl Alone {
    /// One of many.
    pub(super) fn not() -> Self {
        Self(None)
    }

    /// Its answer is there, and what it sets is kept. If the jar is empty all the same, nobody goes alone any more.
    pub async fn answered(self) {
        let Some(First { service, session, upstream, way }) = &self.0 else { return };
        // If the store can't say, nothing was learned.
        let Ok(empty) = service.jar_is_empty(*session).await else { return };
        let now = service.world().clock.now();
        let gates = &mut service.inner.jars.shard(*session).gates;
        if empty {
            // Unless the jar was emptied meanwhile, or this took longer than others wait and another goes by now.
            if let Some(gate) = gates.get(*session, upstream).filter(|gate| gate.is_of(way)) {
                *gate = Gate::Quiet(now);
            }
        } else {
            gates.remove(*session, |_, gate| gate.is_of(way));
        }
    }

    /// Does it go alone?
    pub fn is_first(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for First {
    fn drop(&mut self) {
        self.service.opens((self.session, &self.upstream), &self.way);
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
    /// To be asked for before the cookies of a request ([`Service::cookies_for`]) and held until those of its answer are learned, which
    /// [`Alone::answered`] is then told. If the jar is empty, one goes on at once and the others when that one is back, or after some
    /// seconds.
    ///
    /// # Errors
    /// The store's.
    pub async fn alone(&self, session: SessionId, upstream: &str) -> Result<Alone> {
        if !self.jar_is_empty(session).await? {
            return Ok(Alone(None));
        }
        let now = self.world().clock.now();
        let turn = self.inner.jars.shard(session).gates.turn(session, upstream, now);
        match turn {
            Turn::First(way) => {
                let first = First { service: self.clone(), session, upstream: upstream.into(), way };
                // Another may have come back between the two looks.
                let alone = self.jar_is_empty(session).await?;
                Ok(Alone(alone.then_some(first)))
            }
            Turn::Wait(Waiting(ref way)) => {
                if tokio::time::timeout(WAIT_MAX, way.back.acquire()).await.is_err() {
                    // It may be a long poll: nobody else shall wait for it.
                    self.opens((session, upstream), way);
                }
                Ok(Alone(None))
            }
            Turn::Go => Ok(Alone(None)),
        }
    }

    fn opens(&self, (session, upstream): (SessionId, &str), way: &Arc<Way>) {
        let now = self.world().clock.now();
        let mut shard = self.inner.jars.shard(session);
        // Another's by now, if this one took longer than anybody waits.
        if let Some(gate) = shard.gates.get(session, upstream)
            && matches!(gate, Gate::Taken(taken) if Arc::ptr_eq(taken, way))
        {
            *gate = Gate::Open(Arc::clone(way), now);
        }
        way.back.close();
    }

    /// The jar was emptied: the next goes alone again, and what is on its way is another's first.
    pub(in crate::service) fn first_again(&self, session: SessionId) {
        self.inner.jars.shard(session).gates.remove(session, |_, _| true);
    }

    /// Something was set: should it go again, the next goes alone.
    pub(super) fn not_quiet(&self, session: SessionId) {
        self.inner.jars.shard(session).gates.remove(session, |_, gate| !matches!(gate, Gate::Taken(_)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> SessionId {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&(n as u64).to_be_bytes());
        SessionId(id)
    }

    fn at(n: usize) -> Timestamp {
        Timestamp(1_800_000_000_000 + i64::try_from(n).unwrap())
    }

    fn quiet(gates: &mut Gates, n: usize, now: Timestamp) {
        *gates.get(id(n), "shop").unwrap() = Gate::Quiet(now);
    }

    /// Many quiet sessions keep no new one from going alone; many that are on their way do, and nobody waits then.
    #[test]
    fn they_are_bounded_and_quiet_ones_make_room() {
        let mut gates = Gates::default();
        for n in 0..10 * GATES_MAX {
            assert!(matches!(gates.turn(id(n), "shop", at(n)), Turn::First(_)), "{n}");
            quiet(&mut gates, n, at(n));
            assert!(gates.0.len() <= GATES_MAX);
        }
        let last = 10 * GATES_MAX - 1;
        assert!(matches!(gates.turn(id(last), "shop", at(last)), Turn::Go), "it is remembered");
        let mut gates = Gates::default();
        for n in 0..GATES_MAX {
            assert!(matches!(gates.turn(id(n), "shop", at(0)), Turn::First(_)));
        }
        assert!(matches!(gates.turn(id(GATES_MAX), "shop", at(0)), Turn::Go));
        assert!(matches!(gates.turn(id(0), "pay", at(0)), Turn::First(_)), "another upstream is no other session");
        assert_eq!(gates.0.len(), GATES_MAX);
    }

    #[test]
    fn a_quiet_one_is_remembered_as_long_as_it_is_asked_for() {
        let mut gates = Gates::default();
        gates.turn(id(1), "shop", at(0));
        quiet(&mut gates, 1, at(0));
        let mut now = at(0);
        for _ in 0..100 {
            now = Timestamp(now.0 + 3_599_999);
            gates.purge(now);
            assert!(matches!(gates.turn(id(1), "shop", now), Turn::Go));
        }
        gates.purge(now + QUIET);
        assert!(gates.0.is_empty());
    }
}
