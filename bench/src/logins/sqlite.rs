//! The embedded store against SQLite alone.

use std::path::Path;
use std::sync::Arc;

use anyhow::ensure;
use yaopai_core::live::Presence as _;
use yaopai_core::ports::{AuditRow, Open};
use yaopai_store::{Options, Sqlite};

use super::{Cost, Rounds, Rows, first, head, ratio, raw_sqlite, row, through_the_store, watched};
use crate::stopwatch::{Stopwatch, cpu_of_thread, least};

/// Measures and writes the table.
///
/// # Errors
/// A login fails, or the disk does.
pub async fn run(folder: &Path, rounds: u32, many: u64) -> anyhow::Result<String> {
    let (mut ours, mut raws, mut mean) = (Rounds::default(), Rounds::default(), Vec::new());
    let mut untold = Rounds::default();
    // A round more than counted: the first one finds cold files.
    for round in 0..=rounds {
        let logins = first(many)?;
        let folder = tempfile::tempdir_in(folder)?;
        let (cost, batches, told) = stored(&folder.path().join("store.db"), logins.clone()).await?;
        let cost_untold = alone(&folder.path().join("untold.db"), logins.clone(), Vec::new(), batches.clone()).await?;
        let cost_alone = alone(&folder.path().join("raw.db"), logins, told, batches.clone()).await?;
        if round > 0 {
            ours.push(cost, many);
            raws.push(cost_alone, many);
            untold.push(cost_untold, many);
            mean.push(many as f64 / batches.len() as f64);
        }
    }
    let (best, middle) = ratio(&ours, &raws);
    Ok(format!(
        "{}{}{}{}| **store ÷ SQLite alone** (at least 0.80) | **{best:.2} ×** | {middle:.2} × | {:.2} × | |\n",
        head(rounds, many),
        row("SQLite alone: the same rows, the same batches", &raws, &mean),
        row("SQLite alone, without the audit log's rows", &untold, &mean),
        row("`Store::open`, the live table included", &ours, &mean),
        least(&raws.micros) / least(&ours.micros),
    ))
}

async fn stored(path: &Path, logins: Vec<Open>) -> anyhow::Result<(Cost, Vec<usize>, Vec<AuditRow>)> {
    let many = logins.len();
    let (sink, table) = watched().await?;
    let store = Arc::new(Sqlite::open(path, sink.clone(), Options::default())?);
    let done = through_the_store(store.clone(), sink.batches.clone(), logins).await?;
    store.close().await;
    ensure!(table.len() == many, "{} of {many} logins are in the table", table.len());
    Ok(done)
}

/// The same rows into a file of its own, with those of the audit log or without.
async fn alone(path: &Path, logins: Vec<Open>, told: Vec<AuditRow>, sizes: Vec<usize>) -> anyhow::Result<Cost> {
    let rows = Rows::all(logins, told)?;
    // The schema, as the store makes it.
    drop(Sqlite::open(path, watched().await?.0, Options::default())?);
    let path = path.to_owned();
    let alone = tokio::task::spawn_blocking(move || {
        let (watch, before) = (Stopwatch::start(), cpu_of_thread(None)?);
        raw_sqlite::insert(&path, &rows, &sizes)?;
        anyhow::Ok(Cost { time: watch.elapsed(), cpu: cpu_of_thread(None)? - before })
    });
    alone.await?
}
