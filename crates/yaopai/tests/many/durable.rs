//! Guarantee 1 over nodes: what a node answered before it was killed, the others know.
//!
//! `YAOPAI_NODE_KILLS`: how many (12).

use std::time::Duration;

use futures_util::future::join_all;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

use crate::fleet::{Fleet, MAX_STALE, NODES};
use crate::ledger::{Figures, Held};
use crate::worker::Worker;

/// At each node.
const WORKERS: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_killed_node_answered_the_others_know() {
    let kills = std::env::var("YAOPAI_NODE_KILLS").map_or(12, |n| n.parse().unwrap());
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let fleet = Fleet::start().await;
    let (mut figures, mut ledger) = (Figures::default(), Vec::<Held>::new());
    for round in 0..kills {
        let node = round % NODES;
        let workers: Vec<_> = (0..WORKERS)
            .map(|n| tokio::spawn(Worker::new(fleet.world(node), format!("d{round}-{n}"), dice.next_u64()).run()))
            .collect();
        tokio::time::sleep(Duration::from_millis(300 + dice.next_u64() % 1_200)).await;
        fleet.kill(node);
        let reports = join_all(workers).await;
        // Until nobody believes any more what it knew before.
        tokio::time::sleep(Duration::from_millis(MAX_STALE.unsigned_abs() + 100)).await;
        let other = fleet.world((node + 1) % NODES);
        for report in reports {
            let mut report = report.unwrap();
            figures.add(&report.figures);
            for held in &mut report.held {
                held.verify(&other, &mut figures).await;
            }
            report.finish_login(&other, &mut figures).await;
            ledger.append(&mut report.held);
        }
        fleet.start_again(node).await;
    }
    println!("kill -9 of one node of three: {kills} kills, {} sessions; {figures}", ledger.len());
    assert_eq!((figures.lost, figures.undead), (0, 0));
    let kills = u64::try_from(kills).unwrap();
    assert!(
        figures.logins > kills && figures.refreshes > 0 && figures.binds > 0 && figures.ends > 0,
        "too little load"
    );
}
