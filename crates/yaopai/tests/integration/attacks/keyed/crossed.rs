//! Two accounts: one's key with the other's token, everywhere, by somebody who signs all right.

use serde_json::json;

use super::{scene, thief};
use crate::support::{ClientKey, Draft, Phone, TestApp, request_id};

/// Signs with one session's key, names the session `key_id`, shows `token`.
async fn crossed(app: &TestApp, token: &str, key: &ClientKey, now: i64) {
    let host = app.addresses().public.replace("http://", "");
    let refresh = json!({ "request_id": request_id("crossed") });
    for (method, path, body) in [
        ("GET", "/session", None),
        ("POST", "/session/refresh", Some(&refresh)),
        ("GET", "/sessions", None),
        ("DELETE", "/binding", None),
        ("DELETE", "/session", None),
    ] {
        let draft = Draft::new(method, &host, &format!("/yaopai/v1{path}"), body).bearing(token).signed(key, now);
        assert_eq!(draft.send(app).await.refusal(), "401 proof_invalid", "{method} {path}");
    }
    for ask in ["require=bound", "require=session", "require=open"] {
        let draft = || Draft::new("GET", "shop.example", "/orders", None).bearing(token).signed(key, now);
        assert_eq!(draft().check(app, ask).await.denied(), "401 proof_invalid");
        assert_eq!(draft().check_through_hyper(app, ask).await.denied(), "401 proof_invalid");
        assert_eq!(draft().check_forward(app, ask).await.denied(), "401 proof_invalid");
    }
}

#[tokio::test]
async fn one_account_s_key_with_the_other_s_token() {
    let (app, victim) = scene().await;
    let thief = thief(&app).await;
    let before = app.state();
    let pairs: [(&Phone, &Phone); 2] = [(&victim, &thief), (&thief, &victim)];
    for (shown, signs) in pairs {
        let key = signs.key().unwrap();
        let renamed = ClientKey { key_id: shown.key().unwrap().key_id, ..key.clone() };
        crossed(&app, &shown.token(), &key, victim.clock()).await;
        crossed(&app, &shown.token(), &renamed, victim.clock()).await;
    }
    assert_eq!(app.state(), before);
    assert_eq!((victim.check("-").await.user(), thief.check("-").await.user()), ("42".into(), "666".into()));
}

/// Neither token in two carriers, nor two tokens, nor two signatures make one's key the other's.
#[tokio::test]
async fn two_of_anything() {
    let app = TestApp::with(crate::support::Setup {
        top: "carriers = { authorization = true, cookie = \"yaopai\" }",
        ..Default::default()
    })
    .await;
    let victim = app.customer("lilei", "42").keyed();
    victim.log_in().await;
    let thief = thief(&app).await;
    let own = thief.draft_for_shop("GET", "/orders", None);
    let mut both = own.clone();
    both.set("cookie", &format!("yaopai={}", victim.token()));
    assert_eq!(both.check(&app, "-").await.denied(), "400 carrier_conflict");
    let mut two = own.clone();
    two.fields.push(("authorization".into(), format!("Bearer {}", victim.token())));
    assert_eq!(two.check(&app, "-").await.denied(), "400 carrier_conflict");
    two.fields.rotate_right(1);
    assert_eq!(two.check(&app, "-").await.denied(), "400 carrier_conflict");
    assert_eq!(own.check(&app, "-").await.user(), "666");
}
