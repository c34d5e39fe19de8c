//! CPU, memory, restart and durable logins, measured on this machine: Markdown tables.
#![allow(clippy::print_stdout, reason = "what the program is for")]

use std::path::{Path, PathBuf};

use bench::cpu::{Pace, Side};
use bench::load::Load;
use bench::memory::Restart;
use bench::people::People;
use bench::request::JWT_TARGET;
use bench::server::Process;
use bench::{cpu, gateway, logins, many, memory, replay, server};
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
    /// Durable logins against PostgreSQL alone.
    LoginsPostgres {
        /// Rounds.
        #[arg(long, default_value_t = 5)]
        rounds: u32,
        /// Logins in one.
        #[arg(long, default_value_t = 10_000)]
        logins: u64,
    },
    /// The gateway against nginx, and a check with a JWT against bare hyper.
    Gateway {
        /// Rounds of the CPU's measurement.
        #[arg(long, default_value_t = 30)]
        rounds: u32,
        /// Seconds of one.
        #[arg(long, default_value_t = 1)]
        seconds: u64,
        /// Where the databases are made.
        #[arg(long, default_value = "target")]
        folder: PathBuf,
    },
    /// A check at a node of many.
    Many {
        /// Rounds of the CPU's measurement.
        #[arg(long, default_value_t = 30)]
        rounds: u32,
        /// Seconds of one.
        #[arg(long, default_value_t = 1)]
        seconds: u64,
        /// Where the embedded database is made.
        #[arg(long, default_value = "target")]
        folder: PathBuf,
    },
    /// The replay room alone.
    Replay,
    /// Memory of the live table.
    Memory {
        /// Live sessions.
        #[arg(long, default_value_t = 1_000_000)]
        sessions: u64,
        /// Keyed ones.
        #[arg(long)]
        keyed: bool,
    },
    /// A server to be measured.
    #[command(subcommand, hide = true)]
    Serve(Serve),
}

#[derive(Subcommand)]
enum Serve {
    /// hyper with a fixed answer: that of a check.
    Bare {
        /// Of one with a JWT.
        #[arg(long)]
        jwt: bool,
    },
    /// The real server.
    Check { config: PathBuf },
    /// What is behind a gateway.
    Upstream,
    /// hyper as a proxy to this upstream.
    Proxy { upstream: std::net::SocketAddr },
}

fn main() -> std::process::ExitCode {
    bench::exit(run())
}

fn run() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match Command::parse() {
        Command::Report { sessions, rounds, seconds, login_rounds, logins, folder } => {
            let pace = Pace { rounds, seconds };
            Report { runtime: &runtime, sessions, folder: &folder, pace }.run()?;
            runtime.block_on(with_jwt(&folder, pace))?;
            runtime.block_on(gateway::tables(&folder, pace))?;
            println!("{}", runtime.block_on(logins::sqlite::run(&folder, login_rounds, logins))?);
            runtime.block_on(many::tables(&folder, pace))?;
            println!("{}", runtime.block_on(logins::postgres::run(login_rounds, logins / 4))?);
            Ok(())
        }
        Command::Gateway { rounds, seconds, folder } => {
            let pace = Pace { rounds, seconds };
            runtime.block_on(with_jwt(&folder, pace))?;
            runtime.block_on(gateway::tables(&folder, pace))
        }
        Command::Logins { rounds, logins, folder } => {
            println!("{}", runtime.block_on(logins::sqlite::run(&folder, rounds, logins))?);
            Ok(())
        }
        Command::Many { rounds, seconds, folder } => runtime.block_on(many::tables(&folder, Pace { rounds, seconds })),
        Command::LoginsPostgres { rounds, logins } => {
            println!("{}", runtime.block_on(logins::postgres::run(rounds, logins))?);
            Ok(())
        }
        Command::Memory { sessions, keyed } => {
            print!("{}", runtime.block_on(memory::table(sessions, keyed))?);
            Ok(())
        }
        Command::Replay => {
            print!("{}", replay::table(NONCES)?);
            Ok(())
        }
        Command::Serve(Serve::Bare { jwt }) => runtime.block_on(server::bare(jwt)),
        Command::Serve(Serve::Upstream) => runtime.block_on(server::upstream()),
        Command::Serve(Serve::Proxy { upstream }) => runtime.block_on(server::proxy(upstream)),
        Command::Serve(Serve::Check { config }) => runtime.block_on(server::check(&config)),
    }
}

/// So many sessions are few.
const FEW: u64 = 1000;
/// As many as a server remembers by default, in the replay room alone.
const NONCES: u64 = 9_000_000;
/// Those who are active fit the processor's caches, or they don't.
const ACTIVE: [u64; 2] = [1024, 65_536];

/// A database, who is in it, and the configuration of a server on it.
struct Full {
    _folder: tempfile::TempDir,
    config: PathBuf,
    people: People,
}

/// A check that hands out a JWT which is kept ready, against bare hyper with the same headers.
async fn with_jwt(folder: &Path, pace: Pace) -> anyhow::Result<()> {
    let people = People::new(FEW, SystemClock::default().now());
    let folder = tempfile::tempdir_in(folder)?;
    let config = server::config(folder.path(), None)?;
    memory::fill(&config, people, FEW, false).await?;
    let (bare, (check, _)) = (Process::start(&["serve", "bare", "--jwt"])?, memory::restart(&config)?);
    let load = Load::of((0..FEW).map(|n| people.asked(n).to(JWT_TARGET)))?;
    let base = Side::alone("bare hyper, same headers, a JWT among them", &bare, &load);
    let other = Side::alone("check with a kept JWT", &check, &load);
    let ratio = "check with a JWT ÷ bare hyper (at most 1.15)";
    println!("{}", cpu::run(base, other, &format!("{FEW} live sessions, all of them in turn"), ratio, pace)?);
    Ok(())
}

/// The measurements that share a full database: restart, memory, CPU.
struct Report<'a> {
    runtime: &'a tokio::runtime::Runtime,
    sessions: u64,
    folder: &'a Path,
    pace: Pace,
}

impl Report<'_> {
    fn run(&self) -> anyhow::Result<()> {
        let sessions = self.sessions;
        let (process, of_none) = memory::restart(&self.full(0, false)?.config)?;
        drop(process);
        let bare = Process::start(&["serve", "bare"])?;
        let keyed = self.full(sessions, true)?;
        let (signed, of_keyed) = memory::restart(&keyed.config)?;
        self.against_bare(&bare, &signed, keyed.people, true)?;
        drop((signed, keyed));
        let full = self.full(sessions, false)?;
        let (check, of_all) = memory::restart(&full.config)?;
        self.against_bare(&bare, &check, full.people, false)?;
        drop(bare);
        self.many_against_few(&check, full.people)?;
        // Processes of their own: in this one the allocator has room left over from filling the databases.
        let each = |of: &Restart| of.memory.saturating_sub(of_none.memory) as f64 / sessions as f64;
        let many = sessions.to_string();
        for (more, of, most) in [(None, &of_all, 300), (Some("--keyed"), &of_keyed, 400)] {
            let args: Vec<&str> = ["memory", "--sessions", &many].into_iter().chain(more).collect();
            print!("{}", server::output(&args)?);
            println!("| the whole server after a restart, over an empty one (at most {most}) | {:.0} |\n", each(of));
        }
        println!("{}", replay::table(NONCES)?);
        println!(
            "| restart | s until the first check |\n|---|---|\n| empty database | {:.2} |\n| {sessions} live sessions | {:.2} |\n\
             | {sessions} live keyed sessions | {:.2} |\n",
            of_none.seconds, of_all.seconds, of_keyed.seconds
        );
        Ok(())
    }

    fn full(&self, many: u64, keyed: bool) -> anyhow::Result<Full> {
        let folder = tempfile::tempdir_in(self.folder)?;
        let config = server::config(folder.path(), None)?;
        // As of now, so that nobody's session is idle for too long by the last round.
        let people = People::new(many, SystemClock::default().now());
        if many > 0 {
            self.runtime.block_on(memory::fill(&config, people, many, keyed))?;
        }
        Ok(Full { _folder: folder, config, people })
    }

    fn against_bare(&self, bare: &Process, check: &Process, people: People, signed: bool) -> anyhow::Result<()> {
        let sessions = self.sessions;
        for active in ACTIVE.map(|active| sessions.min(active)) {
            let (load, title, names, ratio) = if signed {
                let title = format!("{sessions} live keyed sessions, {active} of them in turn");
                let names = ["bare hyper, same headers and signatures", "signed check"];
                let load = Load::signed(people, sessions, active)?;
                (load, title, names, "signed check ÷ bare hyper (at most 1.45)")
            } else {
                let title = format!("{sessions} live sessions, {active} of them in turn");
                let names = ["bare hyper, same headers", "check"];
                (Load::new(people, sessions, active)?, title, names, "check ÷ bare hyper (at most 1.10)")
            };
            let (base, other) = (Side::alone(names[0], bare, &load), Side::alone(names[1], check, &load));
            println!("{}", cpu::run(base, other, &title, ratio, self.pace)?);
        }
        Ok(())
    }

    fn many_against_few(&self, check: &Process, people: People) -> anyhow::Result<()> {
        let (sessions, few) = (self.sessions, self.full(FEW.min(self.sessions), false)?);
        let (of_few, _) = memory::restart(&few.config)?;
        let active = sessions.min(ACTIVE[1]);
        let loads = (Load::new(few.people, FEW.min(sessions), FEW)?, Load::new(people, sessions, active)?);
        let base = Side::alone("a check, all of them in turn", &of_few, &loads.0);
        let many = format!("a check among {sessions}, {active} of them in turn");
        let other = Side::alone(&many, check, &loads.1);
        let title = format!("{FEW} live sessions");
        println!("{}", cpu::run(base, other, &title, "many ÷ few (at most 1.3)", self.pace)?);
        Ok(())
    }
}
