//! The fingerprints of one generation: a table to which is only ever added.
//!
//! It has levels, and each fingerprint has one window of 16 slots in each. It goes into the first free slot of its first
//! window that has one. Slots are never emptied, so everybody with the same fingerprint walks past the same others and meets at
//! the same slot, where one compare-and-exchange decides.

use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::NotFresh;
use super::shape::{Budget, CHUNK, Shape, WINDOW};

/// 2⁶⁴ divided by the golden ratio, made odd: a product's high bits depend on every bit of the other factor.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

pub(super) type Chunk = Box<[AtomicU64]>;

pub(super) struct Generation {
    levels: Box<[Level]>,
    budget: Arc<Budget>,
}

struct Level {
    slots: usize,
    /// Made when first written to, so that memory follows the traffic and nobody waits for a whole level.
    chunks: Box<[OnceLock<Chunk>]>,
}

impl Generation {
    pub fn new(shape: &Shape, budget: Arc<Budget>) -> Self {
        let level = |slots: &usize| Level {
            slots: *slots,
            chunks: std::iter::repeat_with(OnceLock::new).take(slots.div_ceil(CHUNK)).collect(),
        };
        let levels: Box<[Level]> = shape.levels().iter().map(level).collect();
        budget.add_tables(table_bytes(&levels));
        Self { levels, budget }
    }

    /// Remembers a fingerprint, once: of all calls with the same one, in all threads, exactly one is `Ok`.
    pub fn claim(&self, fingerprint: NonZeroU64) -> Result<(), NotFresh> {
        for (depth, level) in self.levels.iter().enumerate() {
            let at = level.window_of(fingerprint, depth);
            // No memory: all its earlier windows are full of others, so it is nowhere, and may come again.
            let Some(window) = level.window_or_new(at, &self.budget) else { return Err(NotFresh::Full) };
            for slot in window {
                let mut there = slot.load(Ordering::Acquire);
                if there == 0 {
                    match slot.compare_exchange(0, fingerprint.get(), Ordering::AcqRel, Ordering::Acquire) {
                        Ok(_) => return Ok(()),
                        Err(first) => there = first,
                    }
                }
                if there == fingerprint.get() {
                    return Err(NotFresh::Replayed);
                }
            }
        }
        Err(NotFresh::Full)
    }

    /// Is it remembered here?
    pub fn holds(&self, fingerprint: NonZeroU64) -> bool {
        for (depth, level) in self.levels.iter().enumerate() {
            let Some(window) = level.window(level.window_of(fingerprint, depth)) else { return false };
            for slot in window {
                match slot.load(Ordering::Acquire) {
                    0 => return false,
                    there if there == fingerprint.get() => return true,
                    _ => {}
                }
            }
        }
        false
    }

    /// All that is remembered here, in no order.
    pub fn fingerprints(&self) -> impl Iterator<Item = NonZeroU64> {
        let chunks = self.levels.iter().flat_map(|level| level.chunks.iter()).filter_map(OnceLock::get);
        chunks.flatten().filter_map(|slot| NonZeroU64::new(slot.load(Ordering::Acquire)))
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        let chunks = self.levels.iter().flat_map(|level| level.chunks.iter()).filter_map(OnceLock::get);
        self.budget.give_back(chunks.map(|chunk| chunk.len()).sum());
        self.budget.drop_tables(table_bytes(&self.levels));
    }
}

impl Level {
    /// Each level turns the bits another way, so that those who share a window in one don't in the next.
    fn window_of(&self, fingerprint: NonZeroU64, depth: usize) -> usize {
        let turn = u32::try_from(depth * 23).unwrap_or(0);
        let mixed = fingerprint.get().rotate_left(turn).wrapping_mul(GOLDEN);
        let windows = self.slots / WINDOW;
        // The high word of the product: a number below `windows`, without a division.
        usize::try_from((u128::from(mixed) * windows as u128) >> 64).unwrap_or(0)
    }

    fn window(&self, at: usize) -> Option<&[AtomicU64]> {
        let slot = at * WINDOW;
        self.chunks[slot / CHUNK].get().map(|chunk| &chunk[slot % CHUNK..][..WINDOW])
    }

    fn window_or_new(&self, at: usize, budget: &Budget) -> Option<&[AtomicU64]> {
        self.window(at).or_else(|| {
            self.make(at * WINDOW / CHUNK, budget);
            self.window(at)
        })
    }

    #[cold]
    fn make(&self, at: usize, budget: &Budget) {
        let slots = CHUNK.min(self.slots - at * CHUNK);
        if budget.take(slots) {
            // Made before it is set: if many come at once all but one throw theirs away, and none waits for an allocation.
            let chunk = std::iter::repeat_with(AtomicU64::default).take(slots).collect();
            if self.chunks[at].set(chunk).is_err() {
                budget.give_back(slots);
            }
        }
    }
}

fn table_bytes(levels: &[Level]) -> usize {
    size_of_val(levels) + levels.iter().map(|level| size_of_val(&*level.chunks)).sum::<usize>()
}

/// What [`table_bytes`] will be for a shape.
pub(super) fn table_bytes_of(shape: &Shape) -> usize {
    let chunks: usize = shape.levels().iter().map(|slots| slots.div_ceil(CHUNK)).sum();
    size_of::<Level>() * shape.levels().len() + size_of::<OnceLock<Chunk>>() * chunks
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What a generation takes before its first nonce is what the bound of a room is computed with.
    #[test]
    fn tables_are_counted_as_they_were_announced() {
        for slots in [0, 16, 4096, 100_000, 9_000_000] {
            let shape = Shape::new(slots);
            let budget = Arc::new(Budget::new(slots));
            let generation = Generation::new(&shape, budget.clone());
            assert_eq!(budget.bytes(), table_bytes_of(&shape), "{slots}");
            assert_eq!(budget.bytes() > 0, slots > 0);
            drop(generation);
            assert_eq!(budget.bytes(), 0);
        }
    }

    /// Else what finds its window full at one level would find it full at all of them, and the room would refuse while half empty.
    #[test]
    fn who_share_a_window_do_not_at_the_next_level() {
        let level = Level { slots: 1024 * WINDOW, chunks: Box::new([]) };
        let fingerprints = || {
            // xorshift64
            std::iter::successors(NonZeroU64::new(0x2545_f491_4f6c_dd1d), |x| {
                let x = x.get() ^ x.get() << 13;
                let x = x ^ x >> 7;
                NonZeroU64::new(x ^ x << 17)
            })
        };
        for depth in 0..8 {
            let sharing = fingerprints().filter(|f| level.window_of(*f, depth) == 7).take(64);
            let next: HashSet<_> = sharing.map(|f| level.window_of(f, depth + 1)).collect();
            assert!(next.len() > 48, "{} of 64 at level {}", next.len(), depth + 1);
        }
    }
}
