//! What a forward check requires is the proxy's own word. A proxy whose check URL has no query may pass the client's on, as
//! Caddy's `forward_auth` does; then the client would say what is required of it.

use crate::support::{TestApp, raw};

/// `GET {uri}` of a client, asked about at `/check/forward{ask}`.
async fn forward(app: &TestApp, ask: &str, uri: &str, bearer: Option<&str>) -> raw::Answer {
    let mut headers = vec![
        ("X-Forwarded-Method", "GET"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "shop.example"),
        ("X-Forwarded-Uri", uri),
    ];
    headers.extend(bearer.map(|b| ("Authorization", b)));
    raw::check(&app.addresses().check, &format!("/check/forward{ask}"), &headers).await
}

#[tokio::test]
async fn the_client_s_own_query_asks_nothing() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let stranger = format!("Bearer {}", phone.token());
    for query in ["require=open", "require=session", "unclean_path=1&require=open", "apps=shop", "page=2"] {
        for bearer in [None, Some(stranger.as_str())] {
            let (ask, uri) = (format!("?{query}"), format!("/orders?{query}"));
            let answer = forward(&app, &ask, &uri, bearer).await;
            assert_eq!((answer.status(), answer.code()), (400, "malformed"), "{query}: {}", answer.0);
            assert_eq!(answer.header("yaopai-session-id"), Some(""), "{query}");
        }
    }
    let answer = forward(&app, "?require=open", "/orders?require=open", None).await;
    assert!(answer.body().contains("/check/forward?require=bound"), "it says what to do: {}", answer.body());
}

#[tokio::test]
async fn the_proxy_s_query_is_what_counts() {
    let app = TestApp::start().await;
    let phone = app.phone("lilei");
    phone.log_in().await;
    let stranger = format!("Bearer {}", phone.token());
    let stranger = Some(stranger.as_str());
    for uri in ["/orders", "/orders?", "/orders?page=2", "/orders?require=open", "/orders?require=session&x"] {
        let answer = forward(&app, "?require=bound", uri, stranger).await;
        assert_eq!((answer.status(), answer.code()), (403, "not_bound"), "{uri}");
        let answer = forward(&app, "", uri, stranger).await;
        assert_eq!((answer.status(), answer.code()), (403, "not_bound"), "{uri}");
        assert_eq!(forward(&app, "?require=session&apps=shop", uri, stranger).await.status(), 200, "{uri}");
        assert_eq!(forward(&app, "?require=open&apps=shop", uri, None).await.status(), 200, "{uri}");
    }
}
