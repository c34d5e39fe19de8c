//! Many clients under a fault that lasts: the circuit breaker keeps them from WeChat, and then lets one try.

use futures_util::future::join_all;
use yaopai_sim::{Endpoint, Fault, FaultKind};

use super::call::{Call, Caller};
use super::row::server;
use crate::support::{TestApp, seconds};

const CLIENTS: usize = 50;

/// Faults that speak of WeChat's health.
const LASTING: [FaultKind; 5] =
    [FaultKind::Reset, FaultKind::Close, FaultKind::BadGateway, FaultKind::HtmlPage, FaultKind::Errcode];

/// How many calls a wave of clients makes.
async fn wave(app: &TestApp, call: Call, on: Endpoint, callers: &mut [Caller]) -> u64 {
    let before = app.sim.calls(on.name());
    let replies = join_all(callers.iter_mut().map(|caller| caller.send(app))).await;
    for reply in replies {
        assert!(reply.status == 503, "{call:?}: {} {}", reply.status, reply.text);
    }
    app.sim.calls(on.name()) - before
}

async fn callers(app: &TestApp, call: Call) -> Vec<Vec<Caller>> {
    let mut waves = Vec::new();
    for first in [0, CLIENTS, 2 * CLIENTS] {
        waves.push(join_all((first..first + CLIENTS).map(|n| Caller::new(app, call, n))).await);
    }
    waves
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_clients_under_a_lasting_fault() {
    for call in [Call::Login, Call::Phone] {
        let on = call.endpoints()[0];
        for kind in LASTING {
            let app = server().await;
            let mut waves = callers(&app, call).await;
            app.sim.set_fault(Fault::new(kind).on(on)).unwrap();
            // All that set out before the first came back; nobody can know better.
            let first = wave(&app, call, on, &mut waves[0]).await;
            assert!((1..=CLIENTS as u64).contains(&first), "{call:?} {kind:?}: {first} calls");
            assert_eq!(wave(&app, call, on, &mut waves[1]).await, 0, "{call:?} {kind:?}: the breaker is open");
            app.clock.advance(seconds(6));
            assert_eq!(wave(&app, call, on, &mut waves[2]).await, 1, "{call:?} {kind:?}: one tries for all");
        }
    }
}

/// Access tokens are fetched once for everybody, and not anew after each failure.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_clients_without_an_access_token() {
    for call in [Call::Phone, Call::AccessToken] {
        for kind in LASTING {
            let app = server().await;
            let mut waves = callers(&app, call).await;
            app.sim.set_fault(Fault::new(kind).on(Endpoint::StableToken)).unwrap();
            for (n, wave_of) in waves.iter_mut().take(2).enumerate() {
                let calls = wave(&app, call, Endpoint::StableToken, wave_of).await;
                assert_eq!(calls, u64::from(n == 0), "{call:?} {kind:?}");
            }
        }
    }
}
