//! Nonces and tries in a cluster of three masters.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use yaopai_core::ports::{Count, Shared as _, Took, Use, Used};
use yaopai_store::{RedisOptions, RedisShared};

use conformance::tries::tries;
use database::redis::{Redis, patient};

struct Cluster(Vec<Arc<Redis>>);

impl Cluster {
    /// The bus is ten thousand above a port where nothing else is said, and then not always a port: it gets one of its own.
    fn start() -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| {
                let bus = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
                Redis::start_with(&["cluster-enabled yes", &format!("cluster-port {bus}"), "cluster-node-timeout 1000"])
            })
            .collect();
        for (n, node) in nodes.iter().enumerate() {
            let (from, to) = (n * 16_384 / 3, (n + 1) * 16_384 / 3 - 1);
            let _: () = node.ask(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()]);
            let _: () = node.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &(n + 1).to_string()]);
        }
        let bus_of = |node: &Redis| node.ask::<Vec<String>>(&["CONFIG", "GET", "cluster-port"])[1].clone();
        for node in &nodes[1..] {
            let (port, bus) = (node.port.to_string(), bus_of(node));
            let _: () = nodes[0].ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self(nodes);
        cluster.settle();
        cluster
    }

    fn settle(&self) {
        for node in &self.0 {
            node.becomes(&["CLUSTER", "INFO"], "cluster_state:ok");
            node.becomes(&["CLUSTER", "INFO"], "cluster_known_nodes:3");
        }
    }

    async fn open(&self) -> RedisShared {
        // One of them is enough to find the others.
        let options = RedisOptions { cluster: true, ..patient(&[self.0[1].url()]) };
        RedisShared::open(options).await.unwrap()
    }

    fn age(&self, ms: i64) {
        self.0.iter().for_each(|node| node.age(ms));
    }

    fn now(&self) -> i64 {
        self.0[0].now() / 1000
    }
}

/// A use in a bucket.
fn within(bucket: u8, n: u8, created: i64) -> Use {
    let mut fingerprint = [n; 16];
    fingerprint[0] = bucket;
    Use { fingerprint, created }
}

/// One test, because a cluster takes a second to come together.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let cluster = Cluster::start();
    let (a, b) = (cluster.open().await, cluster.open().await);
    let begun: Vec<usize> = cluster.0.iter().map(|node| node.ask::<Vec<String>>(&["KEYS", "*:past"]).len()).collect();
    assert_eq!(begun.iter().sum::<usize>(), 256, "the past of every bucket has begun");
    assert!(begun.iter().all(|n| *n > 60), "each node has its share: {begun:?}");
    let now = cluster.now();
    assert!(matches!(a.first_use(within(1, 1, now)).await.unwrap(), Used::Unknown(Some(_))));
    cluster.age(40_000);

    // Each once, wherever it lives, however many ask.
    for bucket in 0..=255 {
        let mut tasks = Vec::new();
        for store in [&a, &b, &a, &b] {
            let store = store.clone();
            tasks.push(tokio::spawn(async move { store.first_use(within(bucket, 1, now)).await.unwrap() }));
        }
        let mut first = 0;
        for task in tasks {
            first += u32::from(task.await.unwrap() == Used::First);
        }
        assert_eq!(first, 1, "{bucket}");
    }

    // Tries too, over both, in one step with all that counts together.
    let mut both = tries(1, 3);
    both.counts.push(Count { kind: 5, ..both.counts[0] });
    let mut passed = 0;
    for store in [&a, &b, &a, &b, &a] {
        passed += u32::from(matches!(store.take(&both).await.unwrap(), Took::Counted(_)));
    }
    assert_eq!(passed, 3);

    moves(&cluster, &a, &b, now).await;
    a_node_is_gone(&cluster, &a).await;
}

/// A slot changes hands: its new node knows nothing of its past, and the nodes of ours find it at once.
async fn moves(cluster: &Cluster, a: &RedisShared, b: &RedisShared, now: i64) {
    let slot: i64 = cluster.0[0].ask(&["CLUSTER", "KEYSLOT", "{yaopai:7}"]);
    let owner =
        cluster.0.iter().position(|node| !node.ask::<Vec<String>>(&["KEYS", "{yaopai:7}:*"]).is_empty()).unwrap();
    let (old, new) = (&cluster.0[owner], &cluster.0[(owner + 1) % 3]);
    let (old_id, new_id): (String, String) = (old.ask(&["CLUSTER", "MYID"]), new.ask(&["CLUSTER", "MYID"]));
    let slot = slot.to_string();
    let _: () = new.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &old_id]);
    let _: () = old.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &new_id]);
    // On the way. Nobody can say, so nobody does.
    let port = new.port.to_string();
    let half: String = old.ask(&["MIGRATE", "127.0.0.1", &port, "{yaopai:7}:nonces:past", "0", "1000"]);
    assert_eq!(half, "OK");
    let e = a.first_use(within(7, 1, now)).await.unwrap_err();
    assert!(e.retry, "{e}");
    for key in old.ask::<Vec<String>>(&["KEYS", "{yaopai:7}:*"]) {
        let _: String = old.ask(&["MIGRATE", "127.0.0.1", &port, &key, "0", "1000"]);
    }
    for node in [new, old] {
        let _: () = node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &new_id]);
    }
    for store in [a, b] {
        let answer = store.first_use(within(7, 1, now)).await;
        assert!(matches!(answer, Ok(Used::Unknown(Some(_)))), "{answer:?}");
    }
    new.age(40_000);
    assert_eq!(a.first_use(within(7, 1, now)).await.unwrap(), Used::Before, "the nonces have moved with it");
    assert_eq!(b.first_use(within(7, 2, now)).await.unwrap(), Used::First);
}

/// The uses of one that is gone are refused, until it is back. It has lost all, and what began to remember anew did so for all its
/// buckets at once.
async fn a_node_is_gone(cluster: &Cluster, a: &RedisShared) {
    let node = &cluster.0[2];
    let buckets: BTreeSet<u8> = node
        .ask::<Vec<String>>(&["KEYS", "*:past"])
        .iter()
        .map(|key| key.trim_start_matches("{yaopai:").split('}').next().unwrap().parse().unwrap())
        .collect();
    let mut some = buckets.iter().copied();
    let (one, other) = (some.next().unwrap(), some.next().unwrap());
    let now = cluster.now();
    assert_eq!(a.first_use(within(one, 3, now)).await.unwrap(), Used::First);
    node.kill();
    assert!(a.first_use(within(one, 3, now)).await.unwrap_err().retry);
    node.run();
    cluster.settle();
    let mut answer = a.first_use(within(one, 3, now)).await;
    for _ in 0..500 {
        if answer.is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        answer = a.first_use(within(one, 3, now)).await;
    }
    assert!(matches!(answer, Ok(Used::Unknown(Some(_)))), "{answer:?}");
    for _ in 0..500 {
        if node.ask::<Vec<String>>(&["KEYS", "*:past"]).len() == buckets.len() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    node.age(40_000);
    assert_eq!(a.first_use(within(other, 3, cluster.now())).await.unwrap(), Used::First);
}
