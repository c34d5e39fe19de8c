//! Sealing: what must not lie in a database in clear is kept under AES-256-GCM.
//!
//! An envelope: the master key (a file or the environment) seals data keys, which the store keeps; a data key seals values.
//! The additional data names the value's place, `table|row|column|key id`, so that a sealed value copied to another place
//! does not open. A data key makes at most 2³⁰ seals with random nonces (NIST SP 800-38D, section 8.3, asks for at most
//! 2³²), counted by reserving blocks of them in the store before use.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use crate::ports::{DataKey, Entropy, Store, StoreError};

/// The largest number of seals with one data key.
const SEALS_MAX: u64 = 1 << 30;
/// How many are reserved at a time.
const BLOCK: u64 = 1 << 22;
const KEY_LEN: usize = 32;

/// The operator's key: 32 bytes.
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// Reads 32 bytes written as base64 or as 64 hex digits; white space around is ignored.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 64 {
            hex::decode(text).ok()?
        } else {
            base64::engine::general_purpose::STANDARD.decode(text).ok()?
        });
        let key: [u8; KEY_LEN] = bytes.as_slice().try_into().ok()?;
        Some(Self(Zeroizing::new(key)))
    }

    /// A new one, as the text that [`MasterKey::parse`] reads.
    pub fn generate(entropy: &dyn Entropy) -> Zeroizing<String> {
        let mut key = Zeroizing::new([0u8; KEY_LEN]);
        entropy.fill(&mut key[..]);
        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(&key[..]))
    }

    /// A key for another purpose, so that one purpose's key says nothing about another's.
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hmac(&self.0[..], &[purpose.as_bytes()]))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Where a sealed value lives.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The table.
    pub table: &'static str,
    /// The row's key, as text.
    pub row: &'a str,
    /// The column.
    pub column: &'static str,
}

/// Why sealing or opening failed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The master key does not open the data keys in this store.
    #[error("the master key does not open this database: it was made with another one")]
    WrongMasterKey,
    /// A sealed value does not open: damaged, moved, or sealed with a key that is gone.
    #[error("a sealed value does not open: {0}")]
    Broken(&'static str),
    /// No seals are left; the next upkeep reserves more.
    #[error("no seals are left for now")]
    Exhausted,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SealError> for crate::Error {
    fn from(e: SealError) -> Self {
        use yaopai_wire::problem::Code;
        let code = if matches!(e, SealError::Exhausted) { Code::Unavailable } else { Code::Internal };
        Self::new(code, "Try again; if it stays so, the server's log says why.").retry_after(1).internal(e)
    }
}

/// Seals and opens values.
pub struct Sealer {
    keys: RwLock<HashMap<u32, Arc<LessSafeKey>>>,
    active: AtomicU32,
    left: AtomicU64,
    master: LessSafeKey,
    slots: Zeroizing<[u8; 32]>,
    entropy: Arc<dyn Entropy>,
}

impl Sealer {
    /// [`Self::new`] and [`Self::load`].
    ///
    /// # Errors
    /// [`SealError::WrongMasterKey`], or the store's.
    pub async fn open(store: &dyn Store, master: &MasterKey, entropy: Arc<dyn Entropy>) -> Result<Self, SealError> {
        let sealer = Self::new(master, entropy)?;
        sealer.load(store).await?;
        Ok(sealer)
    }

    /// One that knows no data keys yet, and can do nothing before [`Self::load`].
    ///
    /// # Errors
    /// None that is to be expected.
    pub fn new(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Result<Self, SealError> {
        Ok(Self {
            keys: RwLock::default(),
            active: AtomicU32::new(0),
            left: AtomicU64::new(0),
            master: aead_key(&master.derive("yaopai data keys")[..])?,
            slots: master.derive("yaopai jar slots"),
            entropy,
        })
    }

    /// Opens the store's data keys, makes the first one if there is none, and reserves seals.
    ///
    /// # Errors
    /// [`SealError::WrongMasterKey`], or the store's.
    pub async fn load(&self, store: &dyn Store) -> Result<(), SealError> {
        self.learn_all(store).await?;
        self.replenish(store).await
    }

    /// Opens the data keys that other nodes have made since, too.
    ///
    /// # Errors
    /// [`SealError::WrongMasterKey`], or the store's.
    pub async fn learn_all(&self, store: &dyn Store) -> Result<(), SealError> {
        for key in store.data_keys().await? {
            self.learn(&key)?;
        }
        Ok(())
    }

    /// Reserves more seals when less than half a block is left, with a new data key when the old one is used up. Called by
    /// upkeep, long before the last is used.
    ///
    /// # Errors
    /// The store's.
    pub async fn replenish(&self, store: &dyn Store) -> Result<(), SealError> {
        if self.left.load(Ordering::Relaxed) > BLOCK / 2 {
            return Ok(());
        }
        let newest = store.data_keys().await?.into_iter().max_by_key(|k| k.id);
        let id = match newest {
            // Another node may have made it since.
            Some(key) if key.reserved + BLOCK <= SEALS_MAX => {
                self.learn(&key)?;
                key.id
            }
            newest => {
                let key = self.new_key(newest.map_or(1, |k| k.id + 1))?;
                store.add_data_key(key).await?;
                let newest = store.data_keys().await?.into_iter().max_by_key(|k| k.id);
                let newest = newest.ok_or(SealError::Broken("the data key just added"))?;
                self.learn(&newest)?;
                newest.id
            }
        };
        store.reserve_seals(id, BLOCK).await?;
        // What was left of an older key's block is given up, so that the count never runs over.
        if self.active.swap(id, Ordering::AcqRel) == id {
            self.left.fetch_add(BLOCK, Ordering::AcqRel);
        } else {
            self.left.store(BLOCK, Ordering::Release);
        }
        Ok(())
    }

    /// Seals a value for its place. The result is `1 ‖ key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`.
    ///
    /// # Errors
    /// [`SealError::Exhausted`].
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let took = self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1));
        took.map_err(|_| SealError::Exhausted)?;
        let id = self.active.load(Ordering::Acquire);
        let key = self.key(id)?;
        self.seal_with(&key, id, place, plain)
    }

    /// Opens a value from its place.
    ///
    /// # Errors
    /// [`SealError::Broken`].
    pub fn unseal(&self, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let id = key_id(sealed)?;
        let key = self.key(id)?;
        unseal_with(&key, id, place, sealed)
    }

    /// Which slot of a jar a cookie has: tells equal cookies from different ones without telling their names.
    pub fn slot(&self, parts: &[&[u8]]) -> [u8; 16] {
        let full = hmac(&self.slots[..], parts);
        let mut half = [0u8; 16];
        half.copy_from_slice(&full[..16]);
        half
    }

    fn key(&self, id: u32) -> Result<Arc<LessSafeKey>, SealError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&id).cloned().ok_or(SealError::Broken("its data key is unknown"))
    }

    /// Was this data key made under our master key?
    ///
    /// # Errors
    /// [`SealError::WrongMasterKey`].
    pub fn opens(&self, key: &DataKey) -> Result<(), SealError> {
        self.learn(key)
    }

    fn learn(&self, key: &DataKey) -> Result<(), SealError> {
        let row = key.id.to_string();
        let place = Place { table: "data_keys", row: &row, column: "sealed" };
        let plain = unseal_with(&self.master, 0, place, &key.sealed).map_err(|_| SealError::WrongMasterKey)?;
        let key_material = Arc::new(aead_key(&plain)?);
        self.keys.write().unwrap_or_else(PoisonError::into_inner).insert(key.id, key_material);
        Ok(())
    }

    fn new_key(&self, id: u32) -> Result<DataKey, SealError> {
        let mut plain = Zeroizing::new([0u8; KEY_LEN]);
        self.entropy.fill(&mut plain[..]);
        let row = id.to_string();
        let place = Place { table: "data_keys", row: &row, column: "sealed" };
        Ok(DataKey { id, sealed: self.seal_with(&self.master, 0, place, &plain[..])?, reserved: 0 })
    }

    fn seal_with(&self, key: &LessSafeKey, id: u32, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0u8; NONCE_LEN];
        self.entropy.fill(&mut nonce);
        let mut body = plain.to_vec();
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad(place, id)), &mut body)
            .map_err(|_| {
                body.zeroize();
                SealError::Broken("sealing failed")
            })?;
        let mut sealed = Vec::with_capacity(HEAD + body.len() + tag.as_ref().len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&id.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }
}

#[cfg(test)]
impl Sealer {
    /// With a data key and a hundred seals, and no store.
    pub(crate) fn without_store(master: &MasterKey, entropy: Arc<dyn Entropy>) -> Self {
        let sealer = Self::new(master, entropy).unwrap();
        sealer.learn(&sealer.new_key(1).unwrap()).unwrap();
        sealer.active.store(1, Ordering::Release);
        sealer.left.store(100, Ordering::Release);
        sealer
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(…)")
    }
}

const VERSION: u8 = 1;
const HEAD: usize = 1 + 4 + NONCE_LEN;

fn key_id(sealed: &[u8]) -> Result<u32, SealError> {
    match sealed {
        [VERSION, a, b, c, d, ..] => Ok(u32::from_be_bytes([*a, *b, *c, *d])),
        _ => Err(SealError::Broken("unknown layout")),
    }
}

fn unseal_with(key: &LessSafeKey, id: u32, place: Place<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    if key_id(sealed)? != id || sealed.len() < HEAD {
        return Err(SealError::Broken("unknown layout"));
    }
    let (head, body) = sealed.split_at(HEAD);
    let nonce = Nonce::try_assume_unique_for_key(&head[5..]).map_err(|_| SealError::Broken("nonce"))?;
    let mut body = Zeroizing::new(body.to_vec());
    let opened = key.open_in_place(nonce, Aad::from(aad(place, id)), &mut body);
    let len = opened.map_err(|_| SealError::Broken("it was changed or moved"))?.len();
    body.truncate(len);
    Ok(body)
}

fn aad(place: Place<'_>, key: u32) -> Vec<u8> {
    // Only `row` can hold a `|`, and it is length-prefixed, so no two places have the same text.
    format!("{}|{}:{}|{}|{key}", place.table, place.row.len(), place.row, place.column).into_bytes()
}

fn aead_key(bytes: &[u8]) -> Result<LessSafeKey, SealError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| SealError::Broken("a key of the wrong length"))?;
    Ok(LessSafeKey::new(key))
}

/// HMAC-SHA256 over parts that can't be shifted into each other.
pub(crate) fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(&part.len().to_be_bytes());
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
