//! What is delivered in plain mode, and how often.

use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, Push, PushFormat, SimHandle};

use super::{is_signed, pushing};
use crate::{
    receiver::Next,
    support::{OTHER_APPID, World},
};

async fn push(world: &World, more: Value) -> Value {
    let mut body = json!({"app": DEFAULT_APPID, "user": "lilei", "event": "user_authorization_revoke"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = world.control_post("/push", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn a_push_tells_whom_it_is_about() {
    let (world, receiver) = pushing(|_| {}).await;
    let told = push(&world, json!({"fields": {"RevokeInfo": "8"}})).await;
    assert_eq!((&told["accepted"], &told["status"], &told["body"]), (&json!(true), &json!(200), &json!("success")));
    assert_eq!((&told["resends"], told["tries"].as_array().unwrap().len()), (&json!(0), 1));
    let [got] = receiver.take().try_into().unwrap();
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    assert!(got.method == "POST" && is_signed(&got));
    assert_eq!(got.content_type.as_deref(), Some("application/json"));
    assert_eq!((got.param("openid"), got.param("own")), (Some(&*openid), Some("1")));
    assert!(got.param("msg_signature").is_none() && got.param("encrypt_type").is_none());
    let expected = json!({"ToUserName": SimHandle::original_id(DEFAULT_APPID), "FromUserName": openid,
        "CreateTime": world.now_ms() / 1000, "MsgType": "event", "Event": "user_authorization_revoke",
        "OpenID": openid, "AppID": DEFAULT_APPID, "RevokeInfo": "8"});
    assert_eq!(got.json(), expected);
}

#[tokio::test]
async fn fields_are_replaced_and_taken_away() {
    let (world, receiver) = pushing(|_| {}).await;
    push(&world, json!({"fields": {"OpenID": "oOther", "FromUserName": null, "MsgType": "text"}})).await;
    let got = receiver.take().remove(0).json();
    assert_eq!((&got["OpenID"], &got["MsgType"]), (&json!("oOther"), &json!("text")));
    assert!(got.get("FromUserName").is_none());
}

#[tokio::test]
async fn keys_can_have_the_samples_space() {
    let (world, receiver) = pushing(|config| config.leading_spaces = true).await;
    push(&world, json!({"fields": {"RevokeInfo": "1"}})).await;
    let got = receiver.take().remove(0).json();
    let keys: Vec<_> = got.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", " OpenID", " AppID", " RevokeInfo"]
    );
}

#[tokio::test]
async fn xml_is_xml() {
    let (world, receiver) = pushing(|config| config.format = PushFormat::Xml).await;
    world.push(DEFAULT_APPID, &Push::account_cancelled("lilei")).await.unwrap();
    let [got] = receiver.take().try_into().unwrap();
    assert_eq!(got.content_type.as_deref(), Some("text/xml"));
    let openid = world.openid(DEFAULT_APPID, "lilei").unwrap();
    let part = format!(
        "<Event><![CDATA[user_authorization_cancellation]]></Event><OpenID><![CDATA[{openid}]]></OpenID>\
         <AppID><![CDATA[{DEFAULT_APPID}]]></AppID></xml>"
    );
    assert!(got.body.starts_with("<xml><ToUserName><![CDATA[gh_") && got.body.ends_with(&part), "{}", got.body);
}

#[tokio::test]
async fn what_is_not_taken_is_sent_three_times() {
    let (world, receiver) = pushing(|_| {}).await;
    receiver.next([Next::Answer(500, "no"), Next::Answer(503, ""), Next::Answer(200, "")]);
    let told = push(&world, json!({})).await;
    assert_eq!(
        (&told["accepted"], &told["resends"], &told["tries"][0]["body"]),
        (&json!(true), &json!(2), &json!("no"))
    );
    let [first, second, third] = receiver.take().try_into().unwrap();
    assert_eq!([&first.body, &first.body], [&second.body, &third.body], "the message stays the same");
    assert!(is_signed(&second) && first.param("nonce") != second.param("nonce"));
    receiver.next([500, 500, 500].map(|status| Next::Answer(status, "")));
    let told = push(&world, json!({})).await;
    assert_eq!((&told["accepted"], &told["resends"], &told["status"]), (&json!(false), &json!(2), &json!(500)));
    assert_eq!(receiver.take().len(), 3);
}

#[tokio::test]
async fn silence_is_given_up() {
    let (world, receiver) = pushing(|config| config.timeout_ms = 30).await;
    receiver.next([Next::Silence, Next::Silence, Next::Silence]);
    let told = push(&world, json!({})).await;
    assert_eq!((&told["accepted"], &told["resends"], &told["status"]), (&json!(false), &json!(2), &Value::Null));
    for sending in told["tries"].as_array().unwrap() {
        assert_eq!((&sending["error"], &sending["status"]), (&json!("timeout"), &Value::Null));
        assert!(sending["ms"].as_u64().unwrap() >= 30);
    }
}

#[tokio::test]
async fn nobody_there_is_no_answer_either() {
    let (world, _receiver) = pushing(|config| config.url = "http://127.0.0.1:1/".to_owned()).await;
    let told = push(&world, json!({})).await;
    assert_eq!((&told["accepted"], &told["resends"]), (&json!(false), &json!(2)));
    assert_eq!(told["tries"][2]["error"], "connection");
}

#[tokio::test]
async fn the_same_message_can_be_delivered_several_times() {
    let (world, receiver) = pushing(|_| {}).await;
    let told = push(&world, json!({"times": 3})).await;
    assert_eq!((&told["accepted"], &told["resends"]), (&json!(true), &json!(0)));
    let [first, second, third] = receiver.take().try_into().unwrap();
    assert_eq!([&first.body, &first.body], [&second.body, &third.body]);
}

#[tokio::test]
async fn nonsense_is_refused() {
    let (world, receiver) = pushing(|_| {}).await;
    let event = "user_info_modified";
    let long = "x".repeat(65);
    for (body, status, word) in [
        (json!({"app": OTHER_APPID, "user": "lilei", "event": event}), 400, "none configured"),
        (json!({"app": DEFAULT_APPID, "user": "nobody", "event": event}), 404, "nobody"),
        (json!({"app": DEFAULT_APPID, "user": "lilei"}), 400, "missing field `event`"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": long}), 400, "event"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": event, "times": 0}), 400, "times"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": event, "times": 11}), 400, "times"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": event, "tamper": "all"}), 400, "unknown variant"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": event, "fields": {"a b": 1}}), 400, "fields"),
        (json!({"app": DEFAULT_APPID, "user": "lilei", "event": event, "fields": {"<x": 1}}), 400, "fields"),
    ] {
        let reply = world.control_post("/push", &body).await;
        assert_eq!(reply.status, status, "{body}");
        assert!(reply.field("message").contains(word), "{}", reply.text);
    }
    assert_eq!(receiver.take(), []);
}
