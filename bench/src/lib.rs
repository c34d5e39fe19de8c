//! Yaopai measured: against bare hyper with the same answers, and against the database alone with the same rows, in the same run.
//! docs/performance.md explains the figures.
//!
//! Two programs: `bench` (scripts/bench) measures time on this machine; `bench-gate` (scripts/bench-gate) counts
//! instructions and fails a build. The second links only what a check needs, so that it is built in a fraction of the time.

pub mod bare;
pub mod bare_proxy;
pub mod callgrind;
pub mod count;
pub mod cpu;
pub mod gate;
pub mod gateway;
pub mod load;
pub mod logins;
pub mod many;
pub mod memory;
pub mod nginx;
pub mod people;
mod programs;
pub mod replay;
pub mod request;
pub mod server;
pub mod stopwatch;
pub mod upstream;
pub mod world;

/// Says what went wrong, in a line.
#[allow(clippy::print_stderr, reason = "it ends the program")]
pub fn exit(done: anyhow::Result<()>) -> std::process::ExitCode {
    match done {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench: {e:#}");
            std::process::ExitCode::FAILURE
        }
    }
}
