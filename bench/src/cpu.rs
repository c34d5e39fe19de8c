//! CPU for each check, against bare hyper, in interleaved rounds: this machine's speed changes by the minute, so only
//! rounds beside each other may be compared, and many short ones, as the best of them is one that nobody disturbed.

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
    fn add(&mut self, process: &Process, load: &Load, seconds: u64) -> anyhow::Result<()> {
        let before = process.cpu()?;
        let answered = load.run(process.address, seconds)?;
        let after = process.cpu()?;
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
    /// The server.
    pub process: &'a Process,
    /// Its load.
    pub load: &'a Load,
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
pub fn run(base: &Side<'_>, other: &Side<'_>, title: &str, ratio: &str, pace: Pace) -> anyhow::Result<String> {
    let Pace { rounds, seconds } = pace;
    // Sides may share a load, whose next round both are to answer.
    let prepare = |seconds| {
        base.load.prepare(seconds)?;
        if std::ptr::eq(base.load, other.load) { Ok(()) } else { other.load.prepare(seconds) }
    };
    prepare(1)?;
    for side in [base, other] {
        side.load.run(side.process.address, 1)?;
    }
    let (mut of_base, mut of_other) = (Rounds::default(), Rounds::default());
    for round in 0..rounds {
        prepare(seconds)?;
        // In turn, so that neither is always the one after a pause.
        let order: [(&mut Rounds, &Side<'_>); 2] = match round % 2 {
            0 => [(&mut of_base, base), (&mut of_other, other)],
            _ => [(&mut of_other, other), (&mut of_base, base)],
        };
        for (rounds, side) in order {
            rounds.add(side.process, side.load, seconds)?;
        }
    }
    let pairs: Vec<f64> = of_other.both.iter().zip(&of_base.both).map(|(o, b)| o / b).collect();
    Ok(format!(
        "| {title}; {rounds} interleaved rounds of {seconds} s | µs of CPU a request, best round (user + system) | median round | \
         requests/s on one core | p99 ms |\n|---|---|---|---|---|\n{}{}| **{ratio}** | **{:.3} ×** | {:.3} × | | |\n",
        of_base.row(base.name),
        of_other.row(other.name),
        least(&of_other.both) / least(&of_base.both),
        median(&pairs),
    ))
}
