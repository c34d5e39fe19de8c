//! The audit log's rows: written by the writer in the transaction of the change that they tell of, so they are in the order
//! of the commits, and no change is without its row.

use std::sync::Arc;

use yaopai_core::audit::{By, Event, Head, Kind, Noted, Owner, PersonKey, Said, Scribe, period_of};
use yaopai_core::ids::UserId;
use yaopai_core::ports::{Change, Erase};
use yaopai_core::time::Timestamp;

use super::{Done, Work};
use crate::audited;
use crate::rows::{Chain, Rows};

/// The chain's end, as this transaction has made it so far. It is read from the file once in each transaction: what is rolled
/// back leaves nothing behind here.
pub(crate) struct Log {
    scribe: Arc<Scribe>,
    head: Option<Head>,
}

impl Log {
    pub fn new(scribe: Arc<Scribe>) -> Self {
        Self { scribe, head: None }
    }
}

/// Runs a command and tells what it says, and which sessions ended by it.
pub(crate) fn told<T, R: Rows>(
    work: &mut Work<'_, R>,
    by: &By,
    command: impl FnOnce(&mut Work<'_, R>) -> Done<(Said, T)>,
) -> Done<T> {
    let before = work.changes.len();
    let (said, answer) = command(work)?;
    if work.log.is_some() {
        for event in said {
            append(work, &event, by)?;
        }
        for at in before..work.changes.len() {
            if let Change::Ended(id) = &work.changes[at]
                && let Some(event) = work.db.end_of(*id)?.and_then(audited::ended)
            {
                append(work, &event, by)?;
            }
        }
    }
    Ok(answer)
}

/// Appends events that belong to no change.
pub(crate) fn note<R: Rows>(work: &mut Work<'_, R>, noted: &[Noted]) -> Done<()> {
    noted.iter().try_for_each(|noted| append(work, &noted.event, &noted.by))
}

fn append<R: Rows>(work: &mut Work<'_, R>, event: &Event, by: &By) -> Done<()> {
    let db = work.db;
    let Some(log) = &mut work.log else { return Ok(()) };
    let scribe = &log.scribe;
    let after = match log.head {
        Some(head) => head,
        None => db.audit_head()?.unwrap_or_else(|| scribe.genesis()),
    };
    let at = scribe.now();
    let key = match Owner::of(event, by) {
        Some(owner) => Some(key(db, scribe, &owner, at, after.seq + 1)?),
        None => None,
    };
    let row = scribe.row(after, at, event, by, key.as_ref());
    db.insert_audit(&row)?;
    log.head = Some(row.head());
    Ok(())
}

/// The owner's key, made if there is none.
fn key<R: Rows>(db: &R, scribe: &Scribe, owner: &Owner, at: Timestamp, no: u64) -> Result<PersonKey, R::Error> {
    let (period, owner) = scribe.owner_at(owner, at);
    if let Some(key) = db.audit_key(period, &owner)? {
        return Ok(key);
    }
    let key = PersonKey { no, salt: scribe.salt() };
    db.insert_audit_key(&key, period, &owner)?;
    Ok(key)
}

/// What is old, as one clock and the other see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Old {
    /// Of the own chain: older than this.
    own: Timestamp,
    /// Of the others'. A node whose clock is ahead would delete what all the others have written.
    others: Timestamp,
}

impl Old {
    /// Older than `before`, which this server's clock has said.
    pub fn than<R: Rows>(db: &R, scribe: &Scribe, before: Timestamp) -> Result<Self, R::Error> {
        let own = scribe.now();
        let ahead = (own.0 - db.clock(own)?.0).max(0);
        Ok(Self { own: before, others: Timestamp(before.0.saturating_sub(ahead)) })
    }

    /// Which chains have some: those, too, that nobody writes any more, or they would stay for ever.
    pub fn chains<R: Rows>(self, db: &R) -> Result<Vec<Chain>, R::Error> {
        db.old_chains(self.own, self.others)
    }
}

/// Deletes the oldest rows of these chains behind a checkpoint in each, `limit` in all. Answers how many.
pub(crate) fn purge<R: Rows>(work: &mut Work<'_, R>, chains: &[Chain], old: Old, limit: u32) -> Done<u32> {
    let db = work.db;
    let Some(log) = &work.log else { return Ok(0) };
    let mut purged = 0;
    for &chain in chains {
        if purged == limit {
            break;
        }
        let before = if chain == db.own_chain() { old.own } else { old.others };
        let oldest = db.oldest_audit(chain, limit - purged)?;
        let gone: Vec<Head> = oldest.into_iter().take_while(|(_, at)| *at < before).map(|(head, _)| head).collect();
        let Some(last) = gone.last() else { continue };
        let rows = db.audit_checkpoint(chain)?.map_or(0, |c| c.rows) + gone.len() as u64;
        let made = log.scribe.checkpoint(*last, rows, log.scribe.now());
        db.cut_audit(chain, &made)?;
        // Of a period that ended before the oldest row that is kept.
        db.purge_audit_keys(chain, period_of(before), limit)?;
        purged += u32::try_from(gone.len()).unwrap_or(u32::MAX);
    }
    Ok(purged)
}

/// Erases keys, and tells of it.
pub(crate) fn erase<R: Rows>(work: &mut Work<'_, R>, by: &By, whose: &Erase) -> Done<u64> {
    let db = work.db;
    let Some(scribe) = work.log.as_ref().map(|log| Arc::clone(&log.scribe)) else { return Ok(0) };
    let mut event = Event::new(Kind::Erased, "");
    let mut owners = Vec::new();
    match whose {
        Erase::User(realm, user) => {
            event.realm = Some(realm.clone());
            owners.push(Owner::User(realm.clone(), user.clone()));
            let theirs = db.identities_of_user(realm, user)?;
            owners.extend(theirs.into_iter().map(Owner::Identity));
        }
        Erase::Openid(app, openid) => {
            if let Some(identity) = db.identity_by_openid(app, openid)? {
                owners.push(Owner::Identity(identity.id));
                owners.extend(identity.user.clone().map(|user: UserId| Owner::User(identity.realm.clone(), user)));
                event = Event { user: None, ..event.of_identity(&identity) };
            }
        }
        Erase::Owner(owner) => owners.push(owner.clone()),
    }
    let owners: Vec<_> = owners.iter().map(|owner| scribe.owner(owner)).collect();
    let gone = db.erase_audit_keys(&owners)?;
    // By nobody's address: it would be one more row about the one who is to be forgotten, where he asks for it himself.
    append(work, &event.times(gone), &By { from: None, ..by.clone() })?;
    Ok(gone)
}
