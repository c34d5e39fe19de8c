//! Guessing passwords through the bind form.

use crate::support::{Phone, Reply, Setup, TestApp, minutes, request_id, seconds};

/// What the limits' sentence says in how many seconds to come back.
fn wait(reply: &Reply) -> u64 {
    assert_eq!(reply.refusal(), "429 rate_limited");
    reply.header("retry-after").unwrap().parse().unwrap()
}

/// WeChat accounts are cheap and networks for hire: a new one of both for each guess at one account.
#[tokio::test]
async fn from_many_identities_and_networks_at_one_account() {
    let app = TestApp::with(Setup { shop: "account_field = \"account\"", ..Setup::default() }).await;
    app.back_end.has_account("lilei", "right", "42");
    let guess = async |n: u32, account: &str, password: &str| {
        let phone = app.newcomer(&format!("bot-{n}"));
        phone.log_in().await;
        phone.bind_from(&format!("198.51.{n}.7"), "guess", account, password).await
    };
    for n in 0..10 {
        assert_eq!(guess(n, "lilei", "wrong").await.refusal(), "422 binding_rejected");
    }
    // Not the right one either, in no spelling that a back end may take for the same; and nobody over there is asked.
    for (n, account) in (10..).zip(["lilei", " LiLei", "li-lei", "LILEI\u{200b}", "lílèi", "ｌｉｌｅｉ"]) {
        assert!((1..=660).contains(&wait(&guess(n, account, "right").await)), "{account}");
    }
    assert_eq!(app.back_end.calls("bind").len(), 10);
    assert_eq!(guess(20, "hanmeimei", "wrong").await.refusal(), "422 binding_rejected", "others' accounts are apart");
    app.clock.advance(seconds(661));
    assert_eq!(guess(21, "lilei", "right").await.field("user"), "42", "its owner waits, and is let in");
}

/// One machine tries one password at many accounts, with a forged address each time.
#[tokio::test]
async fn from_one_network_at_many_accounts() {
    let app = TestApp::with(Setup { top: "limits = { binds_per_network = 6 }", ..Setup::default() }).await;
    let phones: Vec<_> = (0..9).map(|n| app.newcomer(&format!("bot-{n}"))).collect();
    for phone in &phones {
        phone.log_in().await;
    }
    let account = |n: usize| format!("account-{n}");
    for (n, phone) in phones[..6].iter().enumerate() {
        // Its own /64 is one network; what it writes in front of the proxy's word is not read.
        let from = format!("203.0.113.{n}, 2001:db8:1:2::{n}");
        assert_eq!(phone.bind_from(&from, "guess", &account(n), "123456").await.refusal(), "422 binding_rejected");
    }
    wait(&phones[6].bind_from("203.0.113.9, 2001:db8:1:2:ffff::1", "guess", &account(6), "123456").await);
    assert_eq!(app.back_end.calls("bind").len(), 6);
    let reply = phones[7].bind_from("2001:db8:1:3::1", "guess", &account(7), "123456").await;
    assert_eq!(reply.refusal(), "422 binding_rejected", "the neighbours are another network");
}

/// A new session, another network, another account: the identity is the same one.
#[tokio::test]
async fn from_one_identity() {
    let app = TestApp::start().await;
    app.back_end.has_account("account-10", "123456", "42");
    let phone = app.phone("lilei");
    for n in 0..10 {
        phone.log_in().await;
        let reply = phone.bind_from(&format!("198.51.100.{n}"), "guess", &format!("account-{n}"), "123456").await;
        assert_eq!(reply.refusal(), "422 binding_rejected");
    }
    phone.log_in().await;
    let seconds_left = wait(&phone.bind_from("198.51.100.99", "guess", "account-10", "123456").await);
    app.clock.advance(seconds(seconds_left));
    phone.log_in().await;
    phone.bind_from("198.51.100.99", "guess", "account-10", "123456").await.ok();
}

/// Whoever makes up bind codes is counted, too, though 128 bits are beyond guessing.
#[tokio::test]
async fn at_bind_codes() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    for n in 0..10 {
        let made_up = format!("yb_AAAAAAAAAAAAAAAAAAAA{n}A");
        assert_eq!(phone.preview(&made_up).await.refusal(), "400 bind_code_invalid", "{made_up}");
    }
    let code = app.bind_code("42").await;
    wait(&phone.preview(&code).await);
    wait(&phone.redeem("b", &code).await);
    app.clock.advance(minutes(11));
    app.upkeep().await;
    let code = app.bind_code("42").await;
    phone.preview(&code).await.ok();
}

/// The same number written otherwise, and a second field for a back end that reads names without case.
#[tokio::test]
async fn at_an_account_that_is_a_number() {
    let limits = "limits = { binds_per_account = 1, binds_per_network = 60000 }";
    let app = TestApp::with(Setup { shop: "account_field = \"account\"", top: limits, ..Setup::default() }).await;
    let guess = async |n: u32, fields: &str| {
        let phone = app.newcomer(&format!("bot-{n}"));
        phone.log_in().await;
        let body = format!(r#"{{"way":"form","request_id":"{}","form":{{{fields}}}}}"#, request_id("guess"));
        let url = format!("{}/yaopai/v1/binding", app.addresses().public);
        let request = app.http.post(url).bearer_auth(phone.token()).header("content-type", "application/json");
        Reply::of(request.body(body).send().await.unwrap()).await.refusal()
    };
    assert_eq!(guess(0, r#""account":13800138000"#).await, "422 binding_rejected");
    for (n, same) in (1..).zip(["13800138000.0", "1.3800138e10", r#""13800138000""#, r#""１３８00138000""#]) {
        assert_eq!(guess(n, &format!(r#""account":{same}"#)).await, "429 rate_limited", "{same}");
    }
    assert_eq!(guess(9, r#""account":"other","Account":"13800138000""#).await, "400 field_invalid");
    assert_eq!(app.back_end.calls("bind").len(), 1);
}

/// Any text is a code until WeChat has been asked. One account can't use up the calls that the app has there.
#[tokio::test]
async fn phone_codes_from_one_account() {
    let app = TestApp::start().await;
    let (thief, honest) = (app.phone("xiaoming"), app.phone("lilei"));
    thief.log_in().await;
    honest.log_in().await;
    let ask =
        async |phone: &Phone, code: &str| phone.call("POST", "/phone", Some(serde_json::json!({ "code": code }))).await;
    for n in 0..30 {
        assert_eq!(ask(&thief, &format!("code{n}")).await.refusal(), "400 code_invalid");
    }
    // Another login, another token: it is the account that is counted.
    thief.log_in().await;
    let refused = ask(&thief, "one more").await;
    assert_eq!(refused.refusal(), "429 rate_limited");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(app.sim.calls("getuserphonenumber"), 30);
    ask(&honest, &honest.phone_code()).await.ok();
    app.clock.advance(minutes(11));
    ask(&thief, &thief.phone_code()).await.ok();
}

/// A copied token, tried again and again without its key: told to wait, and its owner notices nothing.
#[tokio::test]
async fn at_the_proof_of_a_keyed_session() {
    for limit in ["limits = { failed_proofs_per_identity = 5 }", "limits = { failed_proofs_per_app = 5 }"] {
        let app = TestApp::with(Setup { shop: "keyed = \"required\"", top: limit, ..Setup::default() }).await;
        let (owner, thief) = (app.customer("lilei", "42").keyed(), app.phone("lilei"));
        owner.log_in().await;
        thief.hold(&owner.token());
        for n in 0..5 {
            let refused = if n % 2 == 0 { thief.check("-").await.denied() } else { thief.read().await.refusal() };
            assert_eq!(refused, "401 proof_required", "{limit}");
        }
        wait(&thief.read().await);
        assert_eq!(thief.check("-").await.denied(), "429 rate_limited");
        assert_eq!((owner.check("-").await.user(), owner.read().await.field("user")), ("42".into(), "42".into()));
        app.clock.advance(seconds(661));
        assert_eq!(thief.check("-").await.denied(), "401 proof_required");
    }
    let setup =
        Setup { shop: "keyed = \"required\"", top: "limits = { failed_proofs_per_network = 2 }", ..Setup::default() };
    let app = TestApp::with(setup).await;
    let (owner, thief) = (app.customer("lilei", "42").keyed(), app.phone("lilei"));
    owner.log_in().await;
    thief.hold(&owner.token());
    assert_eq!((thief.read().await.refusal(), thief.read().await.refusal()).1, "401 proof_required");
    wait(&thief.read().await);
    assert_eq!(thief.check("-").await.denied(), "401 proof_required", "a check knows no network");
    assert_eq!(owner.read().await.field("user"), "42");
}

/// Any text is a code until WeChat has been asked: an account of one's own must not ask it without end.
#[tokio::test]
async fn at_codes_by_step_ups() {
    for limit in ["limits = { logins_per_identity = 5 }", "limits = { logins_per_network = 7 }"] {
        let app = TestApp::with(Setup { top: limit, ..Setup::default() }).await;
        let (thief, honest) = (app.customer("xiaoming", "666"), app.customer("lilei", "42"));
        thief.log_in().await;
        honest.log_in().await;
        let asked = app.sim.calls("jscode2session");
        for n in 0..5 {
            assert_eq!(thief.step_up(&format!("u{n}"), &format!("made up {n}")).await.refusal(), "400 code_invalid");
        }
        wait(&thief.step_up("u5", "made up 5").await);
        assert_eq!(app.sim.calls("jscode2session"), asked + 5, "{limit}");
        app.clock.advance(seconds(661));
        thief.step_up("u6", &thief.code()).await.ok();
    }
}

/// Nor does who has copied a token decide what its owner is told of a request that the network sent twice.
#[tokio::test]
async fn what_was_sent_twice_is_told_so_whatever_a_thief_tries() {
    let limit = "limits = { failed_proofs_per_identity = 5 }";
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", top: limit, ..Setup::default() }).await;
    let (owner, thief) = (app.customer("lilei", "42").keyed(), app.phone("lilei"));
    owner.log_in().await;
    thief.hold(&owner.token());
    for _ in 0..9 {
        thief.check("-").await;
    }
    assert_eq!(thief.check("-").await.denied(), "429 rate_limited");
    let draft = owner.draft_for_shop("GET", "/orders", None);
    assert_eq!(draft.check(&app, "-").await.user(), "42");
    assert_eq!(draft.check(&app, "-").await.denied(), "401 proof_replayed");
}
