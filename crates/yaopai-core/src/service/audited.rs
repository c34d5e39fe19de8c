//! What the services tell the audit log beside what the store tells with each change: refusals, and what belongs to no change.

use super::Service;
use crate::audit::{Event, Head, Notes};
use crate::error::{Error, Result};
use crate::ids::Realm;
use crate::ports::AuditRow;
use crate::time::Timestamp;

/// How many rows one purge deletes, and how many purges one round makes.
const PURGE_LIMIT: u32 = 2_000;
const PURGES_MAX: u32 = 50;

impl Service {
    /// What waits to be written. Telling it something never waits and never fails, so a check may.
    pub fn audit(&self) -> &Notes {
        &self.inner.notes
    }

    /// Tells of an event that belongs to no change.
    pub fn tell(&self, event: Event) {
        let (now, _) = self.now();
        self.inner.notes.tell(event, now);
    }

    /// Tells of a refusal, if it is one.
    pub(super) fn tell_refused(&self, event: Event, error: Option<&Error>) {
        if let Some(error) = error {
            self.tell(Event { code: error.code.as_str().into(), ..event });
        }
    }

    /// Writes what waits. `last`: counts of the running second too, because nobody comes back for them.
    ///
    /// # Errors
    /// The store's: what could not be written is counted, and told with the next that can.
    pub async fn write_audit(&self, last: bool) -> Result<()> {
        // What somebody else has drained is written when this has been waited for, and whoever reads the log then finds it.
        let _alone = self.inner.noting.lock().await;
        let (now, _) = self.now();
        let mut noted = self.inner.notes.drain(now, last);
        if noted.is_empty() {
            return Ok(());
        }
        for one in &mut noted {
            self.complete(&mut one.event).await;
        }
        let written = self.world().store.note(noted.clone()).await;
        written.inspect_err(|_| self.inner.notes.lost(&noted))?;
        Ok(())
    }

    /// Whose session it was, where whoever told of it knew the session only. A few a second, by their bound.
    async fn complete(&self, event: &mut Event) {
        if let (Some(id), None) = (event.session, &event.realm)
            && let Ok(Some(session)) = self.world().store.load(id).await
        {
            *event = event.clone().of_session(&session);
        }
    }

    /// The end of the chain, what waits included. `None` if nobody writes the log.
    ///
    /// # Errors
    /// The store's.
    pub async fn audit_head(&self) -> Result<Option<Head>> {
        self.write_audit(false).await?;
        Ok(self.world().store.audit_head().await?)
    }

    /// The realm's rows after a number, in order, what waits included.
    ///
    /// # Errors
    /// The store's.
    pub async fn admin_audit(&self, realm: &Realm, after: u64, limit: u32) -> Result<Vec<AuditRow>> {
        self.write_audit(false).await?;
        Ok(self.world().store.audit_rows(Some(realm), after, limit).await?)
    }

    /// Deletes rows from before an instant, behind a checkpoint. Answers how many.
    ///
    /// # Errors
    /// The store's; the next round goes on.
    pub async fn purge_audit(&self, before: Timestamp) -> Result<u64> {
        let mut purged = 0;
        // In small pieces, so that logins come in between.
        for _ in 0..PURGES_MAX {
            let some = self.world().store.purge_audit(before, PURGE_LIMIT).await?;
            purged += some;
            if some < u64::from(PURGE_LIMIT) {
                break;
            }
        }
        Ok(purged)
    }
}
