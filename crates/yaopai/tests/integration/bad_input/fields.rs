//! Fields that are missing, of the wrong type, empty, too long or unknown to the server.

use serde_json::{Value, json};

use super::{SENT, World};
use crate::support::request_id;

/// Each field missing, of the wrong type, empty and too long; the answer names it.
#[tokio::test]
async fn fields_of_a_login() {
    let world = World::start().await;
    let good = json!({ "app": "shop", "code": world.phone.code(), "request_id": request_id("x") });
    let exchanges = world.app.sim.calls("jscode2session");
    let long = |n: usize| json!(SENT.repeat(n / SENT.len() + 1));
    let mut cases: Vec<(&str, &str, Value)> = Vec::new();
    for field in ["app", "code", "request_id"] {
        for wrong in [Value::Null, json!(""), json!(1), json!(true), json!([SENT]), json!({ "a": SENT }), long(600)] {
            cases.push((field, field, wrong));
        }
    }
    for wrong in
        ["x", "21-characters-too-few", "white space in it, long enough", "ctrl\u{1}ctrl\u{1}ctrl\u{1}ctrl\u{1}"]
    {
        cases.push(("request_id", "request_id", json!(wrong)));
    }
    cases.push(("request_id", "request_id", json!("号".repeat(22))));
    for wrong in [json!("phone"), json!(1), json!([SENT])] {
        cases.push(("device", "device", wrong));
    }
    for (field, max) in [("device.id", 64), ("device.type", 32), ("device.name", 64)] {
        let name = field.strip_prefix("device.").unwrap();
        for wrong in [json!(""), json!(1), json!([SENT]), long(max + 1)] {
            cases.push((field, "device", json!({ name: wrong })));
        }
    }
    for wrong in [json!("prod"), json!(SENT), json!(1), json!("")] {
        cases.push(("env_version", "env_version", wrong));
    }
    cases.push(("key", "key", json!({ "alg": SENT })));
    for (named, field, wrong) in cases {
        let mut body = good.clone();
        body[field] = wrong;
        let what = body.to_string();
        let answer = world.body_refused(&what, "/session", what.as_bytes(), "400 field_invalid").await;
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["field"], named, "{what}");
    }
    for field in ["app", "code", "request_id"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().shift_remove(field);
        world.body_refused(field, "/session", body.to_string().as_bytes(), "400 field_invalid").await;
    }
    assert_eq!(world.app.sim.calls("jscode2session"), exchanges, "no code was spent");
}

#[tokio::test]
async fn apps_that_are_not_there() {
    let world = World::start().await;
    let exchanges = world.app.sim.calls("jscode2session");
    for app in [SENT, "Shop", "shop ", yaopai_sim::DEFAULT_APPID, "../shop", "shop\u{0}"] {
        let body = json!({ "app": app, "code": world.phone.code(), "request_id": request_id("x") }).to_string();
        let answer = world.body_refused(app, "/session", body.as_bytes(), "400 app_unknown").await;
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["field"], "app");
    }
    assert_eq!(world.app.sim.calls("jscode2session"), exchanges);
}

#[tokio::test]
async fn codes_that_are_none() {
    let world = World::start().await;
    for code in [SENT, " ", "x&appid=wx", "x\u{0}", "%00", "号", &"x".repeat(512)] {
        let body = json!({ "app": "shop", "code": code, "request_id": request_id("x") }).to_string();
        world.body_refused(code, "/session", body.as_bytes(), "400 code_invalid").await;
    }
}

/// A step-up's code, a phone's code, encrypted data: wrong in every way. Nobody is asked, and nothing changes.
#[tokio::test]
async fn fields_of_what_needs_the_platform() {
    let world = World::start().await;
    let exchanges = world.app.sim.calls("jscode2session");
    let long = |n: usize| json!(SENT.repeat(n / SENT.len() + 1));
    let id = json!(request_id("x"));
    let wrong = |max: usize| vec![json!(""), json!(1), json!(true), json!([SENT]), json!({ "a": SENT }), long(max + 1)];
    let mut cases: Vec<(&str, &str, Value)> = Vec::new();
    for code in wrong(512) {
        cases.push(("/session/refresh", "code", json!({ "request_id": id, "code": code })));
        cases.push(("/phone", "code", json!({ "code": code })));
    }
    for id in [Value::Null, json!(""), json!("21-characters-too-few"), json!(1)] {
        cases.push(("/session/refresh", "request_id", json!({ "request_id": id, "code": SENT })));
    }
    cases.push(("/session/refresh", "request_id", json!({ "code": SENT })));
    cases.push(("/phone", "code", json!({ "code": null })));
    cases.push(("/phone", "code", json!({})));
    for data in wrong(32_000).into_iter().take(5).chain([Value::Null]) {
        cases.push(("/decrypt", "encrypted_data", json!({ "encrypted_data": data, "iv": SENT })));
    }
    for iv in wrong(64).into_iter().chain([Value::Null]) {
        cases.push(("/decrypt", "iv", json!({ "encrypted_data": SENT, "iv": iv })));
    }
    cases.push(("/decrypt", "encrypted_data", json!({ "encryptedData": SENT, "iv": SENT })));
    for (path, named, body) in cases {
        let what = format!("{path} {body}");
        let answer = world.body_refused(&what, path, body.to_string().as_bytes(), "400 field_invalid").await;
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["field"], named, "{what}");
    }
    assert_eq!(world.app.sim.calls("jscode2session"), exchanges);
    assert_eq!(world.app.sim.calls("getuserphonenumber") + world.app.sim.calls("checksession"), 0);
}
