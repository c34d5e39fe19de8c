//! The audit log of the reference engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use yaopai_core::audit::{By, Checkpoint, Event, Head, Kind, Noted, Owner, PersonKey, Row, Said, Scribe, period_of};
use yaopai_core::ids::Realm;
use yaopai_core::ports::{AuditRow, AuditStore, Change, Erase, StoreResult};
use yaopai_core::time::Timestamp;

use super::Model;
use super::state::State;
use crate::audited::{self, End};

/// What is kept of the log.
#[derive(Clone, Default)]
pub(super) struct Log {
    rows: BTreeMap<u64, Row>,
    keys: BTreeMap<(i64, [u8; 16]), PersonKey>,
    checkpoint: Option<Checkpoint>,
}

impl Log {
    fn head(&self, scribe: &Scribe) -> Head {
        let last = self.rows.values().next_back().map(Row::head);
        last.or_else(|| self.checkpoint.as_ref().map(|c| c.head)).unwrap_or_else(|| scribe.genesis())
    }

    fn append(&mut self, scribe: &Scribe, event: &Event, by: &By) {
        let (after, at) = (self.head(scribe), scribe.now());
        let keys = &mut self.keys;
        let key = Owner::of(event, by).map(|owner| {
            let made = || PersonKey { no: after.seq + 1, salt: scribe.salt() };
            keys.entry(scribe.owner_at(&owner, at)).or_insert_with(made).clone()
        });
        let row = scribe.row(after, at, event, by, key.as_ref());
        self.rows.insert(row.seq, row);
    }
}

/// Tells what a command says, and which sessions ended by it.
pub(super) fn told(state: &mut State, scribe: &Scribe, said: Said, changes: &[Change]) {
    let by = By::current();
    let ended = changes.iter().filter_map(|change| match change {
        Change::Ended(id) => state.sessions.get(id),
        Change::Put(_) => None,
    });
    let end = |s: &yaopai_core::session::Session| {
        let (realm, app, user) = (s.realm.clone(), s.app.clone(), s.user.clone());
        audited::ended(End { id: s.id, realm, app, identity: s.identity, user, reason: s.ended?.reason })
    };
    let said: Said = said.into_iter().chain(ended.filter_map(end)).collect();
    for event in said {
        state.log.append(scribe, &event, &by);
    }
}

#[async_trait]
impl AuditStore for Model {
    fn begin_audit(&self, scribe: Arc<Scribe>) {
        let _ = self.scribe.set(scribe);
    }

    async fn note(&self, noted: Vec<Noted>) -> StoreResult<()> {
        if let Some(scribe) = self.scribe.get() {
            let log = &mut self.disk.lock().log;
            noted.iter().for_each(|noted| log.append(scribe, &noted.event, &noted.by));
        }
        Ok(())
    }

    async fn audit_head(&self) -> StoreResult<Option<Head>> {
        Ok(self.scribe.get().map(|scribe| self.disk.lock().log.head(scribe)))
    }

    async fn audit_rows(&self, realm: Option<&Realm>, after: u64, limit: u32) -> StoreResult<Vec<AuditRow>> {
        let log = &self.disk.lock().log;
        let rows = log.rows.range(after + 1..).map(|(_, row)| row);
        let wanted = rows.filter(|row| realm.is_none() || row.realm.as_ref() == realm);
        let salt = |no: u64| log.keys.values().find(|key| key.no == no).map(|key| key.salt);
        let kept = |row: &Row| AuditRow { row: row.clone(), salt: row.person.and_then(salt) };
        Ok(wanted.take(usize::try_from(limit).unwrap_or(usize::MAX)).map(kept).collect())
    }

    async fn audit_checkpoint(&self) -> StoreResult<Option<Checkpoint>> {
        Ok(self.disk.lock().log.checkpoint.clone())
    }

    async fn purge_audit(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
        let Some(scribe) = self.scribe.get() else { return Ok(0) };
        let log = &mut self.disk.lock().log;
        let oldest = log.rows.values().take(usize::try_from(limit).unwrap_or(usize::MAX));
        let gone: Vec<Head> = oldest.take_while(|row| row.at < before).map(Row::head).collect();
        let Some(last) = gone.last() else { return Ok(0) };
        let rows = log.checkpoint.as_ref().map_or(0, |c| c.rows) + gone.len() as u64;
        log.checkpoint = Some(scribe.checkpoint(*last, rows, scribe.now()));
        log.rows.retain(|seq, _| *seq > last.seq);
        log.keys.retain(|(period, _), _| *period >= period_of(before));
        Ok(gone.len() as u64)
    }

    async fn erase(&self, whose: Erase) -> StoreResult<u64> {
        let Some(scribe) = self.scribe.get() else { return Ok(0) };
        let mut state = self.disk.lock();
        let mut event = Event::new(Kind::Erased, "");
        let mut owners = Vec::new();
        match whose {
            Erase::User(realm, user) => {
                event.realm = Some(realm.clone());
                let identities = state.identities.values().map(|kept| &kept.identity);
                let theirs = identities.filter(|i| i.realm == realm && i.user.as_ref() == Some(&user));
                owners.extend(theirs.map(|i| Owner::Identity(i.id)));
                owners.push(Owner::User(realm, user));
            }
            Erase::Openid(app, openid) => {
                let id = state.by_openid.get(&(app, openid));
                if let Some(kept) = id.and_then(|id| state.identities.get(id)) {
                    let identity = &kept.identity;
                    owners.push(Owner::Identity(identity.id));
                    owners.extend(identity.user.clone().map(|user| Owner::User(identity.realm.clone(), user)));
                    event = Event { user: None, ..event.of_identity(identity) };
                }
            }
            Erase::Owner(owner) => owners.push(owner),
        }
        let owners: Vec<_> = owners.iter().map(|owner| scribe.owner(owner)).collect();
        let before = state.log.keys.len();
        state.log.keys.retain(|(_, owner), _| !owners.contains(owner));
        let gone = (before - state.log.keys.len()) as u64;
        let by = By { from: None, ..By::current() };
        state.log.append(scribe, &event.times(gone), &by);
        Ok(gone)
    }
}
