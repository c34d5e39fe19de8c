//! Several servers at one PostgreSQL: what each decides is as if there were one.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;

use yaopai_core::app::Yields;
use yaopai_core::ports::*;
use yaopai_core::session::{EndReason, Limits, Standing};
use yaopai_store::Postgres;

use conformance::*;
use database::Server;

const MANY: u8 = 48;

/// Three of them.
fn servers(server: &Arc<Server>) -> Vec<Arc<Postgres>> {
    let home = server.home();
    ["a", "b", "c"].map(|node| Arc::new(home.of_node(node).connect(Arc::new(Log::default())))).into()
}

/// Runs a call for each number at the same time, at one server after the other, and collects what they answer.
async fn together<T, F>(
    servers: &[Arc<Postgres>],
    numbers: std::ops::Range<u8>,
    call: impl Fn(Arc<Postgres>, u8) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let at = |n: u8| Arc::clone(&servers[usize::from(n) % servers.len()]);
    let tasks: Vec<_> = numbers.map(|n| tokio::spawn(call(at(n), n))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn one_login_is_opened_once() {
    let server = Server::start();
    let servers = servers(&server);
    for round in 0..5 {
        let key = [200 + round; 32];
        let login_of = move |n: u8| Open { login: LoginRecord { key, ..login(n, "o").login }, ..login(n, "o") };
        let numbers = 1 + round * MANY..1 + (round + 1) * MANY;
        let answers =
            together(&servers, numbers, |store, n| async move { store.open(login_of(n)).await.unwrap() }).await;
        let opened = answers.iter().filter(|answer| matches!(answer, Opened::Opened(_)));
        assert_eq!(opened.count(), 1, "in round {round}");
        assert!(answers.iter().all(|answer| matches!(answer, Opened::Opened(_) | Opened::Repeated(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_over_all() {
    let server = Server::start();
    let servers = servers(&server);
    let answers = together(&servers, 1..MANY, |store, n| async move {
        let limits = Limits { max: 3, max_of_type: None, yields: Yields::Oldest };
        opened(store.open(Open { limits, ..login(n, "o") }).await.unwrap()).identity
    });
    let identities = answers.await;
    assert!(identities.iter().all(|identity| *identity == identities[0]), "one openid is one identity");
    let mut live = 0;
    servers[0].scan_live(&mut |_| live += 1).await.unwrap();
    assert_eq!(live, 3);
    let filter = Filter { limit: 99, ..Filter::default() };
    assert_eq!(servers[1].list(&main(), &filter).await.unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_user_gets_one_identity_of_an_app() {
    let server = Server::start();
    let servers = servers(&server);
    for n in 1..MANY {
        opened(servers[0].open(login(n, &format!("o{n}"))).await.unwrap());
    }
    for name in ["u", "v", "w"] {
        let answers = together(&servers, 1..MANY, |store, n| async move {
            match n / 3 % 3 {
                0 => matches!(store.bind(bind_as(n, n, name, 100 + n, name)).await.unwrap(), Rotated::Answer(..)),
                1 => {
                    let bound = store.bind_identity(&main(), who(n), found(name), &terms(T0)).await.unwrap();
                    matches!(bound, BindEnd::Bound(_))
                }
                _ => matches!(
                    store.open(login_as(100 + n, &format!("new {name} {n}"), name)).await,
                    Ok(Opened::Opened(_))
                ),
            }
        });
        assert_eq!(answers.await.into_iter().filter(|won| *won).count(), 1, "{name}");
        let filter = BindingFilter { user: Some(user(name)), limit: 9, ..BindingFilter::default() };
        assert_eq!(servers[2].bindings(&main(), &filter).await.unwrap().len(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kicked_is_kicked_whoever_refreshes_elsewhere() {
    let server = Server::start();
    let servers = servers(&server);
    for n in 1..MANY {
        opened(servers[0].open(login(n, &n.to_string())).await.unwrap());
    }
    let answers = together(&servers, 1..MANY, |store, n| async move {
        if n % 2 == 0 {
            drop(store.rotate(refresh(n + 1, n + 1, "x", 100 + n, T0)).await.unwrap());
            drop(store.confirm(id(n + 1), h(100 + n), T0).await.unwrap());
            return true;
        }
        store.end(&main(), &Which::One(id(n)), EndReason::Kicked, T0).await.unwrap() == [id(n)]
    });
    assert!(answers.await.into_iter().all(|done| done));
    for n in (1..MANY).step_by(2) {
        let s = servers[1].load(id(n)).await.unwrap().unwrap();
        assert_eq!(s.ended.map(|ended| ended.reason), Some(EndReason::Kicked), "{n}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refresh_many_times_is_one_secret() {
    let server = Server::start();
    let servers = servers(&server);
    for round in 1..6 {
        opened(servers[0].open(login(round, &round.to_string())).await.unwrap());
        let answers = together(&servers, 0..MANY, |store, n| async move {
            answer(store.rotate(refresh(round, round, "same", 100 + n, T0)).await.unwrap()).1
        });
        let secrets = answers.await;
        assert!(secrets.iter().all(|secret| *secret == secrets[0]), "{secrets:?}");
        let s = servers[2].load(id(round)).await.unwrap().unwrap();
        let known = (0..MANY).filter(|n| s.secrets.standing(&h(100 + n), T0) != Standing::Unknown);
        assert_eq!(known.count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_servers_share_is_counted_once() {
    let server = Server::start();
    let servers = servers(&server);
    servers[0].add_data_key(DataKey { id: 1, sealed: vec![], reserved: 0 }).await.unwrap();
    let mut reserved =
        together(&servers, 0..MANY, |store, _| async move { store.reserve_seals(1, 10).await.unwrap() }).await;
    reserved.sort_unstable();
    assert_eq!(reserved, (1..=u64::from(MANY)).map(|n| n * 10).collect::<Vec<_>>());
    let added = together(&servers, 0..MANY, |store, n| async move {
        store.add_data_key(DataKey { id: 2, sealed: vec![n], reserved: 0 }).await.unwrap()
    });
    assert_eq!(added.await.into_iter().filter(|first| *first).count(), 1);
    // Sweeps at the same time delete each row once.
    for n in 1..MANY {
        opened(servers[0].open(login(n, &n.to_string())).await.unwrap());
    }
    let gone =
        together(&servers, 0..6, |store, _| async move { store.purge(later(2 * MINUTE), T0, 999).await.unwrap() });
    assert_eq!(gone.await.into_iter().sum::<u64>(), u64::from(MANY) - 1);
}
