//! The gate: what a check costs in instructions and allocations, against bench/budget.toml.
#![allow(clippy::print_stdout, reason = "the figures are for people")]

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::callgrind::{Cost, cost};
use crate::count;

/// How far above the budget instructions may be: another compiler or C library moves them by a per cent or two.
const HEADROOM: f64 = 1.04;

/// What is kept for one architecture, for one check.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// Instructions of the check alone, its header lines included.
    answer: u64,
    /// Instructions of a check with its HTTP.
    check: u64,
    /// Instructions by which that is more, or less, than hyper with a fixed answer and the same headers.
    check_over_bare: i64,
    /// Allocations of a check with its HTTP.
    allocations: u64,
    /// Instructions of the check of a signed request alone.
    signed_answer: u64,
    /// Instructions of it with its HTTP.
    signed_check: u64,
    /// Allocations of it with its HTTP.
    signed_allocations: u64,
}

/// By architecture: each a [`Budget`], or one from before something was measured.
type Budgets = BTreeMap<String, toml::Value>;

/// What was counted.
pub struct Measured {
    answer: Cost,
    bare: Cost,
    check: Cost,
    signed_answer: Cost,
    signed_bare: Cost,
    signed_check: Cost,
    jwt_answer: Cost,
    jwt_bare: Cost,
    jwt_check: Cost,
}

/// Counts.
///
/// # Errors
/// Valgrind is missing or fails.
pub fn measure() -> anyhow::Result<Measured> {
    Ok(Measured {
        answer: cost(count::Path::Answer)?,
        bare: cost(count::Path::Bare)?,
        check: cost(count::Path::Check)?,
        signed_answer: cost(count::Path::Signed)?,
        signed_bare: cost(count::Path::SignedBare)?,
        signed_check: cost(count::Path::SignedCheck)?,
        jwt_answer: cost(count::Path::Jwt)?,
        jwt_bare: cost(count::Path::JwtBare)?,
        jwt_check: cost(count::Path::JwtCheck)?,
    })
}

impl Measured {
    fn budget(&self) -> Budget {
        let whole = |figure: f64| figure.round().max(0.0) as u64;
        Budget {
            answer: whole(self.answer.instructions),
            check: whole(self.check.instructions),
            check_over_bare: (self.check.instructions - self.bare.instructions).round() as i64,
            allocations: whole(self.check.allocations),
            signed_answer: whole(self.signed_answer.instructions),
            signed_check: whole(self.signed_check.instructions),
            signed_allocations: whole(self.signed_check.allocations),
        }
    }

    /// Compares with the budget in the file.
    ///
    /// # Errors
    /// What is above it, and what to do.
    pub fn compare(&self, file: &Path) -> anyhow::Result<()> {
        let here = std::env::consts::ARCH;
        let cure = || format!("{}, {here}: run 'scripts/bench-gate --write' and commit it", file.display());
        let (_, mut budgets) = read(file)?;
        let budget = budgets.remove(here).with_context(|| format!("no budget in {}", cure()))?;
        let budget: Budget = budget.try_into().with_context(|| format!("not what is measured by now in {}", cure()))?;
        let found = self.budget();
        let over: Vec<&str> = [
            ("instructions of the check alone", signed(found.answer), most(budget.answer)),
            ("instructions of a check with its HTTP", signed(found.check), most(budget.check)),
            // The same head-room in instructions: a share of a small difference would be none.
            (
                "instructions more than hyper",
                found.check_over_bare,
                budget.check_over_bare + most(budget.check) - signed(budget.check),
            ),
            ("allocations of a check with its HTTP", signed(found.allocations), signed(budget.allocations)),
            ("instructions of the signed check alone", signed(found.signed_answer), most(budget.signed_answer)),
            ("instructions of a signed check with its HTTP", signed(found.signed_check), most(budget.signed_check)),
            (
                "allocations of a signed check with its HTTP",
                signed(found.signed_allocations),
                signed(budget.signed_allocations),
            ),
        ]
        .into_iter()
        .filter(|(what, found, most)| {
            println!("{:<5}{found:>7} of {most:>6}  {what}", if found > most { "OVER" } else { "ok" });
            found > most
        })
        .map(|(what, ..)| what)
        .collect();
        if over.is_empty() {
            return Ok(());
        }
        bail!(
            "above the budget: {}. To see where it goes: scripts/bench-gate profile answer|signed|jwt|gateway. If the cost is wanted, raise {} \
             with scripts/bench-gate --write and say why in the commit",
            over.join(", "),
            file.display()
        )
    }

    /// Puts the figures into the file.
    ///
    /// # Errors
    /// The file.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let (text, mut budgets) = read(file)?;
        budgets.remove(std::env::consts::ARCH);
        let comment: String = text.lines().take_while(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        let mut sections = BTreeMap::from([(std::env::consts::ARCH.to_owned(), toml::to_string(&self.budget())?)]);
        for (other, budget) in budgets {
            sections.insert(other, toml::to_string(&budget)?);
        }
        let sections: String = sections.iter().map(|(name, text)| format!("\n[{name}]\n{text}")).collect();
        std::fs::write(file, format!("{comment}{sections}"))?;
        println!("wrote {}", file.display());
        Ok(())
    }
}

fn signed(figure: u64) -> i64 {
    i64::try_from(figure).unwrap_or(i64::MAX)
}

/// A budget of instructions with its head-room.
fn most(budget: u64) -> i64 {
    (budget as f64 * HEADROOM).floor() as i64
}

fn read(file: &Path) -> anyhow::Result<(String, Budgets)> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let budgets = toml::from_str(&text).with_context(|| format!("{} is no budget", file.display()))?;
    Ok((text, budgets))
}

impl fmt::Display for Measured {
    /// A Markdown table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answer, bare, check, signed_answer, signed_bare, signed_check, .. } = self;
        writeln!(
            f,
            "| a request, in one process without sockets | user instructions | of them SHA-256 in software | allocations |"
        )?;
        writeln!(f, "|---|---|---|---|")?;
        for (name, c) in [
            ("bare hyper, same headers", bare),
            ("hyper + check", check),
            ("the check alone", answer),
            ("bare hyper, same headers and signature", signed_bare),
            ("hyper + signed check", signed_check),
            ("the signed check alone", signed_answer),
            ("bare hyper, same headers, a JWT among them", &self.jwt_bare),
            ("hyper + check with a kept JWT", &self.jwt_check),
            ("the check with a kept JWT alone", &self.jwt_answer),
        ] {
            writeln!(f, "| {name} | {:.0} | {:.0} | {:.1} |", c.instructions, c.sha256, c.allocations)?;
        }
        Ok(())
    }
}
