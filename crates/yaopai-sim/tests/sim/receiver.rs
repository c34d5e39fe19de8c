//! A server that is pushed to.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    http::{HeaderMap, Method, StatusCode, Uri},
};
use sha1::{Digest, Sha1};

/// What came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub method: Method,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub content_type: Option<String>,
    pub body: String,
}

impl Received {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// SHA-1 over the sorted parts, as the vendor's page says it.
    pub fn signature_of(&self, token: &str, more: &[&str]) -> String {
        let mut parts = vec![token, self.param("timestamp").unwrap(), self.param("nonce").unwrap()];
        parts.extend(more);
        parts.sort_unstable();
        hex::encode(Sha1::digest(parts.join("")))
    }
}

/// What the server does with the next request.
pub enum Next {
    Answer(u16, &'static str),
    Echo,
    Silence,
}

#[derive(Clone, Default)]
pub struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    next: Arc<Mutex<VecDeque<Next>>>,
}

impl Receiver {
    /// Listens; answers `success` to whatever it has no other answer for.
    pub async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/push?own=1", listener.local_addr().unwrap());
        let shared = receiver.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: String| {
            shared.clone().receive(method, uri, headers, body)
        });
        tokio::spawn(async move { axum::serve(listener, app).await });
        (receiver, url)
    }

    pub fn next(&self, next: impl IntoIterator<Item = Next>) {
        self.next.lock().unwrap().extend(next);
    }

    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.received.lock().unwrap())
    }

    async fn receive(self, method: Method, uri: Uri, headers: HeaderMap, body: String) -> (StatusCode, String) {
        let axum::extract::Query(query) = axum::extract::Query::try_from_uri(&uri).unwrap();
        let content_type = headers.get("content-type").map(|value| value.to_str().unwrap().to_owned());
        let received = Received { method, path: uri.path().to_owned(), query, content_type, body };
        let echo = received.param("echostr").unwrap_or_default().to_owned();
        self.received.lock().unwrap().push(received);
        let next = self.next.lock().unwrap().pop_front();
        match next.unwrap_or(Next::Answer(200, "success")) {
            Next::Answer(status, body) => (StatusCode::from_u16(status).unwrap(), body.to_owned()),
            Next::Echo => (StatusCode::OK, echo),
            Next::Silence => std::future::pending().await,
        }
    }
}
