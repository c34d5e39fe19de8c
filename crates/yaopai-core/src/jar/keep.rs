//! What one answer does to a jar: the rule that every engine applies in its transaction.

use std::collections::BTreeSet;

use crate::ports::{JarChange, JarCookie, PutCookie, Slot};
use crate::time::Timestamp;

/// Changes the jar, and says which slots are to be written: those in it afterwards as they are then, the others are gone.
///
/// RFC 6265, section 5.3: expired cookies go (step 12 and after), a cookie of the same name, domain and path is replaced and
/// keeps its age (step 11), one that has expired removes it. Beyond the bounds (section 6.1) the cookies that were not used for
/// the longest go: those of the domains that this answer sets first, its own last.
pub fn keep(jar: &mut Vec<JarCookie>, change: &JarChange) -> BTreeSet<Slot> {
    let mut changed = BTreeSet::new();
    retain(jar, &mut changed, |cookie| !expired(cookie.expires_at, change.now));
    for (slot, at) in &change.used {
        if let Some(cookie) = jar.iter_mut().find(|cookie| cookie.slot == *slot && cookie.used_at < *at) {
            cookie.used_at = *at;
            changed.insert(*slot);
        }
    }
    for put in &change.cookies {
        set(jar, &mut changed, put, change.now);
    }
    while jar.len() > change.bounds.cookies || bytes(jar) > change.bounds.bytes {
        let Some(worst) = worst(jar, change) else { break };
        changed.insert(jar.remove(worst).slot);
    }
    changed
}

fn set(jar: &mut Vec<JarCookie>, changed: &mut BTreeSet<Slot>, put: &PutCookie, now: Timestamp) {
    // The webhook's cookie and one of the back end's own answers stand for each other, whichever comes later: sent both, the
    // older would win over there (docs/decisions/0055).
    retain(jar, changed, |cookie| {
        cookie.slot == put.slot || cookie.twin != put.twin || !(cookie.everywhere || put.everywhere)
    });
    let Some(kept) = put.kept.as_ref().filter(|kept| !expired(kept.expires_at, now)) else {
        return retain(jar, changed, |cookie| cookie.slot != put.slot);
    };
    let cookie = JarCookie {
        slot: put.slot,
        twin: put.twin,
        site: put.site,
        everywhere: put.everywhere,
        expires_at: kept.expires_at,
        created: jar.last().map_or(0, |last| last.created + 1),
        used_at: now,
        sealed: kept.sealed.clone(),
    };
    changed.insert(put.slot);
    match jar.iter_mut().find(|cookie| cookie.slot == put.slot) {
        Some(old) => *old = JarCookie { created: old.created, ..cookie },
        None => jar.push(cookie),
    }
}

fn retain(jar: &mut Vec<JarCookie>, changed: &mut BTreeSet<Slot>, stays: impl Fn(&JarCookie) -> bool) {
    jar.retain(|cookie| {
        let stays = stays(cookie);
        if !stays {
            changed.insert(cookie.slot);
        }
        stays
    });
}

fn expired(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now)
}

fn bytes(jar: &[JarCookie]) -> usize {
    jar.iter().map(|cookie| cookie.sealed.len()).sum()
}

/// Which goes next.
fn worst(jar: &[JarCookie], change: &JarChange) -> Option<usize> {
    let order = |(_, cookie): &(usize, &JarCookie)| {
        let own = change.cookies.iter().any(|put| put.slot == cookie.slot);
        let same = change.cookies.iter().any(|put| put.site == cookie.site);
        (own, !same, cookie.used_at, cookie.created)
    };
    jar.iter().enumerate().min_by_key(order).map(|(place, _)| place)
}
