//! CPU, memory, restart and durable logins, measured on this machine: Markdown tables.
#![allow(clippy::print_stdout, reason = "what the program is for")]

use std::path::PathBuf;

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
            report(&runtime, sessions, &folder, |bare, check, people| {
                // Those who are active fit the processor's caches, or they don't.
                for active in [1024, 65_536].map(|active| sessions.min(active)) {
                    let load = Load::new(people, sessions, active)?;
                    let title = format!("{sessions} live sessions, {active} of them in turn");
                    println!("{}", cpu::run(bare, check, &load, &title, rounds, seconds)?);
                }
                Ok(())
            })?;
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

/// The measurements that share a full database: restart, memory, CPU.
fn report(
    runtime: &tokio::runtime::Runtime,
    sessions: u64,
    folder: &std::path::Path,
    cpu: impl FnOnce(&server::Process, &server::Process, People) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let (empty, full) = (tempfile::tempdir_in(folder)?, tempfile::tempdir_in(folder)?);
    let people = People::new(sessions, SystemClock::default().now());
    runtime.block_on(memory::fill(&full.path().join("yaopai.db"), people, sessions))?;
    let (process, of_none) = memory::restart(&server::config(empty.path())?)?;
    drop(process);
    let (check, of_all) = memory::restart(&server::config(full.path())?)?;
    let bare = server::Process::start(&["serve", "bare"])?;
    cpu(&bare, &check, people)?;
    let each = (of_all.memory.saturating_sub(of_none.memory)) as f64 / sessions as f64;
    print!("{}", memory::table(sessions)?);
    println!("| the whole server after a restart | {each:.0} |\n");
    println!(
        "| restart | s until the first check |\n|---|---|\n| empty database | {:.2} |\n| {sessions} live sessions | {:.2} |\n",
        of_none.seconds, of_all.seconds
    );
    Ok(())
}
