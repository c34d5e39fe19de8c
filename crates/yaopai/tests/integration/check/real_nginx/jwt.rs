//! The example with what `examples/spring-boot` changes in it: a JWT in place of the client's token.

use serde_json::{Value, json};

use super::Shop;
use crate::support::nginx::Nginx;
use crate::support::tokens::{published, verified, with_audiences};
use crate::support::{Reply, TestApp};

/// What its README says.
const CHANGES: [(&str, &str); 3] = [
    ("map $host $yaopai_ask { default \"-\"; }", "map $host $yaopai_ask { default \"jwt=orders\"; }"),
    (
        "proxy_set_header Authorization       \"\";",
        "auth_request_set $yaopai_jwt $upstream_http_authorization; proxy_set_header Authorization $yaopai_jwt;",
    ),
    ("proxy_pass_request_body off;", "proxy_pass_request_body off; proxy_buffer_size 16k; proxy_buffers 4 16k;"),
];

/// `Authorization` as it came to the shop.
async fn arrived(app: &TestApp, nginx: &Nginx, path: &str, authorization: Option<&str>) -> Vec<String> {
    let request = app.http.get(format!("{}{path}", nginx.base));
    let request = authorization.iter().fold(request, |r, value| r.header("authorization", *value));
    let reply = Reply::of(request.send().await.unwrap()).await;
    let headers = reply.ok().json()["headers"].as_array().unwrap().clone();
    let named = |h: &&Value| h[0] == "authorization";
    headers.iter().filter(named).map(|h| h[1].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_back_end_gets_the_jwt_and_never_the_token() {
    let app = with_audiences().await;
    let shop = Shop::start().await;
    // A location with words of its own asks for the JWT in them.
    let open = [("set $yaopai_ask \"require=open\";", "set $yaopai_ask \"require=open&jwt=orders\";")];
    let nginx = Nginx::changed(&app, &shop.address, &[&CHANGES[..], &open].concat());
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    // As much as there can be: the claims stand in the answer's head twice.
    let claims = json!({ "roles": ["clerk"], "tenant": "x".repeat(900) });
    app.admin("PUT", "/admin/v1/users/42/claims", Some(claims.clone())).await.ok();
    let token = format!("Bearer {}", phone.token());
    for path in ["/orders", "/catalogue/tea"] {
        let came = arrived(&app, &nginx, path, Some(&token)).await;
        let [jwt] = &came[..] else { panic!("{came:?}") };
        let said = verified(jwt.strip_prefix("Bearer ").unwrap(), &published(&app).await).unwrap().1;
        assert_eq!((&said["sub"], &said["claims"]), (&json!("42"), &claims), "{path}");
    }
    // A guest: nothing, whatever was sent along.
    assert_eq!(arrived(&app, &nginx, "/catalogue/tea", None).await, Vec::<String>::new());
    for forged in ["Basic bGlsZWk6eA==", "Digest x"] {
        assert_eq!(arrived(&app, &nginx, "/catalogue/tea", Some(forged)).await, Vec::<String>::new(), "{forged}");
    }
}
