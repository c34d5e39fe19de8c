//! Real time, for what is measured in it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Started when made.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts.
    #[allow(clippy::disallowed_methods, reason = "measures real time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// CPU time that a thread of this process has used; by its name, or the caller's own.
///
/// # Errors
/// There is no such thread.
pub fn cpu_of_thread(name: Option<&str>) -> anyhow::Result<Duration> {
    let mut folder = PathBuf::from("/proc/thread-self");
    if let Some(name) = name {
        let is = |f: &PathBuf| std::fs::read_to_string(f.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let all = std::fs::read_dir("/proc/self/task")?.filter_map(Result::ok).map(|e| e.path());
        folder = all.into_iter().find(is).with_context(|| format!("no thread is called {name}"))?;
    }
    // Nanoseconds on the processor, before all else in the line (the kernel's scheduler/sched-stats).
    let line = std::fs::read_to_string(folder.join("schedstat"))?;
    Ok(Duration::from_nanos(line.split(' ').next().unwrap_or("").parse()?))
}

/// The one in the middle; of an even number, the lower.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// The smallest.
pub fn least(figures: &[f64]) -> f64 {
    figures.iter().copied().fold(f64::INFINITY, f64::min)
}
