//! The disks that are tried at each crash point: the simple ones, those that would hurt a log most, and random ones.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::disk::{Disk, Everything, Fate, Piece};
use crate::record::Files;
use crate::workload::DATABASE;

/// Random disks for each point.
const RANDOM: u64 = 4;

/// The disk that a store needs to expect most of all.
pub fn nothing_unsynced(disk: &Disk) -> (String, Files) {
    ("nothing unsynced survives".to_owned(), disk.after_crash(&mut By(|_| false)))
}

/// Every different disk that is tried, and what is special about it.
pub fn disks(disk: &Disk, seed: u64) -> Vec<(String, Files)> {
    let mut found = vec![nothing_unsynced(disk)];
    if disk.is_settled() {
        return found;
    }
    let mut add = |what: &str, fate: &mut dyn Fate| {
        let files = disk.after_crash(fate);
        if found.iter().all(|(_, other)| *other != files) {
            found.push((what.to_owned(), files));
        }
    };
    add("everything survives", &mut Everything);
    add("only the newest write of each file survives", &mut By(|p| newest(p, 1)));
    add("the newer half survives", &mut By(|p| later_than(p, 2)));
    add("the older half survives", &mut By(|p| !later_than(p, 2)));
    add("the log's header and its newest frame survive", &mut By(|p| header(p) || newest(p, 2)));
    add("all but the oldest write survives", &mut By(|p| !matches!(p, Piece::Sector { nth: 0, .. })));
    add("the database survives, its log doesn't", &mut By(|p| !in_log(p)));
    add("the log survives, the database doesn't", &mut By(|p| !matches!(p, Piece::Sector { .. }) || in_log(p)));
    add("files, names and lengths, and zeros in them", &mut Grown(0));
    add("files, names and lengths, and rubbish in them", &mut Grown(0xa5));
    for n in 0..RANDOM {
        add(&format!("random {n}"), &mut Random::new(seed * RANDOM + n));
    }
    // What the log's index holds is rubbish after a power loss, where there is one at all.
    let index = format!("{DATABASE}-shm");
    found.iter_mut().rev().step_by(2).for_each(|(_, files)| drop(files.insert(index.clone(), vec![0xa5; 32_768])));
    found
}

/// One disk on which each sector has its own fate.
pub fn random(disk: &Disk, seed: u64) -> Files {
    disk.after_crash(&mut Random::new(seed))
}

fn in_log(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Sector { name, .. } if name.ends_with("-wal"))
}

/// The write that begins the log anew: it says which frames count.
fn header(piece: &Piece<'_>) -> bool {
    matches!(piece, Piece::Sector { at: 0, .. } if in_log(piece)) || !matches!(piece, Piece::Sector { .. })
}

fn newest(piece: &Piece<'_>, writes: usize) -> bool {
    !matches!(piece, Piece::Sector { nth, of, .. } if nth + writes < *of)
}

fn later_than(piece: &Piece<'_>, part: usize) -> bool {
    !matches!(piece, Piece::Sector { nth, of, .. } if nth * part < *of)
}

struct By(fn(&Piece<'_>) -> bool);

impl Fate for By {
    fn survives(&mut self, piece: &Piece<'_>) -> bool {
        (self.0)(piece)
    }
}

/// The file system wrote down names and lengths, and the power failed before what the files hold.
struct Grown(u8);

impl Fate for Grown {
    fn survives(&mut self, piece: &Piece<'_>) -> bool {
        !matches!(piece, Piece::Sector { .. })
    }

    fn instead(&mut self) -> Option<u8> {
        Some(self.0)
    }
}

/// Each sector by itself, in any order. How many survive is drawn for each file, so that much of one and little of another
/// does.
struct Random {
    rng: ChaCha8Rng,
    shares: BTreeMap<String, u32>,
    instead: Option<u8>,
}

impl Random {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let instead = [None, Some(0), Some(0xa5)][rng.next_u32() as usize % 3];
        Self { rng, shares: BTreeMap::new(), instead }
    }
}

impl Fate for Random {
    fn survives(&mut self, piece: &Piece<'_>) -> bool {
        let share = match piece {
            Piece::Sector { name, .. } => {
                let drawn = [5, 50, 95, 99][self.rng.next_u32() as usize % 4];
                *self.shares.entry((*name).to_owned()).or_insert(drawn)
            }
            Piece::Name | Piece::Length => 50,
        };
        self.rng.next_u32() % 100 < share
    }

    fn shuffle(&mut self) -> Option<&mut ChaCha8Rng> {
        Some(&mut self.rng)
    }

    fn instead(&mut self) -> Option<u8> {
        self.instead
    }
}
