//! The jars that are known in memory, so that a request reads no store.
//!
//! What is known is given up before a change is asked of the store and once more after it, and what was read from the store
//! before either is not believed any more. So who asks after a change was answered sees it. Bounded by number and bytes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::alone::Gates;
use crate::ids::{SessionId, UserId};
use crate::jar::{self, Cookie, Origin, Set, To};
use crate::ports::{JarCookie, Slot};
use crate::time::Timestamp;
use zeroize::Zeroizing;

const SHARDS: usize = 32;
/// How many jars a shard knows.
const JARS_MAX: usize = 1024;
/// And how many bytes of them, about.
const BYTES_MAX: usize = 2 << 20;
/// What a cookie costs beside its bytes, about.
const COOKIE_COST: usize = 256;
/// What nobody has asked for in so long is forgotten.
const KNOWN_FOR: Duration = Duration::from_secs(600);

/// A cookie that can be sent.
#[derive(Debug)]
pub(super) struct OpenCookie {
    pub cookie: Cookie,
    slot: Slot,
    expires_at: Option<Timestamp>,
    cost: usize,
    /// When it was sent last; 0: not since the jar was read.
    sent_at: AtomicI64,
}

impl OpenCookie {
    pub fn new(kept: &JarCookie, cookie: Cookie) -> Self {
        let cost = kept.sealed.len() + COOKIE_COST;
        Self { cookie, slot: kept.slot, expires_at: kept.expires_at, cost, sent_at: AtomicI64::new(0) }
    }

    pub fn lives(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|at| now < at)
    }

    pub fn sent(&self, now: Timestamp) {
        self.sent_at.fetch_max(now.0, Ordering::Relaxed);
    }
}

/// A jar that can be sent from.
#[derive(Debug)]
pub(super) struct OpenJar {
    /// Whose it is.
    pub user: Option<UserId>,
    pub cookies: Vec<OpenCookie>,
}

impl OpenJar {
    /// Is there anything in it that lives?
    pub fn lives(&self, now: Timestamp) -> bool {
        self.cookies.iter().any(|cookie| cookie.lives(now))
    }

    /// The `Cookie` field of a request that goes there.
    pub fn header(&self, to: &Origin, now: Timestamp) -> Option<Zeroizing<String>> {
        let live: Vec<&OpenCookie> = self.cookies.iter().filter(|cookie| cookie.lives(now)).collect();
        jar::header(live.iter().map(|open| &open.cookie), To::BackEnd(to), |place| live[place].sent(now))
    }
}

/// What is known.
#[derive(Default)]
pub(in crate::service) struct Known {
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Default)]
pub(super) struct Shard {
    /// Counts what makes a read of before untrue.
    epoch: u64,
    open: HashMap<SessionId, Open>,
    bytes: usize,
    /// Who goes alone, and who did.
    pub gates: Gates,
}

struct Open {
    version: u64,
    jar: Arc<OpenJar>,
    cost: usize,
    asked: Timestamp,
}

/// A read that is under way, as its shard was when it began.
#[derive(Debug)]
pub(super) struct Filling {
    epoch: u64,
    asked: Timestamp,
}

/// A change that is under way.
pub(in crate::service) struct Changing<'k> {
    known: &'k Known,
    session: SessionId,
    before: Option<Open>,
}

impl Known {
    pub(super) fn shard(&self, session: SessionId) -> MutexGuard<'_, Shard> {
        // The last bits of an id are random.
        self.shards[usize::from(session.0[15]) % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The jar, if it is known, and its version.
    pub(super) fn get(&self, session: SessionId, asked: Timestamp) -> Result<(Arc<OpenJar>, u64), Filling> {
        let mut shard = self.shard(session);
        let Some(open) = shard.open.get_mut(&session) else { return Err(Filling { epoch: shard.epoch, asked }) };
        open.asked = asked;
        Ok((Arc::clone(&open.jar), open.version))
    }

    /// A reading begins, whatever is known.
    pub(super) fn filling(&self, session: SessionId, asked: Timestamp) -> Filling {
        Filling { epoch: self.shard(session).epoch, asked }
    }

    /// It is not as it was known: to be read anew.
    pub(super) fn doubt(&self, session: SessionId) {
        self.shard(session).forget(session);
    }

    /// Remembers what was read, unless something has changed since.
    pub(super) fn fill(&self, session: SessionId, filling: Filling, version: u64, jar: &Arc<OpenJar>) {
        let Filling { epoch, asked } = filling;
        let mut shard = self.shard(session);
        if shard.epoch != epoch {
            return;
        }
        shard.remove(session);
        let cost = COOKIE_COST + jar.cookies.iter().map(|cookie| cookie.cost).sum::<usize>();
        shard.bytes += cost;
        shard.open.insert(session, Open { version, jar: Arc::clone(jar), cost, asked });
        while shard.open.len() > JARS_MAX || shard.bytes > BYTES_MAX {
            let Some(oldest) = shard.open.iter().min_by_key(|(_, open)| open.asked).map(|(id, _)| *id) else { break };
            shard.remove(oldest);
        }
    }

    /// The jar is about to change, whoever changes it: nothing is known of it until the store has answered and this is dropped.
    /// That must not be before, so hold it in a task of its own.
    pub(in crate::service) fn changing(&self, session: SessionId) -> Changing<'_> {
        let before = self.shard(session).forget(session);
        Changing { known: self, session, before }
    }

    /// The version of the known jar, if this would change nothing of it: answers of many back ends set the same cookie each
    /// time. Not if that has a life of its own, which would begin anew.
    pub(super) fn says_so_already(
        &self,
        (session, user): (SessionId, Option<&UserId>),
        set: &[Set],
        now: Timestamp,
    ) -> Option<u64> {
        let shard = self.shard(session);
        let open = shard.open.get(&session).filter(|open| open.jar.user.as_ref() == user)?;
        let all = set.iter().all(|set| {
            let same =
                |known: &OpenCookie| known.cookie == set.cookie && known.expires_at.is_none() && known.lives(now);
            set.expires_at.is_none() && open.jar.cookies.iter().any(same)
        });
        all.then_some(open.version)
    }

    /// Forgets what nobody has asked for in a while: an ended session's cookies, too, go out of memory by that.
    pub(in crate::service) fn purge(&self, now: Timestamp) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            let old: Vec<_> =
                shard.open.iter().filter(|(_, open)| now >= open.asked + KNOWN_FOR).map(|(id, _)| *id).collect();
            for id in old {
                shard.remove(id);
            }
            shard.gates.purge(now);
        }
    }
}

impl Changing<'_> {
    /// When the jar's cookies were sent last, as far as it was known.
    pub(super) fn used(&self) -> Vec<(Slot, Timestamp)> {
        let cookies = self.before.iter().flat_map(|open| open.jar.cookies.iter());
        let sent = cookies.map(|cookie| (cookie.slot, Timestamp(cookie.sent_at.load(Ordering::Relaxed))));
        sent.filter(|(_, at)| at.0 != 0).collect()
    }
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        self.known.shard(self.session).forget(self.session);
    }
}

impl Shard {
    fn forget(&mut self, session: SessionId) -> Option<Open> {
        self.epoch += 1;
        self.remove(session)
    }

    fn remove(&mut self, session: SessionId) -> Option<Open> {
        let gone = self.open.remove(&session)?;
        self.bytes -= gone.cost;
        Some(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jar::{From, read};

    const A: SessionId = SessionId([1; 16]);
    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn set(line: &str) -> Set {
        read(line.as_bytes(), From::Webhook, NOW).unwrap()
    }

    fn jar(line: &str, bytes: usize) -> Arc<OpenJar> {
        let kept = JarCookie {
            slot: [1; 16],
            twin: [1; 16],
            site: [1; 16],
            everywhere: true,
            expires_at: None,
            created: 0,
            used_at: NOW,
            sealed: vec![0; bytes],
        };
        Arc::new(OpenJar { user: None, cookies: vec![OpenCookie::new(&kept, set(line).cookie)] })
    }

    fn filling(known: &Known, session: SessionId) -> Filling {
        known.get(session, NOW).map(|_| ()).unwrap_err()
    }

    #[test]
    fn what_was_read_before_a_change_is_not_believed_after_it() {
        let known = Known::default();
        // Read before it, remembered during it.
        let old = filling(&known, A);
        let changing = known.changing(A);
        known.fill(A, old, 1, &jar("a=old", 1));
        assert!(known.get(A, NOW).is_err());
        // Read during it, remembered during it and after it.
        let (during, late) = (filling(&known, A), filling(&known, A));
        known.fill(A, during, 1, &jar("a=old", 1));
        drop(changing);
        assert!(known.get(A, NOW).is_err());
        known.fill(A, late, 1, &jar("a=old", 1));
        assert!(known.get(A, NOW).is_err());
        // Read after it.
        known.fill(A, filling(&known, A), 2, &jar("a=new", 1));
        assert!(known.get(A, NOW).is_ok());
    }

    #[test]
    fn only_the_very_same_is_said_already() {
        let known = Known::default();
        assert_eq!(known.says_so_already((A, None), &[set("a=1")], NOW), None, "nothing is known");
        known.fill(A, filling(&known, A), 7, &jar("a=1", 1));
        assert_eq!(known.says_so_already((A, None), &[set("a=1")], NOW), Some(7));
        assert_eq!(known.says_so_already((A, Some(&"42".into())), &[set("a=1")], NOW), None, "another's");
        assert_eq!(known.says_so_already((A, None), &[set("a=1; HttpOnly; Secure; Path=/")], NOW), Some(7));
        for other in ["a=2", "b=1", "a=1; Path=/x", "a=1; Domain=h.example", "a=1; Max-Age=9", "a=1; Max-Age=0"] {
            assert_eq!(known.says_so_already((A, None), &[set("a=1"), set(other)], NOW), None, "{other}");
        }
    }

    #[test]
    fn bounded_by_number_and_bytes_and_forgotten_in_the_end() {
        let known = Known::default();
        let id = |n: u16| {
            let mut id = [0; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            SessionId(id)
        };
        let many = u16::try_from(JARS_MAX).unwrap() + 10;
        for n in 0..many {
            let at = Timestamp(NOW.0 + i64::from(n));
            let filling = known.get(id(n), at).map(|_| ()).unwrap_err();
            known.fill(id(n), filling, 1, &jar("a=1", 1));
        }
        assert!(known.get(id(9), NOW).is_err() && known.get(id(10), NOW).is_ok(), "those asked for longest ago went");
        assert_eq!(known.shard(id(0)).open.len(), JARS_MAX);
        for n in 0..10 {
            let filling = known.get(id(many + n), Timestamp(NOW.0 + 100_000)).map(|_| ()).unwrap_err();
            known.fill(id(many + n), filling, 1, &jar("a=1", BYTES_MAX / 4));
        }
        let shard = known.shard(id(0));
        assert!(shard.open.len() < 10 && shard.bytes <= BYTES_MAX, "{} {}", shard.open.len(), shard.bytes);
        drop(shard);
        known.purge(Timestamp(NOW.0 + 100_000) + KNOWN_FOR);
        let shard = known.shard(id(0));
        assert_eq!((shard.open.len(), shard.bytes), (0, 0));
    }
}
