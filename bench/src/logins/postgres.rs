//! The shared store against PostgreSQL alone: one server of the bench's own, fsync on, over its socket.

use std::sync::Arc;

use anyhow::ensure;
use yaopai_core::live::Presence as _;
use yaopai_core::ports::{AuditRow, Open};
use yaopai_store::{Postgres, PostgresOptions};

use super::{Cost, Rounds, Rows, first, head, ratio, raw_postgres, row, through_the_store, watched};
use crate::programs::postgres::Server;
use crate::stopwatch::{Stopwatch, cpu_of_thread, least};

/// Measures and writes the table.
///
/// # Errors
/// PostgreSQL is missing, or a login fails.
pub async fn run(rounds: u32, many: u64) -> anyhow::Result<String> {
    let server = Server::start_with(&["shared_buffers=256MB", "max_wal_size=4GB"]);
    let (mut ours, mut raws, mut mean) = (Rounds::default(), Rounds::default(), Vec::new());
    // A round more than counted: the first one finds cold files.
    for round in 0..=rounds {
        let logins = first(many)?;
        let (cost, batches, told) = stored(&database(&server, &format!("store{round}")), logins.clone()).await?;
        let cost_alone = alone(database(&server, &format!("raw{round}")), logins, told, batches.clone()).await?;
        if round > 0 {
            ours.push(cost, many);
            raws.push(cost_alone, many);
            mean.push(many as f64 / batches.len() as f64);
        }
    }
    let (best, middle) = ratio(&ours, &raws);
    Ok(format!(
        "{}{}{}| **store ÷ PostgreSQL alone** (at least 0.60) | **{best:.2} ×** | {middle:.2} × | {:.2} × | |\n",
        head(rounds, many),
        row("PostgreSQL alone: the same rows, the same batches, one INSERT after the other", &raws, &mean),
        row("`Store::open`, the live table included", &ours, &mean),
        least(&raws.micros) / least(&ours.micros),
    ))
}

fn database(server: &Server, name: &str) -> String {
    server.sql(&format!("CREATE DATABASE {name}"));
    server.sql("CHECKPOINT");
    format!("host={} user=yaopai dbname={name}", server.folder().display())
}

async fn stored(url: &str, logins: Vec<Open>) -> anyhow::Result<(Cost, Vec<usize>, Vec<AuditRow>)> {
    let many = logins.len();
    let (sink, table) = watched().await?;
    let store = Arc::new(Postgres::open(url, sink.clone(), PostgresOptions::new("bench"))?);
    let done = through_the_store(store.clone(), sink.batches.clone(), logins).await?;
    store.close().await;
    ensure!(table.len() == many, "{} of {many} logins are in the table", table.len());
    Ok(done)
}

/// The same rows into a database of its own.
async fn alone(url: String, logins: Vec<Open>, told: Vec<AuditRow>, sizes: Vec<usize>) -> anyhow::Result<Cost> {
    let rows = Rows::all(logins, told)?;
    // The schema, as the store makes it.
    Postgres::open(&url, watched().await?.0, PostgresOptions::new("bench"))?.close().await;
    let alone = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut raw = raw_postgres::Raw::connect(&url).await?;
            let (watch, before) = (Stopwatch::start(), cpu_of_thread(None)?);
            raw.insert(&rows, &sizes).await?;
            anyhow::Ok(Cost { time: watch.elapsed(), cpu: cpu_of_thread(None)? - before })
        })
    });
    alone.await?
}
