//! Stores of nonces: what holds for each of them. Some of their own time goes by in a test, so nothing here is near
//! an edge; the edges themselves are in `src/nonces.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use yaopai_core::ports::{Shared, Use, Used};

/// A store under test, which is empty, and what a test does to it behind its back.
#[async_trait]
pub trait Place: Send + Sync {
    /// One more connection. The first one begins its memory.
    async fn connect(&self) -> Arc<dyn Shared>;
    /// What its clock shows (milliseconds).
    fn now(&self) -> i64;
    /// It began to remember so much earlier (milliseconds).
    fn age(&self, ms: i64);
    /// Its clock was so far ahead (milliseconds), and was set back.
    fn hold(&self, ms: i64);
    /// It loses all.
    fn forget(&self);
    /// This turn has as many names of kind 0 as it takes, of slots so long (milliseconds). There was one before.
    fn fill(&self, slot_ms: i64);
    /// So much of its time (milliseconds) goes by.
    async fn pass(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }
}

/// A use, by its number and when it was signed.
pub fn used(n: u16, created: i64) -> Use {
    let mut fingerprint = [7; 16];
    fingerprint[..2].copy_from_slice(&n.to_le_bytes());
    Use { fingerprint, created }
}

pub fn seconds(place: &dyn Place) -> i64 {
    place.now() / 1000
}

/// Two connections to a store that has begun to remember long ago.
async fn two(place: &dyn Place) -> (Arc<dyn Shared>, Arc<dyn Shared>, i64) {
    let (a, b) = (place.connect().await, place.connect().await);
    place.age(40_000);
    (a, b, seconds(place))
}

pub async fn a_use_is_first_once(place: &dyn Place) {
    let (a, b, now) = two(place).await;
    assert_eq!(a.first_use(used(1, now)).await.unwrap(), Used::First);
    for store in [&a, &b] {
        assert_eq!(store.first_use(used(1, now)).await.unwrap(), Used::Before);
    }
    assert_eq!(b.first_use(used(2, now)).await.unwrap(), Used::First, "another one is another one");
    assert_eq!(a.first_use(used(2, now - 1)).await.unwrap(), Used::Before, "whenever it says that it was signed");
}

pub async fn too_old_or_too_far_ahead_is_not_known(place: &dyn Place) {
    let (a, _, now) = two(place).await;
    place.age(100_000);
    for created in [now - 80, now - 61, now + 3] {
        assert_eq!(a.first_use(used(1, created)).await.unwrap(), Used::First, "{}", created - now);
        place.forget();
        a.first_use(used(9, 0)).await.unwrap();
        place.age(100_000);
    }
    for created in [now - 92, now + 30, 0, i64::MIN, i64::MAX] {
        assert_eq!(a.first_use(used(2, created)).await.unwrap(), Used::Unknown(None), "{created}");
    }
    assert_eq!(a.first_use(used(2, now)).await.unwrap(), Used::First, "what was refused was not counted");
}

pub async fn a_new_memory_knows_nothing_of_before(place: &dyn Place) {
    let before = place.now();
    let (a, b) = (place.connect().await, place.connect().await);
    let now = seconds(place);
    for (store, created) in [(&a, now), (&b, now + 3), (&a, now - 80)] {
        match store.first_use(used(1, created)).await.unwrap() {
            Used::Unknown(Some(opens)) => {
                assert!((before + 5_000..=now * 1000 + 7_000).contains(&opens.0), "{before} {now} {opens:?}");
                assert_eq!(opens.0 % 1000, 0);
            }
            other => panic!("{other:?}"),
        }
    }
    place.age(40_000);
    assert_eq!(b.first_use(used(1, now)).await.unwrap(), Used::First);
}

pub async fn what_was_lost_is_accepted_by_nobody(place: &dyn Place) {
    let (a, b, now) = two(place).await;
    for created in [now - 80, now, now + 3] {
        place.age(100_000);
        assert_eq!(a.first_use(used(1, created)).await.unwrap(), Used::First);
        place.forget();
        for store in [&b, &a] {
            let again = store.first_use(used(1, created)).await.unwrap();
            assert!(matches!(again, Used::Unknown(Some(_))), "{again:?}");
        }
    }
}

pub async fn a_clock_that_was_set_back_stands_still(place: &dyn Place) {
    let (a, b, now) = two(place).await;
    place.age(100_000);
    place.hold(30_000);
    assert_eq!(b.first_use(used(1, now - 70)).await.unwrap(), Used::Unknown(None), "it has been too late for it");
    assert_eq!(a.first_use(used(2, now - 50)).await.unwrap(), Used::First);
    assert_eq!(b.first_use(used(3, now + 20)).await.unwrap(), Used::First);
    assert_eq!(a.first_use(used(3, now + 20)).await.unwrap(), Used::Before);
}

/// The same at the same instant, over many connections.
pub async fn of_many_at_a_time_one_is_first(place: &dyn Place) {
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(place.connect().await);
    }
    place.age(40_000);
    let now = seconds(place);
    for round in 0..20 {
        let tasks: Vec<_> = (0..32)
            .map(|n| {
                let store = Arc::clone(&stores[n % stores.len()]);
                tokio::spawn(async move { store.first_use(used(round, now)).await.unwrap() })
            })
            .collect();
        let mut first = 0;
        for task in tasks {
            match task.await.unwrap() {
                Used::First => first += 1,
                Used::Before => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(first, 1, "in round {round}");
    }
}

/// Many different ones at a time, each of them over two connections, and twice over each.
pub async fn each_of_many_is_first_once(place: &dyn Place) {
    let (a, b, now) = two(place).await;
    let tasks: Vec<_> = (0..1200u16)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &a } else { &b });
            tokio::spawn(async move { (n % 300, store.first_use(used(n % 300 / 2 * 2, now)).await.unwrap()) })
        })
        .collect();
    let mut first = std::collections::BTreeMap::<u16, u32>::new();
    for task in tasks {
        let (n, answer) = task.await.unwrap();
        assert!(matches!(answer, Used::First | Used::Before), "{answer:?}");
        *first.entry(n / 2).or_default() += u32::from(answer == Used::First);
    }
    assert_eq!(first.len(), 150);
    assert!(first.values().all(|n| *n == 1), "{first:?}");
}

/// A test of each case for a place.
macro_rules! shared_suite {
    ($place:expr) => {
        $crate::conformance::shared::shared_suite! {
            $place;
            a_use_is_first_once, too_old_or_too_far_ahead_is_not_known, a_new_memory_knows_nothing_of_before,
            what_was_lost_is_accepted_by_nobody, a_clock_that_was_set_back_stands_still, of_many_at_a_time_one_is_first,
            each_of_many_is_first_once
        }
    };
    ($place:expr; $($case:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::conformance::shared::$case(&$place).await;
            }
        )+
    };
}

pub(crate) use shared_suite;
