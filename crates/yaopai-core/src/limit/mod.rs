//! How often somebody may try: sliding windows in memory, bounded, that forget nobody early.
//!
//! A window is cut into ten slots and counts one more than it is long, so that no span of its length ever holds more than
//! allowed. What is counted is told by a keyed hash: neither a memory dump nor a log says who tried what. A full table takes
//! nobody new: making room would let whoever fills it reset somebody's count. Of networks, those that it has no room for are let
//! by.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::ports::{Count, SLOTS, Tries};
use crate::seal::hmac;
use crate::time::{Timestamp, millis};

mod account;
mod allowed;

pub(crate) use account::account;
pub use allowed::{Allowed, TryLimits};
pub(crate) use allowed::{By, Kind, Want, What};

/// How many names each kind remembers at a time.
const NAMES_MAX: usize = 200_000;
/// What a full table asks for when it can't know better.
const WAIT_FULL: u32 = 60;

/// What was counted, so that it can be given back.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    slot: i64,
    names: Vec<(Kind, Name)>,
    /// What all nodes have counted, and in which slot of theirs.
    pub shared: Option<(Tries, i64)>,
}

type Name = [u8; 16];

/// The counts of one window length.
pub(crate) struct Windows {
    key: Zeroizing<[u8; 32]>,
    slot_ms: i64,
    tables: Mutex<[Table; Kind::COUNT]>,
    names_max: usize,
}

#[derive(Default)]
struct Table {
    names: HashMap<Name, Counts, foldhash::fast::RandomState>,
    /// The slot in which the whole table was last looked through.
    tidied: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    /// Newest first.
    slots: [u32; SLOTS],
    newest: i64,
}

impl Windows {
    /// `key`: names are digested with it. Nodes that count together have the same.
    pub(crate) fn new(window: Duration, key: Zeroizing<[u8; 32]>) -> Self {
        Self::bounded(window, key, NAMES_MAX)
    }

    fn bounded(window: Duration, key: Zeroizing<[u8; 32]>, names_max: usize) -> Self {
        let slot_ms = (millis(window) / (SLOTS as i64 - 1)).max(1);
        Self { key, slot_ms, tables: Mutex::default(), names_max }
    }

    /// The same tries, as other nodes count them too.
    pub(crate) fn tries(&self, wants: &[Want<'_>]) -> Tries {
        let count = |want: &Want<'_>| {
            let kind = u8::try_from(want.kind.place()).unwrap_or(u8::MAX);
            Count { kind, name: self.name(want), max: want.max, spills: want.kind.1 == By::Network }
        };
        Tries { counts: wants.iter().map(count).collect(), slot_ms: self.slot_ms }
    }

    /// Counts one for each, or none at all: then the seconds after which it may be tried again.
    pub(crate) fn take(&self, wants: &[Want<'_>], now: Timestamp) -> Result<Taken, u32> {
        let slot = now.0.div_euclid(self.slot_ms);
        let names: Vec<(Kind, Name)> = wants.iter().map(|want| (want.kind, self.name(want))).collect();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counted = Vec::with_capacity(names.len());
        for (want, (kind, name)) in wants.iter().zip(names) {
            let table = &mut tables[kind.place()];
            if let Some(counts) = table.names.get_mut(&name) {
                counts.forward(slot);
                if counts.sum() >= want.max {
                    return Err(self.wait(counts, now));
                }
                counted.push((kind, name));
                continue;
            }
            // Once a slot: whoever finds it full must not have it looked through at each try.
            if table.names.len() >= self.names_max && table.tidied != slot {
                table.tidy(slot);
            }
            if table.names.len() < self.names_max {
                counted.push((kind, name));
            } else if kind.1 != By::Network {
                return Err(WAIT_FULL);
            }
            // Who tries from more networks than the table holds is allowed more than anybody could send: to refuse the others'
            // would be all that it is good for.
        }
        for (kind, name) in &counted {
            let names = &mut tables[kind.place()].names;
            let counts = names.entry(*name).or_insert(Counts { newest: slot, ..Counts::default() });
            counts.slots[0] = counts.slots[0].saturating_add(1);
        }
        Ok(Taken { slot, names: counted, shared: None })
    }

    /// What was counted came to nothing, through no fault of whoever tried.
    pub(crate) fn give_back(&self, taken: &Taken) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, name) in &taken.names {
            let Some(counts) = tables[kind.place()].names.get_mut(name) else { continue };
            let age = usize::try_from(counts.newest - taken.slot).unwrap_or(0);
            if let Some(count) = counts.slots.get_mut(age) {
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Forgets whose windows are empty.
    pub(crate) fn purge(&self, now: Timestamp) {
        let slot = now.0.div_euclid(self.slot_ms);
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        tables.iter_mut().for_each(|table| table.tidy(slot));
    }

    /// Seconds until the oldest count falls out.
    fn wait(&self, counts: &Counts, now: Timestamp) -> u32 {
        let oldest = counts.slots.iter().rposition(|n| *n > 0).unwrap_or(0);
        let left = i64::try_from(SLOTS - oldest).unwrap_or(0);
        let then = Timestamp((counts.newest + left).saturating_mul(self.slot_ms));
        u32::try_from(now.seconds_until(then)).unwrap_or(u32::MAX).max(1)
    }

    fn name(&self, want: &Want<'_>) -> Name {
        let mut name = Name::default();
        name.copy_from_slice(&hmac(&self.key[..], &want.name)[..16]);
        name
    }
}

impl Table {
    fn tidy(&mut self, slot: i64) {
        self.names.retain(|_, counts| counts.is_live(slot));
        self.tidied = slot;
    }
}

impl Counts {
    fn forward(&mut self, slot: i64) {
        let by = usize::try_from(slot - self.newest).unwrap_or(0);
        if by > 0 {
            self.slots.copy_within(..SLOTS.saturating_sub(by), by.min(SLOTS));
            self.slots[..by.min(SLOTS)].fill(0);
            self.newest = slot;
        }
    }

    fn sum(&self) -> u32 {
        self.slots.iter().fold(0, |sum: u32, n| sum.saturating_add(*n))
    }

    fn is_live(&self, slot: i64) -> bool {
        let mut counts = *self;
        counts.forward(slot);
        counts.sum() > 0
    }
}

/// The network of an address, as far as one household or company has it by itself (RFC 6177: an IPv6 site gets a /64 at
/// least, and moves about in it at will).
pub(crate) fn network(ip: IpAddr) -> Vec<u8> {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets()[..8].to_vec(),
    }
}

#[cfg(test)]
mod tests;
