//! `/admin/v1/signing-keys`: rotation, as a back end that keeps the published set for a while lives through it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::tokens::{jwt_of, published, verified, with_audiences};
use crate::support::{Phone, TestApp, minutes, seconds};

async fn customer() -> (TestApp, Phone) {
    let app = with_audiences().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

async fn jwt(phone: &Phone) -> String {
    jwt_of(&phone.check("jwt=orders").await).unwrap()
}

async fn rotate(app: &TestApp, body: Value) -> Value {
    app.admin_as("key-for-signing", "POST", "/admin/v1/signing-keys/rotate", Some(body)).await.ok().json()
}

async fn roles(app: &TestApp) -> Vec<String> {
    let answer = app.admin_as("key-for-signing", "GET", "/admin/v1/signing-keys", None).await.ok().json();
    let es256 = |key: &&Value| key["alg"] == "ES256";
    answer["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(es256)
        .map(|key| key["role"].as_str().unwrap().to_owned())
        .collect()
}

fn kid(jwt: &str) -> String {
    jsonwebtoken::decode_header(jwt).unwrap().kid.unwrap()
}

/// The whole way of a key, with a back end that looks at the published set every ten minutes only.
#[tokio::test]
async fn the_next_key_is_known_before_it_signs_and_the_last_one_until_its_jwts_are_dead() {
    let (app, phone) = customer().await;
    let first = kid(&jwt(&phone).await);
    rotate(&app, json!({})).await;
    assert_eq!(roles(&app).await, ["signs", "next"]);
    rotate(&app, json!({ "at_once": false })).await;
    assert_eq!(roles(&app).await, ["signs", "next"], "one is on its way: no second");
    let mut known = published(&app).await;
    for minute in 1..=60 {
        app.clock.advance(minutes(1));
        app.upkeep().await;
        if minute % 10 == 0 {
            known = published(&app).await;
        }
        let jwt = jwt(&phone).await;
        assert!(verified(&jwt, &known).is_some(), "minute {minute}: signed by a key that is not known yet");
        assert_eq!(kid(&jwt) == first, minute < 15, "minute {minute}");
        let expected: &[&str] = match minute {
            0..15 => &["signs", "next"],
            15..30 => &["retires", "signs"],
            _ => &["signs"],
        };
        assert_eq!(roles(&app).await, expected, "minute {minute}");
    }
}

#[tokio::test]
async fn keys_change_by_age_alone_also_while_the_server_is_down() {
    let (mut app, phone) = customer().await;
    let first = kid(&jwt(&phone).await);
    app.clock.advance(Duration::from_secs(90 * 24 * 3600 - 901));
    app.upkeep().await;
    assert_eq!(roles(&app).await, ["signs"]);
    app.clock.advance(seconds(1));
    app.upkeep().await;
    assert_eq!(roles(&app).await, ["signs", "next"]);
    app.restart_after(minutes(15)).await;
    assert_eq!(roles(&app).await, ["retires", "signs"]);
    phone.log_in().await;
    assert_ne!(kid(&jwt(&phone).await), first);
}

/// A key that was stolen: nothing by it is handed out any more, and it is in no published set.
#[tokio::test]
async fn at_once_withdraws_the_others() {
    let (app, phone) = customer().await;
    rotate(&app, json!({})).await;
    let stolen = jwt(&phone).await;
    assert_eq!(app.introspect(&stolen).await["active"], true);
    rotate(&app, json!({ "at_once": true })).await;
    assert_eq!(roles(&app).await, ["signs"]);
    let keys = published(&app).await;
    assert!(verified(&stolen, &keys).is_none());
    assert_eq!(app.introspect(&stolen).await, json!({ "active": false }));
    let fresh = jwt(&phone).await;
    assert_ne!(kid(&fresh), kid(&stolen), "what was kept ready is not handed out");
    assert!(verified(&fresh, &keys).is_some());
}

/// The next key is made just then, by somebody else or by age: a stolen one is withdrawn all the same, or nobody is told so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_once_withdraws_also_when_others_are_quicker() {
    let (app, phone) = customer().await;
    for round in 0..40 {
        let stolen = kid(&jwt(&phone).await);
        let path = "/admin/v1/signing-keys/rotate";
        let ask =
            async |at_once| app.admin_as("key-for-signing", "POST", path, Some(json!({ "at_once": at_once }))).await;
        let (_, _, withdrawn) = tokio::join!(ask(false), ask(false), ask(true));
        let gone = withdrawn.ok().json()["keys"].as_array().unwrap().iter().all(|key| key["kid"] != stolen.as_str());
        assert!(gone, "round {round}: the answer still shows it");
        assert!(published(&app).await.keys.iter().all(|key| key.common.key_id.as_ref() != Some(&stolen)), "{round}");
        app.clock.advance(seconds(1));
    }
}

#[tokio::test]
async fn they_are_every_realm_s_and_need_a_scope_of_their_own() {
    let app = with_audiences().await;
    let before = published(&app).await;
    for (method, path) in [("GET", "/admin/v1/signing-keys"), ("POST", "/admin/v1/signing-keys/rotate")] {
        let call = async |key| app.admin_as(key, method, path, Some(json!({}))).await.refusal();
        for key in ["key-of-default", "key-of-other", "key-for-introspection"] {
            assert_eq!(call(key).await, "403 scope_missing", "{method} {key}");
        }
        assert_eq!(call("wrong").await, "401 api_key_invalid");
    }
    for body in [json!({ "at_once": "yes" }), json!({ "atonce": true }), json!({ "at_once": null })] {
        let reply = app.admin_as("key-for-signing", "POST", "/admin/v1/signing-keys/rotate", Some(body)).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
    assert_eq!(published(&app).await, before);
}

/// No private half lies in the file, in whatever spelling; and what lies there opens in its own row only.
#[tokio::test]
async fn private_halves_are_sealed_in_their_rows() {
    let mut app = with_audiences().await;
    let db = app.database();
    let rows: Vec<Vec<u8>> = db
        .prepare("SELECT private_key FROM signing_keys")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(rows.len(), 2);
    for sealed in rows {
        // PKCS#8 begins as SEQUENCE, INTEGER 0 or 1.
        assert!(!sealed.windows(4).any(|w| w == [0x02, 0x01, 0x00, 0x30]), "it lies open");
    }
    drop(db);
    app.stop().await;
    // One row's key under another's name.
    let db = app.database_to_change();
    let swap = "UPDATE signing_keys SET private_key = (SELECT private_key FROM signing_keys AS o WHERE o.kid <> signing_keys.kid)";
    db.execute(swap, []).unwrap();
    drop(db);
    let refused = app.try_start().await.unwrap_err();
    assert!(refused.contains("changed or moved"), "{refused}");
}
