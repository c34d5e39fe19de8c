//! A token alone: read in a log, a trace, a screenshot. At no place does it act, and it leaves no trace in the session.

use serde_json::{Value, json};
use yaopai_sim::{DEFAULT_APPID, Encrypt};

use super::{scene, thief};
use crate::support::{ClientKey, Draft, Phone, Setup, TestApp, form, minutes, request_id, seconds};

/// Every route of the API that takes a token.
const WITH_TOKEN: [&str; 12] = [
    "GET /session",
    "DELETE /session",
    "POST /session/refresh",
    "POST /binding",
    "DELETE /binding",
    "POST /binding/preview",
    "POST /phone",
    "POST /decrypt",
    "POST /ticket",
    "GET /sessions",
    "DELETE /sessions/{session_id}",
    // With a code, it is another.
    "POST /session/refresh",
];
/// And those that take none.
const WITHOUT: [&str; 3] = ["POST /session", "GET /push/{app}", "POST /push/{app}"];

/// A call of each of [`WITH_TOKEN`] that would do something if it were the victim's.
async fn calls(app: &TestApp, victim: &Phone) -> Vec<(String, String, Option<Value>)> {
    let code = app.bind_code("42").await;
    let data = app.sim.encrypt(DEFAULT_APPID, "lilei", &Encrypt::user_info()).unwrap();
    let session = yaopai_wire::token::Token::parse(victim.token().as_bytes()).unwrap().id;
    let session = yaopai_core::ids::SessionId(session).to_string();
    let bodies = [
        None,
        None,
        Some(json!({ "request_id": request_id("thief") })),
        Some(form("thief", "thief", "secret")),
        None,
        Some(json!({ "bind_code": code })),
        Some(json!({ "code": victim.phone_code() })),
        Some(json!({ "encrypted_data": data.encrypted_data, "iv": data.iv })),
        Some(json!({ "authority": "shop.example", "path": "/orders", "for": "web-view" })),
        None,
        None,
        Some(json!({ "request_id": request_id("thief-2"), "code": victim.code() })),
    ];
    let call = |(route, body): (&str, Option<Value>)| {
        let (method, path) = route.split_once(' ').unwrap();
        (method.to_owned(), path.replace("{session_id}", &session), body)
    };
    WITH_TOKEN.into_iter().zip(bodies).map(call).collect()
}

/// The server's own list of routes, out of its source: a new one must be put into one of the lists here.
#[test]
fn every_route_is_attacked_here() {
    let source = include_str!("../../../../src/api/mod.rs");
    let mut routes = Vec::new();
    for piece in source.split(".route(\"").skip(1) {
        let (path, rest) = piece.split_once("\",").unwrap();
        let handlers = rest.split(';').next().unwrap();
        for (at, _) in handlers.match_indices('(') {
            let before = &handlers[..at];
            let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap();
            if ["get", "post", "delete", "put", "patch", "any", "head", "options"].contains(&name) {
                routes.push(format!("{} {path}", name.to_uppercase()));
            }
        }
    }
    let mut listed: Vec<String> = WITH_TOKEN[..11].iter().chain(&WITHOUT).map(|route| (*route).to_owned()).collect();
    listed.sort();
    routes.sort();
    assert_eq!(routes, listed);
}

/// How the thief dresses the token up, and what comes of it.
fn dresses(draft: &Draft, own: Option<&ClientKey>, now: i64) -> Vec<(Draft, &'static str)> {
    let mut nonsense = draft.clone();
    nonsense.set("signature-input", "yaopai=()");
    nonsense.set("signature", "yaopai=:AAAA:");
    let mut half = draft.clone();
    half.set("signature-input", "yaopai=()");
    let mut background = draft.clone();
    background.set("yaopai-background", "1");
    let mut all = vec![
        (draft.clone(), "401 proof_required"),
        (background, "401 proof_required"),
        (nonsense, "401 proof_invalid"),
        (half, "401 proof_invalid"),
    ];
    all.extend(own.map(|own| (draft.clone().signed(own, now), "401 proof_invalid")));
    all
}

/// Tries everything with the victim's token.
async fn try_everything(app: &TestApp, victim: &Phone, own: Option<&ClientKey>) {
    let host = app.addresses().public.replace("http://", "");
    for (method, path, body) in calls(app, victim).await {
        let draft = Draft::new(&method, &host, &format!("/yaopai/v1{path}"), body.as_ref()).bearing(&victim.token());
        for (draft, refused) in dresses(&draft, own, victim.clock()) {
            let reply = draft.send(app).await;
            assert_eq!(reply.refusal(), refused, "{method} {path}");
            assert_eq!(reply.header("yaopai-bound"), None, "{method} {path}");
            assert!(!reply.text.contains("\"user\""), "{}", reply.text);
        }
    }
    for (method, uri) in [("GET", "/orders"), ("POST", "/orders"), ("HEAD", "/"), ("DELETE", "/orders?id=1")] {
        let draft = Draft::new(method, "shop.example", uri, None).bearing(&victim.token());
        for (draft, refused) in dresses(&draft, own, victim.clock()) {
            for ask in
                ["require=bound", "require=session", "require=open", "apps=shop", "vouched=300", "unsigned_body=1"]
            {
                assert_eq!(draft.check(app, ask).await.denied(), refused, "{method} {uri} {ask}");
                assert_eq!(draft.check_through_hyper(app, ask).await.denied(), refused, "{method} {uri} {ask}");
                assert_eq!(draft.check_forward(app, ask).await.denied(), refused, "{method} {uri} {ask}");
            }
        }
    }
}

#[tokio::test]
async fn it_acts_nowhere() {
    let (app, victim) = scene().await;
    app.back_end.has_account("thief", "secret", "666");
    let own = thief(&app).await.key().unwrap();
    // Whoever has just logged in and stepped up may do the most.
    victim.steps_up().await;
    let calls =
        (app.back_end.calls("bind").len(), app.sim.calls("getuserphonenumber"), app.sim.calls("jscode2session"));
    let bind_codes = app.count("bind_codes");
    let before = app.state();
    try_everything(&app, &victim, Some(&own)).await;
    let mut after = app.state();
    // The codes that the back end made for it.
    assert_eq!(app.count("bind_codes"), bind_codes + 1);
    after.insert("bind_codes".to_owned(), before["bind_codes"].clone());
    assert_eq!(after, before);
    let now = (app.back_end.calls("bind").len(), app.sim.calls("getuserphonenumber"), app.sim.calls("jscode2session"));
    assert_eq!(now, calls, "nobody is asked either");
    assert_eq!(victim.check("-").await.user(), "42");
    victim.refresh("mine").await.ok();
}

/// In the table, and read through the store.
const PLACES: [&str; 2] = ["", "[live]\nmax_sessions = 1\nflush_interval = 300"];

async fn scene_at(tables: &'static str) -> (TestApp, Phone, ClientKey) {
    let app = TestApp::with(Setup { shop: "keyed = \"required\"", tables, ..Setup::default() }).await;
    let own = thief(&app).await.key().unwrap();
    let victim = app.customer("lilei", "42").keyed();
    (app, victim, own)
}

#[tokio::test]
async fn it_keeps_no_session_alive() {
    for tables in PLACES {
        let (app, victim, own) = scene_at(tables).await;
        victim.log_in().await;
        app.upkeep().await;
        app.clock.advance(minutes(20));
        try_everything(&app, &victim, Some(&own)).await;
        app.upkeep().await;
        app.clock.advance(minutes(10));
        assert_eq!(victim.check("-").await.denied(), "401 session_expired", "{tables}");
        assert_eq!(victim.refresh("mine").await.refusal(), "401 session_expired", "{tables}");
    }
}

/// A login's answer is handed out again until its first use, and a thief's is none: its answer may have been lost.
#[tokio::test]
async fn it_is_no_use_of_the_session() {
    for tables in PLACES {
        let (app, victim, own) = scene_at(tables).await;
        let (code, id) = (victim.code(), request_id("login"));
        let first = victim.send_login(&code, &id).await;
        try_everything(&app, &victim, Some(&own)).await;
        app.upkeep().await;
        let again = victim.send_login(&code, &id).await;
        assert_eq!((again.field("token"), &again.json()["key"]), (first.field("token"), &first.json()["key"]));
        // A use it is to who holds the key.
        assert_eq!(victim.check("-").await.user(), "42");
        assert_eq!(victim.send_login(&code, &id).await.refusal(), "400 code_used", "{tables}");
    }
}

/// A bearer session of before keys were required: its new token, which nobody has used, is not confirmed by a thief's use, so the
/// old one is not retired by it.
#[tokio::test]
async fn it_confirms_no_new_token() {
    let mut app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let new = phone.refresh("r").await.field("token");
    app.restart_with(|config| config.replace("keyed = \"offered\"", "keyed = \"required\"")).await;
    let old = phone.token();
    phone.hold(&new);
    for _ in 0..2 {
        for path in ["/session", "/sessions"] {
            assert_eq!(phone.call("GET", path, None).await.refusal(), "401 proof_required");
        }
        assert_eq!(phone.refresh("again").await.refusal(), "401 proof_required");
        assert_eq!(phone.check("-").await.denied(), "401 proof_required");
        assert_eq!(phone.check_forwarded("-").await.denied(), "401 proof_required");
    }
    app.clock.advance(seconds(60));
    app.restart_with(|config| config.replace("keyed = \"required\"", "keyed = \"offered\"")).await;
    assert_eq!(phone.check_as(&old, "-").await.user(), "42");
}

/// A session that has ended stays so, and its token tells no more than that.
#[tokio::test]
async fn of_an_ended_session() {
    let (app, victim) = scene().await;
    let key = victim.key();
    assert_eq!(victim.log_out().await.status, 204);
    victim.hold_key(None);
    let calls = calls(&app, &victim).await;
    let before = app.state();
    for (method, path, body) in calls {
        let reply = victim.call(&method, &path, body).await;
        let expected =
            if (&*method, &*path) == ("DELETE", "/session") { "401 proof_required" } else { "401 session_ended" };
        assert_eq!(reply.refusal(), expected, "{method} {path}");
    }
    assert_eq!(victim.check("-").await.denied(), "401 session_ended");
    assert_eq!(victim.check("require=open").await.denied(), "401 session_ended");
    assert_eq!(victim.check_forwarded("-").await.denied(), "401 session_ended");
    assert_eq!(app.state(), before);
    // To its holder a second log-out is one.
    victim.hold_key(key);
    assert_eq!(victim.log_out().await.status, 204);
}

/// The captured request is an old one, or another's.
#[tokio::test]
async fn with_an_old_signature() {
    let (app, victim) = scene().await;
    let seen = victim.draft_for_shop("GET", "/orders", None);
    assert_eq!(seen.check(&app, "-").await.user(), "42");
    let with_it = |mut draft: Draft| {
        for name in ["signature-input", "signature"] {
            draft.set(name, seen.get(name).unwrap());
        }
        draft
    };
    let orders =
        |method: &str, uri: &str| with_it(Draft::new(method, "shop.example", uri, None).bearing(&victim.token()));
    let pay = orders("GET", "/pay");
    let host = app.addresses().public.replace("http://", "");
    let read = with_it(Draft::new("GET", &host, "/yaopai/v1/session", None).bearing(&victim.token()));
    for wait in [0, 1, 59, 1, 600, 1130] {
        app.clock.advance(seconds(wait));
        assert_eq!(pay.check(&app, "-").await.denied(), "401 proof_invalid");
        assert_eq!(pay.check_forward(&app, "").await.denied(), "401 proof_invalid");
        assert_eq!(read.send(&app).await.refusal(), "401 proof_invalid");
        let same = orders("GET", "/orders").check(&app, "-").await.denied();
        assert!(same == "401 proof_replayed" || same == "401 proof_stale", "{same}");
    }
    app.clock.advance(seconds(9));
    // It slid nothing.
    assert_eq!(victim.check("-").await.denied(), "401 session_expired");
}
