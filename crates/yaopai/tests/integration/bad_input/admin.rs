//! The admin API's bodies and paths, with the right key.

use serde_json::Value;

use super::{SENT, World};
use crate::support::raw;

/// The admin API's bodies and paths, with the right key.
#[tokio::test]
async fn the_admin_api() {
    let world = World::start().await;
    let before = world.app.state();
    let base = world.app.addresses().admin;
    let key = "Authorization: Bearer key-of-default\r\nConnection: close\r\nHost: h\r\n";
    let kind = "Content-Type: application/json\r\n";
    for (line, headers, body, expected) in [
        ("PUT /admin/v1/users/42/claims", kind, SENT, "400 malformed"),
        ("PUT /admin/v1/users/42/claims", kind, r#"{"a": 1, "a": 2}"#, "400 malformed"),
        ("PUT /admin/v1/users/42/claims", "", "{}", "415 content_type_unsupported"),
        ("POST /admin/v1/bindings", kind, "{}", "400 field_invalid"),
        ("POST /admin/v1/bind-codes", kind, "{}", "400 field_invalid"),
        ("POST /admin/v1/bind-codes", "", "{}", "415 content_type_unsupported"),
        ("GET /admin/v1/users/%ff/claims", "", "", "404 not_found"),
        ("PUT /admin/v1/users/%ff%fe/claims", kind, "{}", "404 not_found"),
        ("DELETE /admin/v1/users/%ff/sessions", "", "", "404 not_found"),
        ("GET /admin/v1/users//claims", "", "", "404 not_found"),
        ("PUT /admin/v1/users//claims", kind, "{}", "404 not_found"),
        ("DELETE /admin/v1/users//sessions", "", "", "404 not_found"),
        ("DELETE /admin/v1/sessions/%ff", "", "", "404 not_found"),
        ("GET /admin/v1/sessions/%ff", "", "", "404 not_found"),
        ("DELETE /admin/v1/bindings/%ff", "", "", "404 not_found"),
        ("GET /admin/v1/sessions?user=%ff&limit=%zz", "", "", "400 field_invalid"),
        ("GET /admin/v1/nothing", "", "", "404 not_found"),
        ("PATCH /admin/v1/sessions", "", "", "405 method_not_allowed"),
        ("POST /admin/v1/sessions", "", "", "405 method_not_allowed"),
    ] {
        let request = format!("{line} HTTP/1.1\r\n{key}{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        let answer = raw::Answer(raw::send(&base, request.as_bytes()).await);
        assert_eq!(format!("{} {}", answer.status(), answer.code()), expected, "{line}: {}", answer.0);
        assert!(!answer.0.contains(SENT), "{line}");
        assert_eq!(serde_json::from_str::<Value>(answer.body()).unwrap()["code"], answer.code(), "{line}");
    }
    assert_eq!(world.app.state(), before);
}
