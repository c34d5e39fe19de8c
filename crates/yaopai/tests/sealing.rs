//! What is sealed opens only where it was sealed, only with its key, and never more often than a key may seal.

#![allow(clippy::unwrap_used, reason = "a test's helper fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use yaopai_core::ports::{Change, ChangeSink, Entropy, Store as _};
use yaopai_core::seal::{MasterKey, Place, SealError, Sealer};
use yaopai_store::{Disk, Model};

struct Nowhere;

impl ChangeSink for Nowhere {
    fn apply(&self, _: Change) {}
}

/// Distinct bytes each time; no test here needs them to be unguessable.
#[derive(Default)]
struct Counting(AtomicU64);

impl Entropy for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&n[..chunk.len()]);
        }
    }
}

fn master(n: u8) -> MasterKey {
    MasterKey::parse(&hex::encode([n; 32])).unwrap()
}

fn store() -> Model {
    Model::open(Disk::default(), Arc::new(Nowhere))
}

async fn sealer(store: &Model, key: u8) -> Result<Sealer, SealError> {
    Sealer::open(store, &master(key), Arc::new(Counting::default())).await
}

const HERE: Place<'_> = Place { table: "identities", row: "shop/o1", column: "session_key" };

#[tokio::test]
async fn it_opens_where_it_was_sealed_and_nowhere_else() {
    let store = store();
    let sealer = sealer(&store, 1).await.unwrap();
    let sealed = sealer.seal(HERE, b"secret").unwrap();
    assert_eq!(&sealer.unseal(HERE, &sealed).unwrap()[..], b"secret");
    for elsewhere in [
        Place { row: "shop/o2", ..HERE },
        Place { table: "logins", ..HERE },
        Place { column: "sealed", ..HERE },
        Place { row: "shop/o1|session_key", column: "", ..HERE },
    ] {
        assert!(sealer.unseal(elsewhere, &sealed).is_err(), "{elsewhere:?}");
    }
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(sealer.unseal(HERE, &changed).is_err(), "byte {at}");
    }
    for len in 0..sealed.len() {
        assert!(sealer.unseal(HERE, &sealed[..len]).is_err(), "cut to {len}");
    }
    assert_ne!(sealer.seal(HERE, b"secret").unwrap(), sealed, "equal values look different");
}

#[tokio::test]
async fn it_opens_after_a_restart_with_the_same_master_key_only() {
    let store = store();
    let sealed = sealer(&store, 1).await.unwrap().seal(HERE, b"secret").unwrap();
    let again = sealer(&store, 1).await.unwrap();
    assert_eq!(&again.unseal(HERE, &sealed).unwrap()[..], b"secret");
    assert!(matches!(sealer(&store, 2).await, Err(SealError::WrongMasterKey)));
}

#[tokio::test]
async fn seals_are_counted_over_restarts_and_a_used_up_key_is_replaced() {
    let store = store();
    let first = sealer(&store, 1).await.unwrap().seal(HERE, b"secret").unwrap();
    let reserved = store.data_keys().await.unwrap()[0].reserved;
    assert!(reserved > 0, "reserved before the first seal");
    sealer(&store, 1).await.unwrap();
    assert_eq!(store.data_keys().await.unwrap()[0].reserved, 2 * reserved, "a crash may have used all of a block");
    // The most that one key may seal (NIST SP 800-38D allows four times as many).
    store.reserve_seals(1, (1 << 30) - 2 * reserved).await.unwrap();
    let later = sealer(&store, 1).await.unwrap();
    let keys = store.data_keys().await.unwrap();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|k| k.reserved <= 1 << 30));
    let second = later.seal(HERE, b"secret").unwrap();
    assert_eq!((first[4], second[4]), (1, 2), "the key's id is in the seal");
    assert_eq!(&later.unseal(HERE, &first).unwrap()[..], b"secret");
    assert_eq!(&later.unseal(HERE, &second).unwrap()[..], b"secret");
}

#[test]
fn master_keys_are_read_strictly() {
    assert!(MasterKey::parse("  AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").is_some());
    assert!(MasterKey::parse(&"ab".repeat(32)).is_some());
    for bad in ["", "AAAA", "hunter2", &"ab".repeat(31), &"zz".repeat(32)] {
        assert!(MasterKey::parse(bad).is_none(), "{bad}");
    }
    assert_eq!(format!("{:?}", master(1)), "MasterKey(…)");
}
