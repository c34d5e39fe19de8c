//! Several hosts in a connection string, one of which is frozen: it takes connections and says nothing.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use yaopai_core::ports::{Shared as _, Store as _, Used};
use yaopai_store::{Postgres, PostgresNonces, PostgresOptions};

use conformance::shared::{Place as _, used};
use conformance::*;
use database::Server;

struct Frozen {
    folder: tempfile::TempDir,
    taken: Arc<AtomicUsize>,
}

impl Frozen {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).unwrap();
        let counts = Arc::<AtomicUsize>::default();
        let frozen = Self { folder, taken: Arc::clone(&counts) };
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for client in listener.incoming() {
                held.push(client);
                counts.fetch_add(1, Ordering::SeqCst);
            }
        });
        frozen
    }

    /// The same address, with this one before it.
    fn before(&self, url: &str) -> String {
        url.replace("host=", &format!("host={},", self.folder.path().display()))
    }

    fn taken(&self) -> usize {
        self.taken.load(Ordering::SeqCst)
    }
}

/// No longer than a host's share, and that once: whoever connects next begins with the one that answered.
#[tokio::test]
async fn the_next_host_is_asked_in_time() {
    let (server, frozen) = (Server::start(), Frozen::start());
    let home = server.home();
    let url = frozen.before(&home.url);
    let asked = url.clone();
    let opening = tokio::task::spawn_blocking(move || PostgresNonces::open(&asked, "a").unwrap());
    let store = tokio::time::timeout(Duration::from_secs(20), opening).await.expect("in time").unwrap();
    assert_eq!(frozen.taken(), 1, "for three connections");
    home.age(40_000);
    let now = home.now() / 1000;
    assert_eq!(store.first_use(used(1, now)).await.unwrap(), Used::First);
    server.kill();
    server.run();
    let mut answer = store.first_use(used(2, now)).await;
    if answer.is_err() {
        // The connection was lost, and is found to be.
        answer = store.first_use(used(2, now)).await;
    }
    assert_eq!(answer.unwrap(), Used::First);
    assert_eq!(frozen.taken(), 1);

    let (log, options) = (Arc::new(Log::default()), PostgresOptions::new("a"));
    let engine = Postgres::open(&format!("{url} connect_timeout=1"), log, options).unwrap();
    opened(engine.open(login(1, "o")).await.unwrap());
    assert_eq!(frozen.taken(), 2, "for six more");
}

/// Which host failed by what is told of each.
#[test]
fn all_that_failed_is_told() {
    let frozen = Frozen::start();
    let url = frozen.before("host=/nowhere user=yaopai connect_timeout=1");
    let Err(failed) = PostgresNonces::open(&url, "a") else { panic!("opened") };
    let (failed, place) = (failed.to_string(), frozen.folder.path().display());
    assert!(failed.contains(&format!("{place}: the server is silent; /nowhere: ")), "{failed}");
}
