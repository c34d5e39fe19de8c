//! What is said about users.

use super::*;
use yaopai_core::ids::AppName;
use yaopai_core::ports::Open;

pub async fn are_kept_and_told(mut lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    let mall = Open { session: Session { app: AppName::from("mall"), ..wanted(2, "m") }, ..login_as(2, "m", "u") };
    lab.must_open(mall).await;
    lab.must_open(login_as(3, "p", "v")).await;
    lab.log.take();
    let boss = Some(said("boss"));
    lab.set_claims(&main(), &user("u"), boss.clone(), T0).await.unwrap();
    let told: Vec<_> = lab
        .log
        .take()
        .into_iter()
        .map(|c| match c {
            Change::Put(s) => (s.id, s.claims),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, [(id(1), boss.clone()), (id(2), boss.clone())]);
    assert_eq!(lab.claims(&main(), &user("u")).await.unwrap(), boss);
    assert_eq!(lab.claims(&main(), &user("v")).await.unwrap(), None);
    lab.set_claims(&main(), &user("u"), boss.clone(), T0).await.unwrap();
    assert!(lab.log.take().is_empty(), "no news");
    lab.reopen();
    assert_eq!(lab.get(1).await.claims, boss);
    lab.set_claims(&main(), &user("u"), None, T0).await.unwrap();
    assert_eq!(lab.log.did(), [Did::Put(id(1)), Did::Put(id(2))]);
    assert_eq!((lab.get(1).await.claims, lab.claims(&main(), &user("u")).await.unwrap()), (None, None));
    // Before the user's first login.
    lab.set_claims(&main(), &user("w"), boss.clone(), T0).await.unwrap();
    assert_eq!(lab.must_open(login_as(4, "q", "w")).await.claims, boss);
}

pub async fn are_of_one_realm(lab: Lab) {
    lab.must_open(login_as(1, "o", "u")).await;
    lab.log.take();
    lab.set_claims(&other_realm(), &user("u"), Some(said("boss")), T0).await.unwrap();
    assert!(lab.log.take().is_empty());
    assert_eq!((lab.get(1).await.claims, lab.claims(&main(), &user("u")).await.unwrap()), (None, None));
}
