//! The load: wrk on another core, with another person's token at each request. Where requests are signed, each is new, and
//! signed before a round begins: what that costs is the phone's.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use yaopai::clock::{SystemClock, SystemEntropy};
use yaopai_core::ports::Clock as _;

use crate::people::People;
use crate::request::{Asked, TARGET};

/// Connections, as a proxy's pool would hold.
const CONNECTIONS: &str = "64";
/// The core that the load comes from.
pub const CORE: &str = "1";
/// Signed requests for each second of a round: more than one core answers. If it ever does, the load begins again, and the round
/// fails for what is replayed.
const SIGNED_RATE: u64 = 160_000;

const SCRIPT: &str = r#"
local requests, at = {}, 0
init = function(args)
  local file = assert(io.open(args[1], "rb"))
  for one in (file:read("*a")):gmatch("(.-\r\n\r\n)") do requests[#requests + 1] = one end
  file:close()
end
request = function()
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  print(string.format("measured %d %d %d", summary.requests, e.connect + e.read + e.write + e.timeout + e.status,
    latency:percentile(99)))
end
"#;

/// What the load says of itself.
pub struct Load {
    folder: tempfile::TempDir,
    /// Whose requests are signed anew for each round.
    signers: Option<Signers>,
}

struct Signers {
    people: People,
    step: u64,
    active: u64,
    target: &'static str,
    /// For each second of a round.
    rate: u64,
}

/// A round.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// Requests answered.
    pub requests: f64,
    /// 99 of 100 were answered within so many microseconds.
    pub p99: f64,
}

impl Load {
    /// Writes the script and its requests: checks of so many people, picked from all over the `many`, in turn.
    pub fn new(people: People, many: u64, active: u64) -> anyhow::Result<Self> {
        let step = (many / active).max(1);
        Self::of((0..active.min(many)).map(|n| people.asked(n * step)))
    }

    /// The same with these requests, in turn.
    pub fn of(requests: impl Iterator<Item = Asked>) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("requests"), requests.map(|asked| asked.bytes()).collect::<String>())?;
        std::fs::write(folder.path().join("load.lua"), SCRIPT)?;
        Ok(Self { folder, signers: None })
    }

    /// The same with signed checks, of which [`Self::prepare`] makes the next.
    pub fn signed(people: People, many: u64, active: u64) -> anyhow::Result<Self> {
        Self::signed_to(people, many, active, (TARGET, SIGNED_RATE))
    }

    /// The same to another target, at most so many in a second.
    pub fn signed_to(
        people: People,
        many: u64,
        active: u64,
        (target, rate): (&'static str, u64),
    ) -> anyhow::Result<Self> {
        let signers = Signers { people, step: (many / active).max(1), active: active.min(many), target, rate };
        Ok(Self { signers: Some(signers), ..Self::new(people, many, active)? })
    }

    /// Makes what the next round sends, if it is to be signed now. A round may last for some of the 60 s that a signature is good for.
    pub fn prepare(&self, seconds: u64) -> anyhow::Result<()> {
        let Some(Signers { people, step, active, target, rate }) = &self.signers else { return Ok(()) };
        ensure!(seconds <= 20, "a round of signed requests has at most 20 s");
        let now = SystemClock::default().now();
        let mut file = BufWriter::new(File::create(self.folder.path().join("requests"))?);
        for n in 0..rate * seconds {
            let asked = people.signed(n % active * step, now, &SystemEntropy)?.to(target);
            file.write_all(asked.bytes().as_bytes())?;
        }
        Ok(file.flush()?)
    }

    /// Runs the load for some seconds. A request that isn't answered with 200 fails the measurement.
    pub fn run(&self, to: SocketAddr, seconds: u64) -> anyhow::Result<Answered> {
        let file = |name: &str| -> PathBuf { Path::new(self.folder.path()).join(name) };
        let output = Command::new("taskset")
            .args(["--cpu-list", CORE, "wrk", "-t1", "-c", CONNECTIONS, "-d"])
            .arg(format!("{seconds}s"))
            .arg("-s")
            .arg(file("load.lua"))
            .arg(format!("http://{to}"))
            .arg("--")
            .arg(file("requests"))
            .stdin(Stdio::null())
            .output()
            .context("taskset and wrk do not start: scripts/setup installs wrk")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|l| l.strip_prefix("measured "));
        let figures: Vec<f64> = line.unwrap_or("").split(' ').filter_map(|f| f.parse().ok()).collect();
        let [requests, errors, p99] = figures[..] else {
            anyhow::bail!("wrk failed: {text}{}", String::from_utf8_lossy(&output.stderr));
        };
        ensure!(errors == 0.0 && requests > 0.0, "{errors} of {requests} requests failed");
        Ok(Answered { requests, p99 })
    }
}
