//! `yaopai import bindings`, and where `yaopai import all` begins

mod columns;
mod journal;
mod problem;
mod row;
mod rows;
mod scratch;
mod source;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use yaopai_core::audit::{Actor, By, Event, Kind, Noted, Scribe};
use yaopai_core::ids::AppName;
use yaopai_core::ports::{Change, ChangeSink, Clock};
use yaopai_core::service::Importer;
use yaopai_store::OpenError;

use crate::clock::{SystemClock, SystemEntropy};
use crate::config::{Config, Database};
use crate::serve::{Engine, StartError};
use journal::{Entry, Journal};
use row::Reading;
use scratch::Scratch;
use source::Source;

#[derive(clap::Subcommand)]
pub enum Command {
    /// Bring in a table of bound accounts from a CSV file. A server on the embedded database must be stopped; nodes may run.
    ///
    /// Columns, named in the first line: openid, user; optional: app, unionid, claims (a JSON object), bound_at (RFC 3339).
    /// Started again after it was cut off, it goes on where it was. Ends with status 0 if every row is in, 1 if some are not
    /// (the others are in all the same), 2 if it could not run.
    Bindings(Args),
    /// Bring everything that `yaopai export all` has written into an empty database, of either kind: all of it, or nothing.
    ///
    /// What has come in is read back and compared. Ends with status 0 if all is there, 2 if nothing was changed.
    All(super::house::ImportArgs),
}

#[derive(clap::Args)]
pub struct Args {
    /// The file: UTF-8, comma-separated, with a header line.
    file: PathBuf,
    /// The configuration.
    #[arg(long, short, default_value = "yaopai.toml", env = "YAOPAI_CONFIG")]
    config: PathBuf,
    /// The app of rows that name none.
    #[arg(long)]
    app: Option<String>,
    /// Change nothing, and report what would happen. The server may run meanwhile.
    #[arg(long)]
    dry_run: bool,
    /// Write each row that did not come in to this CSV file, with the reason and what stands there now.
    #[arg(long)]
    report: Option<PathBuf>,
    /// Forget that an import of this file was cut off, and begin with its first row.
    #[arg(long)]
    restart: bool,
    /// Rows in one transaction.
    #[arg(long, hide = true, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=50_000))]
    batch: u32,
}

/// Nobody is served meanwhile: there is no table of live sessions to keep.
struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

/// Runs it. Not being able to is status 2 here, because 1 says that some rows did not come in.
pub fn main(command: Command) -> ExitCode {
    let done = match command {
        Command::Bindings(args) => super::run(By::actor(Actor::Operator, None).scope(run(args))),
        Command::All(args) => super::house::import(&args).map(|()| true),
    };
    match done {
        Ok(all) => ExitCode::from(u8::from(!all)),
        Err(e) => {
            eprintln!("yaopai: {e}");
            ExitCode::from(2)
        }
    }
}

/// True if all rows are in.
async fn run(args: Args) -> anyhow::Result<bool> {
    let config = Config::read(&args.config)?;
    let app = args.app.as_deref().map(AppName::from);
    if let Some(app) = app.as_ref().filter(|app| config.apps.get(app).is_none()) {
        return Err(anyhow!("--app {app}: the configuration has no app of this name"));
    }
    let mut source = Source::open(&args.file, app.is_some())?;
    let file = source.hash(app.as_ref())?;
    let clock = Arc::new(SystemClock::default());
    let began = clock.now();

    let scratch = if args.dry_run { Some(Scratch::of(&config)?) } else { None };
    let engine = match (&scratch, &config.database) {
        (Some(scratch), _) => Engine::open(&Database::Embedded(scratch.path().to_owned()), Arc::new(Nobody), true),
        (None, database) => Engine::open(&database.of_a_guest("import"), Arc::new(Nobody), false),
    };
    let engine = engine.map_err(stopped_first)?;
    let store = engine.store();
    let scribe = Scribe::new(&config.master_key, clock.clone(), Arc::new(SystemEntropy));
    store.begin_audit(Arc::new(scribe));
    let importer = Importer::start(config.apps.clone(), store.clone(), clock.clone(), Arc::new(SystemEntropy));
    let importer = importer.await.map_err(plainly)?;
    if args.dry_run || args.restart {
        importer.end(&file).await.map_err(plainly)?;
    }
    let mark = importer.mark(&file).await.map_err(plainly)?;
    let journal = Arc::new(Journal::open(args.report.as_deref(), mark.as_ref())?);
    let mut from = 0;
    if let Some(mark) = mark {
        from = mark.position;
        let line = journal.tally().line;
        eprintln!("going on at line {line}, where an import of this file was cut off");
        source.go_to(from, line)?;
    }

    let before = journal.tally().rows;
    let reading = Reading { columns: source.columns, apps: &config.apps, app, now: began };
    loop {
        let (mut bindings, mut entries) = (Vec::new(), Vec::new());
        for _ in 0..args.batch {
            let Some(raw) = source.rows.next()? else { break };
            let line = raw.line;
            match reading.row(raw) {
                Ok(binding) => {
                    entries.push(Entry::good(line, &binding));
                    bindings.push(binding);
                }
                Err(bad) => entries.push(Entry::bad(line, bad)),
            }
        }
        if entries.is_empty() {
            break;
        }
        let place = source.rows.place();
        journal.expect(entries, place.line);
        importer.bring_in(file, (from, place.byte), bindings, journal.clone()).await.map_err(plainly)?;
        journal.settle();
        from = place.byte;
    }

    let tally = journal.tally();
    let millis = clock.now().0 - began.0;
    summary::print(&tally, args.dry_run, tally.rows - before, millis);
    if !args.dry_run {
        // A row a file. Killed right after it, there is one more, of the run that found all rows there.
        let event = Event::new(Kind::Import, "").times(tally.bound);
        store.note(vec![Noted { event, by: By::current() }]).await?;
    }
    // Only now: killed before, it says all of this again.
    importer.end(&file).await.map_err(plainly)?;
    engine.close().await;
    Ok(tally.all_in())
}

pub(super) fn stopped_first(e: impl Into<StartError>) -> anyhow::Error {
    match e.into() {
        StartError::Open(OpenError::Locked { path }) => anyhow!(
            "{} is in use by another process: stop the server first (a --dry-run needs no stop)",
            path.display()
        ),
        e => e.into(),
    }
}

/// The operator is on the database's own machine: what the log would say is what helps.
fn plainly(e: yaopai_core::Error) -> anyhow::Error {
    anyhow!("{}; start the import again, it goes on where it was", e.internal.unwrap_or_else(|| e.detail.into_owned()))
}
