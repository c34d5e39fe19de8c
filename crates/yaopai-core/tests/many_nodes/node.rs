//! A node: the real table, lease and follower, on clocks that the simulation moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use yaopai_core::ids::{IdentityId, SessionId};
use yaopai_core::live::{Entry, Follower, Lease, LiveTable, Looked, MakeEntry, Moment, Moments, ReadTicket};
use yaopai_core::ports::{Clock, LogPage};
use yaopai_core::session::{Device, Secrets, Session, SessionKey};
use yaopai_core::time::{Downtime, Timestamp, Uptime};
use yaopai_wire::token::{Secret, Token};

use crate::faults::Broken;

pub const MAX_STALE: i64 = 2000;
const EPOCH: i64 = 1_800_000_000_000;

/// The node's clocks: what really passed, and how far its wall clock is off.
#[derive(Default)]
pub struct Clocks {
    pub real: AtomicI64,
    pub off: AtomicI64,
    held: AtomicI64,
}

impl Clocks {
    fn wall(&self) -> i64 {
        EPOCH + self.real.load(Ordering::Relaxed) + self.off.load(Ordering::Relaxed)
    }
}

impl Moments for Clocks {
    fn moment(&self) -> Moment {
        Moment { boot: self.real.load(Ordering::Relaxed), wall: self.wall() }
    }
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        Timestamp(self.held.fetch_max(self.wall(), Ordering::Relaxed).max(self.wall()))
    }
}

pub struct Node {
    pub clocks: Arc<Clocks>,
    pub table: LiveTable<()>,
    follower: Follower,
    broken: Broken,
}

impl Node {
    pub fn new(broken: Broken) -> Self {
        let clocks = Arc::new(Clocks::default());
        let make: MakeEntry<()> = Box::new(|_| Some(Entry { answer: (), idle_ms: u32::MAX, key: None }));
        let max_stale = Duration::from_millis(u64::try_from(MAX_STALE).unwrap());
        let lease = Lease::new(max_stale, clocks.clone());
        let table = LiveTable::new(1000, clocks.clone(), make).following(lease);
        Self { clocks, table, follower: Follower::default(), broken }
    }

    pub fn moment(&self) -> Moment {
        self.clocks.moment()
    }

    pub fn cursor(&self) -> u64 {
        self.follower.cursor()
    }

    /// A poll's answer.
    pub fn learn(&mut self, mut page: LogPage, mut began: Moment) {
        match self.broken {
            Broken::CursorAtTheEnd => page.xmin = page.xmax,
            Broken::TimelineUnread => page.timeline = 1,
            Broken::LeaseFromTheAnswer => began = self.moment(),
            Broken::ClearedUnread => page.kept_from = 0,
            _ => {}
        }
        let _ = self.table.learn(&mut self.follower, &page, began);
    }

    /// Passes by the table alone?
    pub fn check(&self, session: SessionId) -> bool {
        let now = self.clocks.now();
        let shown = Token { id: session.0, secret: secret() };
        let looked = self.table.check(&shown, (now, Downtime(0)), true, |_, _| unreachable!("no key"), |(), _| ());
        looked == Looked::Pass(())
    }

    pub fn begin_read(&self) -> ReadTicket {
        self.table.begin_read().unwrap()
    }

    /// What was read has come: does it pass?
    pub fn read(&self, session: SessionId, mut ticket: ReadTicket, alive: bool) -> bool {
        if self.broken == Broken::FillUnasked {
            ticket.fill = self.table.begin_fill();
        }
        if !alive || (self.broken != Broken::LateReadBelieved && !self.table.still_true(ticket)) {
            return false;
        }
        self.table.fill(ticket.fill, &as_read(session));
        true
    }
}

fn secret() -> Secret {
    Secret::new([7; 32])
}

fn as_read(id: SessionId) -> Session {
    let far = Timestamp(i64::MAX / 2);
    Session {
        id,
        realm: "default".into(),
        app: "shop".into(),
        identity: IdentityId([1; 16]),
        openid: "o1".into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: Timestamp(EPOCH),
        vouched_at: Timestamp(EPOCH),
        absolute_at: far,
        last_seen: Uptime(i64::MAX / 2),
        key: SessionKey::Bearer,
        secrets: Secrets::new(secret().hash(), false),
        ended: None,
    }
}
