//! How often somebody may try: sliding windows in memory, bounded, that forget nobody early.
//!
//! A window is cut into ten slots and counts one more than it is long, so that no span of its length ever holds more than
//! allowed. What is counted is told by a keyed hash: neither a memory dump nor a log says who tried what. A full table takes
//! nobody new: making room would let whoever fills it reset somebody's count.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use icu_normalizer::DecomposingNormalizerBorrowed;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::ports::Entropy;
use crate::time::{Timestamp, millis};

/// How many names each kind remembers at a time.
const NAMES_MAX: usize = 200_000;
/// A window's slots, and the one that is partly over.
const SLOTS: usize = 11;
/// What a full table asks for when it can't know better.
const WAIT_FULL: u32 = 60;

/// How many tries there may be in a window: binds, previews, and phone numbers that the platform is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryLimits {
    /// Binds and previews by one identity.
    pub per_identity: u16,
    /// From one network: an IPv4 address or an IPv6 /64. Many honest people share one.
    pub per_network: u16,
    /// For one account named in a form, in a realm.
    pub per_account: u16,
    /// Phone numbers asked for by one identity: each may be a call that the platform counts.
    pub phone_numbers: u16,
    /// How long the window is.
    pub window: Duration,
}

impl Default for TryLimits {
    fn default() -> Self {
        Self {
            per_identity: 10,
            per_network: 300,
            per_account: 10,
            phone_numbers: 30,
            window: Duration::from_secs(600),
        }
    }
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Identity,
    Network,
    Account,
    Phone,
}

/// One thing to be counted.
pub(crate) struct Want<'a> {
    pub kind: Kind,
    pub max: u16,
    pub name: Vec<&'a [u8]>,
}

/// What was counted, so that it can be given back.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    slot: i64,
    names: Vec<(Kind, Name)>,
}

type Name = [u8; 16];

/// The counts of one window length.
pub(crate) struct Windows {
    key: Zeroizing<[u8; 32]>,
    slot_ms: i64,
    tables: Mutex<[Table; 4]>,
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
    slots: [u16; SLOTS],
    newest: i64,
}

impl Windows {
    pub(crate) fn new(window: Duration, entropy: &dyn Entropy) -> Self {
        Self::bounded(window, entropy, NAMES_MAX)
    }

    fn bounded(window: Duration, entropy: &dyn Entropy, names_max: usize) -> Self {
        let mut key = Zeroizing::new([0u8; 32]);
        entropy.fill(&mut key[..]);
        let slot_ms = (millis(window) / (SLOTS as i64 - 1)).max(1);
        Self { key, slot_ms, tables: Mutex::default(), names_max }
    }

    /// Counts one for each, or none at all: then the seconds after which it may be tried again.
    pub(crate) fn take(&self, wants: &[Want<'_>], now: Timestamp) -> Result<Taken, u32> {
        let slot = now.0.div_euclid(self.slot_ms);
        let names: Vec<(Kind, Name)> = wants.iter().map(|want| (want.kind, self.name(want))).collect();
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (want, (kind, name)) in wants.iter().zip(&names) {
            let table = &mut tables[*kind as usize];
            if let Some(counts) = table.names.get_mut(name) {
                counts.forward(slot);
                if counts.sum() >= u32::from(want.max) {
                    return Err(self.wait(counts, now));
                }
                continue;
            }
            // Once a slot: whoever finds it full must not have it looked through at each try.
            if table.names.len() >= self.names_max && table.tidied != slot {
                table.tidy(slot);
            }
            if table.names.len() >= self.names_max {
                return Err(WAIT_FULL);
            }
        }
        for (kind, name) in &names {
            let names = &mut tables[*kind as usize].names;
            let counts = names.entry(*name).or_insert(Counts { newest: slot, ..Counts::default() });
            counts.slots[0] = counts.slots[0].saturating_add(1);
        }
        Ok(Taken { slot, names })
    }

    /// What was counted came to nothing, through no fault of whoever tried.
    pub(crate) fn give_back(&self, taken: &Taken) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, name) in &taken.names {
            let Some(counts) = tables[*kind as usize].names.get_mut(name) else { continue };
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
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key[..]).expect("HMAC takes keys of any length");
        for part in &want.name {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let mut name = Name::default();
        name.copy_from_slice(&mac.finalize().into_bytes()[..16]);
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
        self.slots.iter().copied().map(u32::from).sum()
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

/// One spelling for what a back end may take for the same account: `Alice` and ` alice`, `138-0013-8000` and `13800138000`,
/// and what its database's collation compares as equal (MySQL's usual one: `álice`, `ａｌｉｃｅ`, digits of any script). Two
/// accounts that fall together share a count; that is a nuisance, where a second count for one account is a way around.
pub(crate) fn account(named: &str) -> String {
    let letters = DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(named.chars());
    // Up and down again: `ß` is `ss`, `ı` is `i`.
    let letters = letters.flat_map(char::to_uppercase).flat_map(char::to_lowercase).map(latin_digit);
    let folded: String = letters.filter(|c| c.is_alphanumeric()).collect();
    if folded.is_empty() { named.to_owned() } else { folded }
}

/// The zeros of the scripts that have decimal digits of their own, the other nine behind each (Unicode 15, category Nd), but
/// for those that decomposing makes Latin.
const ZEROS: [u32; 58] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20,
    0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0,
    0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450,
    0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1e140, 0x1e2f0, 0x1e950,
];

fn latin_digit(c: char) -> char {
    let behind = ZEROS.partition_point(|zero| *zero <= u32::from(c)).checked_sub(1);
    let digit = behind.and_then(|n| char::from_digit(u32::from(c) - ZEROS[n], 10));
    digit.unwrap_or(c)
}

#[cfg(test)]
#[path = "limit_tests.rs"]
mod tests;
