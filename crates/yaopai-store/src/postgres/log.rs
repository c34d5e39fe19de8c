//! The log of changes, read over a connection of its own: what is busy with logins holds up no news of kicks.

use std::sync::Arc;
use std::time::Duration;

use yaopai_core::ids::SessionId;
use yaopai_core::ports::{ChangeLog, Changed, LogPage, Polled, StoreResult};
use yaopai_core::time::{Downtime, Timestamp};

use super::db::{Db, apart};
use super::error::{Error, PostgresError};
use super::migrate::Said;
use super::rows::{self, Read};
use super::settings::Settings;
use super::value::Id;
use crate::rows::Fault as _;

/// How long a host may take to take a connection.
const CONNECT: Duration = Duration::from_millis(400);
/// Who is silent for longer isn't waited for: another connection may tell more.
const SILENCE: Duration = Duration::from_secs(1);
const GREETING: &str = "SET statement_timeout = '1s'; SET jit = off; SET default_transaction_read_only = on; \
                        SET default_transaction_isolation = 'read committed'";
/// More changes than this at a time are not read one by one: the reader begins anew.
const CHANGES_MAX: i64 = 50_000;

/// Where a poll is in the log, and what else every node is to know. One statement is one snapshot: the rows are those that it sees,
/// and `now` says which transactions it does not see yet. On a standby it fails, as it must: what is read there may be old.
const HEAD: &str = "SELECT s::text, pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint, \
                    ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint, \
                    m.changes_from, m.downtime_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, c.xids, c.ids, c.ends, \
                    m.schema, m.compatible_from, m.moved_at IS NOT NULL \
                    FROM meta m, (SELECT pg_current_snapshot() AS s) AS now, \
                    (SELECT array_agg(xid::text::bigint) AS xids, array_agg(session) AS ids, array_agg(ended) AS ends FROM \
                     (SELECT xid, session, ended FROM changes WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot) \
                      OR xid = ANY (ARRAY (SELECT pg_snapshot_xip($1::text::pg_snapshot))) LIMIT $2) AS page) AS c";

/// A reader of the log.
pub struct PostgresLog {
    db: Db,
    /// The snapshot of the last poll: of it is asked what has come since. A transaction that began before it and ends after it is in its list
    /// of those under way, so none is missed however long it took, and none is read twice.
    seen: Option<String>,
    /// Whose snapshot that is. Another one's numbers say nothing here.
    timeline: u32,
    /// The connection that it was asked over.
    connection: u64,
}

impl PostgresLog {
    /// Connects. Blocks; meant for the start.
    ///
    /// # Errors
    /// [`PostgresError`], whose text says what to do.
    pub fn open(url: &str, node: &str) -> Result<Self, PostgresError> {
        let settings = Arc::new(Settings::parse(url, node)?.hasty(CONNECT));
        let db = apart(move || Db::connect(&settings, GREETING))?;
        db.set_silence(SILENCE);
        Ok(Self { db, seen: None, timeline: 0, connection: 0 })
    }

    fn read(&mut self) -> Read<Polled> {
        // Of the first one nothing is asked: nothing is known that could be wrong.
        let seen = self.seen.as_deref();
        let row = self.db.one(HEAD, &[&seen, &(CHANGES_MAX + 1)], |row| {
            Said::read(row, 10)?.works()?;
            let number = |n| Ok::<_, Error>(rows::get::<i64>(row, n)?.unsigned_abs());
            let xids = rows::get::<Option<Vec<i64>>>(row, 7)?.unwrap_or_default();
            let ids = rows::get::<Option<Vec<Id>>>(row, 8)?.unwrap_or_default();
            let ends = rows::get::<Option<Vec<bool>>>(row, 9)?.unwrap_or_default();
            let changes = xids.into_iter().zip(ids).zip(ends);
            let changes: Vec<_> = changes
                .map(|((xid, id), ended)| Changed { xid: xid.unsigned_abs(), session: SessionId(id.0), ended })
                .collect();
            let timeline = u32::try_from(number(3)?).map_err(|e| Error::Unreadable(e.to_string()))?;
            let mut page = LogPage { timeline, xmin: number(1)?, xmax: number(2)?, kept_from: number(4)?, changes };
            if page.changes.len() > usize::try_from(CHANGES_MAX).unwrap_or(usize::MAX) {
                page.kept_from = u64::MAX;
                page.changes.clear();
            }
            let polled = Polled { page, downtime: Downtime(rows::get(row, 5)?), clock: Timestamp(rows::get(row, 6)?) };
            Ok((rows::get::<String>(row, 0)?, polled))
        })?;
        let (seen, mut polled) = row.ok_or_else(|| Error::Unreadable("the row of `meta` is gone".into()))?;
        // A server that crashed may give numbers out again that it hadn't written down, and then the snapshot says nothing of them. No
        // connection outlives that.
        if self.db.connection() != self.connection {
            polled.page.kept_from = u64::MAX;
            polled.page.changes.clear();
            self.connection = self.db.connection();
        }
        // One that was replaced and answers late is not who is asked on.
        if polled.page.timeline >= self.timeline {
            (self.seen, self.timeline) = (Some(seen), polled.page.timeline);
        }
        Ok(polled)
    }
}

impl ChangeLog for PostgresLog {
    fn poll(&mut self) -> StoreResult<Polled> {
        self.read().map_err(|e| e.store_error())
    }
}
