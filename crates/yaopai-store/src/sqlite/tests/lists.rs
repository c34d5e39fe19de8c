use std::sync::Arc;
use std::sync::mpsc;

use yaopai_core::ids::{Realm, SessionId};
use yaopai_core::ports::*;

use crate::engine::start;
use crate::sqlite::{Options, Sqlite};

struct Nobody;

impl ChangeSink for Nobody {
    fn apply(&self, _: Change) {}
}

/// A list over a realm may pass a million rows to find none.
#[tokio::test]
async fn a_long_list_keeps_nobody_else_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(folder.path().join("yaopai.db"), Arc::new(Nobody), Options::default()).unwrap();
    let store = Arc::new(store);
    let (release, wait) = mpsc::channel::<()>();
    let long = start(&store.lister, move |_| {
        let _ = wait.recv();
        Ok(())
    });
    let realm = Realm::from("main");
    let lists: Vec<_> = (0..4)
        .map(|n| {
            let (store, realm) = (Arc::clone(&store), realm.clone());
            tokio::spawn(async move {
                if n % 2 == 0 {
                    store.list(&realm, &Filter { limit: 9, ..Filter::default() }).await.unwrap().len()
                } else {
                    store.bindings(&realm, &BindingFilter { limit: 9, ..BindingFilter::default() }).await.unwrap().len()
                }
            })
        })
        .collect();
    tokio::task::yield_now().await;
    // Longer than the lists would take, were they not waiting: reads are handed out in the order they came.
    for _ in 0..8 {
        store.load(SessionId([1; 16])).await.unwrap();
        let own = Filter { subject: Some(Subject::User("u".into())), limit: 9, ..Filter::default() };
        store.list(&realm, &own).await.unwrap();
        let of_user = BindingFilter { user: Some("u".into()), limit: 9, ..BindingFilter::default() };
        store.bindings(&realm, &of_user).await.unwrap();
    }
    assert!(lists.iter().all(|list| !list.is_finished()), "lists wait for each other");
    release.send(()).unwrap();
    long.unwrap().await.unwrap().unwrap();
    for list in lists {
        assert_eq!(list.await.unwrap(), 0);
    }
}
