//! A back end that reads headers as CGI variables folds more than `_` into one name: every spelling is a forgery.

use crate::support::{PRINCIPAL, TestApp, raw};

/// What may stand in a header's name besides letters, digits and `-` (RFC 9110, section 5.6.2).
const FOLDED: &str = "_.*!#$%&'+^`|~";

#[tokio::test]
async fn an_identity_header_is_forged_in_any_spelling() {
    let app = TestApp::start().await;
    let phone = app.customer("lilei", "42");
    phone.log_in().await;
    let bearer = format!("Bearer {}", phone.token());
    let forwarded = [
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"),
        ("X-Forwarded-Uri", "/orders"),
    ];
    for name in PRINCIPAL {
        for by in FOLDED.chars().map(String::from) {
            for name in [name.replace('-', &by), name.to_uppercase().replacen('-', &by, 1)] {
                let mut headers = vec![("Authorization", bearer.as_str()), (&name, "1")];
                let target = "/check/nginx/-/GET/https/shop.example/orders";
                let answer = raw::check(&app.addresses().check, target, &headers).await;
                assert_eq!((answer.status(), answer.code()), (403, "header_forged"), "{name}: {}", answer.0);
                assert_eq!(answer.header("yaopai-status"), Some("400"), "{name}");
                headers.extend(forwarded);
                let answer = raw::check(&app.addresses().check, "/check/forward?require=open", &headers).await;
                assert_eq!((answer.status(), answer.code()), (400, "header_forged"), "{name}: {}", answer.0);
            }
        }
    }
}
