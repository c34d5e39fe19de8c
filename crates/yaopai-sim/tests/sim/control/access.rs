//! Who may control, and what is refused however often it is said.

use reqwest::{
    Method,
    header::{AUTHORIZATION, WWW_AUTHENTICATE},
};
use serde_json::json;
use yaopai_sim::{Config, ConfigError, Secret, Simulator};

use crate::support::{CONTROL_TOKEN, world};

const CALLS: [(Method, &str); 7] = [
    (Method::POST, "/_sim/code"),
    (Method::GET, "/_sim/users"),
    (Method::POST, "/_sim/faults"),
    (Method::GET, "/_sim/counters"),
    (Method::POST, "/_sim/reset"),
    (Method::POST, "/_sim/session-key"),
    (Method::GET, "/_sim/nothing"),
];

#[tokio::test]
async fn without_the_token_nothing_is_answered() {
    let world = world().await;
    let short = &CONTROL_TOKEN[..CONTROL_TOKEN.len() - 1];
    let wrong = [
        None,
        Some(format!("Bearer {short}")),
        Some(format!("Bearer {CONTROL_TOKEN}x")),
        Some("Bearer ".to_owned()),
        Some(format!("Basic {CONTROL_TOKEN}")),
        Some(CONTROL_TOKEN.to_owned()),
    ];
    for (method, path) in CALLS {
        for value in &wrong {
            let request = world.http.request(method.clone(), world.url(path)).body(r#"{"user":"lilei"}"#);
            let request = if let Some(value) = value { request.header(AUTHORIZATION, value) } else { request };
            let reply = world.send(request).await.unwrap();
            assert_eq!(reply.status, 401, "{path} {value:?}");
            assert_eq!(reply.headers[WWW_AUTHENTICATE], "Bearer");
            assert_eq!(reply.json()["error"], "unauthorized");
        }
    }
}

#[tokio::test]
async fn unknown_fields_are_named() {
    let world = world().await;
    for (path, body) in [
        ("/code", json!({"user": "lilei", "nonsense": 1})),
        ("/phone-code", json!({"user": "lilei", "nonsense": 1})),
        ("/session-key", json!({"user": "lilei", "nonsense": 1})),
        ("/encrypted-data", json!({"user": "lilei", "nonsense": 1})),
        ("/apps/wx0123456789abcdef/secret", json!({"nonsense": 1})),
        ("/user-key", json!({"user": "lilei", "nonsense": 1})),
        ("/access-tokens/revoke", json!({"nonsense": 1})),
        ("/users", json!({"name": "meimei", "nonsense": 1})),
        ("/faults", json!({"kind": "reset", "nonsense": 1})),
        ("/clock", json!({"advance_ms": 1, "nonsense": 1})),
    ] {
        let reply = world.control_post(path, &body).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (400, &json!("malformed")), "{path}");
        assert!(reply.field("message").starts_with("unknown field `nonsense`, expected"), "{}", reply.text);
    }
}

#[tokio::test]
async fn other_faults_of_a_call_are_told() {
    let world = world().await;
    let reply = world.control_post("/code", &json!({})).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (400, "malformed".into()));
    assert!(reply.field("message").contains("missing field `user`"));
    let reply = world.control(Method::GET, "/nothing", None).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (404, "not_found".into()));
    let reply = world.control(Method::GET, "/reset", None).await;
    assert_eq!((reply.status.as_u16(), reply.field("error")), (405, "method_not_allowed".into()));
}

#[test]
fn a_token_that_is_not_configured_is_fresh() {
    let token = || Simulator::from_config(Config::default()).unwrap().handle().control_token().to_owned();
    let (one, two) = (token(), token());
    assert_ne!(one, two);
    assert!(one.len() >= 32);
}

#[test]
fn a_short_token_is_refused() {
    let config = Config { control_token: Some(Secret::new("short")), ..Config::default() };
    assert!(
        matches!(Simulator::from_config(config), Err(ConfigError::Invalid(message)) if message.contains("control_token"))
    );
}
