//! The gate: what a check costs in instructions and allocations, against bench/budget.toml.
#![allow(clippy::print_stdout, reason = "the figures are for people")]

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use crate::callgrind::{Cost, cost};
use crate::count;

/// How far above the budget a figure may be: another compiler or C library moves it by a per cent or two.
const HEADROOM: f64 = 1.04;

/// What is kept for one architecture. Instructions and allocations for one check.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Budget {
    /// The check alone.
    answer: u64,
    /// What the check adds to hyper with a fixed answer and the same headers.
    check_over_bare: u64,
    /// Allocations of the check alone: the answer's own headers.
    answer_allocations: u64,
    /// Allocations that the check adds to hyper.
    allocations_over_bare: u64,
}

/// Measures and compares; with `write`, puts the figures into the file instead.
pub fn run(file: &Path, write: bool) -> anyhow::Result<()> {
    let (answer, bare, check) = (cost(count::Path::Answer)?, cost(count::Path::Bare)?, cost(count::Path::Check)?);
    print!("{}", table(answer, bare, check));
    let whole = |figure: f64| figure.round().max(0.0) as u64;
    let found = Budget {
        answer: whole(answer.instructions),
        check_over_bare: whole(check.instructions - bare.instructions),
        answer_allocations: whole(answer.allocations),
        allocations_over_bare: whole(check.allocations - bare.allocations),
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("{} can't be read", file.display()))?;
    let mut budgets: BTreeMap<String, Budget> = toml::from_str(&text)?;
    let here = std::env::consts::ARCH;
    if write {
        budgets.insert(here.into(), found);
        let comment: String = text.lines().take_while(|l| l.starts_with('#')).map(|l| format!("{l}\n")).collect();
        std::fs::write(file, format!("{comment}\n{}", toml::to_string(&budgets)?))?;
        println!("\nwrote {}", file.display());
        return Ok(());
    }
    let Some(budget) = budgets.get(here) else {
        bail!("{} has no budget for {here}: run 'scripts/bench-gate --write' and commit it", file.display());
    };
    println!();
    let over: Vec<&str> = [
        ("instructions of a check", found.answer, budget.answer, HEADROOM),
        ("instructions that a check adds to hyper", found.check_over_bare, budget.check_over_bare, HEADROOM),
        ("allocations of a check", found.answer_allocations, budget.answer_allocations, 1.0),
        ("allocations that a check adds to hyper", found.allocations_over_bare, budget.allocations_over_bare, 1.0),
    ]
    .into_iter()
    .filter(|(what, found, budget, headroom)| {
        let most = (*budget as f64 * headroom).floor() as u64;
        let word = if *found > most { "OVER" } else { "ok" };
        println!("{word:<5}{found:>7} of {most:>6}  {what}");
        *found > most
    })
    .map(|(what, ..)| what)
    .collect();
    if !over.is_empty() {
        bail!(
            "above the budget: {}. Look where it goes: target/release/bench-gate profile answer. If the cost is wanted, say why in the \
             commit that raises {} (scripts/bench-gate --write)",
            over.join(", "),
            file.display()
        );
    }
    Ok(())
}

/// The figures as a Markdown table.
fn table(answer: Cost, bare: Cost, check: Cost) -> String {
    let row =
        |name: &str, c: Cost| format!("| {name} | {:.0} | {:.0} | {:.1} |\n", c.instructions, c.sha256, c.allocations);
    format!(
        "| per request, in one process | user instructions | of them SHA-256 in software | allocations |\n|---|---|---|---|\n\
         {}{}{}| hyper + check ÷ bare hyper | {:.2} × | | {:+.1} |\n",
        row("bare hyper, same headers", bare),
        row("hyper + check", check),
        row("the check alone", answer),
        check.instructions / bare.instructions,
        check.allocations - bare.allocations,
    )
}
