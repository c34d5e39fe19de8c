//! Nonces and tries in a cluster of three masters.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::collections::BTreeSet;
use std::time::Duration;

use yaopai_core::ports::{Count, Shared as _, Took, Used};
use yaopai_store::RedisShared;

use conformance::tries::tries;
use database::redis::Redis;
use database::redis_cluster::{Cluster, within};

/// One test, because a cluster takes a second to come together.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster() {
    let cluster = Cluster::of(Redis::start_with);
    let options = cluster.options();
    let (a, b) = (RedisShared::open(options.clone()).await.unwrap(), RedisShared::open(options).await.unwrap());
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

    cluster.moves(&a, &b, now).await;
    a_node_is_gone(&cluster, &a).await;
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
