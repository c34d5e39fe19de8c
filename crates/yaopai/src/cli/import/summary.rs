//! What is said at the end.

use super::journal::Tally;

/// Prints the counts of the whole import, and how fast this run of it was.
#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn print(tally: &Tally, dry_run: bool, rows: u64, millis: i64) {
    if dry_run {
        println!("dry run: nothing was changed");
    }
    let line = |name: &str, value: String| println!("{name:<32} {value:>10}");
    line("rows read", tally.rows.to_string());
    line("bound", tally.bound.to_string());
    line("already so", tally.already.to_string());
    for (name, kinds) in [("conflicts", &tally.conflicts), ("malformed", &tally.malformed)] {
        line(name, kinds.values().sum::<u64>().to_string());
        for (kind, count) in kinds {
            line(&format!("  {kind}"), count.to_string());
        }
    }
    let millis = u64::try_from(millis).unwrap_or(0).max(1);
    line("rows/s", (rows.saturating_mul(1000) / millis).to_string());
    line("peak memory (MiB)", peak_memory().map_or("unknown".into(), |kib| kib.div_ceil(1024).to_string()));
}

/// The most memory that the process had at a time, in KiB (proc(5): `VmHWM`). Linux only.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}
