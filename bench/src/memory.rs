//! Memory for each live session, and how long a restart takes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use yaopai::clock::SystemClock;
use yaopai_core::ids::SessionId;
use yaopai_core::live::{LiveTable, Presence as _};
use yaopai_core::ports::{Change, ChangeSink, Clock as _, Store as _};
use yaopai_core::proof::{ProofKey, Quota, Unproved};
use yaopai_core::time::Downtime;
use yaopai_store::{Options, Sqlite};

use crate::people::People;
use crate::server::{Process, memory};
use crate::stopwatch::Stopwatch;
use crate::world;

/// Fills a database with people who are logged in.
pub async fn fill(path: &Path, people: People, many: u64) -> anyhow::Result<()> {
    struct Nothing;
    impl ChangeSink for Nothing {
        fn apply(&self, _: Change) {}
    }
    let store = Arc::new(Sqlite::open(path, Arc::new(Nothing), Options::default())?);
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..1024)
        .map(|_| {
            let (store, next) = (store.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= many {
                        return anyhow::Ok(());
                    }
                    store.open(people.login(n)).await?;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    store.close().await;
    Ok(())
}

/// The table alone, in this process: before and after each session was checked once.
pub fn table(many: u64) -> anyhow::Result<String> {
    let now = SystemClock::default().now();
    let people = People::new(many, now);
    let empty: Arc<LiveTable<_>> = world::table(people, 0);
    drop(empty);
    let before = memory("self")?;
    let table = world::table(people, many);
    let filled = memory("self")?;
    let no_key = |_: &ProofKey, _: &Quota| Err(Unproved::Missing);
    for n in 0..many {
        let found = table.check(&people.token(n), (now, Downtime(0)), true, no_key, |p, proven| {
            p.response(SessionId(people.token(n).id), proven)
        });
        anyhow::ensure!(matches!(found, yaopai_core::live::Looked::Pass(_)), "session {n} does not pass");
    }
    let used = memory("self")?;
    anyhow::ensure!(table.len() as u64 == many, "the table lost sessions");
    let each = |after: u64| (after.saturating_sub(before)) as f64 / many as f64;
    Ok(format!(
        "| {many} live sessions | bytes of RAM a session |\n|---|---|\n| the live table, filled | {:.0} |\n\
         | and every session checked once | {:.0} |\n",
        each(filled),
        each(used)
    ))
}

/// A restart: from the process' start to its first check, and its memory then.
pub struct Restart {
    /// Seconds until the listener answers.
    pub seconds: f64,
    /// Bytes.
    pub memory: u64,
}

/// Starts the server on a database; it stays for what follows.
pub fn restart(config: &Path) -> anyhow::Result<(Process, Restart)> {
    let watch = Stopwatch::start();
    let process = Process::start(&["serve", "check", &config.display().to_string()])?;
    let seconds = watch.elapsed().as_secs_f64();
    let memory = process.memory()?;
    Ok((process, Restart { seconds, memory }))
}
