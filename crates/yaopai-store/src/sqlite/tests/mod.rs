//! Tests that need the inside: commands here are closures, run by the engine's own writer.

mod close;
mod commit;
mod faults;
mod lists;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use tokio::sync::oneshot;
use yaopai_core::ids::{AppName, IdentityId, Realm, SessionId};
use yaopai_core::ports::{Change, DataKey, Store as _, StoreError, StoreResult};
use yaopai_core::session::{Device, Secrets, Session, SessionKey};
use yaopai_core::time::{Timestamp, Uptime};
use yaopai_wire::token::SecretHash;

use super::*;
use crate::commands::{self, Done};
use crate::engine::{Committed, writer};
use crate::rows::ServerRows as _;

type Work<'c> = commands::Work<'c, Connection>;

/// Notes which sessions it was told of.
#[derive(Default)]
struct Told(Mutex<Vec<u8>>);

impl ChangeSink for Told {
    fn apply(&self, change: Change) {
        let n = match change {
            Change::Put(s) => s.id.0[15],
            Change::Ended(id) => 100 + id.0[15],
        };
        self.0.lock().unwrap().push(n);
    }
}

struct Room {
    folder: tempfile::TempDir,
    told: Arc<Told>,
}

impl Room {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), told: Arc::default() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("yaopai.db")
    }

    fn open(&self, options: Options) -> Arc<Sqlite> {
        Arc::new(Sqlite::open(self.path(), Arc::clone(&self.told) as _, options).unwrap())
    }
}

fn session(n: u8) -> Session {
    Session {
        id: SessionId([n; 16]),
        realm: Realm::from("main"),
        app: AppName::from("shop"),
        identity: IdentityId([1; 16]),
        openid: "o".into(),
        unionid: None,
        user: None,
        claims: None,
        device: Device::default(),
        env_version: None,
        created_at: Timestamp(1),
        vouched_at: Timestamp(1),
        absolute_at: Timestamp(9),
        last_seen: Uptime(1),
        key: SessionKey::Bearer,
        secrets: Secrets::new(SecretHash([n; 32]), false),
        ended: None,
    }
}

/// Holds the writer until it is let go, so that whatever is asked meanwhile makes one batch.
async fn hold(store: &Arc<Sqlite>) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (go, wait) = mpsc::channel::<()>();
    let (there, arrived) = oneshot::channel();
    let (store, mut there) = (Arc::clone(store), Some(there));
    let held = tokio::spawn(async move {
        let hold = move |_: &mut Work<'_>| {
            there.take().unwrap().send(()).unwrap();
            let _ = wait.recv();
            Ok(())
        };
        store.write(hold).await.unwrap();
    });
    arrived.await.unwrap();
    (go, held)
}

/// A command that inserts a session and says so.
fn insert(store: &Arc<Sqlite>, n: u8) -> tokio::task::JoinHandle<StoreResult<u8>> {
    run(store, move |work| {
        rows::insert(work.db, &session(n))?;
        work.changes.push(Change::Put(Box::new(session(n))));
        Ok(n)
    })
}

fn run<T: Send + 'static>(
    store: &Arc<Sqlite>,
    command: impl FnMut(&mut Work<'_>) -> Done<T> + Send + 'static,
) -> tokio::task::JoinHandle<StoreResult<T>> {
    let store = Arc::clone(store);
    tokio::spawn(async move { store.write(command).await })
}

async fn kept(store: &Sqlite) -> Vec<u8> {
    store
        .read(|db| rows::all(db, "SELECT id FROM sessions ORDER BY id", [], rows::session_id))
        .await
        .unwrap()
        .iter()
        .map(|id| id.0[0])
        .collect()
}

/// Lets spawned tasks run up to where they wait.
async fn settle() {
    for _ in 0..64 {
        tokio::task::yield_now().await;
    }
}
