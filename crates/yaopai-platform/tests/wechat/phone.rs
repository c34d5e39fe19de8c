//! getPhoneNumber: whose number, whose code, and that no code is ever sent where it may have been spent.

use std::time::Duration;

use tokio::task::JoinSet;
use yaopai_core::ports::{Phone, Platform, PlatformError as E};
use yaopai_platform::wechat::{Config, WeChat};
use yaopai_sim::{Endpoint, Fault};

use crate::exchange_faults::faults;
use crate::support::{APPID, OPENID, app, client, config, simulated, wechat};
use crate::wire::{Reply, Wire, json};

fn good(info: &str) -> String {
    format!(r#"{{"errcode":0,"errmsg":"ok","phone_info":{{{info},"watermark":{{"timestamp":1,"appid":"{APPID}"}}}}}}"#)
}

/// A server that hands out tokens, and answers this to the call itself.
async fn answering(reply: Reply) -> Wire {
    Wire::start(move |_, request| match request.contains("stable_token") {
        true => json(r#"{"access_token":"T_-1","expires_in":7200}"#),
        false => reply.clone(),
    })
    .await
}

async fn phone(wire: &Wire) -> Result<Phone, E> {
    client(wire.base_url()).0.phone(&app(), OPENID, "c").await
}

#[tokio::test]
async fn the_request() {
    let info = r#""phoneNumber":"13800138000","purePhoneNumber":"13800138000","countryCode":"86""#;
    let wire = answering(json(good(info))).await;
    let (wechat, _) = client(wire.base_url());
    wechat.phone(&app(), OPENID, "e31968a7").await.unwrap();
    let request = &wire.requests()[1];
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /wxa/business/getuserphonenumber?access_token=T_-1 HTTP/1.1\r\n"), "{head}");
    assert!(
        head.to_ascii_lowercase().contains("\r\nconnection: close"),
        "a kept connection could send it twice: {head}"
    );
    assert_eq!(body, format!(r#"{{"code":"e31968a7","openid":"{OPENID}"}}"#));
}

#[tokio::test]
async fn numbers_of_all_shapes() {
    for (info, number, pure, country) in [
        (
            r#""phoneNumber":"13800138000","purePhoneNumber":"13800138000","countryCode":"86""#,
            "13800138000",
            "13800138000",
            "86",
        ),
        (
            r#""phoneNumber":"13800138000","purePhoneNumber":"13800138000","countryCode":86"#,
            "13800138000",
            "13800138000",
            "86",
        ),
        (
            r#""countryCode":"+1","phoneNumber":"+1 2025550123","purePhoneNumber":"2025550123","new":{}"#,
            "+1 2025550123",
            "2025550123",
            "1",
        ),
        (r#""phoneNumber":"1-242 555","purePhoneNumber":"555","countryCode":"1-242""#, "1-242 555", "555", "1242"),
    ] {
        let wire = answering(json(good(info))).await;
        let expected = Phone { number: number.into(), pure: pure.into(), country: country.into() };
        let phone = phone(&wire).await.unwrap();
        assert!(phone == expected, "{info}: {} {} {}", phone.number, phone.pure, phone.country);
        assert_eq!(format!("{phone:?}"), "Phone(…)");
    }
}

#[tokio::test]
async fn another_apps_number_and_junk_are_no_answer() {
    let info = r#""phoneNumber":"138","purePhoneNumber":"138","countryCode":"86""#;
    let ours = good(info);
    let mut bad = vec![ours.replace(APPID, "wxffffffffffffffff"), ours.replace(APPID, ""), "{}".into()];
    bad.push(ours.replace(r#","watermark""#, r#","mark""#));
    bad.push(ours.replace("phone_info", "phone"));
    for (from, to) in [
        (r#""phoneNumber":"138""#, r#""phoneNumber":"""#),
        (r#""phoneNumber":"138""#, r#""phoneNumber":138"#),
        (r#""phoneNumber":"138""#, r#""phoneNumber":"1<script>8""#),
        (r#""phoneNumber":"138""#, r#""phoneNumber":"111111111111111111111111111111111""#),
        (r#""purePhoneNumber":"138""#, r#""purePhoneNumber":"++""#),
        (r#""countryCode":"86""#, r#""countryCode":"""#),
        (r#""countryCode":"86""#, r#""countryCode":null"#),
        (r#""countryCode":"86""#, r#""countryCode":-86"#),
        (r#""countryCode":"86""#, r#""countryCode":"1234567""#),
    ] {
        assert!(ours.contains(from));
        bad.push(ours.replace(from, to));
    }
    for body in bad {
        let wire = answering(json(body.clone())).await;
        let result = phone(&wire).await;
        assert!(matches!(result, Err(E::Unavailable { .. })), "{body}: {result:?}");
        assert_eq!(wire.count("getuserphonenumber"), 1);
    }
}

#[tokio::test]
async fn errcodes() {
    for (errcode, expected) in [
        ("40029", E::CodeInvalid),
        ("\"40029\"", E::CodeInvalid),
        // Another person's code.
        ("40003", E::CodeInvalid),
        ("40163", E::CodeUsed),
        ("45011", E::Busy { retry_after: 50, what: "errcode 45011".into() }),
        ("-1", E::Busy { retry_after: 2, what: "errcode -1".into() }),
        ("99999", E::Unavailable { retry_after: 2, what: "errcode 99999".into() }),
        ("40013", E::Misconfigured { what: "the appid is wrong (errcode 40013)".into() }),
        ("48001", E::Misconfigured { what: "the app has no right to this API (errcode 48001)".into() }),
    ] {
        let wire = answering(json(format!(r#"{{"errcode":{errcode},"errmsg":"text"}}"#))).await;
        assert_eq!(phone(&wire).await.unwrap_err(), expected, "{errcode}");
        assert_eq!(wire.count("getuserphonenumber"), 1, "{errcode}");
    }
}

#[tokio::test]
async fn codes_that_are_none_are_not_sent() {
    let wire = answering(Reply::Reset).await;
    let (wechat, _) = client(wire.base_url());
    for code in ["", "a\nb", &"x".repeat(513)] {
        assert_eq!(wechat.phone(&app(), OPENID, code).await.unwrap_err(), E::CodeInvalid);
    }
    assert_eq!(wire.connections(), 0);
}

#[tokio::test]
async fn one_request_whatever_comes_back() {
    let mut checks = JoinSet::new();
    for (name, reply) in faults() {
        checks.spawn(async move {
            let wire = answering(reply).await;
            let [connect_timeout, total_timeout] = [1000, 1500].map(Duration::from_millis);
            let (wechat, _) = wechat(Config { connect_timeout, total_timeout, ..config(wire.base_url()) });
            let error = wechat.phone(&app(), OPENID, "code-to-spend").await.unwrap_err();
            assert!(matches!(error, E::Unavailable { .. }), "{name}: {error:?}");
            // A late second request would still come.
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(wire.count("code-to-spend"), 1, "{name}");
        });
    }
    checks.join_all().await;
}

#[tokio::test]
async fn never_reached_means_unspent() {
    let (sim, wechat, _) = simulated().await;
    let openid = sim.openid(APPID, "lilei").unwrap();
    let code = sim.issue_phone_code(APPID, "lilei").unwrap();
    // No access token: the code never left.
    sim.set_fault(Fault::bad_gateway().on(Endpoint::StableToken)).unwrap();
    let error = wechat.phone(&app(), &openid, &code).await.unwrap_err();
    assert!(matches!(error, E::NotReached { .. }), "{error:?}");
    assert_eq!(sim.phone_code(&code).unwrap().exchanges, 0);
}

#[tokio::test]
async fn the_simulated_wechat() {
    let (sim, wechat, clock) = simulated().await;
    let (lilei, other) = (sim.openid(APPID, "lilei").unwrap(), sim.openid(APPID, "xiaohong").unwrap());
    for numeric in [false, true] {
        sim.update_app(APPID, |app| app.answer.numeric_country_code = numeric).unwrap();
        let code = sim.issue_phone_code(APPID, "lilei").unwrap();
        // Somebody else's session shows it: refused, and its owner may still use it.
        assert_eq!(wechat.phone(&app(), &other, &code).await.unwrap_err(), E::CodeInvalid);
        let phone = wechat.phone(&app(), &lilei, &code).await.unwrap();
        assert_eq!((phone.number, phone.country), (sim.user("lilei").unwrap().phone, "86".into()));
        assert_eq!(wechat.phone(&app(), &lilei, &code).await.unwrap_err(), E::CodeInvalid);
    }
    let old = sim.issue_phone_code(APPID, "lilei").unwrap();
    clock.forward(301);
    assert_eq!(wechat.phone(&app(), &lilei, &old).await.unwrap_err(), E::CodeInvalid);
    // A login's code is another kind.
    let login = sim.issue_code(APPID, "lilei").unwrap();
    assert_eq!(wechat.phone(&app(), &lilei, &login).await.unwrap_err(), E::CodeInvalid);
}

#[tokio::test]
async fn a_dead_token_costs_no_code() {
    let (sim, wechat, clock) = simulated().await;
    let openid = sim.openid(APPID, "lilei").unwrap();
    let redeem = async |wechat: &WeChat, code: &str| wechat.phone(&app(), &openid, code).await;
    redeem(&wechat, &sim.issue_phone_code(APPID, "lilei").unwrap()).await.unwrap();
    for errcode in [40001, 40014, 42001] {
        // Refused for its token, then taken with the next one.
        sim.set_fault(Fault::errcode(errcode).on(Endpoint::Getuserphonenumber).once()).unwrap();
        let code = sim.issue_phone_code(APPID, "lilei").unwrap();
        redeem(&wechat, &code).await.unwrap();
        assert_eq!(sim.phone_code(&code).unwrap().exchanges, 2, "{errcode}");
        // Past the pause between two forced tokens: this WeChat calls a token dead that it still hands out.
        clock.forward(60);
    }
    // Refused for ever: twice, and no more.
    sim.set_fault(Fault::errcode(40001).on(Endpoint::Getuserphonenumber)).unwrap();
    let code = sim.issue_phone_code(APPID, "lilei").unwrap();
    assert!(matches!(redeem(&wechat, &code).await.unwrap_err(), E::Unavailable { .. }));
    assert_eq!(sim.phone_code(&code).unwrap().exchanges, 2);
}

#[tokio::test]
async fn the_simulators_faults() {
    let (sim, _, _) = simulated().await;
    let [connect_timeout, total_timeout] = [1000, 1500].map(Duration::from_millis);
    let (wechat, clock) = wechat(Config { connect_timeout, total_timeout, ..config(sim.base_url()) });
    let openid = sim.openid(APPID, "lilei").unwrap();
    for (fault, spent) in [
        (Fault::reset_before(), false),
        (Fault::reset_after(), true),
        (Fault::delay_after(Duration::from_secs(5)), true),
        (Fault::delay_before(Duration::from_secs(5)), false),
        (Fault::bad_gateway(), false),
        (Fault::truncated_body(), true),
        (Fault::cut_body(), true),
        (Fault::empty_body(), true),
        (Fault::system_error(), false),
    ] {
        let code = sim.issue_phone_code(APPID, "lilei").unwrap();
        let name = format!("{fault:?}");
        sim.set_fault(fault.on(Endpoint::Getuserphonenumber)).unwrap();
        let error = wechat.phone(&app(), &openid, &code).await.unwrap_err();
        assert!(matches!(error, E::Unavailable { .. } | E::Busy { .. }), "{name}: {error:?}");
        sim.clear_faults();
        let state = sim.phone_code(&code).unwrap();
        assert_eq!((state.exchanges, state.used), (1, spent), "{name}");
        // Past the breaker's pause.
        clock.forward(120);
    }
    // A refusal whose errcode is a text.
    sim.set_fault(Fault::string_errcode().on(Endpoint::Getuserphonenumber)).unwrap();
    assert_eq!(wechat.phone(&app(), &openid, "unknown").await.unwrap_err(), E::CodeInvalid);
}
