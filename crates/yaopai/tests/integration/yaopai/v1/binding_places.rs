//! Binds that are at the back end: they have their own places there, app by app, and outlive their clients.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use yaopai_sim::{DEFAULT_APPID, UserConfig};

use crate::support::{Act, BackEnd, OTHER_APPID, Phone, Setup, TestApp, TestClock, WEBHOOK_SECRET, request_id};

/// Far more than one app has places.
const BINDS: usize = 320;

/// Waits for what takes milliseconds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..500 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}");
}

fn newcomer(app: &TestApp, name: &str, appid: &str, person: &str) -> Phone {
    app.sim.handle().add_user(UserConfig::named(person)).unwrap();
    app.phone_in(name, appid, person)
}

/// The guests of `club`, whose back end hangs in `bind`, keep nobody else from logging in: neither at the app `shop`, nor at
/// `club` itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_end_that_hangs_stops_no_other_login() {
    let hanging = BackEnd::start(WEBHOOK_SECRET, || TestClock::new().now_ms()).await;
    hanging.acts("bind", Act::Hang);
    let club = format!(
        r#"
        [[apps]]
        keyed = "offered"
        name = "club"
        appid = "{{other_appid}}"
        secret = "file:app.secret"
        base_url = "{{sim}}"
        webhook = {{ url = "{}", secret = "file:webhook.secret", timeout = 10 }}"#,
        hanging.url
    );
    let app = TestApp::with(Setup { tables: Box::leak(club.into_boxed_str()), ..Setup::default() }).await;

    // Two binds of each guest: more are refused before they reach the back end.
    let guests: Vec<Phone> =
        (0..BINDS / 2).map(|n| newcomer(&app, "club", OTHER_APPID, &format!("guest-{n}"))).collect();
    for some in guests.chunks(16) {
        futures_util::future::join_all(some.iter().map(Phone::log_in)).await;
    }
    let mut binds = JoinSet::new();
    for guest in guests {
        let guest = std::sync::Arc::new(guest);
        for word in ["one", "two"] {
            let guest = guest.clone();
            binds.spawn(async move { guest.bind(word, "lilei", "secret").await });
        }
    }
    let mut refused = 0;
    until("every bind is at the back end or refused", || {
        while let Some(reply) = binds.try_join_next() {
            assert_eq!(reply.unwrap().refusal(), "503 backend_unavailable");
            refused += 1;
        }
        refused + hanging.calls("bind").len() == BINDS
    })
    .await;
    assert!(refused > 0 && !binds.is_empty(), "the places are taken: {refused} of {BINDS} refused");

    let others: Vec<Phone> = (0..20).map(|n| newcomer(&app, "shop", DEFAULT_APPID, &format!("customer-{n}"))).collect();
    for (n, phone) in others.iter().enumerate() {
        app.back_end.knows(&phone.openid(), &n.to_string());
    }
    for reply in futures_util::future::join_all(others.iter().map(Phone::log_in)).await {
        assert_eq!(reply.json()["bound"], true);
    }
    for n in 0..5 {
        newcomer(&app, "club", OTHER_APPID, &format!("late-{n}")).log_in().await;
    }
    assert!(!binds.is_empty(), "all that time the back end hung");
    assert!(hanging.forgeries().is_empty() && app.back_end.forgeries().is_empty());
}

/// The connection breaks while the back end is being told of the session that it has just bound.
#[tokio::test]
async fn who_hangs_up_is_bound_and_the_back_end_is_told_once() {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    app.back_end.sets_cookies(&["PHPSESSID=abc; Path=/"]);
    app.back_end.acts("opened", Act::Slow(Duration::from_millis(500)));
    let phone = app.phone("lilei");
    phone.log_in().await;

    let body = json!({
        "way": "form", "request_id": request_id("b"), "form": { "account": "lilei", "password": "secret" },
    })
    .to_string();
    let request = format!(
        "POST /yaopai/v1/binding HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        phone.token(),
        body.len()
    );
    let public = app.addresses().public;
    let mut stream = TcpStream::connect(public.strip_prefix("http://").unwrap()).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    until("the back end is told", || app.back_end.calls("opened").len() == 1).await;
    assert_eq!(app.count("jar"), 0, "and has not answered yet");
    drop(stream);

    // The same request gets its answer, while that goes on and after it.
    let token = phone.bind("b", "lilei", "secret").await.field("token");
    until("its cookie is kept", || app.count("jar") == 1).await;
    assert_eq!(phone.bind("b", "lilei", "secret").await.field("token"), token);
    assert_eq!((app.back_end.calls("bind").len(), app.back_end.calls("opened").len()), (1, 1));
    assert_eq!((app.count("jar"), app.count("sessions")), (1, 1));
    phone.hold(&token);
    assert_eq!(phone.check("-").await.user(), "42");
}
