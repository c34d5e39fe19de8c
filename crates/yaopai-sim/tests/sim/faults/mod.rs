//! Every fault, as a client sees it, and what it leaves behind.

mod changed;
mod every;

use std::time::{Duration, Instant};

use yaopai_sim::{DEFAULT_APPID, Endpoint, Fault, FaultKind, SimError, When};

use crate::support::{OTHER_APPID, World, world};

fn issue(world: &World) -> String {
    world.issue_code(DEFAULT_APPID, "lilei").unwrap()
}

fn used(world: &World, code: &str) -> bool {
    world.code(code).unwrap().used
}

#[tokio::test]
async fn a_reset_before_consumes_nothing() {
    let world = world().await;
    world.set_fault(Fault::reset_before().once()).unwrap();
    let code = issue(&world);
    let error = world.send(world.login_request(&code)).await.err().unwrap();
    assert!(reset(&error), "{error:?}");
    assert!(!used(&world, &code));
    assert_eq!(world.exchanges_of(&code), 1, "it did arrive");
    assert_eq!(world.login(&code).await.errcode(), 0);
}

#[tokio::test]
async fn a_reset_after_has_consumed_the_code() {
    let world = world().await;
    world.set_fault(Fault::reset_after().once()).unwrap();
    let code = issue(&world);
    let error = world.send(world.login_request(&code)).await.err().unwrap();
    assert!(reset(&error), "{error:?}");
    assert_eq!(world.login(&code).await.errcode(), 40163);
}

/// A TCP RST, not an orderly end, which clients like to take for "try again".
fn reset(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return io.kind() == std::io::ErrorKind::ConnectionReset;
        }
        source = error.source();
    }
    false
}

#[tokio::test]
async fn a_delay_after_lets_the_client_time_out_on_a_consumed_code() {
    let world = world().await;
    world.set_fault(Fault::delay_after(Duration::from_secs(30)).once()).unwrap();
    let code = issue(&world);
    let request = world.login_request(&code).timeout(Duration::from_millis(200));
    assert!(world.send(request).await.err().unwrap().is_timeout());
    assert_eq!(world.login(&code).await.errcode(), 40163);
}

#[tokio::test]
#[allow(clippy::disallowed_methods)] // a delay is real time, whatever the clock
async fn a_delay_before_is_only_slow() {
    let world = world().await;
    world.set_fault(Fault::delay_before(Duration::from_millis(150)).once()).unwrap();
    let code = issue(&world);
    let start = Instant::now();
    assert_eq!(world.login(&code).await.errcode(), 0);
    assert!(start.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn busy_comes_before_or_after_the_code_is_consumed() {
    let world = world().await;
    world.set_fault(Fault::system_error().once()).unwrap();
    let code = issue(&world);
    let reply = world.login(&code).await;
    assert_eq!(reply.errcode(), -1);
    assert!(reply.field("errmsg").starts_with("system error, rid: "));
    assert!(!used(&world, &code));
    world.set_fault(Fault::system_error().when(When::After).once()).unwrap();
    assert_eq!(world.login(&code).await.errcode(), -1);
    assert_eq!(world.login(&code).await.errcode(), 40163);
}

#[tokio::test]
async fn any_errcode_can_be_asked_for() {
    let world = world().await;
    world.set_fault(Fault::errcode(45011).once()).unwrap();
    assert_eq!(world.login_as("lilei").await.errcode(), 45011);
}

#[tokio::test]
async fn a_bad_gateway_speaks_html() {
    let world = world().await;
    world.set_fault(Fault::bad_gateway().once()).unwrap();
    let code = issue(&world);
    let reply = world.login(&code).await;
    assert_eq!(reply.status, 502);
    assert_eq!(reply.headers["content-type"], "text/html");
    assert!(reply.text.starts_with("<html>"));
    assert_eq!(reply.headers["yaopai-sim"], "1");
    assert!(!used(&world, &code));
}

#[tokio::test]
async fn a_truncated_body_is_half_the_json() {
    let world = world().await;
    world.set_fault(Fault::truncated_body().once()).unwrap();
    let code = issue(&world);
    let reply = world.login(&code).await;
    assert_eq!(reply.status, 200);
    assert!(
        reply.text.starts_with("{\"session_key\":") && serde_json::from_str::<serde_json::Value>(&reply.text).is_err()
    );
    assert!(used(&world, &code));
}

#[tokio::test]
async fn a_cut_body_breaks_after_the_headers() {
    let world = world().await;
    world.set_fault(Fault::cut_body().once()).unwrap();
    let code = issue(&world);
    let mut response = world.login_request(&code).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let part = response.chunk().await.unwrap().unwrap();
    assert!(part.starts_with(b"{\"session_key\":"));
    assert!(response.chunk().await.is_err());
    assert!(used(&world, &code));
}

#[tokio::test]
async fn an_empty_body_is_empty() {
    let world = world().await;
    world.set_fault(Fault::empty_body().once()).unwrap();
    let reply = world.login_as("lilei").await;
    assert_eq!((reply.status.as_u16(), &*reply.text), (200, ""));
}

#[tokio::test]
async fn a_close_is_an_orderly_end() {
    let world = world().await;
    world.set_fault(Fault::new(FaultKind::Close).once()).unwrap();
    let code = issue(&world);
    let error = world.send(world.login_request(&code)).await.err().unwrap();
    assert!(!reset(&error) && error.is_request(), "{error:?}");
    assert_eq!(world.login(&code).await.errcode(), 40163);
}

#[tokio::test]
async fn a_status_says_when_to_come_back() {
    let world = world().await;
    world.set_fault(Fault::http_status(429).once()).unwrap();
    let code = issue(&world);
    let reply = world.login(&code).await;
    assert_eq!((reply.status.as_u16(), &reply.headers["retry-after"]), (429, &"1".parse().unwrap()));
    assert!(!used(&world, &code));
    world.set_fault(Fault::http_status(500).when(When::After).once()).unwrap();
    let reply = world.login(&code).await;
    assert_eq!(reply.status, 500);
    assert!(reply.field("openid").starts_with('o'), "the true answer: a trap");
    assert!(used(&world, &code));
}

#[tokio::test]
async fn a_field_is_spoilt_by_its_path() {
    let world = world().await;
    let token = world.plain_token().await;
    world.set_fault(Fault::missing_field("phone_info.watermark.appid").once()).unwrap();
    let code = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    let body = serde_json::json!({"code": code});
    let info = world.post(Endpoint::Getuserphonenumber, &[("access_token", &token)], &body).await.json();
    let watermark = info["phone_info"]["watermark"].as_object().unwrap();
    assert_eq!(watermark.keys().collect::<Vec<_>>(), ["timestamp"]);
    for path in ["no.such", "openid.inside", "unionid.0.x", ".", "openid."] {
        world.set_fault(Fault::missing_field(path).once()).unwrap();
        let login = world.login_as("lilei").await.json();
        assert_eq!(login.as_object().unwrap().len(), 3, "{path}: what isn't there can't be spoilt");
    }
}

/// Everything that an answer can be wrong in is said of 40164, too: the address is the caller's.
#[tokio::test]
async fn an_address_that_is_not_in_the_whitelist_can_be_a_users_once() {
    let world = world().await;
    world.set_fault(Fault::errcode(40164).user("lilei").once()).unwrap();
    let reply = world.login_as("lilei").await;
    assert!(reply.field("errmsg").starts_with("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: "));
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
}

#[tokio::test]
async fn an_errmsg_can_be_of_old() {
    let world = world().await;
    world.set_fault(Fault::new(FaultKind::OldErrmsg)).unwrap();
    let errmsg = world.login("junk").await.field("errmsg");
    assert!(errmsg.starts_with("invalid code, hints: [ req_id: ") && errmsg.ends_with(" ]"), "{errmsg}");
}

#[tokio::test]
async fn an_errcode_can_be_a_string() {
    let world = world().await;
    world.set_fault(Fault::string_errcode()).unwrap();
    assert_eq!(world.login("junk").await.json()["errcode"], "40029");
    assert!(world.login_as("lilei").await.json().get("errcode").is_none(), "a success stays a success");
}

#[tokio::test]
async fn a_fault_hits_whom_it_is_for_and_as_often_as_told() {
    let world = world().await;
    world.set_fault(Fault::system_error().on(Endpoint::Jscode2session).user("lilei").times(2)).unwrap();
    world.set_fault(Fault::system_error().app(OTHER_APPID)).unwrap();
    assert_eq!(world.login_as("xiaoming").await.errcode(), 0);
    world.plain_token().await;
    assert_eq!(world.login_as("lilei").await.errcode(), -1);
    assert_eq!(world.login_as("lilei").await.errcode(), -1);
    assert_eq!(world.login_as("lilei").await.errcode(), 0);
    assert_eq!(world.counters().faults, 2);
    let query = [("grant_type", "client_credential"), ("appid", OTHER_APPID), ("secret", "x")];
    for _ in 0..3 {
        assert_eq!(world.get(Endpoint::Token, &query).await.errcode(), -1, "until cleared");
    }
    world.clear_faults();
    assert_eq!(world.get(Endpoint::Token, &query).await.errcode(), 40125);
}

#[tokio::test]
async fn a_fault_of_a_user_reaches_calls_that_name_the_openid() {
    let world = world().await;
    let token = world.plain_token().await;
    world.set_fault(Fault::system_error().user("lilei")).unwrap();
    for (user, errcode) in [("lilei", -1), ("xiaoming", 87008)] {
        let openid = world.openid(DEFAULT_APPID, user).unwrap();
        let query = [("access_token", &*token), ("openid", &openid)];
        assert_eq!(world.get(Endpoint::Checksession, &query).await.errcode(), errcode, "{user}");
    }
    let code = world.issue_phone_code(DEFAULT_APPID, "lilei").unwrap();
    let body = serde_json::json!({"code": code});
    assert_eq!(world.post(Endpoint::Getuserphonenumber, &[("access_token", &token)], &body).await.errcode(), -1);
}

#[tokio::test]
async fn faults_that_contradict_themselves_are_refused() {
    let world = world().await;
    for fault in [
        Fault::delay_after(Duration::ZERO),
        Fault::delay_after(Duration::from_secs(601)),
        Fault::truncated_body().when(When::Before),
        Fault::http_status(200),
        Fault { status: Some(500), ..Fault::reset_after() },
        Fault::reset_after().field("openid"),
        Fault::missing_field(""),
        Fault::missing_field("x".repeat(129)),
        Fault::new(FaultKind::SlowBody),
        Fault::reset_after().times(0),
    ] {
        assert!(matches!(world.set_fault(fault), Err(SimError::Invalid(_))));
    }
    assert!(matches!(world.set_fault(Fault::reset_after().user("nobody")), Err(SimError::UnknownUser(_))));
    assert!(matches!(world.set_fault(Fault::reset_after().app("nothing")), Err(SimError::UnknownApp(_))));
    for _ in 0..256 {
        world.set_fault(Fault::reset_after()).unwrap();
    }
    assert_eq!(world.set_fault(Fault::reset_after()), Err(SimError::TooMany("faults")));
}
