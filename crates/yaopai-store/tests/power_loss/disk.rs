//! What may be on a disk after a power loss.
//!
//! Of each file, what it was when it was last made durable, and what was done to it since: of that, any part may be there and
//! any part not, in sectors of 512 bytes and in any order. The same holds for names in the folder, which only the folder's own
//! fsync makes durable. A file may have grown and hold zeros or rubbish where nothing arrived.
//!
//! This is harsher than file systems are (ext4 and XFS keep the order of names, page caches that of writes to one sector),
//! and as harsh as POSIX allows, but for one thing that SQLite relies on: a write leaves the bytes beside it as they were
//! (<https://www.sqlite.org/psow.html>).

use std::collections::BTreeMap;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng as _;

use crate::record::{FileId, Files, Op};

/// What is written as a whole or not at all.
const SECTOR: usize = 512;

#[derive(Clone, Default)]
pub struct Disk {
    files: BTreeMap<FileId, File>,
    /// The folder, as it was when it was last made durable.
    names: BTreeMap<String, FileId>,
    unsynced: Vec<Naming>,
}

#[derive(Clone, Default)]
struct File {
    durable: Arc<Vec<u8>>,
    unsynced: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, data: Arc<[u8]> },
    Length(usize),
}

#[derive(Clone)]
enum Naming {
    Create(String, FileId),
    Unlink(String),
}

/// What was not made durable and may be there or not.
pub enum Piece<'a> {
    /// A name that came or went.
    Name,
    /// A file's new length.
    Length,
    /// A sector of a write: the file's name, the write's place in it, and which of the unsynced operations on the file it is.
    Sector { name: &'a str, at: usize, nth: usize, of: usize },
}

/// Which of it is there.
pub trait Fate {
    fn survives(&mut self, piece: &Piece<'_>) -> bool;

    /// In which order pieces reach the disk, where it is not the order in which they were written.
    fn shuffle(&mut self) -> Option<&mut ChaCha8Rng> {
        None
    }

    /// What a file holds that has grown for a sector that did not arrive; `None` if it has not grown.
    fn instead(&mut self) -> Option<u8> {
        None
    }
}

impl Disk {
    pub fn new(files: &Files) -> Self {
        let mut disk = Self::default();
        for (file, (name, bytes)) in files.iter().enumerate() {
            disk.names.insert(name.clone(), file);
            disk.files.insert(file, File { durable: Arc::new(bytes.clone()), unsynced: Vec::new() });
        }
        disk
    }

    pub fn apply(&mut self, op: &Op) {
        match op {
            Op::Create { name, file } => {
                self.files.insert(*file, File::default());
                self.unsynced.push(Naming::Create(name.clone(), *file));
            }
            Op::Unlink { name } => self.unsynced.push(Naming::Unlink(name.clone())),
            Op::Write { file, at, data } => self.change(*file, Change::Write { at: *at, data: Arc::clone(data) }),
            Op::Length { file, bytes } => self.change(*file, Change::Length(*bytes)),
            Op::Sync { file } => {
                let file = self.files.get_mut(file).unwrap();
                file.durable = Arc::new(file.after_crash("", &mut Everything));
                file.unsynced.clear();
            }
            Op::SyncFolder => {
                self.names = self.names_after(&mut Everything);
                self.unsynced.clear();
            }
            Op::Said { .. } => {}
        }
    }

    fn change(&mut self, file: FileId, change: Change) {
        self.files.get_mut(&file).unwrap().unsynced.push(change);
    }

    /// Is there anything that may be lost?
    pub fn is_settled(&self) -> bool {
        self.unsynced.is_empty() && self.names.values().all(|file| self.files[file].unsynced.is_empty())
    }

    /// What is found on it.
    pub fn after_crash(&self, fate: &mut dyn Fate) -> Files {
        let names = self.names_after(fate);
        names.into_iter().map(|(name, file)| (name.clone(), self.files[&file].after_crash(&name, fate))).collect()
    }

    fn names_after(&self, fate: &mut dyn Fate) -> BTreeMap<String, FileId> {
        let mut names = self.names.clone();
        for naming in &self.unsynced {
            if fate.survives(&Piece::Name) {
                match naming {
                    Naming::Create(name, file) => drop(names.insert(name.clone(), *file)),
                    Naming::Unlink(name) => drop(names.remove(name)),
                }
            }
        }
        names
    }
}

impl File {
    fn after_crash(&self, name: &str, fate: &mut dyn Fate) -> Vec<u8> {
        let mut bytes = self.durable.to_vec();
        let of = self.unsynced.len();
        // Sectors that reach the disk between two changes of its length.
        let mut arriving = Vec::new();
        for (nth, change) in self.unsynced.iter().enumerate() {
            match change {
                Change::Write { at, data } => {
                    for (at, part) in sectors(*at, data) {
                        if fate.survives(&Piece::Sector { name, at, nth, of }) {
                            arriving.push((at, part));
                        } else if let Some(rubbish) = fate.instead()
                            && bytes.len() < at + part.len()
                        {
                            bytes.resize(at + part.len(), rubbish);
                        }
                    }
                }
                Change::Length(len) => {
                    arrive(&mut bytes, &mut arriving, fate);
                    if fate.survives(&Piece::Length) {
                        bytes.resize(*len, 0);
                    }
                }
            }
        }
        arrive(&mut bytes, &mut arriving, fate);
        bytes
    }
}

fn arrive(bytes: &mut Vec<u8>, arriving: &mut Vec<(usize, &[u8])>, fate: &mut dyn Fate) {
    if let Some(rng) = fate.shuffle() {
        for n in (1..arriving.len()).rev() {
            arriving.swap(n, rng.next_u32() as usize % (n + 1));
        }
    }
    for (at, part) in arriving.drain(..) {
        let end = at + part.len();
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        bytes[at..end].copy_from_slice(part);
    }
}

/// Cuts a write at the borders of sectors.
fn sectors(at: usize, data: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let first = (SECTOR - at % SECTOR).min(data.len());
    let (head, rest) = data.split_at(first);
    let rest = rest.chunks(SECTOR).enumerate().map(move |(n, part)| (at + first + n * SECTOR, part));
    std::iter::once((at, head)).chain(rest)
}

/// As if the power had not failed.
pub struct Everything;

impl Fate for Everything {
    fn survives(&mut self, _: &Piece<'_>) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Fate for Nothing {
        fn survives(&mut self, _: &Piece<'_>) -> bool {
            false
        }
    }

    /// Only what lies in the second sector.
    struct Second;

    impl Fate for Second {
        fn survives(&mut self, piece: &Piece<'_>) -> bool {
            matches!(piece, Piece::Name | Piece::Sector { at: 512..1024, .. })
        }
    }

    fn write(at: usize, data: &[u8]) -> Op {
        Op::Write { file: 0, at, data: data.into() }
    }

    fn with(ops: &[Op]) -> Disk {
        let mut disk = Disk::default();
        disk.apply(&Op::Create { name: "a".into(), file: 0 });
        ops.iter().for_each(|op| disk.apply(op));
        disk
    }

    fn one(bytes: &[u8]) -> Files {
        Files::from([("a".into(), bytes.to_vec())])
    }

    #[test]
    fn a_file_and_its_name_are_durable_each_by_its_own_sync() {
        assert_eq!(with(&[write(0, b"x"), Op::Sync { file: 0 }]).after_crash(&mut Nothing), Files::new());
        assert_eq!(with(&[write(0, b"x"), Op::SyncFolder]).after_crash(&mut Nothing), one(b""));
        let both = with(&[write(0, b"x"), Op::Sync { file: 0 }, Op::SyncFolder]);
        assert!(both.is_settled());
        assert_eq!(both.after_crash(&mut Nothing), one(b"x"));
    }

    #[test]
    fn a_name_that_went_comes_back_with_what_was_durable() {
        let mut disk = with(&[write(0, b"x"), Op::Sync { file: 0 }, Op::SyncFolder]);
        disk.apply(&Op::Length { file: 0, bytes: 0 });
        disk.apply(&Op::Unlink { name: "a".into() });
        assert!(!disk.is_settled());
        assert_eq!(disk.after_crash(&mut Nothing), one(b"x"));
        assert_eq!(disk.after_crash(&mut Everything), Files::new());
    }

    #[test]
    fn a_write_is_torn_at_sectors() {
        let disk = with(&[write(500, &[7; 1000])]);
        let mut torn = vec![0; 1024];
        torn[512..].fill(7);
        assert_eq!(disk.after_crash(&mut Second), one(&torn));
    }
}
