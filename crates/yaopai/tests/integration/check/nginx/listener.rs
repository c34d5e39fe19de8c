//! The listener: what is a check, and what is none.

use super::{TARGET, check, customer, denied};
use crate::support::{Reply, raw};

#[tokio::test]
async fn parts_that_are_missing_or_wrong() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for target in [
        "/check/nginx/",
        "/check/nginx/-",
        "/check/nginx/-/GET",
        "/check/nginx/-/GET/https",
        "/check/nginx/-/GET/https/shop.example",
        "/check/nginx/-//https/h/a",
        "/check/nginx/-/GET//h/a",
        "/check/nginx/-/GET/https//a",
        "/check/nginx/-/GET/ftp/h/a",
        "/check/nginx/-/GET/https/u@h/a",
        "/check/nginx/-/GET/https/h?/a",
        "/check/nginx/-/G(T/https/h/a",
    ] {
        let answer = check(&app, target, &[("Authorization", &bearer)]).await;
        assert_eq!(denied(&answer), "400 malformed", "{target}");
    }
}

#[tokio::test]
async fn the_listener_answers_checks_and_nothing_else() {
    let (app, phone) = customer().await;
    let bearer = format!("Bearer {}", phone.token());
    for path in
        ["/", "/yaopai/v1/session", "/admin/v1/sessions", "/metrics", "/check", "/check/nginx", "/check/forwardx"]
    {
        let answer = check(&app, path, &[("Authorization", &bearer)]).await;
        assert_eq!((answer.status(), answer.code()), (404, "not_found"), "{path}");
        assert_eq!(answer.header("yaopai-user").map(str::trim), Some(""));
    }
    for base in [app.addresses().public, app.addresses().admin] {
        let answer = raw::get(&base, TARGET, &[("Authorization", &bearer)]).await;
        assert_eq!((answer.status(), answer.code(), answer.header("yaopai-user")), (404, "not_found", None));
    }
}

/// A check's own method is nginx's business; what is asked about stands in the target.
#[tokio::test]
async fn any_method_asks() {
    let (app, phone) = customer().await;
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let url = format!("{}/check/nginx/-/DELETE/https/shop.example/orders", app.addresses().check);
        let request = app.http.request(method.parse().unwrap(), url).bearer_auth(phone.token());
        assert_eq!(Reply::of(request.send().await.unwrap()).await.user(), "42", "{method}");
    }
}
