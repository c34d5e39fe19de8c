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

/// Measures under a load and writes the table.
pub fn run(
    bare: &Process,
    check: &Process,
    load: &Load,
    title: &str,
    rounds: u32,
    seconds: u64,
) -> anyhow::Result<String> {
    for process in [bare, check] {
        load.run(process.address, 1)?;
    }
    let (mut of_bare, mut of_check) = (Rounds::default(), Rounds::default());
    for round in 0..rounds {
        // In turn, so that neither is always the one after a pause.
        let order: [(&mut Rounds, &Process); 2] = match round % 2 {
            0 => [(&mut of_bare, bare), (&mut of_check, check)],
            _ => [(&mut of_check, check), (&mut of_bare, bare)],
        };
        for (rounds, process) in order {
            rounds.add(process, load, seconds)?;
        }
    }
    let pairs: Vec<f64> = of_check.both.iter().zip(&of_bare.both).map(|(c, b)| c / b).collect();
    Ok(format!(
        "| {title}; {rounds} interleaved rounds of {seconds} s | µs of CPU a request, best round (user + system) | median round | \
         requests/s on one core | p99 ms |\n|---|---|---|---|---|\n{}{}| **check ÷ bare hyper** (at most 1.10) | **{:.3} ×** | {:.3} × | | |\n",
        of_bare.row("bare hyper, same headers"),
        of_check.row("check"),
        least(&of_check.both) / least(&of_bare.both),
        median(&pairs),
    ))
}
