//! The two servers that are compared, each a process of its own: this program again, pinned to one core.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use http::header;
use tokio::net::TcpListener;
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai::config::{Address, Config};
use yaopai::listen::Peer;
use yaopai::serve::Server;
use yaopai_core::ports::Clock as _;

use crate::bare::Bare;
use crate::bare_proxy;
use crate::people::{APP, People};
use crate::request::{JWT_TARGET, TARGET};
use crate::upstream;
use crate::world::{self, AUDIENCE, ISSUER, Room};

/// The core that servers run on; the load comes from another.
pub const CORE: &str = "0";
/// What a server prints before its address once it answers.
const READY: &str = "ready ";

/// The configuration that the measured server reads, with a gateway to this upstream. Last-seen times are flushed as rarely as
/// may be, so that a round is not now and then one with a flush in it.
pub fn config(folder: &Path, upstream: Option<SocketAddr>) -> anyhow::Result<PathBuf> {
    let path = folder.join("yaopai.toml");
    std::fs::write(folder.join("secret"), "0".repeat(64))?;
    let mut text = format!(
        "master_key = \"file:secret\"\n[listen]\npublic = \"127.0.0.1:0\"\ncheck = \"127.0.0.1:0\"\nadmin = \"127.0.0.1:0\"\n\
         [live]\nmax_sessions = 4000000\nflush_interval = 300\n[[apps]]\nkeyed = \"offered\"\nname = \"{APP}\"\nappid = \"wx0000000000000000\"\n\
         secret = \"file:secret\"\nbinding = \"auto\"\n[jwt]\nissuer = \"{ISSUER}\"\n[[audiences]]\nname = \"{AUDIENCE}\"\n"
    );
    if let Some(address) = upstream {
        writeln!(text, "[[upstreams]]\nname = \"shop\"\nurls = [\"http://{address}\"]")?;
        for (prefix, check, cookies) in upstream::ROUTES {
            writeln!(
                text,
                "[[routes]]\nprefix = \"{prefix}\"\nupstream = \"shop\"\ncheck = \"{check}\"\ncookies = \"{cookies}\""
            )?;
        }
    }
    std::fs::write(&path, text)?;
    Ok(path)
}

/// The real server: everything that `yaopai serve` starts.
#[allow(clippy::print_stdout, reason = "how the parent learns the addresses")]
pub async fn check(config: &Path) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock::default());
    let server = Server::start(Config::read(config)?, clock, Arc::new(SystemEntropy)).await?;
    let (Address::Tcp(check), Address::Tcp(public)) = (&server.check, &server.public) else {
        anyhow::bail!("not a TCP address")
    };
    println!("{READY}{check} {public}");
    std::future::pending().await
}

/// hyper with a fixed answer: the headers of a check that passes, with a JWT or without.
#[allow(clippy::print_stdout, reason = "how the parent learns the address")]
pub async fn bare(jwt: bool) -> anyhow::Result<()> {
    let clock = Arc::new(SystemClock::default());
    let people = People::new(1, clock.now());
    let checks = world::made(Room::new(people, 1, false).await?, clock, None).await?.checks;
    let asked = people.asked(0).to(if jwt { JWT_TARGET } else { TARGET });
    let answer = checks.answer(Peer::Local, &asked.parsed()).await;
    ensure!(answer.status() == 200, "the check that shows the headers was refused");
    ensure!(answer.headers().contains_key(header::AUTHORIZATION) == jwt, "with a JWT, or without");
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{READY}{}", listener.local_addr()?);
    Bare::new(answer.headers()).serve(listener).await
}

/// What is behind a gateway.
#[allow(clippy::print_stdout, reason = "how the parent learns the address")]
pub async fn upstream() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{READY}{}", listener.local_addr()?);
    upstream::serve(listener).await
}

/// hyper as a proxy.
#[allow(clippy::print_stdout, reason = "how the parent learns the address")]
pub async fn proxy(to: SocketAddr) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{READY}{}", listener.local_addr()?);
    bare_proxy::serve(listener, to).await
}

/// A server's process. Dropping it ends it.
pub struct Process {
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
    /// Where its gateway answers, if it has one.
    pub public: SocketAddr,
}

impl Process {
    /// Starts this program with these arguments, on the core of the servers, and waits until it answers.
    pub fn start(args: &[&str]) -> anyhow::Result<Self> {
        Self::start_on(CORE, args)
    }

    /// The same on this core.
    pub fn start_on(core: &str, args: &[&str]) -> anyhow::Result<Self> {
        let mut child = Command::new("taskset")
            .args(["--cpu-list", core])
            .arg(std::env::current_exe()?)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("taskset does not start")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no output")?).read_line(&mut line)?;
        let addresses = line.trim().strip_prefix(READY).unwrap_or_default().split(' ');
        let addresses: Vec<SocketAddr> = addresses.filter_map(|a| a.parse().ok()).collect();
        let (Some(address), Some(public)) = (addresses.first(), addresses.last()) else {
            let _ = child.kill();
            anyhow::bail!("the server did not start: {args:?}");
        };
        Ok(Self { child, address: *address, public: *public })
    }

    /// Another program that answers there.
    pub fn other(child: Child, address: SocketAddr) -> Self {
        Self { child, address, public: address }
    }

    /// Has it ended?
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU time used so far, user and system, in microseconds.
    pub fn cpu(&self) -> anyhow::Result<(f64, f64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name, in parentheses, may hold spaces; utime and stime are fields 14 and 15 (proc_pid_stat(5)).
        let rest = stat.rsplit_once(") ").context("no fields")?.1;
        let field = |n: usize| rest.split(' ').nth(n - 3).and_then(|f| f.parse::<f64>().ok()).context("no such field");
        // A tick is 10 ms on every Linux that we know.
        Ok((field(14)? * 10_000.0, field(15)? * 10_000.0))
    }

    /// Memory in RAM, in bytes.
    pub fn memory(&self) -> anyhow::Result<u64> {
        memory(&self.child.id().to_string())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs this program with these arguments to its end, and answers what it prints.
pub fn output(args: &[&str]) -> anyhow::Result<String> {
    let output = Command::new(std::env::current_exe()?).args(args).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "{args:?} ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

/// A process' memory in RAM, in bytes; `self` is this one.
pub fn memory(pid: &str) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).context("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}
