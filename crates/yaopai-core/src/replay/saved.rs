//! What a graceful stop leaves behind, in memory and as bytes.

use std::num::NonZeroU64;

use zeroize::Zeroizing;

use super::fingerprint::HashKey;
use super::generations::open_at;
use crate::time::Timestamp;

const VERSION: u8 = 1;
/// Version, key, high-water mark, shut time, number of generations.
const HEAD: usize = 1 + 16 + 8 + 8 + 1;
const CHECKSUM: usize = 8;

/// The state of a [`super::Replays`] that was closed. It holds the key of its hash: whoever has that could fill the room
/// with less, so its bytes are to be kept sealed.
#[derive(Debug)]
pub struct Saved {
    pub(super) key: HashKey,
    pub(super) high_water: Timestamp,
    pub(super) shut_until: i64,
    /// By number, ascending.
    pub(super) generations: Vec<(i64, Vec<NonZeroU64>)>,
}

/// Why bytes are no saved state. The caller then knows nothing of what was accepted: as after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSaved {
    /// Another version wrote them.
    #[error("saved nonces of an unknown version")]
    Version,
    /// They are cut off, changed, or something else.
    #[error("saved nonces are damaged")]
    Damaged,
}

impl Saved {
    /// The latest time at which a request was accepted.
    pub fn high_water(&self) -> Timestamp {
        self.high_water
    }

    /// The bytes, all numbers big-endian: a version byte (1), the key (16), the high-water mark in ms (8), the second up to
    /// which all is refused (8), how many generations (1); for each its number (8), how many fingerprints (8) and those (8 each); last
    /// the keyed hash of all that (8). That finds damage; it does not stop who can write the file.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let body: usize = self.generations.iter().map(|(_, all)| 16 + 8 * all.len()).sum();
        // All at once: a buffer that grows leaves copies of the key behind.
        let mut out = Zeroizing::new(Vec::with_capacity(HEAD + body + CHECKSUM));
        out.push(VERSION);
        out.extend_from_slice(&*self.key.0);
        out.extend_from_slice(&self.high_water.0.to_be_bytes());
        out.extend_from_slice(&self.shut_until.to_be_bytes());
        out.push(u8::try_from(self.generations.len()).unwrap_or(u8::MAX));
        for (number, all) in &self.generations {
            out.extend_from_slice(&number.to_be_bytes());
            out.extend_from_slice(&(all.len() as u64).to_be_bytes());
            for fingerprint in all {
                out.extend_from_slice(&fingerprint.get().to_be_bytes());
            }
        }
        let checksum = self.key.hash([&out]);
        out.extend_from_slice(&checksum.to_be_bytes());
        out
    }

    /// Reads the bytes. Allocates no more than they are long.
    ///
    /// # Errors
    /// [`NotSaved`], for anything that [`Self::to_bytes`] does not write.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotSaved> {
        match bytes.first() {
            Some(&VERSION) => Self::read(bytes).ok_or(NotSaved::Damaged),
            Some(_) => Err(NotSaved::Version),
            None => Err(NotSaved::Damaged),
        }
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (mut rest, checksum) = bytes.split_last_chunk::<CHECKSUM>()?;
        let body = rest;
        take::<1>(&mut rest)?;
        let key = HashKey(Zeroizing::new(take(&mut rest)?));
        if key.hash([body]) != u64::from_be_bytes(*checksum) {
            return None;
        }
        let high_water = Timestamp(i64::from_be_bytes(take(&mut rest)?));
        let shut_until = i64::from_be_bytes(take(&mut rest)?);
        let [count] = take(&mut rest)?;
        let mut generations: Vec<(i64, Vec<NonZeroU64>)> = Vec::new();
        for _ in 0..count {
            let number = i64::from_be_bytes(take(&mut rest)?);
            let length = usize::try_from(u64::from_be_bytes(take(&mut rest)?)).ok()?.checked_mul(8)?;
            let (all, after) = rest.split_at_checked(length)?;
            rest = after;
            // Ascending and open: so there are no more than two, and none that could never be removed.
            let ascends = generations.last().is_none_or(|(last, _)| *last < number);
            if !ascends || !open_at(high_water).contains(&number) {
                return None;
            }
            let (all, []) = all.as_chunks::<8>() else { return None };
            let all = all.iter().map(|eight| NonZeroU64::new(u64::from_be_bytes(*eight)));
            generations.push((number, all.collect::<Option<_>>()?));
        }
        (rest.is_empty() && high_water.0 >= 0).then_some(Self { key, high_water, shut_until, generations })
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (first, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*first)
}
