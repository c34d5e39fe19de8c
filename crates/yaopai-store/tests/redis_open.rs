//! What is asked of a Redis before it is used, and how much it may be asked.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::time::Duration;

use yaopai_core::ports::{Shared as _, Took, Used};
use yaopai_store::{RedisError, RedisOptions, RedisShared};

use conformance::shared::used;
use conformance::tries::tries;
use database::redis::{Redis, answer, fails, fresh, open};

#[tokio::test]
async fn what_is_not_for_us_is_refused() {
    let (a, b) = (Redis::start(), Redis::start());
    let _: () = b.ask(&["CONFIG", "SET", "requirepass", "secret"]);
    let refused = async |options: RedisOptions| RedisShared::open(options).await.err().unwrap().to_string();
    let at = |url: &str| RedisOptions::new([url]);
    let wrong = refused(at(&format!("redis://:guessed@127.0.0.1:{}", b.port))).await;
    assert!(wrong.contains("password") && !wrong.contains("guessed"), "{wrong}");
    assert!(refused(at(&b.url())).await.contains("password"), "it asks for one");
    assert!(refused(at("http://guessed")).await.contains("An example"));
    assert!(refused(RedisOptions::new([""; 0])).await.contains("none is named"));
    let hasty = RedisOptions { replicas: 1, wait: Duration::ZERO, ..at(&a.url()) };
    assert!(refused(hasty).await.contains("no time"));
    let cluster = refused(RedisOptions { cluster: true, ..at(&a.url()) }).await;
    assert!(cluster.contains("CLUSTER INFO"), "{cluster}");
    let _: () = a.ask(&["REPLICAOF", "127.0.0.1", "1"]);
    assert!(refused(at(&a.url())).await.contains("is a replica"));
    let url = format!("redis://:secret@127.0.0.1:{}", b.port);
    open(&[a.url(), url]).await;
}

#[tokio::test]
async fn one_that_would_throw_nonces_away_is_refused() {
    let redis = Redis::start_with(&["maxmemory 50mb", "maxmemory-policy allkeys-lru"]);
    let refused = RedisShared::open(RedisOptions::new([redis.url()])).await.err().unwrap();
    assert!(matches!(&refused, RedisError::Evicts { found, .. } if found == "allkeys-lru"), "{refused}");
    assert!(refused.to_string().contains("noeviction"), "{refused}");
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    let store = open(&[redis.url()]).await;
    redis.age(40_000);
    // It is looked at again with each connection.
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "volatile-ttl"]);
    let _: u32 = redis.ask(&["CLIENT", "KILL", "TYPE", "normal"]);
    let mut answers = Vec::new();
    for n in 0..3 {
        answers.push(fails(store.first_use(fresh(&redis, n)).await));
    }
    assert!(answers[2].contains("volatile-ttl"), "{answers:?}");
}

/// A node starts without it, accepts nothing, and goes on by itself when it is there; but not if that throws nonces away.
#[tokio::test]
async fn one_that_is_away_is_waited_for() {
    let redis = Redis::start();
    redis.kill();
    let store = open(&[redis.url()]).await;
    assert!(fails(store.first_use(used(1, 1_800_000_000)).await).contains("can't be reached"));
    fails(store.take(&tries(1, 1)).await.map(|_| Used::First));
    redis.run();
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory", "50mb"]);
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    for _ in 0..3 {
        assert!(fails(store.first_use(fresh(&redis, 1)).await).contains("allkeys-lru"));
    }
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    assert!(matches!(store.first_use(fresh(&redis, 1)).await.unwrap(), Used::Unknown(Some(_))), "it knows of nothing");
    redis.age(40_000);
    assert_eq!(store.first_use(fresh(&redis, 2)).await.unwrap(), Used::First);
    assert!(matches!(store.take(&tries(1, 1)).await.unwrap(), Took::Counted(_)));
}

/// Of those that are named one is a replica, and the other one away: its master, maybe.
#[tokio::test]
async fn a_replica_alone_is_waited_with() {
    let (a, b) = (Redis::start(), Redis::start());
    b.follow(&a);
    a.kill();
    let store = open(&[a.url(), b.url()]).await;
    fails(store.first_use(fresh(&b, 1)).await);
    let _: () = b.ask(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(answer(&store, fresh(&b, 2)).await, Used::Unknown(Some(_))));
}

#[tokio::test]
async fn a_full_redis_accepts_nothing() {
    let redis = Redis::start();
    let store = open(&[redis.url()]).await;
    redis.age(40_000);
    let f = fresh(&redis, 1);
    assert_eq!(store.first_use(f).await.unwrap(), Used::First);
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    for n in [2, 3] {
        let what = fails(store.first_use(fresh(&redis, n)).await);
        assert!(what.contains("OOM"), "{what}");
    }
    let _: () = redis.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(store.first_use(f).await.unwrap(), Used::Before);
    assert_eq!(store.first_use(fresh(&redis, 2)).await.unwrap(), Used::First);
}

#[tokio::test]
async fn a_silent_redis_is_given_up() {
    let redis = Redis::start();
    let options = RedisOptions { timeout: Duration::from_millis(150), queue: 1, ..RedisOptions::new([redis.url()]) };
    let store = RedisShared::open(options).await.unwrap();
    redis.age(40_000);
    let f = fresh(&redis, 1);
    redis.signal("-STOP");
    // More than may wait: some are refused at once, the others in time.
    let tasks: Vec<_> = (0..600)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.first_use(f).await })
        })
        .collect();
    let mut full = 0;
    for task in tasks {
        full += u32::from(fails(task.await.unwrap()).contains("too many"));
    }
    assert!((100..600).contains(&full), "{full}");
    redis.signal("-CONT");
    // It may get, late, what was sent before it was given up. Nobody was told that it was the first.
    assert!(matches!(answer(&store, f).await, Used::Before | Used::First));
    assert_eq!(answer(&store, f).await, Used::Before);
}

/// Nonces go in two turns, so that they take so much room and no more. What one has taken is looked for in the next, and gone after it.
#[tokio::test]
async fn nonces_are_kept_for_two_turns() {
    let redis = Redis::start();
    let past = "{yaopai:0}:nonces:past";
    let shift = |field: &str, by: &str| redis.ask::<i64>(&["HINCRBY", past, field, by]);
    let sizes = || [0, 1].map(|n| redis.ask::<u32>(&["SCARD", &format!("{{yaopai:0}}:nonces:{n}")]));
    drop(open(&[redis.url()]).await);
    redis.age(40_000);
    for (turns, then) in [("-1", Used::Before), ("-2", Used::First), ("-5", Used::First)] {
        // Again, if a turn of its own has come meanwhile: one is 96 seconds.
        let turn = || redis.now() / 96_000;
        let (mut before, mut found) = (0, None);
        while before != turn() {
            before = turn();
            let _: u32 = redis.ask(&["DEL", "{yaopai:0}:nonces:0", "{yaopai:0}:nonces:1"]);
            // It stands still, in an earlier turn.
            shift("high", "60000");
            shift("turn", turns);
            let f = fresh(&redis, 1);
            assert_eq!(open(&[redis.url()]).await.first_use(f).await.unwrap(), Used::First);
            assert_eq!(sizes().iter().sum::<u32>(), 1);
            // It goes on, in this one. Nodes that knew it before would object.
            shift("high", "-63000");
            let store = open(&[redis.url()]).await;
            found = Some((sizes().iter().sum::<u32>(), store.first_use(f).await.unwrap()));
        }
        assert_eq!(found, Some((u32::from(then == Used::Before), then)), "{turns}");
    }
}
