//! The chain: `mac_n = HMAC-SHA256(chain key, mac_{n-1} ‖ seq ‖ at ‖ everything that the row holds)`, RFC 2104. The key comes from
//! the master key: who can write to the database and has not that key can neither change a row nor make one.

use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::by::By;
use super::event::Event;
use super::person::{self, Owner, PersonKey, Personal};
use super::{bytes, period_of};
use crate::ids::Realm;
use crate::ports::{Clock, Entropy};
use crate::seal::MasterKey;
use crate::time::Timestamp;

/// The end of the chain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The last row's number; 0 before the first.
    pub seq: u64,
    /// Its MAC.
    pub mac: [u8; 32],
}

impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.seq, hex::encode(self.mac))
    }
}

/// A row, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Counts up from 1, without a gap.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The realm that it belongs to; `None`: the server's own.
    pub realm: Option<Realm>,
    /// The event, but for its realm and what is personal.
    pub clear: Vec<u8>,
    /// The [number](PersonKey::no) of the key under which the rest is sealed.
    pub person: Option<u64>,
    /// What is personal.
    pub sealed: Option<Vec<u8>>,
    /// Over all of it, and the row before.
    pub mac: [u8; 32],
}

impl Row {
    /// The chain's end after this row.
    pub fn head(&self) -> Head {
        Head { seq: self.seq, mac: self.mac }
    }

    /// The event without what is personal. `None`: a newer version has written it.
    pub fn read(&self) -> Option<(Event, By)> {
        let (event, by) = bytes::read_clear(&self.clear)?;
        Some((Event { realm: self.realm.clone(), ..event }, by))
    }
}

/// What retention leaves of the rows that it deleted: where the chain goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last row that was deleted.
    pub head: Head,
    /// How many rows were deleted, in all.
    pub rows: u64,
    /// When.
    pub at: Timestamp,
    /// Over all of it.
    pub mac: [u8; 32],
}

/// Writes rows and proves them.
pub struct Scribe {
    chain: Hmac<Sha256>,
    people: Hmac<Sha256>,
    owners: Hmac<Sha256>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Scribe {
    /// The scribe of a database's master key.
    pub fn new(master: &MasterKey, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        let keyed = |purpose| {
            let key = master.derive(purpose);
            Hmac::<Sha256>::new_from_slice(&key[..]).expect("HMAC takes keys of any length")
        };
        Self {
            chain: keyed("yaopai audit chain"),
            people: keyed("yaopai audit people"),
            owners: keyed("yaopai audit owners"),
            clock,
            entropy,
        }
    }

    /// Where the chain begins.
    pub fn genesis(&self) -> Head {
        Head { seq: 0, mac: mac(&self.chain, &[b"genesis"]) }
    }

    /// Now: a row says when it was written, so that the rows' order is the order of their times.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What the owner's key is looked up by: the period, and a keyed hash, so that the table of keys names nobody.
    pub fn owner_at(&self, owner: &Owner, at: Timestamp) -> (i64, [u8; 16]) {
        (period_of(at), self.owner(owner))
    }

    /// The same without the period.
    pub fn owner(&self, owner: &Owner) -> [u8; 16] {
        let mut half = [0u8; 16];
        half.copy_from_slice(&mac(&self.owners, &[&owner.bytes()])[..16]);
        half
    }

    /// What a new person's key is made of.
    pub fn salt(&self) -> [u8; 16] {
        let mut salt = [0u8; 16];
        self.entropy.fill(&mut salt);
        salt
    }

    /// The next row. `key` is its [`Owner`]'s, where it has one.
    pub fn row(&self, after: Head, at: Timestamp, event: &Event, by: &By, key: Option<&PersonKey>) -> Row {
        let sealed = key.map(|key| {
            let plain = bytes::personal_of(event, by);
            person::seal(&self.key_of(&key.salt), &*self.entropy, &plain)
        });
        let mut row = Row {
            seq: after.seq + 1,
            at,
            realm: event.realm.clone(),
            clear: bytes::clear_of(event, by),
            person: key.map(|key| key.no),
            sealed,
            mac: [0; 32],
        };
        row.mac = self.mac_of(&after.mac, &row);
        row
    }

    /// Is this the row that comes after the one with this MAC?
    pub fn follows(&self, before: &[u8; 32], row: &Row) -> bool {
        self.mac_of(before, row).ct_eq(&row.mac).into()
    }

    /// A checkpoint at a row that is about to be deleted.
    pub fn checkpoint(&self, head: Head, rows: u64, at: Timestamp) -> Checkpoint {
        let mut checkpoint = Checkpoint { head, rows, at, mac: [0; 32] };
        checkpoint.mac = self.mac_of_checkpoint(&checkpoint);
        checkpoint
    }

    /// Did we make this checkpoint?
    pub fn made(&self, checkpoint: &Checkpoint) -> bool {
        self.mac_of_checkpoint(checkpoint).ct_eq(&checkpoint.mac).into()
    }

    /// What is personal in a row, with the salt of its key. `None`: it does not open.
    pub fn open(&self, row: &Row, salt: &[u8; 16]) -> Option<Personal> {
        let plain = person::open(&self.key_of(salt), row.sealed.as_deref()?)?;
        bytes::read_personal(&plain)
    }

    fn key_of(&self, salt: &[u8; 16]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(mac(&self.people, &[salt]))
    }

    fn mac_of(&self, before: &[u8; 32], row: &Row) -> [u8; 32] {
        let realm = row.realm.as_ref().map(|realm| realm.as_str().as_bytes());
        let person = row.person.map(u64::to_be_bytes);
        mac(
            &self.chain,
            &[
                b"row",
                before,
                &row.seq.to_be_bytes(),
                &row.at.0.to_be_bytes(),
                // Absent and empty are not the same.
                &[u8::from(realm.is_some()), u8::from(person.is_some()), u8::from(row.sealed.is_some())],
                realm.unwrap_or_default(),
                &row.clear,
                person.as_ref().map_or(&[], |no| no.as_slice()),
                row.sealed.as_deref().unwrap_or_default(),
            ],
        )
    }

    fn mac_of_checkpoint(&self, c: &Checkpoint) -> [u8; 32] {
        let (seq, rows, at) = (c.head.seq.to_be_bytes(), c.rows.to_be_bytes(), c.at.0.to_be_bytes());
        mac(&self.chain, &[b"checkpoint", &seq, &c.head.mac, &rows, &at])
    }
}

impl fmt::Debug for Scribe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scribe(…)")
    }
}

/// Over the parts, each with its length, so that no two lists of parts are the same bytes.
fn mac(key: &Hmac<Sha256>, parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = key.clone();
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
