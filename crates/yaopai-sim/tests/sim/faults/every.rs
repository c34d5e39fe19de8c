//! Every fault of every call at every moment does what the table says that it does.

use std::time::Duration;

use serde_json::Value;
use yaopai_sim::{Effect, Endpoint, Fault, FaultKind, When};

use crate::support::{World, world};

/// A slow answer, and yet a quick test.
const PAUSE: Duration = Duration::from_millis(1);
/// More than any answer of the platform has.
const TOO_MUCH: usize = 1024 * 1024;

/// What a client that reads at most [`TOO_MUCH`] sees.
enum Seen {
    Lost,
    Unreadable,
    Answer(Value),
}

async fn see(request: reqwest::RequestBuilder) -> Seen {
    let Ok(mut response) = request.send().await else { return Seen::Lost };
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(_) => return Seen::Lost,
        }
        if body.len() > TOO_MUCH {
            return Seen::Unreadable;
        }
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(answer) if status == 200 && answer.is_object() => Seen::Answer(answer),
        _ => Seen::Unreadable,
    }
}

/// The errcode, whatever its type; 0 where there is none.
fn errcode(answer: &Value) -> i64 {
    match answer.get("errcode") {
        None => 0,
        Some(Value::String(text)) => text.parse().unwrap(),
        Some(number) => number.as_i64().unwrap(),
    }
}

/// Whether everything is there that the caller asks for, in the shape that it has.
fn is_whole(endpoint: Endpoint, answer: &Value) -> bool {
    let chief = endpoint.chief_field().map(|path| answer.pointer(&format!("/{}", path.replace('.', "/"))));
    let watermark = answer.pointer("/phone_info/watermark");
    let of_today = |stamp: &Value| stamp.to_string().trim_matches('"').parse::<u64>().unwrap() > 1_767_200_000;
    // `vaild` is the one chief value that is no text.
    chief.is_none_or(|value| {
        if endpoint == Endpoint::Checkencryptedmsg {
            return value.is_some_and(Value::is_boolean);
        }
        let text = value.and_then(Value::as_str).unwrap_or_default();
        !text.is_empty() && text.len() < 1024 && text.is_ascii() && !text.contains('\n')
    }) && watermark.is_none_or(|mark| mark["appid"] == yaopai_sim::DEFAULT_APPID && of_today(&mark["timestamp"]))
}

async fn strike(world: &World, kind: FaultKind, when: When, endpoint: Endpoint) -> Seen {
    let request = world.good_call(endpoint).await;
    let fault = Fault::new(kind).when(when).on(endpoint).once();
    let lasts = matches!(kind, FaultKind::Delay | FaultKind::SlowBody);
    world.set_fault(if lasts { fault.lasting(PAUSE) } else { fault }).unwrap();
    let seen = see(request).await;
    assert_eq!(world.faults(), [], "{} struck", kind.name());
    seen
}

#[tokio::test]
async fn every_fault_has_the_effect_that_it_is_said_to_have() {
    let world = world().await;
    for &kind in FaultKind::ALL.iter().filter(|kind| kind.effect() != Effect::Changed) {
        for endpoint in Endpoint::ALL {
            for &when in kind.moments() {
                world.reset();
                let at = format!("{} {when:?} {}", kind.name(), endpoint.name());
                match (kind.effect(), strike(&world, kind, when, endpoint).await) {
                    (Effect::Lost, Seen::Lost) | (Effect::Unreadable, Seen::Unreadable) => {}
                    (Effect::Refused, Seen::Answer(answer)) => assert_eq!(errcode(&answer), -1, "{at}: {answer}"),
                    (Effect::Late | Effect::Odd, Seen::Answer(answer)) => {
                        assert!(errcode(&answer) == 0 && is_whole(endpoint, &answer), "{at}: {answer}");
                    }
                    (Effect::Incomplete, Seen::Answer(answer)) => {
                        assert_eq!(errcode(&answer), 0, "{at}: {answer}");
                        assert_eq!(is_whole(endpoint, &answer), !kind.touches(endpoint), "{at}: {answer}");
                    }
                    (_, Seen::Lost) => panic!("{at}: no answer"),
                    (_, Seen::Unreadable) => panic!("{at}: unreadable"),
                    (_, Seen::Answer(answer)) => panic!("{at}: {answer}"),
                }
            }
        }
    }
}

/// An odd answer *is* odd where the table says so, and only there.
#[tokio::test]
async fn what_a_fault_touches_is_another_answer() {
    let world = world().await;
    for &kind in FaultKind::ALL.iter().filter(|kind| kind.effect() == Effect::Odd) {
        for endpoint in Endpoint::ALL {
            // The order of two fields is sometimes the usual one, and not every key has a slash.
            let lucky = matches!(kind, FaultKind::ShuffleKeys | FaultKind::EscapeSlashes);
            let by_chance = lucky && kind.touches(endpoint);
            let mut texts = Vec::new();
            for with_fault in [false, true] {
                world.reset();
                let request = world.good_call(endpoint).await;
                if with_fault {
                    world.set_fault(Fault::new(kind).on(endpoint)).unwrap();
                }
                let reply = world.send(request).await.unwrap();
                texts.push(without_luck(&format!("{:?} {}", reply.headers["content-type"], reply.text)));
            }
            assert!(by_chance || (texts[0] != texts[1]) == kind.touches(endpoint), "{}: {texts:#?}", kind.name());
        }
    }
}

/// Texts that are drawn anew each time, as dots, but with the slashes that may be escaped.
fn without_luck(text: &str) -> String {
    let drawn = |part: &str| part.len() >= 16 && !part.contains(' ');
    let parts = text.split('"').map(|part| if drawn(part) && !part.contains('\\') { "…" } else { part });
    parts.collect::<Vec<_>>().join("\"")
}

/// Before, nothing is consumed; after, everything is.
#[tokio::test]
async fn every_fault_strikes_when_it_is_said_to() {
    let world = world().await;
    for &kind in FaultKind::ALL {
        for &when in kind.moments() {
            world.reset();
            let code = world.issue_code(yaopai_sim::DEFAULT_APPID, "lilei").unwrap();
            let fault = Fault::new(kind).when(when).once();
            let lasts = matches!(kind, FaultKind::Delay | FaultKind::SlowBody);
            world.set_fault(if lasts { fault.lasting(PAUSE) } else { fault }).unwrap();
            drop(see(world.login_request(&code)).await);
            let goes_on = matches!(kind, FaultKind::Delay | FaultKind::TokensRevoked | FaultKind::SessionKeyRotated);
            let used = world.code(&code).unwrap().used;
            assert_eq!(used, when == When::After || goes_on, "{} {when:?}", kind.name());
        }
    }
}
