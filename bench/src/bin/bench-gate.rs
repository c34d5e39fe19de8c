//! Instructions and allocations of a check, against bench/budget.toml.
#![allow(clippy::print_stdout, reason = "what the program is for")]

use std::path::PathBuf;

use bench::{callgrind, count, gate, server};
use clap::Parser;

#[derive(Parser)]
#[command(name = "bench-gate", about = "Instructions and allocations of a check, against bench/budget.toml")]
enum Command {
    /// Measures and compares; status 1 above the budget.
    Gate {
        /// The budget.
        #[arg(long, default_value = "bench/budget.toml")]
        budget: PathBuf,
        /// Write what was measured into it.
        #[arg(long)]
        write: bool,
        /// Only measure.
        #[arg(long)]
        figures: bool,
    },
    /// Writes a profile of one path.
    Profile {
        /// Which.
        path: count::Path,
    },
    /// What callgrind runs: answers so many requests in this process.
    #[command(hide = true)]
    Count {
        path: count::Path,
        k: u64,
        #[arg(default_value_t = 1000)]
        sessions: u64,
    },
    /// What is behind a gateway: a process of its own, whose instructions nobody counts.
    #[command(hide = true)]
    Upstream,
}

fn main() -> std::process::ExitCode {
    bench::exit(run())
}

fn run() -> anyhow::Result<()> {
    // One thread, so that the count has no luck in it.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match Command::parse() {
        Command::Gate { budget, write, figures } => {
            let measured = gate::measure()?;
            println!("{measured}");
            match (figures, write) {
                (true, _) => Ok(()),
                (false, true) => measured.write(&budget),
                (false, false) => measured.compare(&budget),
            }
        }
        Command::Profile { path } => {
            println!("Now: callgrind_annotate {}", callgrind::profile(path)?.display());
            Ok(())
        }
        Command::Count { path, k, sessions } => runtime.block_on(count::run(path, k, sessions)),
        Command::Upstream => runtime.block_on(server::upstream()),
    }
}
