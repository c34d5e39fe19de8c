//! A signature over one request, on another.

use serde_json::json;

use super::{scene, thief};
use crate::support::{ClientKey, Draft, OTHER_APPID, Phone, Setup, TestApp};

/// The draft as it was signed, but for what `change` does.
fn moved(draft: &Draft, change: impl FnOnce(&mut Draft)) -> Draft {
    let mut draft = draft.clone();
    change(&mut draft);
    draft
}

/// How a signature is refused that is of another request: by what it doesn't cover, if it is of a kind without a body.
const REFUSED: [&str; 3] = ["401 proof_invalid", "401 body_digest_required", "400 path_unclean"];

/// Refused by both checks, and the original is still good: nothing was used up.
async fn only_the_original_passes(app: &TestApp, original: &Draft, others: &[(&str, Draft)]) {
    for (what, other) in others {
        assert_ne!(other, original, "{what}");
        for ask in ["require=bound", "unclean_path=1"] {
            let reply = other.check(app, ask).await;
            // A path that is unclean by itself is refused for that, unless the check allows it.
            let allowed = if ask == "unclean_path=1" { &REFUSED[..2] } else { &REFUSED[..] };
            assert!(allowed.contains(&&*reply.denied()), "{what}: {}", reply.text);
            assert_eq!(other.check_forward(app, ask).await.denied(), reply.denied(), "{what}");
        }
    }
    assert_eq!(original.check(app, "-").await.user(), "42");
}

#[tokio::test]
async fn to_another_method_path_query_or_host() {
    let (app, victim) = scene().await;
    let order = victim.draft_for_shop("GET", "/orders/7?a=1&b=2", None);
    let to = |uri: &str| moved(&order, |draft| draft.uri = uri.to_owned());
    let of = |method: &str| moved(&order, |draft| draft.method = method.to_owned());
    let at = |host: &str| moved(&order, |draft| draft.host = host.to_owned());
    let others = [
        ("HEAD", of("HEAD")),
        ("POST", of("POST")),
        ("DELETE", of("DELETE")),
        ("lower case", of("get")),
        ("another path", to("/orders/8?a=1&b=2")),
        ("a longer path", to("/orders/7/?a=1&b=2")),
        ("another case", to("/Orders/7?a=1&b=2")),
        ("percent-encoded", to("/orders/%37?a=1&b=2")),
        ("a semicolon", to("/orders/7;v=1?a=1&b=2")),
        ("two slashes", to("//orders/7?a=1&b=2")),
        ("no query", to("/orders/7")),
        ("an empty query", to("/orders/7?")),
        ("a part of the query", to("/orders/7?a=1")),
        ("more query", to("/orders/7?a=1&b=2&c=3")),
        ("an empty pair", to("/orders/7?a=1&b=2&")),
        ("another order", to("/orders/7?b=2&a=1")),
        ("another value", to("/orders/7?a=1&b=3")),
        ("another spelling of it", to("/orders/7?a=%31&b=2")),
        ("two question marks", to("/orders/7??a=1&b=2")),
        ("the query in the path", to("/orders/7%3Fa=1&b=2")),
        ("another host", at("shop.example.evil.example")),
        ("a host above", at("example")),
        ("another port", at("shop.example:8443")),
        ("its own port", at("shop.example:443")),
        ("the other scheme's port", at("shop.example:80")),
        ("no port", at("shop.example:")),
        ("upper case", at("SHOP.example")),
        ("a trailing dot", at("shop.example.")),
    ];
    only_the_original_passes(&app, &order, &others).await;
}

#[tokio::test]
async fn to_a_query_where_there_is_none() {
    let (app, victim) = scene().await;
    let order = victim.draft_for_shop("GET", "/orders", None);
    let to = |uri: &str| moved(&order, |draft| draft.uri = uri.to_owned());
    let others = [("an empty query", to("/orders?")), ("a query", to("/orders?all=1")), ("??", to("/orders??"))];
    only_the_original_passes(&app, &order, &others).await;
}

/// A proxy takes a prefix off before it asks: what was signed is the whole path.
#[tokio::test]
async fn to_another_prefix() {
    let (app, victim) = scene().await;
    let order = victim.draft_for_shop("GET", "/api/orders", None);
    let behind = moved(&order, |draft| draft.uri = "/orders".to_owned());
    assert_eq!(behind.check_forward(&app, "").await.denied(), "401 proof_invalid");
    assert_eq!(behind.check_forward(&app, "prefix=/v2").await.denied(), "401 proof_invalid");
    assert_eq!(order.check_forward(&app, "prefix=/api").await.denied(), "401 proof_invalid");
    assert_eq!(behind.check_forward(&app, "prefix=/api").await.user(), "42");
    assert_eq!(order.check(&app, "-").await.denied(), "401 proof_replayed", "it is the same request");
}

/// The check sees the digest alone, the API the body.
#[tokio::test]
async fn to_another_body() {
    let (app, victim) = scene().await;
    app.back_end.has_account("thief", "secret", "666");
    let order = victim.draft_for_shop("POST", "/orders", Some(&json!({ "tea": 1 })));
    let other = super::hand::digest_of(br#"{"tea":9}"#);
    let others = [
        ("another digest", moved(&order, |draft| draft.set("content-digest", &other))),
        ("a second digest", moved(&order, |draft| draft.fields.push(("content-digest".into(), other.clone())))),
        (
            "a second one in front",
            moved(&order, |draft| draft.fields.insert(0, ("content-digest".into(), other.clone()))),
        ),
        ("no digest", moved(&order, |draft| draft.remove("content-digest"))),
    ];
    only_the_original_passes(&app, &order, &others).await;
    // A GET with a digest that nobody signed.
    let read = victim.draft_for_shop("GET", "/orders", None);
    let with_one = moved(&read, |draft| draft.set("content-digest", &other));
    let reply = with_one.check(&app, "-").await.denied();
    assert!(reply == "401 body_digest_required" || reply == "401 proof_invalid", "{reply}");

    let before = app.state();
    let body = json!({ "request_id": crate::support::request_id("one") });
    let refresh = victim.draft("POST", "/session/refresh", Some(&body));
    let with_body = |body: &[u8]| moved(&refresh, |draft| draft.body = body.to_owned());
    let same_length = String::from_utf8(refresh.body.clone()).unwrap().replace("one", "two");
    assert_eq!(same_length.len(), refresh.body.len());
    let longer = [&*refresh.body, b" "].concat();
    let with_code = json!({ "request_id": crate::support::request_id("one"), "code": victim.code() }).to_string();
    for body in [same_length.as_bytes(), &longer, with_code.as_bytes(), b"", b"{}"] {
        assert_eq!(with_body(body).send(&app).await.refusal(), "401 proof_invalid");
        // With its right digest, which isn't the one that was signed.
        let mut right = with_body(body);
        right.set("content-digest", &super::hand::digest_of(body));
        let refusal = right.send(&app).await.refusal();
        // What isn't a refresh at all is refused for that.
        let malformed = body.len() < 3 && refusal.starts_with("400 ");
        assert!(refusal == "401 proof_invalid" || malformed, "{refusal}");
        // With both.
        let mut both = with_body(body);
        both.fields.push(("content-digest".into(), super::hand::digest_of(body)));
        assert_eq!(both.send(&app).await.refusal(), "401 proof_invalid");
    }
    assert_eq!(app.state(), before);
    refresh.send(&app).await.ok();
    // An empty body has a digest, too.
    let unbind = victim.draft("DELETE", "/session", None);
    let full = moved(&unbind, |draft| draft.body = b"{}".to_vec());
    assert_eq!(full.send(&app).await.refusal(), "401 proof_invalid");
    let without = moved(&unbind, |draft| draft.remove("content-digest"));
    let reply = without.send(&app).await.refusal();
    assert!(reply == "401 body_digest_required" || reply == "401 proof_invalid", "{reply}");
    assert_eq!(unbind.send(&app).await.status, 204);
}

/// The API's calls, one for another.
#[tokio::test]
async fn to_another_call() {
    let (app, victim) = scene().await;
    let before = app.state();
    let read = victim.draft("GET", "/session", None);
    let to = |method: &str, path: &str| {
        moved(&read, |draft| (draft.method, draft.uri) = (method.into(), format!("/yaopai/v1{path}")))
    };
    for other in [to("DELETE", "/session"), to("GET", "/sessions"), to("HEAD", "/session"), to("GET", "/session?a")] {
        let reply = other.send(&app).await;
        let code = if other.method == "DELETE" { "body_digest_required" } else { "proof_invalid" };
        assert_eq!(reply.header("yaopai-code"), Some(code), "{} {}", other.method, other.uri);
    }
    // The host that the client meant.
    for host in ["shop.example", "LOCALHOST", "127.0.0.1", "127.0.0.1:443"] {
        let other = moved(&read, |draft| draft.host = host.to_owned());
        assert_eq!(other.send(&app).await.refusal(), "401 proof_invalid", "{host}");
    }
    assert_eq!(app.state(), before);
    read.send(&app).await.ok();
}

/// Another session of the same user: neither its key nor its name nor its token makes one's request the other's.
#[tokio::test]
async fn to_another_session() {
    let (app, phone) = scene().await;
    let pad = app.phone("lilei").keyed();
    pad.log_in().await;
    let (own, other) = (phone.key().unwrap(), pad.key().unwrap());
    let order = phone.draft_for_shop("GET", "/orders", None);
    let bare = |token: &str| Draft::new("GET", "shop.example", "/orders", None).bearing(token);
    let now = phone.clock();
    let named = |key: &ClientKey, session: &ClientKey| ClientKey { key_id: session.key_id.clone(), ..key.clone() };
    let others = [
        ("its token", moved(&order, |draft| draft.set("authorization", &format!("Bearer {}", pad.token())))),
        ("its key and name", bare(&phone.token()).signed(&other, now)),
        ("its name", bare(&phone.token()).signed(&named(&own, &other), now)),
        ("its key", bare(&phone.token()).signed(&named(&other, &own), now)),
        ("both names", {
            let both = format!("{}.{}", own.key_id, &other.key_id[..8]);
            bare(&phone.token()).signed(&ClientKey { key_id: both, ..own.clone() }, now)
        }),
    ];
    only_the_original_passes(&app, &order, &others).await;
}

/// The same person in two apps of one realm, and in one of another realm.
#[tokio::test]
async fn to_another_app_or_realm() {
    for realm in ["default", "other"] {
        let tables: String = format!(
            r#"
            [[apps]]
            name = "club"
            appid = "{{other_appid}}"
            secret = "file:app.secret"
            base_url = "{{sim}}"
            realm = "{realm}"
            binding = "auto"
            keyed = "required"
            [[api_keys]]
            name = "the other back end"
            realm = "other"
            hash = "{{other_key}}"
            "#
        );
        let setup = Setup { shop: "keyed = \"required\"", tables: tables.leak(), ..Setup::default() };
        let app = TestApp::with(setup).await;
        let here = app.customer("lilei", "42").keyed();
        here.log_in().await;
        let there: Phone = app.phone_in("club", OTHER_APPID, "lilei").keyed();
        there.log_in().await;
        let order = here.draft_for_shop("GET", "/orders", None);
        let bare = Draft::new("GET", "shop.example", "/orders", None).bearing(&here.token());
        let others = [
            ("its token", moved(&order, |draft| draft.set("authorization", &format!("Bearer {}", there.token())))),
            ("its key", bare.signed(&there.key().unwrap(), here.clock())),
        ];
        for ask in
            ["require=session".to_owned(), format!("realm={realm}&require=session"), "apps=club&require=session".into()]
        {
            for (what, other) in &others {
                let reply = other.check(&app, &ask).await;
                assert_eq!(reply.denied(), "401 proof_invalid", "{what} {ask}");
            }
        }
        if realm == "other" {
            // Proved or not, there is no such session here.
            assert_eq!(there.check("require=session").await.denied(), "401 session_unknown");
            assert_eq!(there.check("require=session&realm=other").await.status, 200);
        }
        assert_eq!(order.check(&app, "apps=shop").await.user(), "42");
    }
}

/// What the thief's own session signed, with the victim's token; and the victim's request, with the thief's.
#[tokio::test]
async fn to_another_user() {
    let (app, victim) = scene().await;
    let thief = thief(&app).await;
    let order = victim.draft_for_shop("GET", "/orders", None);
    let own = thief.draft_for_shop("GET", "/orders", None);
    let bearing = |draft: &Draft, phone: &Phone| {
        moved(draft, |draft| draft.set("authorization", &format!("Bearer {}", phone.token())))
    };
    let others = [("its token", bearing(&order, &thief)), ("the victim's", bearing(&own, &victim))];
    only_the_original_passes(&app, &order, &others).await;
}
