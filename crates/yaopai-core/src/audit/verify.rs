//! Is the chain whole? Says the first thing that is wrong, in words for whoever looks after the server.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq as _;

use super::chain::{Checkpoint, Head, Row, Scribe};

/// The first thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The checkpoint isn't ours.
    #[error(
        "the checkpoint at row {0} was changed, or was not made with this master key: which rows were deleted before it is not known"
    )]
    Checkpoint(u64),
    /// Rows are gone.
    #[error("row {found} comes after row {after}: {} row(s) between them are gone{}", found - after - 1, if *after == 0 { ", and there is no checkpoint that says so" } else { "" })]
    Gap {
        /// The last row that is there.
        after: u64,
        /// The next that is there.
        found: u64,
    },
    /// A number that is not after the one before.
    #[error("row {found} comes after row {after}: it was put there, or a deleted row was put back")]
    OutOfOrder {
        /// The last good row.
        after: u64,
        /// What came then.
        found: u64,
    },
    /// A row does not fit.
    #[error(
        "row {0} does not fit the row before it: it was changed, put there, or written with another master key; nothing from it on is proven"
    )]
    Edited(u64),
    /// An exported head says otherwise.
    #[error(
        "row {0} is not the one whose head was exported: the rows up to it were written anew since, or this is another database"
    )]
    Rewritten(u64),
    /// The end is missing.
    #[error(
        "the last row is {last}, but the head of row {exported} was exported: the rows after {last} were cut off, or this is an older copy of the database"
    )]
    CutOff {
        /// The last row that is there.
        last: u64,
        /// The furthest row that was exported.
        exported: u64,
    },
}

/// What was proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many rows were looked at.
    pub rows: u64,
    /// The last row.
    pub head: Head,
    /// How many exported heads were found in it.
    pub heads: u64,
    /// How many exported heads are of rows that retention has deleted, and say nothing any more.
    pub older: u64,
}

/// Takes the rows one by one, in the order of their numbers.
pub struct Verifier<'s> {
    scribe: &'s Scribe,
    head: Head,
    rows: u64,
    /// Exported heads that have not been reached yet.
    ahead: BTreeMap<u64, [u8; 32]>,
    found: u64,
    older: u64,
}

impl<'s> Verifier<'s> {
    /// Begins at the checkpoint, if there is one.
    ///
    /// # Errors
    /// What is wrong with it, also as an exported head sees it.
    pub fn new(
        scribe: &'s Scribe,
        checkpoint: Option<&Checkpoint>,
        heads: impl IntoIterator<Item = Head>,
    ) -> Result<Self, Fault> {
        let head = match checkpoint {
            Some(checkpoint) if !scribe.made(checkpoint) => return Err(Fault::Checkpoint(checkpoint.head.seq)),
            Some(checkpoint) => checkpoint.head,
            None => scribe.genesis(),
        };
        let mut ahead = BTreeMap::new();
        for exported in heads {
            // Two heads that were exported of one row, and differ: one of them is of rows that are not here.
            if ahead.insert(exported.seq, exported.mac).is_some_and(|mac| mac != exported.mac) {
                return Err(Fault::Rewritten(exported.seq));
            }
        }
        let still = ahead.split_off(&head.seq);
        let older = ahead.len() as u64;
        let mut this = Self { scribe, head, rows: 0, ahead: still, found: 0, older };
        this.meet()?;
        Ok(this)
    }

    /// The next row.
    ///
    /// # Errors
    /// What is wrong with it. Nothing after it is worth looking at.
    pub fn row(&mut self, row: &Row) -> Result<(), Fault> {
        let after = self.head.seq;
        if row.seq <= after {
            return Err(Fault::OutOfOrder { after, found: row.seq });
        }
        if row.seq != after + 1 {
            return Err(Fault::Gap { after, found: row.seq });
        }
        if !self.scribe.follows(&self.head.mac, row) {
            return Err(Fault::Edited(row.seq));
        }
        self.head = row.head();
        self.rows += 1;
        self.meet()
    }

    /// There are no more rows.
    ///
    /// # Errors
    /// [`Fault::CutOff`].
    pub fn end(self) -> Result<Verified, Fault> {
        match self.ahead.last_key_value() {
            Some((exported, _)) => Err(Fault::CutOff { last: self.head.seq, exported: *exported }),
            None => Ok(Verified { rows: self.rows, head: self.head, heads: self.found, older: self.older }),
        }
    }

    /// Was the head that is reached exported, and as it is here?
    fn meet(&mut self) -> Result<(), Fault> {
        let Some(exported) = self.ahead.remove(&self.head.seq) else { return Ok(()) };
        if !bool::from(exported.ct_eq(&self.head.mac)) {
            return Err(Fault::Rewritten(self.head.seq));
        }
        self.found += 1;
        Ok(())
    }
}
