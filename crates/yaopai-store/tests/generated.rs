//! Random sequences of calls, made of the reference and of each engine: the same answers, the same changes, the same state.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod calls;
mod conformance;
mod database;

use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use yaopai_core::ports::Change;
use yaopai_core::session::Session;
use yaopai_store::Disk;

use calls::generator::{KINDS, Seed, World};
use calls::{Outcome, make, state};
use conformance::{Lab, Table, audit, unseen};

fn config(cases: u32) -> Config {
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    let failure_persistence = Some(Box::new(FileFailurePersistence::Off) as _);
    Config { cases, failure_persistence, max_shrink_iters: 2_000, ..Config::default() }
}

fn seeds(max: usize) -> impl Strategy<Value = Vec<Seed>> {
    prop::collection::vec((0..KINDS, any::<[u8; 8]>()), 1..max)
}

fn flat(changes: Vec<Change>) -> Vec<Result<Session, yaopai_core::ids::SessionId>> {
    let flat = |change| match change {
        Change::Put(session) => Ok(*session),
        Change::Ended(id) => Err(id),
    };
    changes.into_iter().map(flat).collect()
}

async fn alike(mut engine: Lab, seeds: Vec<Seed>) {
    let model = Lab::new(Box::new(Disk::default()));
    let (mut world, mut table) = (World::default(), Table::default());
    // One for each, that do the same: then the logs are the same to the last byte of each MAC.
    let (told, (tells, _)) = (audit::scribe().0, audit::scribe());
    model.begin_audit(told.clone());
    engine.begin_audit(tells.clone());
    for (n, seed) in seeds.iter().enumerate() {
        let call = world.call(*seed);
        let expected = make(&*model, call.clone()).await;
        let outcome = make(&*engine, call.clone()).await;
        assert_eq!(outcome, expected, "call {n}: {call:?}");
        let changes = model.log.take();
        assert_eq!(flat(engine.log.take()), flat(changes.clone()), "call {n}: {call:?}");
        table.apply(changes);
        world.learn(&expected);
        if n % 16 == 15 {
            engine.reopen();
            engine.begin_audit(tells.clone());
        }
    }
    let rows = audit::rows(&*engine).await;
    assert_eq!(rows, audit::rows(&*model).await);
    audit::whole(&told, None, &rows);
    let (expected, found) = (state(&*model).await, state(&*engine).await);
    assert_eq!(found, expected);
    found.check();
    assert_eq!(found.live.into_iter().map(unseen).collect::<Vec<_>>(), table.sessions());
}

/// Calls at the same time, of one server or of several at one database in turn: what they answer and leave behind must be what
/// some order of them would.
async fn serial(servers: &[Lab], before: Vec<Seed>, together: Vec<Seed>) {
    let disk = Disk::default();
    let model = Lab::new(Box::new(disk.clone()));
    let mut world = World::default();
    for seed in before {
        let call = world.call(seed);
        let outcome = make(&*model, call.clone()).await;
        assert_eq!(make(&*servers[0], call).await, outcome);
        world.learn(&outcome);
    }
    servers[0].log.take();
    let calls: Vec<_> = together.into_iter().map(|seed| world.call(seed)).collect();
    let server_of = |n: usize| n % servers.len();
    let tasks: Vec<_> = calls
        .iter()
        .enumerate()
        .map(|(n, call)| {
            let (engine, call) = (servers[server_of(n)].engine(), call.clone());
            tokio::spawn(async move { make(&*engine, call).await })
        })
        .collect();
    let mut outcomes: Vec<Outcome> = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    let left = state(&*servers[0]).await;
    let changes: Vec<_> = servers.iter().map(|server| flat(server.log.take())).collect();
    for order in orders(calls.len()) {
        let trial = Lab::new(Box::new(disk.snapshot()));
        let (mut as_found, mut told) = (true, vec![Vec::new(); servers.len()]);
        for n in order {
            as_found &= make(&*trial, calls[n].clone()).await == outcomes[n];
            // Each server hands out what its own calls have changed.
            told[server_of(n)].extend(flat(trial.log.take()));
        }
        if as_found && told == changes && state(&*trial).await == left {
            return;
        }
    }
    panic!("no order of {calls:#?} gives {outcomes:#?}");
}

fn orders(n: usize) -> Vec<Vec<usize>> {
    let Some(last) = n.checked_sub(1) else { return vec![Vec::new()] };
    let insert = |order: Vec<usize>| (0..n).map(move |at| [&order[..at], &[last], &order[at..]].concat());
    orders(last).into_iter().flat_map(insert).collect()
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap().block_on(test);
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn sqlite_does_what_the_reference_does(seeds in seeds(120)) {
        run(async { alike(Lab::new(Box::new(tempfile::tempdir().unwrap())), seeds).await });
    }
}

proptest! {
    #![proptest_config(config(48))]

    #[test]
    fn calls_at_the_same_time_have_an_order(before in seeds(30), together in seeds(5)) {
        run(async { serial(&[Lab::new(Box::new(tempfile::tempdir().unwrap()))], before, together).await });
    }
}

/// PostgreSQL: fewer, because each statement is a way to another process and back, and with one server for all.
mod postgres {
    use std::sync::Arc;

    use super::*;
    use database::Server;

    /// Runs a property over `cases` inputs. The server goes with the function: a static one would outlive the test.
    fn check<S: Strategy>(cases: u32, input: S, property: impl Fn(&Arc<Server>, S::Value)) {
        let server = Server::start();
        let many = std::env::var("PROPTEST_CASES").ok().and_then(|n| n.parse::<u32>().ok());
        let config = Config { cases: many.map_or(cases, |many| many / 10 + 1), ..config(cases) };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let found = runner.run(&input, |input| {
            property(&server, input);
            Ok(())
        });
        found.unwrap_or_else(|e| panic!("{e}"));
    }

    #[test]
    fn postgres_does_what_the_reference_does() {
        check(10, seeds(120), |server, seeds| run(async { alike(Lab::new(Box::new(server.home())), seeds).await }));
    }

    /// The same for several servers at one database.
    #[test]
    fn calls_of_two_servers_at_the_same_time_have_an_order() {
        check(16, (seeds(30), seeds(5)), |server, (before, together)| {
            run(async {
                let home = server.home();
                let servers = [home.of_node("a"), home.of_node("b")].map(|home| Lab::new(Box::new(home)));
                serial(&servers, before, together).await;
            });
        });
    }
}

/// The generator must reach what it is for: a test that only ever sees refusals would pass.
#[test]
fn the_calls_meet() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut met = std::collections::BTreeMap::<String, u32>::new();
    run(async {
        for _ in 0..400 {
            let model = Lab::new(Box::new(Disk::default()));
            let mut world = World::default();
            for _ in 0..100 {
                let mut choices = [0; 8];
                rng.fill_bytes(&mut choices);
                let call = world.call(((rng.next_u32() % u32::from(KINDS)) as u8, choices));
                let outcome = make(&*model, call.clone()).await;
                world.learn(&outcome);
                let name = |of: &str| of.split([' ', '(', '{']).next().unwrap_or_default().to_owned();
                *met.entry(format!("{} {}", name(&format!("{call:?}")), name(&format!("{outcome:?}")))).or_default() +=
                    1;
                if let Outcome::Ended(reason) = outcome {
                    *met.entry(format!("ended {}", reason.as_str())).or_default() += 1;
                }
            }
        }
    });
    println!("{met:#?}");
    for wanted in [
        "Open Opened",
        "Open Repeated",
        "Open Conflict",
        "Open Full",
        "Open Failed",
        "Rotate Answer",
        "Rotate Ended",
        "Rotate Superseded",
        "Rotate Unknown",
        "StepUp Answer",
        "StepUp Superseded",
        "StepUp Ended",
        "StepUp Unknown",
        "Bind Answer",
        "Bind Conflict",
        "Bind Ended",
        "Bind Unknown",
        "Bind Full",
        "ExpireStale Stale",
        "BindIdentity Bound",
        "Unbind Said",
        "ended reused",
        "ended replaced",
        "ended unbound",
        "ended user_disabled",
        "Open Disabled",
        "Bind Disabled",
    ] {
        assert!(met.get(wanted).is_some_and(|n| *n >= 10), "{wanted} is met too seldom: {met:#?}");
    }
}
