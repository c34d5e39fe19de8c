//! Redis when something goes wrong: no use is answered twice that it is the first, and what is not known is not answered.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use yaopai_core::ports::{Shared as _, StoreResult, Used};
use yaopai_store::{RedisOptions, RedisShared};

use conformance::shared::used;
use database::redis::{Redis, answer, fails, fresh, open, patient};

fn unknown(answer: &StoreResult<Used>) -> bool {
    matches!(answer, Ok(Used::Unknown(Some(_))))
}

#[tokio::test]
async fn a_restart_forgets_and_says_so() {
    let redis = Redis::start();
    let store = open(&[redis.url()]).await;
    redis.age(40_000);
    let f = fresh(&redis, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    redis.kill();
    fails(store.first_use(f).await);
    redis.run();
    assert!(matches!(answer(&store, f).await, Used::Unknown(Some(_))));
    assert!(unknown(&store.first_use(fresh(&redis, 2)).await));
    redis.age(40_000);
    assert_eq!(store.first_use(fresh(&redis, 2)).await.unwrap(), Used::First, "it goes on by itself");
}

#[tokio::test]
async fn what_a_restart_has_kept_is_not_trusted_to_be_all() {
    let redis = Redis::start_with(&["appendonly yes", "appendfsync always"]);
    let store = open(&[redis.url()]).await;
    redis.age(40_000);
    let f = fresh(&redis, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    redis.kill();
    redis.run();
    assert!(matches!(answer(&store, f).await, Used::Unknown(Some(_))));
    redis.age(40_000);
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before, "what it has kept is of use all the same");
}

/// Where nobody signs any more, what is over goes as well.
#[tokio::test]
async fn what_is_over_goes_without_uses() {
    let redis = Redis::start();
    let store = open(&[redis.url()]).await;
    redis.age(40_000);
    let f = fresh(&redis, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    let sets = || redis.ask::<u32>(&["EXISTS", "{yaopai:0}:nonces:0", "{yaopai:0}:nonces:1"]);
    store.tidy().await.unwrap();
    assert_eq!((sets(), store.first_use(f).await.unwrap()), (1, Used::Before), "it could be shown again");
    // Two turns later by its own book, and a moment since it last looked.
    let past = "{yaopai:0}:nonces:past";
    let _: i64 = redis.ask(&["HINCRBY", past, "turn", "-2"]);
    let _: i64 = redis.ask(&["HINCRBY", past, "high", "-60000"]);
    open(&[redis.url()]).await.tidy().await.unwrap();
    assert_eq!(sets(), 0);
}

/// All of it, only what it knows of its past, or the last seconds, as by a machine that was put back to what it was.
#[tokio::test]
async fn whoever_takes_something_away_is_noticed() {
    let redis = Redis::start();
    let store = open(&[redis.url()]).await;
    let past = "{yaopai:0}:nonces:past";
    for (n, lose) in [&["FLUSHALL"][..], &["DEL", past], &["HINCRBY", past, "high", "-3000"]].into_iter().enumerate() {
        redis.age(40_000);
        let f = fresh(&redis, n as u16);
        assert_eq!(store.first_use(f).await.unwrap(), Used::First, "{lose:?}");
        let _: redis::Value = redis.ask(lose);
        // It has lost the nonces too.
        let _: u32 = redis.ask(&["DEL", "{yaopai:0}:nonces:0", "{yaopai:0}:nonces:1"]);
        assert!(unknown(&store.first_use(f).await), "{lose:?}");
        // Another node that comes later hears of it too.
        assert!(unknown(&open(&[redis.url()]).await.first_use(f).await), "{lose:?}");
    }
    // And so is who takes the script away, which is no loss.
    redis.age(40_000);
    let _: () = redis.ask(&["SCRIPT", "FLUSH"]);
    assert_eq!(store.first_use(fresh(&redis, 9)).await.unwrap(), Used::First);
}

/// The replica that took over had not got the last uses.
#[tokio::test]
async fn a_failover_to_a_replica_that_lags() {
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    let store = open(&[a.url(), b.url()]).await;
    a.age(40_000);
    // Cut off, without its noticing.
    let _: () = b.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let f = fresh(&a, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    a.kill();
    let _: () = b.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(answer(&store, f).await, Used::Unknown(Some(_))));
    assert!(unknown(&store.first_use(f).await));
    b.age(40_000);
    let g = fresh(&b, 2);
    assert_eq!((store.first_use(g).await.unwrap(), store.first_use(g).await.unwrap()), (Used::First, Used::Before));
}

/// A process keeps its run id when it is a replica for a while; what others accepted meanwhile it doesn't know.
#[tokio::test]
async fn a_master_that_was_a_replica_meanwhile() {
    let (a, b) = (Redis::start(), Redis::start());
    let [on_a, on_b] = [open(&[a.url()]).await, open(&[b.url()]).await];
    for redis in [&a, &b] {
        redis.age(40_000);
    }
    let f = fresh(&b, 1);
    assert_eq!(on_a.first_use(fresh(&a, 2)).await.unwrap(), Used::First);
    // A replica of somebody that it can't reach.
    let _: () = a.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    let refused = fails(on_a.first_use(f).await);
    assert!(refused.contains("is a replica"), "{refused}");
    assert_eq!(on_b.first_use(f).await.unwrap(), Used::First);
    b.kill();
    let _: () = a.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(answer(&on_a, f).await, Used::Unknown(Some(_))));
}

#[tokio::test]
async fn who_was_demoted_is_left_for_the_new_master() {
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    let store = open(&[a.url(), b.url()]).await;
    a.age(40_000);
    let f = fresh(&a, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    b.catch_up(&a);
    let _: () = b.ask(&["REPLICAOF", "NO", "ONE"]);
    a.follow(&b);
    assert!(unknown(&store.first_use(f).await), "at once: the replica has done nothing");
    b.age(40_000);
    assert!(matches!(store.first_use(f).await.unwrap(), Used::Before), "it had got it");
}

fn with_replica(urls: &[String]) -> RedisOptions {
    RedisOptions { replicas: 1, ..patient(urls) }
}

#[tokio::test]
async fn a_use_counts_once_the_replica_has_it() {
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    let store = RedisShared::open(with_replica(&[a.url(), b.url()])).await.unwrap();
    a.age(40_000);
    assert_eq!(store.first_use(fresh(&a, 1)).await.unwrap(), Used::First);
    b.signal("-STOP");
    let f = fresh(&a, 2);
    let what = fails(store.first_use(f).await);
    assert!(what.contains("0 of 1 replicas"), "{what}");
    b.signal("-CONT");
    assert_eq!(answer(&store, f).await, Used::Before, "it was counted, and nobody was told that it was the first");
    assert_eq!(answer(&store, fresh(&a, 3)).await, Used::First);
}

/// Two masters at a time, and a node at each. Neither has a replica any more, so neither accepts anything.
#[tokio::test]
async fn two_nodes_that_are_cut_off_from_each_other() {
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    let on_a = RedisShared::open(with_replica(&[a.url()])).await.unwrap();
    a.age(40_000);
    let _: () = b.ask(&["REPLICAOF", "NO", "ONE"]);
    let on_b = RedisShared::open(with_replica(&[b.url()])).await.unwrap();
    b.age(40_000);
    let f = fresh(&a, 1);
    for _ in 0..3 {
        for store in [&on_a, &on_b] {
            fails(store.first_use(f).await);
        }
    }
    // Whoever has a replica again goes on, and knows what it was asked meanwhile.
    a.follow(&b);
    b.age(40_000);
    assert_eq!(answer(&on_b, f).await, Used::Before);
    assert_eq!(answer(&on_b, fresh(&b, 2)).await, Used::First);
}

/// A use without an answer may have counted. It is sent once: nothing here does it again by itself.
#[tokio::test]
async fn an_answer_that_is_lost_is_an_error() {
    let redis = Redis::start();
    let (proxy, url) = redis.proxy();
    let store = open(&[url]).await;
    redis.age(40_000);
    let f = fresh(&redis, 1);
    let sent = || proxy.rules().seen.load(Ordering::SeqCst);
    let before = sent();
    proxy.rules().loses_next_commit.store(true, Ordering::SeqCst);
    fails(store.first_use(f).await);
    assert_eq!(sent(), before + 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
    assert_eq!(store.first_use(fresh(&redis, 2)).await.unwrap(), Used::First);
}

/// Four nodes, some hundred uses that each of them is asked about again and again, while Redis fails over, loses all, and comes back.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_twice_whatever_happens() {
    const USES: u16 = 200;
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    let mut stores = Vec::new();
    for n in 0..4 {
        let urls = if n % 2 == 0 { [a.url(), b.url()] } else { [b.url(), a.url()] };
        stores.push(open(&urls).await);
    }
    a.age(40_000);
    let now = a.now() / 1000;
    let first: Arc<Vec<AtomicU32>> = Arc::new((0..USES).map(|_| AtomicU32::new(0)).collect());
    let asked = move |n: u16| used(n, now - 3 + i64::from(n % 8));
    let all = async |turn: u16| {
        let tasks: Vec<_> = stores
            .iter()
            .enumerate()
            .map(|(node, store)| {
                let (store, first) = (store.clone(), Arc::clone(&first));
                tokio::spawn(async move {
                    for n in 0..USES {
                        let n = (n * 7 + turn * 31 + node as u16 * 13) % USES;
                        if let Ok(Used::First) = store.first_use(asked(n)).await {
                            first[usize::from(n)].fetch_add(1, Ordering::SeqCst);
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    };
    let during = async |turn: u16, trouble: &mut (dyn FnMut() + Send)| {
        let work = all(turn);
        tokio::pin!(work);
        tokio::select! { () = &mut work => {}, () = tokio::time::sleep(Duration::from_millis(20)) => {} }
        tokio::task::block_in_place(trouble);
        work.await;
    };
    during(1, &mut || {}).await;
    let sum = || first.iter().map(|n| n.load(Ordering::SeqCst)).sum::<u32>();
    assert!(sum() >= u32::from(USES) / 2, "{}", sum());
    during(2, &mut || {
        a.kill();
        let _: () = b.ask(&["REPLICAOF", "NO", "ONE"]);
    })
    .await;
    during(3, &mut || {
        a.run();
        let _: () = b.ask(&["FLUSHALL"]);
        a.follow(&b);
    })
    .await;
    during(4, &mut || {
        b.kill();
        b.run();
        let _: () = a.ask(&["REPLICAOF", "NO", "ONE"]);
        b.follow(&a);
    })
    .await;
    for (n, times) in first.iter().enumerate() {
        assert!(times.load(Ordering::SeqCst) <= 1, "{n} was the first {times:?} times");
    }
}
