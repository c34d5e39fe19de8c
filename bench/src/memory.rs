//! Memory for each live session, and how long a restart takes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::config::Config;
use yaopai::serve::Engine;
use yaopai_core::ids::SessionId;
use yaopai_core::live::Presence as _;
use yaopai_core::ports::{Change, ChangeSink, Clock as _};
use yaopai_core::proof::{ProofKey, Proven, Quota};
use yaopai_core::seal::Sealer;
use yaopai_core::time::Downtime;

use crate::people::{Kind, People};
use crate::server::{Process, memory};
use crate::stopwatch::Stopwatch;
use crate::world::Room;

/// Fills a database with people who are logged in; with keyed sessions, if that is wanted, which the server of this configuration
/// can open.
pub async fn fill(config: &Path, people: People, many: u64, keyed: bool) -> anyhow::Result<()> {
    struct Nothing;
    impl ChangeSink for Nothing {
        fn apply(&self, _: Change) {}
    }
    let config = Config::read(config)?;
    let engine = Engine::open(&config.database, Arc::new(Nothing), false)?;
    let store = engine.store();
    let sealer = Arc::new(Sealer::open(&*store, &config.master_key, Arc::new(SystemEntropy)).await?);
    let next = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..1024)
        .map(|_| {
            let (store, sealer, next) = (store.clone(), sealer.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= many {
                        return anyhow::Ok(());
                    }
                    let kind = if keyed { Kind::Keyed(&sealer) } else { Kind::Bearer };
                    store.open(people.login(n, kind)?).await?;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    engine.close().await;
    Ok(())
}

/// The table alone, in this process: before and after each session was checked once.
pub async fn table(many: u64, keyed: bool) -> anyhow::Result<String> {
    let now = SystemClock::default().now();
    let people = People::new(many, now);
    drop(Room::new(people, 0, keyed).await?);
    let before = memory("self")?;
    let table = Room::new(people, many, keyed).await?.table;
    let filled = memory("self")?;
    // What is proved, and by what, takes no memory of the table.
    let proved = |_: &ProofKey, _: &Quota| Ok(Proven::BY_TOKEN);
    for n in 0..many {
        let found = table.check(&people.token(n), (now, Downtime(0)), true, proved, |p, proven| {
            p.response(SessionId(people.token(n).id), proven)
        });
        anyhow::ensure!(matches!(found, yaopai_core::live::Looked::Pass(_)), "session {n} does not pass");
    }
    let used = memory("self")?;
    anyhow::ensure!(table.len() as u64 == many, "the table lost sessions");
    let each = |after: u64| (after.saturating_sub(before)) as f64 / many as f64;
    Ok(format!(
        "| {many} live {}sessions | bytes of RAM a session |\n|---|---|\n| the live table, filled | {:.0} |\n\
         | and every session checked once | {:.0} |\n",
        if keyed { "keyed " } else { "" },
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
