//! The commands: `demo`, `serve`, `sim`, `init`, `config check`, `export all` and `undo`, `import all` and `bindings`, `audit`.

mod audit;
mod config;
mod demo;
mod house;
mod import;
mod init;
mod serve;
mod sim;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::telemetry::{LogFormat, start_logs};

/// Session server for clients without cookies: WeChat mini programs first.
#[derive(Parser)]
#[command(name = "yaopai", version, about)]
struct Cli {
    /// What is logged: a level, or `yaopai=debug` and the like. Default: info; the demo with the simulated WeChat: warn.
    #[arg(long, global = true, env = "YAOPAI_LOG")]
    log: Option<String>,
    /// How logs are written.
    #[arg(long, global = true, value_enum, default_value = "text")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server, a shop and a simulated WeChat, and show what they do.
    Demo(demo::Args),
    /// Run the server.
    Serve(serve::Args),
    /// Run WeChat's simulator.
    Sim(sim::Args),
    /// Write a commented configuration, a master key, a webhook secret and an API key.
    Init(init::Args),
    /// About the configuration.
    #[command(subcommand)]
    Config(config::Command),
    /// Move house: write out what another database is to have.
    #[command(subcommand)]
    Export(house::Command),
    /// Bring in what another system, or another database, knows.
    #[command(subcommand)]
    Import(import::Command),
    /// The audit log: is it whole, what is in it, and forget a person.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Runs the command line; errors go to standard error, a sentence each, and end with status 1 (`import`, `audit`: 2).
pub fn main() -> ExitCode {
    main_with(std::env::args_os())
}

/// The same with these words; the first is the program's name.
pub fn main_with(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = Cli::parse_from(args);
    let default_log = match &cli.command {
        Command::Demo(args) => args.log(),
        _ => "info",
    };
    start_logs(cli.log_format, cli.log.as_deref().unwrap_or(default_log));
    let done = match cli.command {
        Command::Demo(args) => run(demo::run(args)),
        Command::Serve(args) => run(serve::run(args)),
        Command::Sim(args) => run(sim::run(args)),
        Command::Init(args) => init::run(&args),
        Command::Config(command) => config::run(&command),
        Command::Export(command) => house::export(&command),
        Command::Import(command) => return import::main(command),
        Command::Audit(command) => return audit::main(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Causes are part of each error's own sentence.
            eprintln!("yaopai: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run<T>(command: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Until Ctrl-C or SIGTERM. Listens from the call on, not from the first await: called before anything is started, it leaves
/// no moment in which a signal would end the process without order.
fn stopped() -> std::io::Result<impl Future<Output = ()>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
