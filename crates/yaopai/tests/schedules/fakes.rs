//! The world around the server: a clock moved by hand, a platform that exchanges each code once, a back end, a disk.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use rusqlite::{Connection, OpenFlags};
use yaopai_core::app::App;
use yaopai_core::jar::Cookie;
use yaopai_core::ports::*;
use yaopai_core::session::Session;
use yaopai_core::time::Timestamp;
use yaopai_store::{Disk, Model, Options, Sqlite};

use super::gates::Gates;
use super::ledger::Ledger;

#[derive(Default)]
pub struct ManualClock(pub AtomicI64);

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// Exchanges each code once.
pub struct FakePlatform {
    pub gates: Arc<Gates>,
    /// Codes that were not exchanged yet, and whose they are.
    pub codes: Mutex<HashMap<String, String>>,
}

#[async_trait]
impl Platform for FakePlatform {
    async fn exchange(&self, _: &App, code: &str) -> Result<Vouched, PlatformError> {
        self.gates.pass("platform, before the exchange").await;
        if self.gates.fails() {
            return Err(PlatformError::NotReached { retry_after: 1, what: "a fault".into() });
        }
        let openid = self.codes.lock().unwrap().remove(code).ok_or(PlatformError::CodeUsed)?;
        self.gates.pass("platform, after the exchange").await;
        if self.gates.fails() {
            return Err(PlatformError::Unavailable { retry_after: 1, what: "a fault".into() });
        }
        Ok(Vouched { openid, unionid: None, session_key: Some("c2Vzc2lvbl9rZXk=".to_owned().into()) })
    }
}

/// A business system. An identity's user is `user-of-<openid>`.
pub struct FakeBackEnd {
    pub gates: Arc<Gates>,
    /// Does it know an identity at its first login already? In a thousand.
    pub knows: u64,
}

#[async_trait]
impl BackEnd for FakeBackEnd {
    async fn resolve(&self, _: &App, openid: &str, _: Option<&str>) -> Result<Option<UserFound>, BackEndError> {
        self.gates.pass("resolve").await;
        if self.gates.fails() {
            return Err(BackEndError("a fault".into()));
        }
        Ok(self.gates.roll(self.knows).then(|| found(openid)))
    }

    async fn bind(&self, _: &App, openid: &str, _: Option<&str>, _: &Evidence) -> Result<BindVerdict, BackEndError> {
        self.gates.pass("webhook bind").await;
        if self.gates.fails() {
            return Err(BackEndError("a fault".into()));
        }
        Ok(if self.gates.roll(100) { BindVerdict::Rejected(None) } else { BindVerdict::User(found(openid)) })
    }

    async fn opened(&self, _: &App, _: &Session, _: &[Cookie]) -> Result<Vec<String>, BackEndError> {
        self.gates.pass("opened").await;
        if self.gates.fails() {
            return Err(BackEndError("a fault".into()));
        }
        Ok(if self.gates.roll(100) { vec!["JSESSIONID=1".into()] } else { Vec::new() })
    }
}

pub fn found(openid: &str) -> UserFound {
    UserFound { user: format!("user-of-{openid}").as_str().into(), claims: None }
}

/// What survives a crash.
pub enum Home {
    Model(Disk),
    Sqlite(tempfile::TempDir),
}

impl Home {
    pub fn open(&self, sink: Arc<dyn ChangeSink>) -> Arc<dyn Store> {
        match self {
            Self::Model(disk) => Arc::new(Model::open(disk.clone(), sink)),
            Self::Sqlite(folder) => {
                let options = Options { readers: 1, ..Options::default() };
                Arc::new(Sqlite::open(folder.path().join("yaopai.db"), sink, options).unwrap())
            }
        }
    }

    /// Another connection to the same file, which sees only what is committed.
    fn look(&self) -> Option<Connection> {
        let Self::Sqlite(folder) = self else { return None };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let db = Connection::open_with_flags(folder.path().join("yaopai.db"), flags).unwrap();
        db.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        Some(db)
    }
}

/// Between an engine and the table: what reaches the table must be committed already.
pub struct Tee {
    pub table: Arc<dyn ChangeSink>,
    pub ledger: Arc<Mutex<Ledger>>,
    look: Mutex<Option<Connection>>,
}

impl Tee {
    pub fn new(home: &Home, table: Arc<dyn ChangeSink>, ledger: Arc<Mutex<Ledger>>) -> Self {
        Self { table, ledger, look: Mutex::new(home.look()) }
    }

    /// Before another process opens the file.
    pub fn close(&self) {
        drop(self.look.lock().unwrap().take());
    }

    fn committed(&self, change: &Change) -> bool {
        let look = self.look.lock().unwrap();
        let Some(db) = look.as_ref() else { return true };
        let (id, secrets) = match change {
            Change::Put(s) => (s.id, serde_json::to_string(&s.secrets).ok()),
            Change::Ended(id) => (*id, None),
        };
        let sql = "SELECT 1 FROM sessions WHERE id = ?1 AND (?2 IS NULL) = (ended_at IS NOT NULL) \
                   AND ifnull(secrets = ?2, 1)";
        db.prepare_cached(sql).unwrap().exists(rusqlite::params![id.0, secrets]).unwrap()
    }
}

impl ChangeSink for Tee {
    fn apply(&self, change: Change) {
        let committed = self.committed(&change);
        {
            let mut ledger = self.ledger.lock().unwrap();
            if !committed {
                ledger.wrong.push(format!("handed to the table before its commit: {change:?}"));
            }
            if let Change::Ended(id) = &change {
                ledger.ended_now.push(*id);
            }
        }
        self.table.apply(change);
    }
}
