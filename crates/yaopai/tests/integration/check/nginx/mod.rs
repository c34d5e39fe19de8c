//! `/check/nginx/{ask}/{method}/{scheme}/{host}{uri}`: what nginx's auth_request asks.

mod answers;
mod asks;
mod dangers;
mod jwt;
mod listener;

use crate::support::{PRINCIPAL, Phone, TestApp, raw};

async fn customer() -> (TestApp, Phone) {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    (app, phone)
}

/// A check with these headers and no token of its own.
async fn check(app: &TestApp, target: &str, headers: &[(&str, &str)]) -> raw::Answer {
    raw::check(&app.addresses().check, target, headers).await
}

const TARGET: &str = "/check/nginx/-/GET/https/shop.example/orders";
const OPEN: &str = "/check/nginx/require=open/GET/https/shop.example/orders";

/// `status code` of a raw refusal. It must name nobody, in all ten headers.
#[track_caller]
fn denied(answer: &raw::Answer) -> String {
    for name in PRINCIPAL {
        assert_eq!(answer.header(name).map(str::trim), Some(""), "{name}: {}", answer.0);
    }
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(matches!(answer.status(), 401 | 403), "nginx would make a 500 of {}", answer.status());
    let meant = answer.header("yaopai-status").map_or(answer.status(), |s| s.parse().unwrap());
    format!("{meant} {}", answer.code())
}
