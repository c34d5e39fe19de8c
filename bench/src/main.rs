//! CPU, memory, restart and durable logins, measured on this machine: Markdown tables.
#![allow(clippy::print_stdout, reason = "what the program is for")]

use std::path::PathBuf;

use bench::cpu::{Pace, Side};
use bench::load::Load;
use bench::people::People;
use bench::{cpu, logins, memory, server};
use clap::{Parser, Subcommand};
use yaopai::clock::SystemClock;
use yaopai_core::ports::Clock as _;

#[derive(Parser)]
#[command(name = "bench", about = "Yaopai measured")]
enum Command {
    /// CPU of a check against bare hyper, memory and restart, durable logins against SQLite: Markdown tables.
    Report {
        /// Live sessions.
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
        /// Rounds of the CPU's measurement.
        #[arg(long, default_value_t = 30)]
        rounds: u32,
        /// Seconds of one.
        #[arg(long, default_value_t = 1)]
        seconds: u64,
        /// Rounds of the logins' measurement.
        #[arg(long, default_value_t = 5)]
        login_rounds: u32,
        /// Logins in one.
        #[arg(long, default_value_t = 40_000)]
        logins: u64,
        /// Where the databases are made: a real disk, or durability costs nothing.
        #[arg(long, default_value = "target")]
        folder: PathBuf,
    },
    /// Durable logins against SQLite alone.
    Logins {
        /// Rounds.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
        /// Logins in one.
        #[arg(long, default_value_t = 40_000)]
        logins: u64,
        /// Where the databases are made.
        #[arg(long, default_value = "target")]
        folder: PathBuf,
    },
    /// Memory of the live table.
    Memory {
        /// Live sessions.
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
    },
    /// A server to be measured.
    #[command(subcommand, hide = true)]
    Serve(Serve),
}

#[derive(Subcommand)]
enum Serve {
    /// hyper with a fixed answer.
    Bare,
    /// The real server.
    Check { config: PathBuf },
}

fn main() -> std::process::ExitCode {
    bench::exit(run())
}

fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match Command::parse() {
        Command::Report { sessions, rounds, seconds, login_rounds, logins, folder } => {
            report(&runtime, sessions, &folder, Pace { rounds, seconds })?;
            println!("{}", runtime.block_on(logins::run(&folder, login_rounds, logins))?);
            Ok(())
        }
        Command::Logins { rounds, logins, folder } => {
            println!("{}", runtime.block_on(logins::run(&folder, rounds, logins))?);
            Ok(())
        }
        Command::Memory { sessions } => {
            print!("{}", memory::table(sessions)?);
            Ok(())
        }
        Command::Serve(Serve::Bare) => runtime.block_on(server::bare()),
        Command::Serve(Serve::Check { config }) => runtime.block_on(server::check(&config)),
    }
}

/// So many sessions are few.
const FEW: u64 = 1000;

/// The measurements that share a full database: restart, memory, CPU.
fn report(
    runtime: &tokio::runtime::Runtime,
    sessions: u64,
    folder: &std::path::Path,
    pace: Pace,
) -> anyhow::Result<()> {
    let [none, few, full] = [(); 3].map(|()| tempfile::tempdir_in(folder));
    let (none, few, full) = (none?, few?, full?);
    let people = People::new(sessions, SystemClock::default().now());
    for (place, many) in [(&few, FEW.min(sessions)), (&full, sessions)] {
        runtime.block_on(memory::fill(&place.path().join("yaopai.db"), people, many))?;
    }
    let (process, of_none) = memory::restart(&server::config(none.path())?)?;
    drop(process);
    let (check, of_all) = memory::restart(&server::config(full.path())?)?;
    let bare = server::Process::start(&["serve", "bare"])?;
    // Those who are active fit the processor's caches, or they don't.
    for active in [1024, 65_536].map(|active| sessions.min(active)) {
        let load = Load::new(people, sessions, active)?;
        let title = format!("{sessions} live sessions, {active} of them in turn");
        let base = Side { name: "bare hyper, same headers", process: &bare, load: &load };
        let other = Side { name: "check", process: &check, load: &load };
        println!("{}", cpu::run(&base, &other, &title, "check ÷ bare hyper (at most 1.10)", pace)?);
    }
    drop(bare);
    let (of_few, _) = memory::restart(&server::config(few.path())?)?;
    let loads = (Load::new(people, FEW.min(sessions), FEW)?, Load::new(people, sessions, sessions.min(65_536))?);
    let base = Side { name: "a check, all of them in turn", process: &of_few, load: &loads.0 };
    let many = format!("a check among {sessions}, 65536 of them in turn");
    let other = Side { name: &many, process: &check, load: &loads.1 };
    let title = format!("{FEW} live sessions");
    println!("{}", cpu::run(&base, &other, &title, "many ÷ few (at most 1.3)", pace)?);
    // A process of its own: in this one the allocator has room left over from filling the database.
    print!("{}", server::output(&["memory", "--sessions", &sessions.to_string()])?);
    let each = (of_all.memory.saturating_sub(of_none.memory)) as f64 / sessions as f64;
    println!("| the whole server after a restart, over an empty one (at most 300) | {each:.0} |\n");
    println!(
        "| restart | s until the first check |\n|---|---|\n| empty database | {:.2} |\n| {sessions} live sessions | {:.2} |\n",
        of_none.seconds, of_all.seconds
    );
    Ok(())
}
