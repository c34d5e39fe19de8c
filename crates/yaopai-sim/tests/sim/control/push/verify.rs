use serde_json::json;
use yaopai_sim::{DEFAULT_APPID, Tamper};

use super::{TOKEN, is_signed, pushing};
use crate::{
    receiver::Next,
    support::{OTHER_APPID, Reply, World},
};

async fn verify(world: &World, tamper: Option<Tamper>) -> Reply {
    let mut body = json!({"app": DEFAULT_APPID});
    if let Some(tamper) = tamper {
        body["tamper"] = json!(tamper);
    }
    world.control_post("/push/verify", &body).await
}

#[tokio::test]
async fn an_address_that_echoes_is_verified() {
    let (world, receiver) = pushing(|_| {}).await;
    receiver.next([Next::Echo]);
    let reply = verify(&world, None).await.json();
    let asked = receiver.take().remove(0);
    assert_eq!((asked.method.as_str(), &*asked.path, asked.param("own")), ("GET", "/push", Some("1")));
    assert!(is_signed(&asked));
    assert_eq!(asked.param("timestamp").unwrap(), (world.now_ms() / 1000).to_string());
    assert_eq!((&reply["verified"], &reply["status"]), (&json!(true), &json!(200)));
    assert_eq!(reply["body"], asked.param("echostr").unwrap());
}

#[tokio::test]
async fn any_other_answer_is_not_one() {
    let (world, receiver) = pushing(|_| {}).await;
    receiver.next([Next::Answer(200, "success"), Next::Answer(200, "\"1\""), Next::Answer(403, "")]);
    for _ in 0..3 {
        assert_eq!(verify(&world, None).await.json()["verified"], false);
    }
}

#[tokio::test]
async fn a_forged_question_has_no_good_signature() {
    let (world, receiver) = pushing(|_| {}).await;
    for tamper in [Tamper::WrongSignature, Tamper::Unsigned, Tamper::OldTimestamp] {
        assert_eq!(verify(&world, Some(tamper)).await.status, 200);
        let asked = receiver.take().remove(0);
        assert_eq!(is_signed(&asked), tamper == Tamper::OldTimestamp);
        assert_eq!(asked.param("signature").is_none(), tamper == Tamper::Unsigned);
        assert_ne!(asked.signature_of("other", &[]), asked.signature_of(TOKEN, &[]));
    }
    assert_eq!(verify(&world, Some(Tamper::Replay)).await.status, 400);
}

#[tokio::test]
async fn an_app_without_push_has_no_address() {
    let (world, _receiver) = pushing(|_| {}).await;
    let reply = world.control_post("/push/verify", &json!({"app": OTHER_APPID})).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (400, "invalid".into()));
}
