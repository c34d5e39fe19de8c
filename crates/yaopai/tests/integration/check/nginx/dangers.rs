//! Forged headers, two carriers, tokens in queries, paths that two readers read differently.

use super::{OPEN, TARGET, check, customer, denied};
use crate::support::{PRINCIPAL, Setup, TestApp, raw};

#[tokio::test]
async fn a_forged_identity_header_is_refused_in_every_spelling() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for name in PRINCIPAL {
        for name in [
            name.to_owned(),
            name.to_uppercase(),
            name.replace('-', "_"),
            name.replacen('-', "_", 1),
            name.to_uppercase().replace('-', "_"),
        ] {
            // Whatever it says, and whether or not there is a session; on guest routes too.
            for value in ["42", ""] {
                let answer = check(&app, TARGET, &[("Authorization", &bearer), (&name, value)]).await;
                assert_eq!(denied(&answer), "400 header_forged", "{name}");
                let answer = check(&app, OPEN, &[(&name, value)]).await;
                assert_eq!(denied(&answer), "400 header_forged", "{name}");
            }
        }
    }
    // Names that only look like ours are nobody's business.
    for name in ["X-Yaopai-User", "Yaopai-Background", "Yaopai-Users"] {
        let answer = check(&app, TARGET, &[("Authorization", &bearer), (name, "0")]).await;
        assert_eq!(answer.status(), 200, "{name}");
    }
}

#[tokio::test]
async fn exactly_one_carrier() {
    let tables = "[carriers]\ncookie = \"sid\"\nheader = \"x-session\"";
    let app = TestApp::with(Setup { tables, ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let token = phone.token();
    let (bearer, cookie) = (format!("Bearer {token}"), format!("a=b; sid={token}; c=d"));
    let carriers = [("Authorization", bearer.as_str()), ("Cookie", &cookie), ("X-Session", &token)];
    for carrier in carriers {
        let answer = check(&app, TARGET, &[carrier]).await;
        assert_eq!((answer.status(), answer.header("yaopai-user")), (200, Some("42")), "{carrier:?}");
        for other in carriers {
            let answer = check(&app, TARGET, &[carrier, other]).await;
            assert_eq!(denied(&answer), "400 carrier_conflict", "{carrier:?} {other:?}");
        }
    }
    let twice = format!("sid={token}; sid={token}");
    assert_eq!(denied(&check(&app, TARGET, &[("Cookie", &twice)]).await), "400 carrier_conflict");
    // One carrier and the back end's own Basic authorization are two different things.
    let basic = ("Authorization", "Basic eDp5");
    assert_eq!(check(&app, TARGET, &[basic, ("X-Session", &token)]).await.status(), 200);
    // The API reads the same carriers.
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/session", &[("Cookie", &cookie)]).await;
    assert_eq!(answer.status(), 200);
    let both = [("Cookie", cookie.as_str()), ("X-Session", &token)];
    let answer = raw::get(&app.addresses().public, "/yaopai/v1/session", &both).await;
    assert_eq!((answer.status(), answer.code()), (400, "carrier_conflict"));
}

#[tokio::test]
async fn a_carrier_that_is_off_is_no_carrier() {
    let tables = "[carriers]\nauthorization = false\ncookie = \"sid\"";
    let app = TestApp::with(Setup { tables, ..Setup::default() }).await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    assert_eq!(phone.check("-").await.denied(), "401 session_missing");
    let cookie = format!("sid={}", phone.token());
    assert_eq!(check(&app, TARGET, &[("Cookie", &cookie)]).await.status(), 200);
}

#[tokio::test]
async fn a_token_in_the_query_is_lost() {
    let (app, phone) = customer().await;
    for query in ["token={}", "a=1&b={}", "{}", "x={}&y=2"] {
        let uri = format!("{TARGET}?{}", query.replace("{}", &phone.token()));
        let answer = check(&app, &uri, &[]).await;
        assert_eq!(denied(&answer), "400 token_in_query", "{query}");
        assert!(!answer.0.contains(&phone.token()), "nor is it echoed");
        // A right one beside it makes it no better.
        let bearer = format!("Bearer {}", phone.token());
        assert_eq!(denied(&check(&app, &uri, &[("Authorization", &bearer)]).await), "400 token_in_query");
    }
    assert_eq!(check(&app, &format!("{OPEN}?token=yp1_short"), &[]).await.status(), 200);
}

#[tokio::test]
async fn unclean_paths_are_refused_unless_the_route_allows_them() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    let auth = [("Authorization", bearer.as_str())];
    for path in [
        "/a/../admin",
        "/..",
        "/./a",
        "/a/.",
        "/a//b",
        "//a",
        "/a/%2e%2e/b",
        "/a/%2E%2E/b",
        "/a%2fb",
        "/a%2Fb",
        "/a%5Cb",
        "/a;jsessionid=1",
        "/a%3Bb",
        "/a%00",
        "/a%2e",
        "/%",
        "/%zz",
    ] {
        let of = |ask: &str| format!("/check/nginx/{ask}/GET/https/shop.example{path}");
        assert_eq!(denied(&check(&app, &of("-"), &auth).await), "400 path_unclean", "{path}");
        assert_eq!(denied(&check(&app, &of("require=open"), &[]).await), "400 path_unclean", "{path}");
        assert_eq!(check(&app, &of("unclean_path=1"), &auth).await.status(), 200, "{path}");
        // What comes after the question mark is nobody's path.
        let query = format!("{TARGET}?back={path}");
        assert_eq!(check(&app, &query, &auth).await.status(), 200, "{path}");
    }
    for path in ["/", "/a/", "/a/b.c", "/.well-known/x", "/a..b", "/%E5%BC%A0%E4%B8%89", "/a%20b", "/a+b"] {
        let target = format!("/check/nginx/-/GET/https/shop.example{path}");
        assert_eq!(check(&app, &target, &auth).await.status(), 200, "{path}");
    }
}
