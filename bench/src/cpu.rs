//! CPU for each request, one server against another, in interleaved rounds: this machine's speed changes by the minute, so only
//! rounds beside each other may be compared, and many short ones, as the best of them is one that nobody disturbed.

use std::net::SocketAddr;

use crate::load::Load;
use crate::server::Process;
use crate::stopwatch::{least, median};

/// One server's rounds: microseconds of CPU for each request.
#[derive(Default)]
struct Rounds {
    user: Vec<f64>,
    system: Vec<f64>,
    both: Vec<f64>,
    rate: Vec<f64>,
    p99: Vec<f64>,
}

impl Rounds {
    fn add(&mut self, side: &Side<'_>, seconds: u64) -> anyhow::Result<()> {
        let before = side.cpu()?;
        let answered = side.load.run(side.at, seconds)?;
        let after = side.cpu()?;
        let (user, system) = ((after.0 - before.0) / answered.requests, (after.1 - before.1) / answered.requests);
        self.user.push(user);
        self.system.push(system);
        self.both.push(user + system);
        self.rate.push(answered.requests / seconds as f64);
        self.p99.push(answered.p99);
        Ok(())
    }

    fn row(&self, name: &str) -> String {
        // User and system of the best round: apart, each one's least may be from another round.
        let best = self.both.iter().position(|b| *b == least(&self.both)).unwrap_or(0);
        format!(
            "| {name} | {:.2} ({:.2} + {:.2}) | {:.2} | {:.0} | {:.1} |\n",
            self.both[best],
            self.user[best],
            self.system[best],
            median(&self.both),
            median(&self.rate),
            median(&self.p99) / 1000.0,
        )
    }
}

/// A server under a load.
pub struct Side<'a> {
    /// What the table calls it.
    pub name: &'a str,
    /// Where it answers.
    pub at: SocketAddr,
    /// All processes that an answer costs something, but for what is behind both sides.
    pub processes: Vec<&'a Process>,
    /// Its load.
    pub load: &'a Load,
}

impl<'a> Side<'a> {
    /// One process that answers by itself.
    pub fn alone(name: &'a str, process: &'a Process, load: &'a Load) -> Self {
        Self { name, at: process.address, processes: vec![process], load }
    }

    fn cpu(&self) -> anyhow::Result<(f64, f64)> {
        let mut sum = (0.0, 0.0);
        for process in &self.processes {
            let (user, system) = process.cpu()?;
            sum = (sum.0 + user, sum.1 + system);
        }
        Ok(sum)
    }
}

/// A line of the table: one side's share of another's.
pub struct Ratio<'a> {
    /// What the table calls it.
    pub name: &'a str,
    /// The place of the one.
    pub of: usize,
    /// The place of the other.
    pub to: usize,
}

/// How often, and how long.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Rounds of each side.
    pub rounds: u32,
    /// Seconds of one.
    pub seconds: u64,
}

/// Measures two servers beside each other and writes the table. `ratio` names the second's share of the first.
pub fn run(base: Side<'_>, other: Side<'_>, title: &str, ratio: &str, pace: Pace) -> anyhow::Result<String> {
    several(&[base, other], title, &[Ratio { name: ratio, of: 1, to: 0 }], pace)
}

/// Measures several.
pub fn several(sides: &[Side<'_>], title: &str, ratios: &[Ratio<'_>], pace: Pace) -> anyhow::Result<String> {
    let Pace { rounds, seconds } = pace;
    // Sides may share a load, whose next round all of them are to answer.
    let prepare = |seconds| -> anyhow::Result<()> {
        for (at, side) in sides.iter().enumerate() {
            if !sides[..at].iter().any(|before| std::ptr::eq(before.load, side.load)) {
                side.load.prepare(seconds)?;
            }
        }
        Ok(())
    };
    prepare(1)?;
    for side in sides {
        side.load.run(side.at, 1)?;
    }
    let mut measured: Vec<Rounds> = sides.iter().map(|_| Rounds::default()).collect();
    for round in 0..rounds {
        prepare(seconds)?;
        // In turn, so that none is always the one after a pause.
        for n in 0..sides.len() {
            let at = (usize::try_from(round)? + n) % sides.len();
            measured[at].add(&sides[at], seconds)?;
        }
    }
    let rows: String = sides.iter().zip(&measured).map(|(side, rounds)| rounds.row(side.name)).collect();
    let shares: String = ratios
        .iter()
        .map(|Ratio { name, of, to }| {
            let (of, to) = (&measured[*of].both, &measured[*to].both);
            let pairs: Vec<f64> = of.iter().zip(to).map(|(o, b)| o / b).collect();
            format!("| **{name}** | **{:.3} ×** | {:.3} × | | |\n", least(of) / least(to), median(&pairs))
        })
        .collect();
    Ok(format!(
        "| {title}; {rounds} interleaved rounds of {seconds} s | µs of CPU a request, best round (user + system) | median round | \
         requests/s on one core | p99 ms |\n|---|---|---|---|---|\n{rows}{shares}"
    ))
}
