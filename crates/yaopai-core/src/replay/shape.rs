//! How large a generation may grow and in what steps, and the account of all of them together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many slots a fingerprint may go into at each level: 128 bytes, two lines of a cache.
pub(super) const WINDOW: usize = 16;
/// The first level. Few nonces stay in 32 KB.
const FIRST: usize = 4096;
/// What is allocated at a time, in slots: 32 KB.
pub(super) const CHUNK: usize = 4096;

/// The sizes of a generation's levels in slots, each a multiple of [`WINDOW`].
///
/// They grow fourfold up to about a fifth of the whole. The next takes three quarters of what is left, and so on down: windows of a
/// level are never filled evenly, and what finds its own full there finds room in the smaller ones below. So nearly all slots
/// are in use before one nonce is refused. Growing levels alone would refuse at half.
#[derive(Debug, Clone)]
pub(super) struct Shape(Vec<usize>);

impl Shape {
    /// For at most so many slots.
    pub fn new(slots: usize) -> Self {
        let mut left = slots / WINDOW * WINDOW;
        let mut levels = Vec::new();
        let mut next = FIRST;
        while left / 4 >= next {
            levels.push(next);
            left -= next;
            next = next.saturating_mul(4);
        }
        while left > 0 {
            let most = left - left / 4;
            let level = if left <= 16 * WINDOW { left } else { most / WINDOW * WINDOW };
            levels.push(level);
            left -= level;
        }
        Self(levels)
    }

    pub fn levels(&self) -> &[usize] {
        &self.0
    }

    pub fn slots(&self) -> usize {
        self.0.iter().sum()
    }
}

/// What all generations of a room hold, those included that are removed but still being read.
#[derive(Debug)]
pub(super) struct Budget {
    slots: AtomicUsize,
    slots_max: usize,
    table_bytes: AtomicUsize,
}

impl Budget {
    pub fn new(slots_max: usize) -> Self {
        Self { slots: AtomicUsize::new(0), slots_max, table_bytes: AtomicUsize::new(0) }
    }

    /// Takes so many slots, or none.
    pub fn take(&self, slots: usize) -> bool {
        let more = |held: usize| held.checked_add(slots).filter(|sum| *sum <= self.slots_max);
        self.slots.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    pub fn give_back(&self, slots: usize) {
        self.slots.fetch_sub(slots, Ordering::Relaxed);
    }

    pub fn add_tables(&self, bytes: usize) {
        self.table_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub fn drop_tables(&self, bytes: usize) {
        self.table_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub fn bytes(&self) -> usize {
        self.slots.load(Ordering::Relaxed) * size_of::<u64>() + self.table_bytes.load(Ordering::Relaxed)
    }
}
