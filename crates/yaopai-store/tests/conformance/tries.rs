//! Stores of tries: what holds for each of them.

use std::sync::Arc;

use yaopai_core::ports::{Count, Shared, Took, Tries};

use super::shared::Place;

/// An hour: no test sees the end of one, or hardly.
const LONG: i64 = 3_600_000;

fn count(kind: u8, n: u16, max: u32) -> Count {
    let mut name = [9; 16];
    name[..2].copy_from_slice(&n.to_le_bytes());
    Count { kind, name, max, spills: false }
}

/// One of a name, by its number.
pub fn tries(n: u16, max: u32) -> Tries {
    Tries { counts: vec![count(0, n, max)], slot_ms: LONG }
}

async fn passes(store: &Arc<dyn Shared>, tries: &Tries) -> bool {
    matches!(store.take(tries).await.unwrap(), Took::Counted(_))
}

pub async fn so_many_over_all_connections(place: &dyn Place) {
    let (a, b) = (place.connect().await, place.connect().await);
    for store in [&a, &b, &a] {
        assert!(passes(store, &tries(1, 3)).await);
    }
    for store in [&a, &b] {
        match store.take(&tries(1, 3)).await.unwrap() {
            Took::Refused(wait) => assert!((1..=11 * 3600).contains(&wait), "{wait}"),
            other => panic!("{other:?}"),
        }
    }
    assert!(passes(&b, &tries(1, 4)).await, "what was refused was not counted");
    assert!(passes(&b, &tries(2, 1)).await, "another name");
    let other = Tries { counts: vec![count(1, 1, 1)], ..tries(1, 1) };
    assert!(passes(&b, &other).await, "another kind");
    assert!(passes(&b, &Tries { slot_ms: LONG + 1, ..tries(1, 1) }).await, "another window");
}

pub async fn all_are_counted_or_none(place: &dyn Place) {
    let store = place.connect().await;
    let both = |n| Tries { counts: vec![count(0, 1, 9), count(3, n, 1)], slot_ms: LONG };
    assert!(passes(&store, &both(1)).await);
    for _ in 0..20 {
        assert!(!passes(&store, &both(1)).await);
    }
    for n in 2..10 {
        assert!(passes(&store, &both(n)).await, "{n}");
    }
    assert!(!passes(&store, &both(10)).await);
    assert!(passes(&store, &Tries { counts: vec![count(3, 10, 1)], slot_ms: LONG }).await);
}

pub async fn what_came_to_nothing_is_given_back(place: &dyn Place) {
    let (a, b) = (place.connect().await, place.connect().await);
    let Took::Counted(slot) = a.take(&tries(1, 1)).await.unwrap() else { panic!("refused") };
    assert!(!passes(&b, &tries(1, 1)).await);
    b.give_back(&tries(1, 1), slot - 1).await.unwrap();
    assert!(!passes(&b, &tries(1, 1)).await, "of a slot in which there was none");
    b.give_back(&tries(1, 1), slot).await.unwrap();
    b.give_back(&tries(1, 1), slot).await.unwrap();
    b.give_back(&tries(2, 1), slot).await.unwrap();
    assert!(passes(&a, &tries(1, 1)).await);
    assert!(!passes(&a, &tries(1, 1)).await, "no more than was counted");
}

/// No span as long as the window holds more than allowed, and nobody waits much longer than that. Over several turns.
pub async fn the_window_slides(place: &dyn Place) {
    let store = place.connect().await;
    let short = Tries { slot_ms: 100, ..tries(1, 2) };
    let mut passed = Vec::new();
    let began = place.now();
    while passed.len() < 8 {
        if let Took::Refused(wait) = store.take(&short).await.unwrap() {
            assert!((1..=2).contains(&wait), "{wait}");
        } else {
            passed.push(place.now());
        }
        place.pass(20).await;
        assert!(place.now() - began < 60_000, "{passed:?}");
    }
    for (n, three) in passed.windows(3).enumerate() {
        assert!(three[2] - three[0] >= 1_000, "{n}: {passed:?}");
    }
}

pub async fn of_many_at_a_time_so_many_pass(place: &dyn Place) {
    let mut stores = Vec::new();
    for _ in 0..6 {
        stores.push(place.connect().await);
    }
    for round in 0..4 {
        let tasks: Vec<_> = (0..60)
            .map(|n| {
                let store = Arc::clone(&stores[n % stores.len()]);
                tokio::spawn(async move { passes(&store, &tries(round, 7)).await })
            })
            .collect();
        let mut passed = 0;
        for task in tasks {
            passed += u32::from(task.await.unwrap());
        }
        assert_eq!(passed, 7, "in round {round}");
    }
}

/// Whoever fills a turn gets nobody's count forgotten, nor their own.
pub async fn a_full_turn_takes_nobody_new(place: &dyn Place) {
    let store = place.connect().await;
    assert!(passes(&store, &tries(1, 2)).await);
    place.fill(LONG);
    assert_eq!(store.take(&tries(2, 2)).await.unwrap(), Took::Refused(60));
    let spilled = Tries { counts: vec![Count { spills: true, ..count(0, 2, 2) }], slot_ms: LONG };
    for _ in 0..3 {
        assert!(passes(&store, &spilled).await, "networks are let by");
    }
    assert!(passes(&store, &tries(1, 2)).await);
    assert!(!passes(&store, &tries(1, 2)).await, "who was there is counted");
    assert!(passes(&store, &Tries { counts: vec![count(1, 2, 2)], slot_ms: LONG }).await, "each kind has its own");
}

/// The same of both, whatever comes.
pub async fn alike(place: &dyn Place, reference: &dyn Place, steps: &[(bool, u8, u16, u32, bool)]) {
    let stores = [place.connect().await, place.connect().await];
    let references = [reference.connect().await, reference.connect().await];
    for (n, (other, kind, name, max, back)) in steps.iter().enumerate() {
        let tries = Tries { counts: vec![count(*kind, *name, *max), count(kind + 4, name / 2, 3)], slot_ms: LONG };
        let mut said = Vec::new();
        for stores in [&stores, &references] {
            let took = stores[usize::from(*other)].take(&tries).await.unwrap();
            if let Took::Counted(slot) = took
                && *back
            {
                stores[usize::from(!other)].give_back(&tries, slot).await.unwrap();
            }
            said.push(matches!(took, Took::Counted(_)));
        }
        assert_eq!(said[0], said[1], "step {n}: {tries:?}");
    }
}

/// A test of each case for a place.
macro_rules! tries_suite {
    ($place:expr) => {
        $crate::conformance::tries::tries_suite! {
            $place;
            so_many_over_all_connections, all_are_counted_or_none, what_came_to_nothing_is_given_back, the_window_slides,
            of_many_at_a_time_so_many_pass, a_full_turn_takes_nobody_new
        }
    };
    ($place:expr; $($case:ident),+) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                $crate::conformance::tries::$case(&$place).await;
            }
        )+
    };
}

pub(crate) use tries_suite;
