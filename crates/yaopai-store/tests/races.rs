//! Calls at the same time. `generated.rs` compares random ones with the reference; these are the ones that have gone wrong
//! elsewhere.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod conformance;
mod database;

use std::sync::Arc;

use yaopai_core::app::Yields;
use yaopai_core::jar::Bounds;
use yaopai_core::ports::*;
use yaopai_core::session::{EndReason, Limits, Standing};

use conformance::*;

const MANY: u8 = 24;

/// A test of each for each engine.
macro_rules! races {
    ($($race:ident),+) => {
        mod sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $race() {
                    super::$race(&|| super::Lab::new(Box::new(tempfile::tempdir().unwrap()))).await;
                }
            )+
        }

        mod postgres {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $race() {
                    let server = super::database::Server::start();
                    super::$race(&|| super::Lab::new(Box::new(server.home()))).await;
                }
            )+
        }
    };
}

races! {
    one_login_is_opened_once, one_openid_becomes_one_identity, one_refresh_many_times_is_one_secret,
    many_refreshes_never_fork_the_session, a_bind_and_an_end, nothing_brings_an_ended_session_back,
    one_user_gets_one_identity_of_an_app, seals_are_reserved_once_each, no_cookie_outlives_a_kick
}

/// Runs a call for each number at the same time, and collects what they answer.
async fn together<T, F>(
    lab: &Lab,
    numbers: impl IntoIterator<Item = u8>,
    call: impl Fn(Arc<dyn Engine>, u8) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let tasks: Vec<_> = numbers.into_iter().map(|n| tokio::spawn(call(lab.engine(), n))).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

/// What the sink was told is what is there.
async fn told_right(lab: &Lab) {
    let mut table = Table::default();
    table.apply(lab.log.take());
    assert_eq!(lab.live().await.into_iter().map(unseen).collect::<Vec<_>>(), table.sessions());
}

async fn one_login_is_opened_once(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    let login_of = |n: u8| Open { login: LoginRecord { key: [77; 32], ..login(n, "o").login }, ..login(n, "o") };
    let answers = together(&lab, 1..=MANY, |e, n| async move { e.open(login_of(n)).await.unwrap() }).await;
    let opened: Vec<_> = answers
        .iter()
        .filter_map(|a| match a {
            Opened::Opened(s) => Some(s.id),
            _ => None,
        })
        .collect();
    assert_eq!(opened.len(), 1);
    for answer in answers {
        match answer {
            Opened::Opened(_) => {}
            Opened::Repeated(record) => assert_eq!(record.session, opened[0]),
            other => panic!("{other:?}"),
        }
    }
    told_right(&lab).await;
}

async fn one_openid_becomes_one_identity(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    let answers = together(&lab, 1..=MANY, |e, n| async move {
        let limits = Limits { max: 3, max_of_type: None, yields: Yields::Oldest };
        opened(e.open(Open { limits, ..login(n, "o") }).await.unwrap()).identity
    });
    let identities = answers.await;
    assert!(identities.iter().all(|i| *i == identities[0]));
    assert_eq!(lab.live().await.len(), 3, "and the limit holds");
    told_right(&lab).await;
}

async fn one_refresh_many_times_is_one_secret(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    lab.must_open(login(1, "o")).await;
    let secrets =
        together(
            &lab,
            0..MANY,
            |e, n| async move { answer(e.rotate(refresh(1, 1, "same", 100 + n, T0)).await.unwrap()).1 },
        );
    let secrets = secrets.await;
    assert!(secrets.iter().all(|s| *s == secrets[0]), "{secrets:?}");
    let s = lab.get(1).await;
    let known = (0..MANY).filter(|n| s.secrets.standing(&h(100 + n), T0) != Standing::Unknown);
    assert_eq!(known.count(), 1);
    told_right(&lab).await;
}

async fn many_refreshes_never_fork_the_session(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    lab.must_open(login(1, "o")).await;
    let secrets = together(&lab, 0..MANY, |e, n| async move {
        answer(e.rotate(refresh(1, 1, &n.to_string(), 100 + n, T0)).await.unwrap()).1
    });
    let mut secrets = secrets.await;
    secrets.sort_unstable();
    secrets.dedup();
    assert_eq!(secrets.len(), 4, "at most four successors");
    // Each of them confirmed at the same time: one wins, and nobody is thrown out.
    let confirm = secrets.clone();
    together(&lab, confirm, |e, n| async move { e.confirm(id(1), h(n), T0).await.unwrap().unwrap() }).await;
    let s = lab.get(1).await;
    let standings: Vec<_> = secrets.iter().map(|n| s.secrets.standing(&h(*n), T0)).collect();
    let count = |wanted| standings.iter().filter(|s| **s == wanted).count();
    assert_eq!(count(Standing::Current { bound: false }), 1, "{standings:?}");
    assert_eq!(count(Standing::Grace { bound: false }), 3, "{standings:?}");
    assert_eq!(s.secrets.standing(&h(1), T0), Standing::Grace { bound: false });
    told_right(&lab).await;
}

async fn a_bind_and_an_end(lab: &dyn Fn() -> Lab) {
    for round in 0..20 {
        let lab = lab();
        lab.must_open(login(1, "o")).await;
        let (binds, ends) = (lab.engine(), lab.engine());
        let bind = tokio::spawn(async move { binds.bind(bind_as(1, 1, "a", 2, "u")).await.unwrap() });
        let end =
            tokio::spawn(async move { ends.end(&main(), &Which::One(id(1)), EndReason::Kicked, T0).await.unwrap() });
        assert_eq!(end.await.unwrap(), [id(1)], "kicked is kicked, in round {round}");
        let user_now = lab.identity_of("o").await.unwrap().user;
        match bind.await.unwrap() {
            Rotated::Answer(..) => assert_eq!(user_now, Some(user("u"))),
            Rotated::Ended(EndReason::Kicked) => assert_eq!(user_now, None, "nothing of a refused bind stays"),
            other => panic!("{other:?}"),
        }
        assert_eq!(lab.reason(1).await, Some(EndReason::Kicked));
        told_right(&lab).await;
    }
}

async fn nothing_brings_an_ended_session_back(lab: &dyn Fn() -> Lab) {
    for _ in 0..10 {
        let lab = lab();
        lab.must_open(login_as(1, "o", "u")).await;
        lab.must_open(login(2, "o")).await;
        answer(lab.rotate(refresh(1, 1, "first", 99, T0)).await.unwrap());
        together(&lab, 0..MANY, |e, n| async move {
            match n {
                7 => drop(e.end(&main(), &Which::One(id(1)), EndReason::Logout, T0).await.unwrap()),
                _ if n.is_multiple_of(4) => drop(e.rotate(refresh(1, 1, &n.to_string(), 100 + n, T0)).await.unwrap()),
                _ if n.is_multiple_of(3) => drop(e.confirm(id(1), h(99), T0).await.unwrap()),
                _ if n.is_multiple_of(2) => {
                    e.set_claims(&main(), &user("u"), Some(said(&n.to_string())), T0).await.unwrap()
                }
                _ => drop(e.bind_identity(&main(), who(1), found("u"), &terms(T0)).await.unwrap()),
            }
        })
        .await;
        assert_eq!(lab.reason(1).await, Some(EndReason::Logout));
        assert_eq!(lab.live().await.iter().map(|s| s.id).collect::<Vec<_>>(), [id(2)]);
        told_right(&lab).await;
    }
}

async fn one_user_gets_one_identity_of_an_app(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    for n in 1..=MANY {
        lab.must_open(login(n, &format!("o{n}"))).await;
    }
    let answers = together(&lab, 1..=MANY, |e, n| async move {
        match n % 3 {
            0 => matches!(e.bind(bind_as(n, n, "a", 100 + n, "u")).await.unwrap(), Rotated::Answer(..)),
            1 => matches!(e.bind_identity(&main(), who(n), found("u"), &terms(T0)).await.unwrap(), BindEnd::Bound(_)),
            _ => matches!(e.open(login_as(100 + n, &format!("o{n}"), "u")).await.unwrap(), Opened::Opened(_)),
        }
    });
    assert_eq!(answers.await.into_iter().filter(|won| *won).count(), 1);
    let filter = BindingFilter { user: Some(user("u")), limit: 9, ..BindingFilter::default() };
    assert_eq!(lab.bindings(&main(), &filter).await.unwrap().len(), 1);
    told_right(&lab).await;
}

async fn seals_are_reserved_once_each(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    lab.add_data_key(DataKey { id: 1, sealed: vec![], reserved: 0 }).await.unwrap();
    let mut reserved = together(&lab, 0..MANY, |e, _| async move { e.reserve_seals(1, 10).await.unwrap() }).await;
    reserved.sort_unstable();
    assert_eq!(reserved, (1..=u64::from(MANY)).map(|n| n * 10).collect::<Vec<_>>());
    let added = together(&lab, 0..MANY, |e, n| async move {
        e.add_data_key(DataKey { id: 2, sealed: vec![n], reserved: 0 }).await.unwrap()
    });
    assert_eq!(added.await.into_iter().filter(|first| *first).count(), 1);
}

/// Answers that come in at the same time, each with a cookie of its own: none is lost, and each is counted.
async fn parallel_answers(lab: Lab, rounds: u8) {
    lab.must_open(login(1, "o")).await;
    let bounds = Bounds { cookies: 1_008, bytes: 1 << 20 };
    for round in 0..rounds {
        let put = together(&lab, 0..MANY, |engine, n| async move {
            let mut put = jar::cookie(0, &[round, n]);
            (put.slot[0], put.slot[1], put.twin) = (round, n, put.slot);
            put.twin[..2].copy_from_slice(&[round, n]);
            engine.put_cookies(JarChange { bounds, ..jar::change(1, vec![put]) }).await.unwrap().unwrap()
        });
        let mut versions = put.await;
        versions.sort_unstable();
        let first = u64::from(round) * u64::from(MANY);
        assert!(versions.into_iter().eq(first + 1..=first + u64::from(MANY)));
    }
    let kept = lab.jar(id(1)).await.unwrap().cookies;
    let mut all: Vec<_> = kept.iter().map(|cookie| (cookie.sealed[0], cookie.sealed[1])).collect();
    all.sort_unstable();
    assert!(all.into_iter().eq((0..rounds).flat_map(|round| (0..MANY).map(move |n| (round, n)))));
    assert!(kept.iter().map(|cookie| cookie.created).eq(0..u64::from(rounds) * u64::from(MANY)), "each has its place");
}

#[tokio::test(flavor = "multi_thread")]
async fn sqlite_parallel_answers_lose_no_cookie() {
    parallel_answers(Lab::new(Box::new(tempfile::tempdir().unwrap())), 42).await;
}

/// Fewer: each answer reads the whole jar, and that has a long way here.
#[tokio::test(flavor = "multi_thread")]
async fn postgres_parallel_answers_lose_no_cookie() {
    parallel_answers(Lab::new(Box::new(database::Server::start().home())), 8).await;
}

/// A kick and an answer at the same time: whichever is first, nothing is left of the cookie.
async fn no_cookie_outlives_a_kick(lab: &dyn Fn() -> Lab) {
    let lab = lab();
    for n in 1..=MANY {
        lab.must_open(login(n, &n.to_string())).await;
    }
    let ends = together(&lab, 1..=MANY, |engine, n| async move {
        let put = engine.put_cookies(jar::change(n, vec![jar::cookie(1, b"a")]));
        let (realm, which) = (main(), Which::One(id(n)));
        let kick = engine.end(&realm, &which, EndReason::Kicked, T0);
        if n % 2 == 0 { tokio::join!(put, kick).1.unwrap() } else { tokio::join!(kick, put).0.unwrap() }
    });
    assert!(ends.await.into_iter().all(|ended| ended.len() == 1));
    for n in 1..=MANY {
        assert_eq!(lab.jar(id(n)).await.unwrap(), Jar::default());
    }
}
