//! checkSessionKey, against the simulator, which computes the signature by itself.

use yaopai_core::ports::{Platform, PlatformError as E};
use yaopai_sim::{Endpoint, Fault};

use crate::support::{APPID, app, client, simulated};
use crate::wire::{Reply, Wire, json};

#[tokio::test]
async fn valid_until_another_device_logs_in() {
    let (sim, wechat, _) = simulated().await;
    let vouched = wechat.exchange(&app(), &sim.issue_code(APPID, "lilei").unwrap()).await.unwrap();
    let key = vouched.session_key.unwrap();
    assert!(wechat.check_session_key(&app(), &vouched.openid, &key).await.unwrap());
    sim.rotate_session_key(APPID, "lilei").unwrap();
    assert!(!wechat.check_session_key(&app(), &vouched.openid, &key).await.unwrap());
    assert_eq!((sim.calls("stable_token"), sim.calls("checksession")), (1, 2));
}

#[tokio::test]
async fn a_dead_token_is_replaced_and_the_question_asked_again() {
    let (sim, wechat, clock) = simulated().await;
    let vouched = wechat.exchange(&app(), &sim.issue_code(APPID, "lilei").unwrap()).await.unwrap();
    let key = vouched.session_key.unwrap();
    let check = async || wechat.check_session_key(&app(), &vouched.openid, &key).await;
    assert!(check().await.unwrap());
    // 40001
    sim.revoke_access_tokens(APPID).unwrap();
    assert!(check().await.unwrap());
    assert_eq!((sim.calls("stable_token"), sim.calls("checksession")), (2, 3));
    // Expired: replaced before it is ever shown.
    clock.forward(7200);
    assert!(check().await.unwrap());
    assert_eq!((sim.calls("stable_token"), sim.calls("checksession")), (3, 4));
}

#[tokio::test]
async fn neither_yes_nor_no() {
    let (sim, wechat, _) = simulated().await;
    let vouched = wechat.exchange(&app(), &sim.issue_code(APPID, "lilei").unwrap()).await.unwrap();
    let key = vouched.session_key.unwrap();
    for fault in [Fault::bad_gateway(), Fault::reset_after(), Fault::empty_body(), Fault::errcode(45011)] {
        let name = format!("{fault:?}");
        sim.set_fault(fault.on(Endpoint::Checksession)).unwrap();
        let error = wechat.check_session_key(&app(), &vouched.openid, &key).await.unwrap_err();
        // An empty answer must not pass for a yes.
        assert!(matches!(error, E::Unavailable { .. } | E::Busy { .. }), "{name}: {error:?}");
        sim.clear_faults();
    }
    // No token: the question was never asked.
    sim.revoke_access_tokens(APPID).unwrap();
    sim.set_fault(Fault::bad_gateway().on(Endpoint::StableToken)).unwrap();
    let asked = sim.calls("checksession");
    let error = wechat.check_session_key(&app(), &vouched.openid, &key).await.unwrap_err();
    assert!(matches!(&error, E::NotReached { what, .. } if what.contains("502")), "{error:?}");
    assert_eq!(sim.calls("checksession"), asked + 1);
}

#[tokio::test]
async fn the_request() {
    let wire = Wire::start(|_, request| match request.starts_with("POST") {
        true => json(r#"{"access_token":"T_-1","expires_in":7200}"#),
        false => json(r#"{"errcode":0,"errmsg":"ok"}"#),
    })
    .await;
    let (wechat, _) = client(wire.base_url());
    for _ in 0..3 {
        assert!(wechat.check_session_key(&app(), "o&1", "o0q0otL8aEzpcZL/FT9WsQ==").await.unwrap());
    }
    let expected = "GET /wxa/checksession?access_token=T_-1&openid=o%261\
        &signature=46e043c5525c2d817c44be603d30837a808a1d930d038f6fdc3e62a201fed128&sig_method=hmac_sha256 HTTP/1.1\r\n";
    assert!(wire.requests()[1].starts_with(expected), "{}", wire.requests()[1]);
    // One connection for the token, one kept for the calls.
    assert_eq!((wire.requests().len(), wire.connections()), (4, 2));
}

#[tokio::test]
async fn an_answer_that_is_none() {
    let wire = Wire::start(|_, request| match request.starts_with("POST") {
        true => json(r#"{"access_token":"T","expires_in":7200}"#),
        false => Reply::Close,
    })
    .await;
    let (wechat, _) = client(wire.base_url());
    assert!(matches!(wechat.check_session_key(&app(), "o1", "k").await, Err(E::Unavailable { .. })));
}
