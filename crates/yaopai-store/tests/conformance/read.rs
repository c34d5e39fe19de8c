//! A session that the back end bound is news to its client, until it has read that.

use super::*;

use yaopai_core::ports::Which;
use yaopai_core::session::EndReason;

pub async fn a_bind_by_the_back_end_is_news_until_read(mut lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.must_open(login(2, "o")).await;
    assert!(!lab.get(1).await.secrets.risen());
    lab.bind_identity(&main(), who(1), found("u"), &terms(T0)).await.unwrap();
    lab.reopen();
    assert!(lab.get(1).await.secrets.risen() && lab.get(2).await.secrets.risen());
    // Whatever else the client does.
    answer(lab.rotate(refresh(1, 1, "r", 9, T0)).await.unwrap());
    assert!(lab.confirm(id(1), h(9), T0).await.unwrap().unwrap().secrets.risen());
    lab.log.take();
    lab.bind_read(id(1)).await.unwrap();
    assert_eq!(lab.log.did(), [Did::Put(id(1))]);
    assert!(!lab.get(1).await.secrets.risen() && lab.get(2).await.secrets.risen(), "each client reads for itself");
    // The same word again is no news.
    lab.bind_identity(&main(), who(1), found("u"), &terms(T0)).await.unwrap();
    assert!(!lab.get(1).await.secrets.risen());
    assert!(!lab.must_open(login(3, "o")).await.secrets.risen(), "nor what the login itself said");
}

pub async fn what_is_no_news_changes_nothing(lab: Lab) {
    lab.must_open(login(1, "o")).await;
    lab.log.take();
    for n in [1, 9] {
        lab.bind_read(id(n)).await.unwrap();
    }
    answer(lab.bind(bind_as(1, 1, "a", 2, "u")).await.unwrap());
    assert!(!lab.get(1).await.secrets.risen(), "the client's own bind");
    lab.must_open(login(4, "o4")).await;
    lab.bind_identity(&main(), who(4), found("v"), &terms(T0)).await.unwrap();
    lab.end(&main(), &Which::One(id(4)), EndReason::Kicked, T0).await.unwrap();
    lab.log.take();
    let before = lab.get(4).await;
    lab.bind_read(id(4)).await.unwrap();
    assert_eq!(lab.get(4).await, before, "an ended session stays as it was");
    assert!(lab.log.take().is_empty());
}
