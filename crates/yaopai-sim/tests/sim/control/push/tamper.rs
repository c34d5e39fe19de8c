//! Forged pushes are forged in what they say, and in nothing else.

use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, Push, PushMode, SimError, Tamper};

use super::{AES_KEY, encrypted::open, is_message_signed, is_signed, pushing_in};
use crate::{receiver::Received, support::World};

fn push(tamper: Option<Tamper>) -> Push {
    Push { tamper, ..Push::account_cancelled("lilei") }
}

async fn forged(world: &World, receiver: &crate::receiver::Receiver, tamper: Tamper) -> Received {
    world.push(DEFAULT_APPID, &push(Some(tamper))).await.unwrap();
    receiver.take().pop().unwrap()
}

/// Whether a server that does everything right may take it, but for its age and for having seen it.
fn is_good(got: &Received, mode: PushMode) -> bool {
    let body = got.json();
    if mode == PushMode::Plain {
        return is_signed(got) && body["AppID"] == DEFAULT_APPID;
    }
    let Some(encrypted) = body.get("Encrypt").and_then(Value::as_str) else { return false };
    let inside = open(encrypted, AES_KEY);
    is_signed(got) && is_message_signed(got) && inside.is_some_and(|(_, appid)| appid == DEFAULT_APPID)
}

#[tokio::test]
async fn every_forgery_in_every_mode() {
    for mode in [PushMode::Plain, PushMode::Compatible, PushMode::Safe] {
        let (world, receiver) = pushing_in(mode).await;
        world.push(DEFAULT_APPID, &push(None)).await.unwrap();
        let honest = receiver.take().remove(0);
        assert!(is_good(&honest, mode));
        for tamper in Tamper::ALL {
            if mode == PushMode::Plain && tamper.needs_encryption() {
                let refused = world.push(DEFAULT_APPID, &push(Some(tamper))).await;
                assert!(matches!(refused, Err(SimError::Invalid(_))), "{tamper:?}");
                continue;
            }
            world.push(DEFAULT_APPID, &push(None)).await.unwrap();
            let honest = receiver.take().remove(0);
            let got = forged(&world, &receiver, tamper).await;
            let fresh = got.param("timestamp") == honest.param("timestamp");
            match tamper {
                Tamper::Replay => assert_eq!(got, honest),
                Tamper::OldTimestamp => assert!(is_good(&got, mode) && !fresh),
                _ => assert!(!is_good(&got, mode) && fresh, "{mode:?} {tamper:?}"),
            }
            // The signature of the query alone says nothing of the message.
            let wrong_query = matches!(tamper, Tamper::WrongSignature | Tamper::Unsigned);
            assert_eq!(is_signed(&got), !wrong_query, "{mode:?} {tamper:?}");
        }
    }
}

#[tokio::test]
async fn a_plain_body_in_safe_mode_is_plain() {
    let (world, receiver) = pushing_in(PushMode::Safe).await;
    let got = forged(&world, &receiver, Tamper::PlainBody).await;
    assert_eq!(got.json()["Event"], "user_authorization_cancellation");
    assert!(got.param("encrypt_type").is_none() && got.json().get("Encrypt").is_none());
}

#[tokio::test]
async fn nothing_is_replayed_before_the_first() {
    let (world, receiver) = pushing_in(PushMode::Plain).await;
    let body = json!({"app": DEFAULT_APPID, "user": "lilei", "event": "x", "tamper": "replay"});
    assert_eq!(world.control_post("/push", &body).await.status, 400);
    assert_eq!(receiver.take(), []);
}
