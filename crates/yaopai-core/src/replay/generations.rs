//! The generations that are open, by their number: `created` div 66 s.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use papaya::{Guard as _, HashMap, LocalGuard};

use super::GENERATION;
use super::gate::{Gate, window};
use super::generation::{Generation, table_bytes_of};
use super::shape::{Budget, Shape};
use crate::time::Timestamp;

/// The window never touches more.
const OPEN: usize = 2;
/// How many removed entries make sure that a removed generation's memory is given back: well over the threads that can be
/// inside `accept` at one moment.
const FILLERS: usize = 256;
/// No generation has this number.
const FILLER: i64 = i64::MIN;

pub(super) struct Generations {
    map: HashMap<i64, Generation, foldhash::fast::RandomState>,
    shape: Shape,
    budget: Arc<Budget>,
}

impl Generations {
    pub fn new(bound: usize) -> Self {
        let shape = Shape::new(bound / OPEN);
        let budget = Arc::new(Budget::new(shape.slots() * OPEN));
        Self { map: HashMap::with_hasher(foldhash::fast::RandomState::default()), shape, budget }
    }

    /// What a generation must be read under.
    pub fn guard(&self) -> LocalGuard<'_> {
        self.map.guard()
    }

    pub fn get<'g>(&self, number: i64, guard: &'g LocalGuard<'_>) -> Option<&'g Generation> {
        self.map.get(&number, guard)
    }

    /// Making one removes those before the window: at that time none but the one before it is in it.
    pub fn get_or_new<'g>(&self, number: i64, gate: &Gate, guard: &'g LocalGuard<'_>) -> &'g Generation {
        self.get(number, guard).unwrap_or_else(|| {
            self.prune(gate, guard);
            self.map.get_or_insert_with(number, || Generation::new(&self.shape, self.budget.clone()), guard)
        })
    }

    /// Removes those before the window.
    #[cold]
    pub fn prune(&self, gate: &Gate, guard: &LocalGuard<'_>) {
        let oldest = window(gate.mark()).start().div_euclid(GENERATION);
        // Between reading the mark and removing: who sees that one is gone must see the mark too (`Replays::settle`).
        fence(Ordering::SeqCst);
        let mut removed = false;
        for (number, _) in self.map.iter(guard) {
            if *number < oldest && *number != FILLER {
                removed |= self.map.remove(number, guard).is_some();
            }
        }
        if removed {
            self.give_back(guard);
        }
    }

    /// Gives the memory of what this thread removed back, once those are out who read it now.
    ///
    /// The map frees in batches of 32 or more, each thread its own, and a batch must have as many entries as there are readers at
    /// that moment. A generation comes once a minute, so 32 of them would stay, with up to half the bound each. Entries
    /// without content fill the batch up.
    fn give_back(&self, guard: &LocalGuard<'_>) {
        for _ in 0..FILLERS {
            self.map.insert(FILLER, Generation::new(&Shape::new(0), self.budget.clone()), guard);
        }
        self.map.remove(&FILLER, guard);
        guard.flush();
    }

    /// What is remembered in the generations that are open at `mark`, by number.
    pub fn read(&self, mark: Timestamp) -> Vec<(i64, Vec<NonZeroU64>)> {
        let guard = self.guard();
        let open = open_at(mark).filter_map(|number| Some((number, self.get(number, &guard)?)));
        open.map(|(number, generation)| (number, generation.fingerprints().collect())).collect()
    }

    pub fn bytes(&self) -> usize {
        self.budget.bytes()
    }

    pub fn bytes_max(bound: usize) -> usize {
        let shape = Shape::new(bound / OPEN);
        // Two tables more: of one that is removed and still being read, and of one that a thread which stood still has made
        // once more.
        shape.slots() * OPEN * size_of::<u64>() + table_bytes_of(&shape) * (OPEN + 2)
    }
}

/// The numbers of the generations that the window touches.
pub(super) fn open_at(mark: Timestamp) -> std::ops::RangeInclusive<i64> {
    let window = window(mark);
    window.start().div_euclid(GENERATION)..=window.end().div_euclid(GENERATION)
}
