//! `/yaopai/v1/binding`: the back end says who the user is.

mod bind_code;
mod limits;
mod phone;
mod preview;
mod rebind;

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{Act, Phone, Setup, TestApp, form, request_id, seconds};

/// A stranger whose account the back end's form would take.
async fn stranger() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    app.back_end.has_account("lilei", "secret", "42");
    let phone = app.phone("lilei");
    phone.log_in().await;
    (app, phone)
}

#[tokio::test]
async fn the_form_binds() {
    let (app, phone) = stranger().await;
    let reply = phone.bind("b", "lilei", "secret").await;
    assert_snapshot!(reply.show(), @r#"
    200 OK
    cache-control: no-store
    content-type: application/json
    {
      "token": "[token]",
      "session_id": "[id]",
      "expires_in": 1800,
      "refresh_in": 1200,
      "absolute_expires_in": 604800,
      "bound": true,
      "user": "42",
      "vouched_at": "2026-01-01T00:00:00.000Z",
      "server_time": "2026-01-01T00:00:00.000Z"
    }
    "#);
    phone.hold(&reply.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.read().await.json()["user"], "42");
    assert_eq!(
        app.back_end.calls("bind")[0].data["form"],
        json!({ "account": "lilei", "password": "secret" }),
        "as it came"
    );
    assert_eq!(app.back_end.calls("bind")[0].data["openid"], phone.openid());
    // Once and for all: the next login is the user's, and nobody is asked.
    let asked = app.back_end.calls("resolve").len();
    assert_eq!(phone.log_in().await.json()["user"], "42");
    assert_eq!(app.back_end.calls("resolve").len(), asked);
}

#[tokio::test]
async fn claims_come_with_the_user() {
    let (app, phone) = stranger().await;
    app.back_end.answers_bind("lilei", "secret", json!({ "user": 42, "claims": { "roles": ["clerk"] } }));
    let reply = phone.bind("b", "lilei", "secret").await.json();
    assert_eq!((&reply["user"], &reply["claims"]), (&json!("42"), &json!({ "roles": ["clerk"] })));
    phone.hold(reply["token"].as_str().unwrap());
    assert_eq!(phone.check("-").await.header("yaopai-claims"), Some(r#"{"roles":["clerk"]}"#));
}

#[tokio::test]
async fn a_rejection_carries_the_back_end_s_own_message() {
    let (app, phone) = stranger().await;
    let before = app.state();
    assert_snapshot!(phone.bind("b", "lilei", "wrong").await.show(), @r#"
    422 Unprocessable Entity
    cache-control: no-store
    content-type: application/problem+json
    yaopai-code: binding_rejected
    yaopai-time: 2026-01-01T00:00:00.000Z
    {
      "type": "urn:yaopai:error:binding_rejected",
      "title": "The back end rejected the binding",
      "status": 422,
      "code": "binding_rejected",
      "detail": "The back end rejected this; its own message, if it gave one, is in `message`.",
      "message": "账号或密码错误"
    }
    "#);
    assert_eq!(app.state(), before);
    // The same request again asks again: a rejection is no answer to keep.
    app.back_end.has_account("lilei", "wrong", "42");
    phone.bind("b", "lilei", "wrong").await.ok();
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_token_and_asks_nobody() {
    let (app, phone) = stranger().await;
    let token = phone.bind("b", "lilei", "secret").await.field("token");
    let again = phone.bind("b", "lilei", "secret").await;
    assert_eq!(again.field("token"), token);
    assert_eq!(again.json()["bound"], true);
    assert_eq!((app.back_end.calls("bind").len(), app.back_end.calls("opened").len()), (1, 1));
    assert_eq!(phone.check_as(&token, "-").await.user(), "42");
    assert_eq!(phone.bind("b", "lilei", "secret").await.field("token"), token, "also when it is in use already");
    assert_eq!(app.back_end.calls("bind").len(), 1);
}

/// Whoever copied the token of a stranger has a stranger's token, for as long as it lives.
#[tokio::test]
async fn the_old_token_never_rises() {
    let (app, phone) = stranger().await;
    let old = phone.token();
    let new = phone.bind("b", "lilei", "secret").await.field("token");
    let still_nobody = async |when: &str| {
        assert_eq!(phone.check_as(&old, "-").await.denied(), "403 not_bound", "{when}");
        let check = phone.check_as(&old, "require=session").await;
        assert_eq!((check.user(), check.header("yaopai-claims")), (String::new(), Some("")), "{when}");
        assert_eq!(phone.call_as(&old, "GET", "/session", None).await.json()["bound"], false, "{when}");
    };
    still_nobody("before the new one is used").await;
    assert_eq!(phone.check_as(&new, "-").await.user(), "42");
    still_nobody("in its grace").await;
    // In its grace it refreshes, and what it gets is nobody's too.
    let heir = phone.refresh_as(&old, "heir").await.field("token");
    assert_eq!(phone.check_as(&heir, "require=session").await.user(), "");
    app.clock.advance(seconds(31));
    assert_eq!(phone.check_as(&old, "-").await.denied(), "401 session_superseded");
}

#[tokio::test]
async fn an_identity_has_one_user_and_a_user_one_identity() {
    let (app, phone) = stranger().await;
    let old = phone.token();
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    let before = app.state();
    // Another account from a session that was never the user's …
    app.back_end.has_account("other", "secret", "43");
    let reply = phone.call_as(&old, "POST", "/binding", Some(form("b2", "other", "secret"))).await;
    assert_eq!(reply.refusal(), "409 binding_conflict");
    // … and another person with the same account.
    let other = app.phone("xiaohong");
    other.log_in().await;
    let with_other = app.state();
    assert_eq!(other.bind("b3", "lilei", "secret").await.refusal(), "409 binding_conflict");
    assert_eq!(app.state(), with_other, "nothing has changed");
    assert_eq!(app.state()["users"], before["users"]);
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(other.read().await.json()["bound"], false);
}

#[tokio::test]
async fn a_second_identity_where_it_is_allowed() {
    let app = TestApp::with(Setup { shop: "second_identity = \"allow\"", ..Setup::default() }).await;
    app.back_end.has_account("family", "secret", "42");
    for person in ["lilei", "xiaohong"] {
        let phone = app.phone(person);
        phone.log_in().await;
        phone.hold(&phone.bind("b", "family", "secret").await.field("token"));
        assert_eq!(phone.check("-").await.user(), "42");
    }
}

/// The back end names at login a user whom another person has.
#[tokio::test]
async fn a_conflict_at_login_opens_nothing() {
    let app = TestApp::start().await;
    app.customer("lilei", "42").log_in().await;
    let other = app.customer("xiaohong", "42");
    let before = app.state();
    assert_eq!(other.try_log_in().await.refusal(), "409 binding_conflict");
    assert_eq!(app.state(), before);
}

#[tokio::test]
async fn binding_again_to_the_same_user_is_no_conflict() {
    let (_app, phone) = stranger().await;
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    phone.hold(&phone.bind("b2", "lilei", "secret").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn a_failing_back_end_changes_nothing() {
    let (app, phone) = stranger().await;
    let before = app.state();
    for act in [
        Act::Status(500),
        Act::Slow(seconds(2)),
        Act::Say("{}".into()),
        Act::Say(r#"{"user": ""}"#.into()),
        Act::Say(r#"{"user": "42", "claims": 1}"#.into()),
    ] {
        app.back_end.acts("bind", act.clone());
        assert_eq!(phone.bind("b", "lilei", "secret").await.refusal(), "503 backend_unavailable", "{act:?}");
        assert_eq!(app.state(), before, "{act:?}");
    }
    app.back_end.recovers();
    phone.bind("b", "lilei", "secret").await.ok();
}

/// Many taps on the button: those that come while it is under way get the same token or are told to wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_binds_of_one_request_are_one() {
    let (app, phone) = stranger().await;
    let replies = futures_util::future::join_all((0..8).map(|_| phone.bind("b", "lilei", "secret"))).await;
    let token = phone.bind("b", "lilei", "secret").await.field("token");
    for reply in replies {
        if reply.status == 200 {
            assert_eq!(reply.field("token"), token);
        } else {
            assert_eq!((reply.refusal().as_str(), reply.header("retry-after")), ("429 rate_limited", Some("2")));
        }
    }
    assert!(app.back_end.calls("bind").len() <= 8);
    assert_eq!(app.admin_get("/admin/v1/bindings").await["bindings"].as_array().unwrap().len(), 1);
    phone.hold(&token);
    assert_eq!(phone.check("-").await.user(), "42");
}

/// Guesses take time, and one person must not take all the back end's places with them.
#[tokio::test]
async fn one_person_asks_the_back_end_twice_at_a_time_at_most() {
    let (app, phone) = stranger().await;
    app.back_end.acts("bind", Act::Slow(Duration::from_millis(600)));
    let words: Vec<String> = (0..10).map(|n| format!("guess-{n}")).collect();
    let guesses = words.iter().map(|word| phone.bind(word, "lilei", word));
    let replies = futures_util::future::join_all(guesses).await;
    let asked = replies.iter().filter(|r| r.refusal() == "422 binding_rejected").count();
    let refused = replies.iter().filter(|r| r.refusal() == "429 rate_limited").count();
    assert_eq!((asked, refused, app.back_end.calls("bind").len()), (2, 8, 2));
    // Their places are given back.
    app.back_end.recovers();
    phone.bind("b", "lilei", "secret").await.ok();
}

#[tokio::test]
async fn a_client_that_hangs_up_is_bound_all_the_same() {
    let (app, phone) = stranger().await;
    app.back_end.sets_cookies(&["PHPSESSID=abc"]);
    app.back_end.acts("bind", Act::Slow(Duration::from_millis(300)));
    let hung_up = tokio::time::timeout(Duration::from_millis(100), phone.bind("b", "lilei", "secret")).await;
    assert!(hung_up.is_err());
    for _ in 0..500 {
        if app.count("jar") > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!((app.back_end.calls("bind").len(), app.back_end.calls("opened").len()), (1, 1));
}

#[tokio::test]
async fn what_opened_sets_is_kept_sealed() {
    let app = TestApp::start().await;
    app.back_end.sets_cookies(&["JSESSIONID=node0-plain-text; Path=/; HttpOnly", "lang=zh; Path=/"]);
    let phone = app.customer("lilei", "42");
    let reply = phone.log_in().await;
    assert_eq!(reply.header("set-cookie"), None, "the back end's session id never reaches the phone");
    assert_eq!(app.count("jar"), 2);
    assert!(!format!("{:?}", app.state()).contains("node0"), "sealed");
    assert_eq!(
        app.back_end.calls("opened")[0].data,
        json!({
            "app": "shop", "realm": "default", "openid": phone.openid(),
            "unionid": app.sim.unionid(yaopai_sim::DEFAULT_APPID, "lilei").unwrap(),
            "user": "42", "session_id": reply.field("session_id"),
            "identity_id": phone.check("-").await.header("yaopai-identity-id").unwrap(),
        })
    );
    // The same name again replaces the cookie of this session, and is another session's own.
    phone.log_in().await;
    assert_eq!(app.count("jar"), 4);
}

#[tokio::test]
async fn a_bind_opens_too() {
    let (app, phone) = stranger().await;
    app.back_end.sets_cookies(&["PHPSESSID=abc"]);
    phone.bind("b", "lilei", "secret").await.ok();
    assert_eq!((app.count("jar"), app.back_end.calls("opened").len()), (1, 1));
}

#[tokio::test]
async fn a_failing_opened_is_no_reason_to_refuse() {
    let (app, phone) = stranger().await;
    app.back_end.acts("opened", Act::Status(500));
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(app.count("jar"), 0);
}

#[tokio::test]
async fn unbinding_ends_the_user_s_sessions_of_this_identity() {
    let (app, phone) = stranger().await;
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    let pad = app.phone("lilei");
    pad.log_in().await;
    phone.steps_up().await;
    let reply = phone.call("DELETE", "/binding", None).await;
    assert_eq!((reply.status.as_u16(), reply.text.as_str()), (204, ""));
    for token in [phone.token(), pad.token()] {
        assert_eq!(phone.check_as(&token, "-").await.denied(), "401 session_revoked");
    }
    phone.log_in().await;
    assert_eq!(phone.read().await.json()["bound"], false);
    assert_eq!(phone.call("DELETE", "/binding", None).await.refusal(), "403 not_bound");
}

#[tokio::test]
async fn a_stranger_s_token_unbinds_nobody() {
    let (_app, phone) = stranger().await;
    let old = phone.token();
    phone.hold(&phone.bind("b", "lilei", "secret").await.field("token"));
    assert_eq!(phone.check("-").await.user(), "42");
    assert_eq!(phone.call_as(&old, "DELETE", "/binding", None).await.refusal(), "403 not_bound");
    assert_eq!(phone.check("-").await.user(), "42");
}

#[tokio::test]
async fn ways_that_are_none() {
    let (app, phone) = stranger().await;
    let long = "x".repeat(513);
    for (body, field) in [
        (json!({ "way": "Form", "form": {} }), "way"),
        (json!({ "way": ["form"], "form": {} }), "way"),
        (json!({ "form": {} }), "way"),
        (json!({ "way": "form" }), "form"),
        (json!({ "way": "form", "form": "x" }), "form"),
        (json!({ "way": "form", "form": [] }), "form"),
        (json!({ "way": "phone" }), "code"),
        (json!({ "way": "phone", "code": "" }), "code"),
        (json!({ "way": "phone", "code": long }), "code"),
        (json!({ "way": "phone", "code": 1, "phone": "13800138000" }), "code"),
        (json!({ "way": "bind_code" }), "bind_code"),
        (json!({ "way": "bind_code", "code": "x" }), "bind_code"),
        (json!({ "way": "bind_code", "bind_code": long }), "bind_code"),
    ] {
        let mut body = body;
        body["request_id"] = json!(request_id("b"));
        let reply = phone.call("POST", "/binding", Some(body.clone())).await;
        assert_eq!((reply.refusal().as_str(), &reply.json()["field"]), ("400 field_invalid", &json!(field)), "{body}");
    }
    assert_eq!(app.back_end.calls("bind").len(), 0);
}

#[tokio::test]
async fn clients_of_apps_that_bind_otherwise_do_not() {
    for binding in ["auto", "api"] {
        let app = TestApp::with(Setup { binding, ..Setup::default() }).await;
        app.back_end.has_account("lilei", "secret", "42");
        let phone = app.phone("lilei");
        phone.log_in().await;
        for reply in [
            phone.bind("b", "lilei", "secret").await,
            phone.bind_by_phone("p", &phone.phone_code()).await,
            phone.redeem("c", "yb_AAAAAAAAAAAAAAAAAAAAAA").await,
            phone.preview("yb_AAAAAAAAAAAAAAAAAAAAAA").await,
        ] {
            assert_eq!(reply.refusal(), "400 field_invalid", "{binding}");
        }
        assert_eq!(app.back_end.calls("bind").len(), 0);
    }
}

#[tokio::test]
async fn an_ended_session_binds_nobody() {
    let (app, phone) = stranger().await;
    phone.log_out().await.ok();
    assert_eq!(phone.bind("b", "lilei", "secret").await.refusal(), "401 session_ended");
    assert_eq!(app.back_end.calls("bind").len(), 0, "the password goes nowhere");
}
