//! Lists, page by page, while rows come and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Setup, TestApp};

/// Reads a list to its end in pages of two, and does something between them.
async fn walk(app: &TestApp, path: &str, list: &str, id: &str, mut between: impl AsyncFnMut(usize)) -> Vec<String> {
    let (mut seen, mut after) = (Vec::new(), String::new());
    for page in 0.. {
        let read = app.admin_get(&format!("{path}?limit=2{after}")).await;
        let rows = read[list].as_array().unwrap();
        assert!(rows.len() <= 2);
        seen.extend(rows.iter().map(|row| row[id].as_str().unwrap().to_owned()));
        match read["next"].as_str() {
            None => break,
            Some(next) => after = format!("&after={next}"),
        }
        between(page).await;
    }
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), seen.len(), "{path}: nothing twice");
    seen
}

#[tokio::test]
async fn what_stays_is_seen_once_while_others_come_and_go() {
    let app = TestApp::start().await;
    let put = async |user: String| {
        app.admin("PUT", &format!("/admin/v1/users/{user}/claims"), Some(json!({ "a": 1 }))).await.ok();
    };
    for n in 0..9 {
        put(format!("stays{n}")).await;
        put(format!("goes{n}")).await;
    }
    let users = walk(&app, "/admin/v1/users", "users", "user", async |page| {
        app.admin("DELETE", &format!("/admin/v1/users/goes{page}/claims"), None).await.ok();
        put(format!("a-new{page}")).await;
        put(format!("z-new{page}")).await;
    })
    .await;
    let stayed: Vec<&String> = users.iter().filter(|user| user.starts_with("stays")).collect();
    assert_eq!(stayed.len(), 9, "{users:?}");
    let mut sorted = users.clone();
    sorted.sort();
    assert_eq!(users, sorted);
}

#[tokio::test]
async fn identities_and_bindings_while_they_are_unbound() {
    let app = TestApp::with(Setup { binding: "auto", ..Setup::default() }).await;
    let mut ids = Vec::new();
    for n in 0..7 {
        let phone = app.newcomer(&format!("person{n}"));
        phone.log_in().await;
        ids.push(phone.check("-").await.header("yaopai-identity-id").unwrap().to_owned());
    }
    // All of one millisecond: the order of the rest of an id is chance.
    ids.sort();
    let all = walk(&app, "/admin/v1/identities", "identities", "identity_id", async |_| {}).await;
    assert_eq!(all, ids);
    // The row that the cursor names goes away between two pages.
    let bound = walk(&app, "/admin/v1/bindings", "bindings", "identity_id", async |page| {
        app.admin("DELETE", &format!("/admin/v1/bindings/{}", ids[2 * page + 1]), None).await.ok();
    })
    .await;
    assert_eq!(bound, ids);
    let left = walk(&app, "/admin/v1/bindings", "bindings", "identity_id", async |_| {}).await;
    assert_eq!(left.len(), 4);
    let all = walk(&app, "/admin/v1/identities", "identities", "identity_id", async |_| {}).await;
    assert_eq!(all, ids, "unbound ones are identities still");
}

#[tokio::test]
async fn a_full_last_page_has_no_next() {
    let app = TestApp::start().await;
    for user in ["a", "b"] {
        app.admin("PUT", &format!("/admin/v1/users/{user}/claims"), Some(json!({}))).await.ok();
    }
    let page = app.admin_get("/admin/v1/users?limit=2").await;
    assert_eq!((page["users"].as_array().unwrap().len(), &page["next"]), (2, &Value::Null));
    for query in
        ["limit=0", "limit=201", "limit=-1", "after=%2e%2e", "after=", "after=_w", "aftre=x", "limit=1&limit=2"]
    {
        for list in ["users", "identities", "bindings", "sessions"] {
            let reply = app.admin("GET", &format!("/admin/v1/{list}?{query}"), None).await;
            assert_eq!(reply.refusal(), "400 field_invalid", "{list}?{query}");
        }
    }
}
