//! What checks cost the stores in steady state, counted at the stores: a bearer check nothing, a signed one a round trip to the nonces.

use std::time::Duration;

use futures_util::future::join_all;

use crate::fleet::{Fleet, NODES, Session, Shape};
use crate::redis_server::RedisServer;
use crate::replays::signed;

const SESSIONS: usize = 6;
/// Of each kind.
const CHECKS: u64 = 800;

/// What was asked of the stores so far: transactions, readings of rows of sessions, scripts run.
#[derive(Debug, Clone, Copy)]
struct Asked {
    transactions: u64,
    readings: u64,
    scripts: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_bearer_check_asks_nobody_and_a_signed_one_asks_once() {
    let redis = RedisServer::start();
    let nonces = redis.named();
    // Last uses are in the stores' figures if they are flushed: they are not a check's.
    let fleet = Fleet::with(Shape { nonces: &nonces, ..Shape::default() }).await;
    let [bearer, keyed] = [sessions(&fleet, false).await, sessions(&fleet, true).await];
    tokio::time::sleep(Duration::from_millis(6_500)).await;

    let idle = window(&fleet, &redis, async || {}).await;
    let bearers = window(&fleet, &redis, async || {
        for n in 0..CHECKS {
            let session = &bearer[at(n) % SESSIONS];
            let said = fleet.check(at(n) % NODES, &session.token, &[]).await.unwrap();
            assert_eq!(said.status, 200, "{said:?}");
        }
    })
    .await;
    let signeds = window(&fleet, &redis, async || {
        for n in 0..CHECKS {
            let session = &keyed[at(n) % SESSIONS];
            let fields = signed(session, &format!("a-nonce-in-steady-state-{n:06}"));
            let said = fleet.check(at(n) % NODES, &session.token, &fields).await.unwrap();
            assert_eq!(said.status, 200, "{said:?}");
        }
    })
    .await;
    println!(
        "{NODES} nodes, {CHECKS} checks a window of {WINDOW:?}: idle {idle:?}; bearer {bearers:?}; signed {signeds:?}"
    );
    // Each node's upkeep looks at Redis, and writes the last uses, once a second, whatever their number.
    let rounds = NODES as u64 * (WINDOW.as_secs() + 2);
    assert!(idle.scripts <= rounds && bearers.scripts <= rounds, "Redis: idle {idle:?}, bearer {bearers:?}");
    assert!((CHECKS..=CHECKS + rounds).contains(&signeds.scripts), "Redis: {signeds:?}");
    for (kind, asked) in [("bearer", bearers), ("signed", signeds)] {
        assert!(asked.transactions <= idle.transactions + rounds + 10, "{kind}: {asked:?}, idle {idle:?}");
        assert!(asked.readings <= idle.readings + rounds * SESSIONS as u64, "{kind}: {asked:?}, idle {idle:?}");
    }
}

/// As long as the checks take, and the statistics to come in, on a slow machine too.
const WINDOW: Duration = Duration::from_secs(15);

/// What the stores were asked while this was done, in [`WINDOW`].
async fn window(fleet: &Fleet, redis: &RedisServer, done: impl AsyncFnOnce()) -> Asked {
    let before = asked(fleet, redis);
    let end = tokio::time::sleep(WINDOW);
    let started = fleet.now();
    done().await;
    assert!(fleet.now() - started < 13_000, "the checks took {} ms", fleet.now() - started);
    end.await;
    let after = asked(fleet, redis);
    Asked {
        transactions: after.transactions - before.transactions,
        readings: after.readings - before.readings,
        scripts: after.scripts - before.scripts,
    }
}

fn asked(fleet: &Fleet, redis: &RedisServer) -> Asked {
    let counted = |sql| fleet.primary.sql(sql).parse().unwrap();
    Asked {
        transactions: counted("SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'postgres'"),
        readings: counted("SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'sessions'"),
        scripts: redis.calls("evalsha") + redis.calls("eval"),
    }
}

/// Sessions that every node knows.
async fn sessions(fleet: &Fleet, keyed: bool) -> Vec<Session> {
    let sessions = join_all((0..SESSIONS).map(|n| fleet.login(n % NODES, keyed))).await;
    for session in &sessions {
        for node in 0..NODES {
            if keyed {
                // Stores that have just begun to remember refuse it at first; the session is known after that all the same.
                let fields = signed(session, &format!("a-nonce-to-be-known-{node:06}"));
                fleet.check(node, &session.token, &fields).await.unwrap();
            } else {
                assert_eq!(fleet.check(node, &session.token, &[]).await.unwrap().status, 200);
            }
        }
    }
    sessions
}

fn at(n: u64) -> usize {
    usize::try_from(n).unwrap()
}
