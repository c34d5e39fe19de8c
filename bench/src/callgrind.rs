//! Counting instructions and allocations: this program runs itself under valgrind's callgrind with `k` and with `2k`
//! requests; the difference is what `k` requests cost, without the start.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};

use crate::count;

/// Requests in the shorter run; in the longer as many as can be signed ones, nearly.
const K: u64 = count::SIGNED / 2;
/// What asks for memory: the allocator's ways in, as its crate calls them. `free` is left out: it is asked once for each of these.
const ALLOCATORS: [&str; 3] = ["mi_malloc_aligned", "mi_zalloc_aligned", "mi_realloc_aligned"];

/// What one request costs.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// User instructions.
    pub instructions: f64,
    /// Calls of the allocator.
    pub allocations: f64,
    /// Instructions within SHA-256, where it runs in software because valgrind knows no SHA extensions.
    pub sha256: f64,
}

/// Counts what one request of this path costs.
pub fn cost(path: count::Path) -> anyhow::Result<Cost> {
    let (short, long) = (counted(path, K)?, counted(path, 2 * K)?);
    let per = |a: u64, b: u64| (b as f64 - a as f64) / K as f64;
    Ok(Cost {
        instructions: per(short.instructions, long.instructions),
        allocations: per(short.allocations, long.allocations),
        sha256: per(short.sha256, long.sha256),
    })
}

#[derive(Default)]
struct Counted {
    instructions: u64,
    allocations: u64,
    sha256: u64,
}

/// Writes a profile, for callgrind_annotate.
pub fn profile(path: count::Path) -> anyhow::Result<PathBuf> {
    let out = PathBuf::from("target/callgrind.out");
    run(path, 2 * K, &out)?;
    Ok(out)
}

fn counted(path: count::Path, k: u64) -> anyhow::Result<Counted> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("callgrind.out");
    run(path, k, &out)?;
    read(&out)
}

fn run(path: count::Path, k: u64, out: &Path) -> anyhow::Result<()> {
    let name = clap::ValueEnum::to_possible_value(&path).context("a path without a name")?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-jumps=no", "--error-exitcode=9"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(std::env::current_exe()?)
        .args(["count", name.get_name(), &k.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("valgrind does not start: scripts/setup installs it")?;
    if !output.status.success() {
        bail!("valgrind failed ({}):\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Reads callgrind's output: the total, the calls of the allocator, and SHA-256's own cost.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn read(path: &Path) -> anyhow::Result<Counted> {
    let text = std::fs::read_to_string(path)?;
    // A name is written once, as `(7) name`, and then only as `(7)`.
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut counted = Counted::default();
    let (mut within, mut callee, mut skip) = ("", "", false);
    for line in text.lines() {
        if let Some(total) = line.strip_prefix("totals: ").or_else(|| line.strip_prefix("summary: ")) {
            counted.instructions = total.trim().parse()?;
        } else if let Some(name) = line.strip_prefix("fn=") {
            within = named(&mut names, name);
        } else if let Some(name) = line.strip_prefix("cfn=") {
            callee = named(&mut names, name);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            if ALLOCATORS.contains(&callee) {
                counted.allocations += calls.split(' ').next().unwrap_or("").parse::<u64>()?;
            }
            // The next line is the called function's cost, not this one's.
            skip = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '*'))
            && !std::mem::take(&mut skip)
            && within.contains("sha256")
        {
            counted.sha256 += line.split(' ').nth(1).unwrap_or("").parse::<u64>()?;
        }
    }
    ensure!(counted.instructions > 0, "callgrind counted nothing");
    ensure!(counted.allocations > 0, "callgrind saw no allocation: are the symbols stripped?");
    Ok(counted)
}

fn named<'t>(names: &mut HashMap<&'t str, &'t str>, text: &'t str) -> &'t str {
    match text.split_once(' ') {
        Some((id, name)) => {
            names.insert(id, name);
            name
        }
        None => names.get(text).copied().unwrap_or(""),
    }
}
