//! The back end behind a proxy: says what arrived, and remembers it.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub struct Shop {
    pub address: String,
    pub arrived: Arc<Mutex<Vec<Value>>>,
}

impl Shop {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shop = Self { address: listener.local_addr().unwrap().to_string(), ..Self::default() };
        let router = Router::new().fallback(serve).with_state(shop.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        shop
    }

    pub fn visits(&self) -> usize {
        self.arrived.lock().unwrap().len()
    }
}

async fn serve(State(shop): State<Shop>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let text = |v: &HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| (n.to_string(), text(v))).collect();
    let seen = json!({
        "method": method.as_str(), "uri": uri.to_string(), "headers": headers, "body": String::from_utf8_lossy(&body),
    });
    shop.arrived.lock().unwrap().push(seen.clone());
    match uri.path().strip_prefix("/status/").and_then(|s| s.parse().ok()) {
        Some(status) => (StatusCode::from_u16(status).unwrap(), "the shop's own words").into_response(),
        None => axum::Json(seen).into_response(),
    }
}

/// The headers of what arrived.
pub fn headers(arrived: &Value) -> Vec<(String, String)> {
    serde_json::from_value(arrived["headers"].clone()).unwrap()
}

/// The Yaopai-* headers that arrived at the shop, each once, in the order of their names.
#[track_caller]
pub fn principal(arrived: &Value) -> Vec<(String, String)> {
    let mut ours: Vec<_> =
        headers(arrived).into_iter().filter(|(n, _)| n.replace('_', "-").starts_with("yaopai")).collect();
    ours.sort();
    for pair in ours.windows(2) {
        assert_ne!(pair[0].0, pair[1].0, "twice");
    }
    ours
}

/// Who the shop was told it is.
#[track_caller]
pub fn user(arrived: &Value) -> Option<String> {
    principal(arrived).into_iter().find(|(n, v)| n == "yaopai-user" && !v.is_empty()).map(|(_, v)| v)
}
