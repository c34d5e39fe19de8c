//! `Idempotency-Key`: the same request again, the same answer, and nothing done twice.

use serde_json::{Value, json};

use super::operations::{APART, Operation, Place, operations};
use crate::support::{Reply, TestApp, raw, seconds};
use crate::yaopai::v1::sessions::two_realms;

async fn send(app: &TestApp, api_key: &str, key: &str, method: &str, path: &str, body: Option<&Value>) -> Reply {
    let url = format!("{}{path}", app.addresses().admin);
    let request = app.http.request(method.parse().unwrap(), url).bearer_auth(api_key).header("Idempotency-Key", key);
    let request = if let Some(body) = body { request.json(body) } else { request };
    Reply::of(request.send().await.unwrap()).await
}

async fn claims(app: &TestApp, key: &str, vip: i64) -> Reply {
    send(app, "key-of-default", key, "PUT", "/admin/v1/users/42/claims", Some(&json!({ "vip": vip }))).await
}

fn changes() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.method != "GET")
}

/// Each operation that changes something: the repeat has the same status and bytes, and changes nothing, also after a crash.
#[tokio::test]
async fn each_repeat_gets_the_same_answer_and_changes_nothing() {
    for operation in changes() {
        let mut place = Place::with(APART).await;
        let (path, body) = place.request(&operation);
        let (id, method) = (&operation.id, operation.method.as_str());
        let first = send(&place.app, operation.key(), "k", method, &path, body.as_ref()).await;
        first.ok();
        let before = place.app.state();
        for key in ["k", "\"k\""] {
            let again = send(&place.app, operation.key(), key, method, &path, body.as_ref()).await;
            assert_eq!((again.status, &again.text), (first.status, &first.text), "{id}");
            assert_eq!(again.header("content-type"), first.header("content-type"), "{id}");
            assert_eq!(place.app.state(), before, "{id}");
        }
        place.app.crash().await;
        let again = send(&place.app, operation.key(), "k", method, &path, body.as_ref()).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text), "{id}");
        assert_eq!(place.app.state(), before, "{id}");
        assert_eq!(place.app.count("idempotency"), 1, "{id}");
    }
}

/// What others wrote since is not written over by a repeat that comes late.
#[tokio::test]
async fn a_late_repeat_undoes_nothing() {
    let app = TestApp::start().await;
    claims(&app, "a", 1).await.ok();
    claims(&app, "b", 2).await.ok();
    assert_eq!(claims(&app, "a", 1).await.ok().json()["claims"], json!({ "vip": 1 }), "the answer of then");
    assert_eq!(app.admin_get("/admin/v1/users/42/claims").await["claims"], json!({ "vip": 2 }));
    // A day later the key is free, whether or not the row was swept.
    app.clock.advance(seconds(24 * 3600));
    claims(&app, "a", 3).await.ok();
    assert_eq!(app.admin_get("/admin/v1/users/42/claims").await["claims"], json!({ "vip": 3 }));
    app.clock.advance(seconds(24 * 3600));
    app.upkeep().await;
    assert_eq!(app.count("idempotency"), 0);
}

#[tokio::test]
async fn another_request_under_the_key_is_refused() {
    let app = TestApp::start().await;
    claims(&app, "k", 1).await.ok();
    let before = app.state();
    let path = "/admin/v1/users/42/claims";
    for (method, path, body) in [
        ("PUT", path, Some(json!({ "vip": 2 }))),
        ("PUT", "/admin/v1/users/43/claims", Some(json!({ "vip": 1 }))),
        ("PUT", "/admin/v1/users/%34%32/claims", Some(json!({ "vip": 1 }))),
        ("DELETE", path, None),
        ("DELETE", "/admin/v1/users/42/sessions", None),
        ("DELETE", "/admin/v1/sessions?user=42", None),
    ] {
        let reply = send(&app, "key-of-default", "k", method, path, body.as_ref()).await;
        assert_eq!(reply.refusal(), "422 idempotency_key_reused", "{method} {path}");
    }
    assert_eq!(app.state(), before);
}

/// What was refused is not kept: the person logs in, and the same bind goes through.
#[tokio::test]
async fn a_refusal_is_asked_anew() {
    let app = TestApp::with(crate::support::Setup { binding: "api", ..Default::default() }).await;
    let phone = app.phone("lilei");
    let body = json!({ "app": "shop", "openid": phone.openid(), "user": "42" });
    let bind = async || send(&app, "key-of-default", "k", "POST", "/admin/v1/bindings", Some(&body)).await;
    assert_eq!(bind().await.refusal(), "404 not_found");
    assert_eq!(app.count("idempotency"), 0);
    phone.log_in().await;
    let bound = bind().await.ok().json();
    assert_eq!(bind().await.ok().json(), bound);
}

/// A key is its sender's: another realm's, or another API key's, is another one.
#[tokio::test]
async fn nobody_elses_key_matches() {
    let app = two_realms().await;
    let body = json!({ "user": "42", "masked": "4*" });
    let make = async |api_key: &str| {
        send(&app, api_key, "k", "POST", "/admin/v1/bind-codes", Some(&body)).await.field("bind_code")
    };
    let (here, there) = (make("key-of-default").await, make("key-of-other").await);
    assert_ne!(here, there);
    assert_eq!((make("key-of-default").await, make("key-of-other").await), (here, there));
    assert_eq!(app.count("bind_codes"), 2);
    let place = Place::with("scopes = [\"bindings\"]").await;
    for api_key in ["key-of-default", "key-of-other"] {
        send(&place.app, api_key, "k", "POST", "/admin/v1/bind-codes", Some(&body)).await.ok();
    }
    assert_eq!(place.app.count("bind_codes"), 2, "of one realm, but of two keys");
    assert_eq!(
        send(&app, "wrong", "k", "POST", "/admin/v1/bind-codes", Some(&body)).await.refusal(),
        "401 api_key_invalid"
    );
}

/// The kept answer holds a bind code, a user, an openid: none of it, nor the key, lies there in clear.
#[tokio::test]
async fn a_kept_answer_is_sealed() {
    let app = TestApp::start().await;
    let body = json!({ "user": "somebody-in-clear", "masked": "4*" });
    let code = send(&app, "key-of-default", "a-key-in-clear", "POST", "/admin/v1/bind-codes", Some(&body)).await;
    let code = code.field("bind_code");
    let rows: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = app
        .database()
        .prepare("SELECT key, request, sealed FROM idempotency")
        .unwrap()
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 1);
    let all = [rows[0].0.as_slice(), &rows[0].1, &rows[0].2].concat();
    for clear in [code.as_str(), &code[3..], "somebody", "a-key-in-clear", "bind_code"] {
        assert!(!all.windows(clear.len()).any(|w| w == clear.as_bytes()), "{clear}");
    }
}

/// Two at once: one is done, and the other is told so, or to wait.
#[tokio::test]
async fn two_at_once_are_one() {
    let app = TestApp::start().await;
    let body = json!({ "user": "42", "masked": "4*" });
    for round in 0..20 {
        app.clock.advance(seconds(400));
        app.upkeep().await;
        let key = format!("k{round}");
        let make = || send(&app, "key-of-default", &key, "POST", "/admin/v1/bind-codes", Some(&body));
        let (a, b, c, d) = tokio::join!(make(), make(), make(), make());
        let mut codes: Vec<String> = Vec::new();
        for reply in [a, b, c, d] {
            match reply.status.as_u16() {
                201 => codes.push(reply.field("bind_code")),
                _ => {
                    assert_eq!(reply.refusal(), "409 idempotency_key_in_use");
                    assert_eq!(reply.header("retry-after"), Some("1"));
                }
            }
        }
        assert!(!codes.is_empty());
        codes.push(make().await.field("bind_code"));
        codes.dedup();
        assert_eq!((codes.len(), app.count("bind_codes")), (1, 1));
    }
}

/// The client hangs up before the answer: the repeat finds what was done, or does it.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    let app = TestApp::start().await;
    let body = r#"{"user":"42","masked":"4*"}"#;
    let head = format!(
        "POST /admin/v1/bind-codes HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer key-of-default\r\n\
         Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..5 {
        let mut connection = raw::Kept::connect(&app.addresses().admin).await;
        connection.send(head.as_bytes()).await;
        drop(connection);
    }
    let body: Value = serde_json::from_str(body).unwrap();
    let made = tokio::time::timeout(seconds(10), async {
        loop {
            let reply = send(&app, "key-of-default", "k", "POST", "/admin/v1/bind-codes", Some(&body)).await;
            if reply.status == 201 {
                return reply.field("bind_code");
            }
            assert_eq!(reply.refusal(), "409 idempotency_key_in_use");
        }
    });
    made.await.unwrap();
    assert_eq!(app.count("bind_codes"), 1);
}

#[tokio::test]
async fn keys_that_are_none() {
    let app = TestApp::start().await;
    let before = app.state();
    let (long, longest) = ("x".repeat(256), "x".repeat(255));
    for key in ["", "\"\"", "\"", "a b", "a,b", "\"a\";p=1", "a\"b", "a\\b", &long] {
        assert_eq!(claims(&app, key, 1).await.refusal(), "400 malformed", "{key}");
    }
    let base = app.addresses().admin;
    let twice = "PUT /admin/v1/users/42/claims HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\
                 Authorization: Bearer key-of-default\r\nIdempotency-Key: a\r\nIdempotency-Key: a\r\n\
                 Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
    let answer = raw::Answer(raw::send(&base, twice.as_bytes()).await);
    assert_eq!((answer.status(), answer.code()), (400, "malformed"));
    assert_eq!(app.state(), before);
    claims(&app, &longest, 1).await.ok();
    // Reading changes nothing, and a key there is not looked at.
    send(&app, "key-of-default", "", "GET", "/admin/v1/sessions", None).await.ok();
    assert_eq!(app.count("idempotency"), 1);
}
