//! code2Session: what counts as success, and what each errcode means.

use yaopai_core::ports::{Platform, PlatformError as E};
use yaopai_platform::wechat::Endpoints;
use yaopai_sim::Fault;

use crate::support::{APPID, OPENID, SECRET, SESSION_KEY, app, client, config, simulated, wechat};
use crate::wire::{Reply, Wire, http, json};

#[tokio::test]
async fn the_request() {
    let wire = Wire::always(json(format!(r#"{{"openid":"{OPENID}","session_key":"{SESSION_KEY}"}}"#))).await;
    let (wechat, _) = client(wire.base_url());
    wechat.exchange(&app(), "the code is a mock one").await.unwrap();
    let expected = format!(
        "GET /sns/jscode2session?appid={APPID}&secret={SECRET}&js_code=the%20code%20is%20a%20mock%20one\
         &grant_type=authorization_code HTTP/1.1\r\n"
    );
    let requests = wire.requests();
    assert!(requests[0].starts_with(&expected), "{}", requests[0]);
    let head = requests[0].to_ascii_lowercase();
    assert!(head.contains("\r\nuser-agent: yaopai/"));
    assert!(head.contains("\r\nconnection: close\r\n"));
    assert!(!head.contains("\r\ncookie:") && !head.contains("\r\naccept-encoding:") && !head.contains("\r\nreferer:"));
}

#[tokio::test]
async fn successes_of_all_times() {
    let chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{\"openid\"\r\n1b\r\n:\"o1\",\"session_key\":\"a/b==\"\r\n1\r\n}\r\n0\r\n\r\n";
    let cases: Vec<(Reply, &str, Option<&str>)> = vec![
        (json(r#"{"session_key":"a/b==","openid":"o1"}"#), "o1", None),
        (json(r#"{"openid":"o1","session_key":"a/b==","unionid":"u1","errcode":0,"errmsg":"ok"}"#), "o1", Some("u1")),
        (json(r#"{"openid":"o1","session_key":"a/b==","errcode":"0"}"#), "o1", None),
        (json(r#"{"openid":"o1","session_key":"a/b==","errcode":null,"unionid":""}"#), "o1", None),
        (json(r#"{"session_key":"a\/b==","expires_in":7200,"openid":"o1"}"#), "o1", None),
        (json(r#"{"new":[{"deep":1}],"session_key":"a/b==","openid":"o1","errmsg":7}"#), "o1", None),
        (json(format!("{}{}", " ".repeat(60_000), r#"{"session_key":"a/b==","openid":"o1"}"#)), "o1", None),
        // No Content-Type, a wrong one, no Content-Length, chunks.
        (Reply::Raw(http("200 OK", br#"{"session_key":"a/b==","openid":"o1"}"#)), "o1", None),
        (
            Reply::Raw(http("200 OK\r\nContent-Type: image/png", br#"{"session_key":"a/b==","openid":"o1"}"#)),
            "o1",
            None,
        ),
        (Reply::Raw(b"HTTP/1.0 200 OK\r\n\r\n{\"session_key\":\"a/b==\",\"openid\":\"o1\"}".to_vec()), "o1", None),
        (Reply::Raw(chunked.to_vec()), "o1", None),
    ];
    for (reply, openid, unionid) in cases {
        let wire = Wire::always(reply.clone()).await;
        let vouched =
            client(wire.base_url()).0.exchange(&app(), "c").await.unwrap_or_else(|e| panic!("{reply:?}: {e}"));
        assert_eq!((vouched.openid.as_str(), vouched.unionid.as_deref()), (openid, unionid), "{reply:?}");
        assert_eq!(vouched.session_key.unwrap().as_str(), "a/b==", "{reply:?}");
        assert_eq!(wire.requests().len(), 1);
    }
}

#[tokio::test]
async fn errcodes() {
    let rid = "613033ae-4a5a9224-3a2b9999";
    for (errcode, expected) in [
        ("40029", E::CodeInvalid),
        ("\"40029\"", E::CodeInvalid),
        ("42003", E::CodeInvalid),
        ("40163", E::CodeUsed),
        ("40226", E::Blocked),
        // The test's clock shows ten seconds past the minute.
        ("45011", E::Busy { retry_after: 50, what: format!("errcode 45011, rid {rid}") }),
        ("-1", E::Busy { retry_after: 2, what: format!("errcode -1, rid {rid}") }),
        ("45009", E::Busy { retry_after: 3600, what: format!("errcode 45009, rid {rid}") }),
        ("40001", E::Unavailable { retry_after: 2, what: format!("errcode 40001, rid {rid}") }),
        ("99999", E::Unavailable { retry_after: 2, what: format!("errcode 99999, rid {rid}") }),
    ] {
        let wire = Wire::always(json(format!(r#"{{"errcode":{errcode},"errmsg":"text {SECRET}, rid: {rid}"}}"#))).await;
        assert_eq!(client(wire.base_url()).0.exchange(&app(), "c").await.unwrap_err(), expected, "{errcode}");
    }
    for errcode in [40013, 40125, 41002, 41004, 41008, 40164, 40243] {
        let wire =
            Wire::always(json(format!(r#"{{"errcode":{errcode},"errmsg":"invalid ip 1.2.3.4 rid: {rid}"}}"#))).await;
        match client(wire.base_url()).0.exchange(&app(), "c").await.unwrap_err() {
            E::Misconfigured { what } => assert!(what.ends_with(&format!("(errcode {errcode}, rid {rid})")), "{what}"),
            other => panic!("{errcode}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn codes_that_are_none_are_not_sent() {
    let wire = Wire::always(json("{}")).await;
    let (wechat, _) = client(wire.base_url());
    for code in ["", "a\nb", "\0", &"x".repeat(513)] {
        assert_eq!(wechat.exchange(&app(), code).await.unwrap_err(), E::CodeInvalid);
    }
    assert_eq!(wire.connections(), 0);
}

#[tokio::test]
async fn an_app_of_its_own_platform() {
    let common = Wire::always(Reply::Reset).await;
    let private = Wire::always(json(r#"{"session_key":"k","openid":"o1"}"#)).await;
    let mut config = config(common.base_url());
    let own = Endpoints { base_url: format!("{}/openserver/", private.base_url()), ..Endpoints::default() };
    config.app_endpoints.insert("shop".into(), own);
    wechat(config).0.exchange(&app(), "c").await.unwrap();
    assert!(private.requests()[0].starts_with("GET /openserver/sns/jscode2session?"));
    assert_eq!(common.connections(), 0);
}

#[tokio::test]
async fn a_simulator_is_refused_where_none_is_meant() {
    let (sim, _, _) = simulated().await;
    let (wechat, _) = wechat(yaopai_platform::wechat::Config { allow_simulator: false, ..config(sim.base_url()) });
    let code = sim.issue_code(APPID, "lilei").unwrap();
    // A refusal and a fault of the simulator say as much as a success does.
    for code in [code.as_str(), "unknown"] {
        let error = wechat.exchange(&app(), code).await.unwrap_err();
        assert!(matches!(&error, E::Misconfigured { what } if what.contains("development = true")), "{error}");
    }
    sim.set_fault(Fault::bad_gateway()).unwrap();
    assert!(matches!(wechat.exchange(&app(), "c").await.unwrap_err(), E::Misconfigured { .. }));
    assert!(matches!(wechat.access_token(&app()).await.unwrap_err(), E::Misconfigured { .. }));
}

#[tokio::test]
async fn the_simulated_wechat() {
    let (sim, wechat, clock) = simulated().await;
    let login = async |code: &str| wechat.exchange(&app(), code).await;
    let code = sim.issue_code(APPID, "lilei").unwrap();
    let vouched = login(&code).await.unwrap();
    assert_eq!(vouched.openid, sim.openid(APPID, "lilei").unwrap());
    assert_eq!(vouched.unionid, sim.unionid(APPID, "lilei").unwrap());
    assert_eq!(vouched.session_key.map(|k| k.to_string()), sim.session_key(APPID, "lilei").unwrap());

    assert_eq!(login(&code).await.unwrap_err(), E::CodeUsed);
    assert_eq!(login("071bad").await.unwrap_err(), E::CodeInvalid);
    let old = sim.issue_code(APPID, "lilei").unwrap();
    clock.forward(301);
    assert_eq!(login(&old).await.unwrap_err(), E::CodeInvalid);
    login(yaopai_sim::MOCK_CODE).await.unwrap();
    sim.block_user("lilei", true).unwrap();
    assert_eq!(login(&sim.issue_code(APPID, "lilei").unwrap()).await.unwrap_err(), E::Blocked);

    sim.update_app(APPID, |app| app.login_limit_per_minute = 0).unwrap();
    let busy = login(&sim.issue_code(APPID, "xiaohong").unwrap()).await.unwrap_err();
    assert!(matches!(busy, E::Busy { retry_after: 1..=60, .. }), "{busy:?}");
    sim.update_app(APPID, |app| app.frozen = true).unwrap();
    let frozen = login(&sim.issue_code(APPID, "xiaohong").unwrap()).await.unwrap_err();
    assert!(matches!(&frozen, E::Misconfigured { what } if what.contains("40243")), "{frozen:?}");

    sim.update_app(APPID, |app| {
        app.frozen = false;
        app.login_limit_per_minute = 100;
        app.answer.errcode_zero = true;
        app.answer.expires_in = true;
        app.answer.escape_slashes = true;
        app.answer.extra_fields = true;
        app.answer.shuffle_keys = true;
        app.answer.unionid = false;
    })
    .unwrap();
    for _ in 0..20 {
        let vouched = login(&sim.issue_code(APPID, "xiaoming").unwrap()).await.unwrap();
        assert_eq!(vouched.unionid, None);
        assert_eq!(vouched.session_key.map(|k| k.to_string()), sim.session_key(APPID, "xiaoming").unwrap());
    }
}
