//! Access tokens over nodes: one node fetches for all, another one follows it when it dies, and a token that WeChat takes back is
//! replaced once.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault};

use crate::fleet::{Fleet, NODES, Session};

/// A fetch's time-out (5 s), and what a lease is longer.
const LEASE: i64 = 8_000;

fn fetches(fleet: &Fleet) -> u64 {
    fleet.sim.calls("stable_token")
}

/// People with a session at each node in turn.
async fn people(fleet: &Arc<Fleet>, n: usize) -> Vec<(usize, String, Session)> {
    join_all((0..n).map(|n| async move {
        let who = format!("p{n}");
        (n % NODES, who.clone(), fleet.login_person(n % NODES, &who).await)
    }))
    .await
}

/// All of them ask for their phone number at once, which takes an access token.
async fn phones(fleet: &Arc<Fleet>, people: &[(usize, String, Session)]) -> Vec<Option<u16>> {
    join_all(people.iter().map(|(node, who, session)| async move {
        let code = fleet.sim.issue_phone_code(DEFAULT_APPID, who).unwrap();
        fleet.phone(*node, session, &code).await
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_fetch_for_all_nodes() {
    let fleet = Fleet::start().await;
    let people = people(&fleet, 30).await;
    assert_eq!(fetches(&fleet), 0, "a login needs none");
    fleet.sim.set_fault(Fault::delay_before(Duration::from_millis(700)).on(Endpoint::StableToken)).unwrap();
    assert!(phones(&fleet, &people).await.iter().all(|status| *status == Some(200)));
    assert_eq!(fetches(&fleet), 1, "of three nodes that need a token at once");
    // A node that is new takes the one that there is.
    fleet.crash(1).await;
    assert!(phones(&fleet, &people).await.iter().all(|status| *status == Some(200)));
    assert_eq!(fetches(&fleet), 1);
    let kept = "SELECT count(*), count(sealed), max(fence) FROM platform_tokens";
    assert_eq!(fleet.primary.sql(kept), "1|1|1");

    // WeChat takes it back, under everybody at once.
    for round in 1..=3 {
        fleet.sim.revoke_access_tokens(DEFAULT_APPID).unwrap();
        assert!(phones(&fleet, &people).await.iter().all(|status| *status == Some(200)));
        assert_eq!(fetches(&fleet), 1 + round, "one for each death");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_node_follows_one_that_dies() {
    let fleet = Fleet::start().await;
    let people = people(&fleet, 12).await;
    let (first, others): (Vec<_>, Vec<_>) = people.into_iter().partition(|(node, ..)| *node == 0);
    // Longer than it will live.
    fleet.sim.set_fault(Fault::delay_before(Duration::from_secs(30)).on(Endpoint::StableToken).once()).unwrap();
    let dying = fleet.clone();
    let lost = tokio::spawn(async move { phones(&dying, &first[..1]).await });
    for _ in 0..400 {
        if fetches(&fleet) > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(fetches(&fleet), 1);
    fleet.kill(0);
    let began = fleet.now();
    assert!(phones(&fleet, &others).await.iter().all(|status| *status == Some(200)));
    let took = fleet.now() - began;
    println!(
        "another node had a token {took} ms after the death of the one that fetched it; {} fetches",
        fetches(&fleet)
    );
    assert!(took < LEASE + 4_000, "{took} ms");
    assert_eq!(fetches(&fleet), 2, "the dead one's, and its follower's");
    assert_ne!(lost.await.unwrap(), [Some(200)]);
    fleet.start_again(0).await;
    let back: Vec<_> = others.into_iter().map(|(_, who, session)| (0, who, session)).collect();
    assert!(phones(&fleet, &back).await.iter().all(|status| *status == Some(200)));
    assert_eq!(fetches(&fleet), 2);
}
