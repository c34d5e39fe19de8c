//! Limits over nodes: what is allowed is allowed once over all, not at each. And what is refused, and what goes on, while nobody can count.

use std::sync::Arc;
use std::time::Duration;

use crate::fleet::{Fleet, NODES, Session, Shape};
use crate::redis_server::RedisServer;
use crate::replays::signed;

const LIMITS: &str =
    "[limits]\nlogins_per_identity = 0\nlogins_per_network = 12\nbinds_per_identity = 7\nbinds_per_network = 0\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counted_over_nodes_by_postgres() {
    let fleet = Fleet::with(Shape { tables: LIMITS, ..Shape::default() }).await;
    counted(&fleet).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn counted_over_nodes_by_redis() {
    let redis = RedisServer::start();
    let fleet = Fleet::with(Shape { nonces: &redis.named(), tables: LIMITS, ..Shape::default() }).await;
    let guest = counted(&fleet).await;
    // Its counts are gone with it. Who guesses is refused all the same; who logs in is counted by each node.
    redis.kill();
    for node in 0..NODES {
        assert_eq!(fleet.preview(node, &guest).await, "503 unavailable");
    }
    let mut logged_in = 0;
    for node in 0..NODES {
        logged_in += usize::from(fleet.try_login(node).await == 201);
    }
    assert_eq!(logged_in, NODES, "of twelve, each node has seen four");
    // One that starts meanwhile serves what it can.
    fleet.crash(1).await;
    assert_eq!(fleet.check(1, &guest.token, &[]).await.unwrap().status, 200);
    assert!(fleet.log(1).contains("Redis is away"), "{}", fleet.log(1));
    let keyed = fleet.login(1, true).await;
    let said = fleet.check(1, &keyed.token, &signed(&keyed, "a-nonce-without-a-store-0")).await.unwrap();
    assert_eq!((said.status, said.code.as_str()), (401, "proof_stale"));
    redis.run();
    for n in 0..100 {
        let fields = signed(&keyed, &format!("a-nonce-with-a-store-{n:04}"));
        if fleet.check(1, &keyed.token, &fields).await.unwrap().status == 200 {
            assert_eq!(fleet.preview(1, &guest).await, "400 bind_code_invalid", "counted anew");
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("it doesn't find Redis: {}", fleet.log(1));
}

/// Twelve logins of this network and seven tries of this identity, whichever nodes they come to.
async fn counted(fleet: &Arc<Fleet>) -> Session {
    let (guest, _) = fleet.login_guest(0, false).await;
    let mut said = Vec::new();
    for n in 0..7 {
        said.push(fleet.preview(n % NODES, &guest).await);
    }
    assert_eq!(said, ["400 bind_code_invalid"; 7]);
    for node in 0..NODES {
        assert_eq!(fleet.preview(node, &guest).await, "429 rate_limited", "node {node} has seen three of seven");
    }
    let mut passed = 1;
    for n in 0..60 {
        match fleet.try_login(n % NODES).await {
            201 => passed += 1,
            429 => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(passed, 12);
    guest
}
