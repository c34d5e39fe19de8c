//! Guarantee 5 over nodes: no honest client is logged out by refreshes that race at two nodes, are sent again, or meet a node that is
//! killed.
//!
//! `YAOPAI_NODE_REFRESHES`: how many races (2,000).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::fleet::{Fleet, NODES, Said};

const CLIENTS: u64 = 8;
/// With one session: a token may be rotated so often within its grace, and no oftener.
const RACES_MAX: u64 = 25;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_logged_out() {
    let races = std::env::var("YAOPAI_NODE_REFRESHES").map_or(2_000, |n| n.parse().unwrap());
    let fleet = Fleet::start().await;
    let done = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> =
        (0..CLIENTS).map(|seed| tokio::spawn(client(fleet.clone(), seed, races / CLIENTS, done.clone()))).collect();
    let crashes = {
        let (fleet, done) = (fleet.clone(), done.clone());
        tokio::spawn(async move {
            for node in 0..NODES {
                let until = races * (node as u64 + 1) / 4;
                while done.load(Ordering::SeqCst) < until {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                fleet.crash(node).await;
            }
        })
    };
    let finished = join_all(clients).await;
    crashes.abort();
    finished.into_iter().for_each(Result::unwrap);
    let done = done.load(Ordering::SeqCst);
    println!("refreshes that race at two nodes: {done} races, 0 logged out");
    assert!(done >= races / CLIENTS * CLIENTS);
}

async fn client(fleet: Arc<Fleet>, seed: u64, races: u64, done: Arc<AtomicU64>) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut token = String::new();
    for race in 0..races {
        if race % RACES_MAX == 0 {
            token = fleet.login(usize::try_from(seed).unwrap() % NODES, false).await.token;
        }
        let (a, b) = (usize::try_from(dice.next_u64() % 3).unwrap(), usize::try_from(dice.next_u64() % 2).unwrap() + 1);
        // The same request sent twice, or two of the client's at once.
        let same = dice.next_u64().is_multiple_of(2);
        let [first_id, other_id] = [0, 1].map(|n| format!("refresh-{seed}-{race}-{n}-{:032x}", dice.next_u64()));
        let second_id = if same { &first_id } else { &other_id };
        let (first, second) =
            tokio::join!(refresh(&fleet, a, &token, &first_id), refresh(&fleet, (a + b) % NODES, &token, second_id));
        if same {
            assert_eq!(first, second, "one request, one answer");
        }
        let (picked, other) = if dice.next_u64().is_multiple_of(2) { (first, second) } else { (second, first) };
        let node = usize::try_from(dice.next_u64() % 3).unwrap();
        let said = check(&fleet, node, &picked).await;
        assert_eq!(said.status, 200, "the newest token is refused: {said:?}");
        for older in [&token, &other].into_iter().filter(|older| **older != picked) {
            let said = check(&fleet, (node + 1) % NODES, older).await;
            assert!(said.status == 200 || said.code == "session_superseded", "an older token: {said:?}");
        }
        token = picked;
        done.fetch_add(1, Ordering::SeqCst);
    }
}

/// Sends it until somebody answers, as clients do: the same request, to whoever is there.
async fn refresh(fleet: &Fleet, node: usize, token: &str, request_id: &str) -> String {
    for attempt in 0..400 {
        if let Some((status, body)) = fleet.refresh((node + attempt) % NODES, token, request_id).await {
            assert_eq!(status, 200, "{body}");
            return body["token"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nobody refreshes");
}

async fn check(fleet: &Fleet, node: usize, token: &str) -> Said {
    for attempt in 0..400 {
        match fleet.check((node + attempt) % NODES, token, &[]).await {
            Some(said) if said.status != 503 => return said,
            _ => tokio::time::sleep(Duration::from_millis(25)).await,
        }
    }
    panic!("nobody checks");
}
