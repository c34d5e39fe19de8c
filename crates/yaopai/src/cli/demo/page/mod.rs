//! The page: a phone with a mini program on it, and beside it what crosses the wire and what becomes of the session. Loopback only.
//!
//! The mini program runs in the browser; what it asks for goes through the WeChat client here, and the front door.

mod act;
mod files;
mod stage;
#[cfg(test)]
mod stage_tests;
mod tokens;
mod view;
mod wechat;

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use yaopai_core::ports::Clock as _;

use super::body;
use super::wire::Wire;
use crate::listen::{Answer, Peer};
pub use stage::Stage;
pub use wechat::WeChat;

/// The page's server.
#[derive(Clone)]
pub struct Page(Arc<Inner>);

struct Inner {
    stage: tokio::sync::Mutex<Stage>,
    /// The last view, for who looks while something is under way.
    shown: Mutex<Value>,
    wire: Arc<Wire>,
    wechat: WeChat,
    clock: Arc<super::world::DemoClock>,
}

impl Page {
    /// Of this stage.
    pub fn new(stage: Stage) -> Self {
        let (wire, wechat, clock) = (stage.ground.wire.clone(), stage.wechat.clone(), stage.clock.clone());
        Self(Arc::new(Inner { stage: stage.into(), shown: Mutex::default(), wire, wechat, clock }))
    }

    async fn serve(self, request: Request<Incoming>) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        if !is_ours(&head) {
            return plain(StatusCode::FORBIDDEN, "this page is for this machine alone");
        }
        if head.uri.path().starts_with(wechat::HOME) {
            return self.0.wechat.serve(&head, incoming).await;
        }
        let Some(bytes) = body::read(incoming).await else {
            return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or came too slowly");
        };
        match (&head.method, head.uri.path()) {
            (&Method::GET, "/state") => self.state(&head).await,
            (&Method::POST, "/act") => self.act(&head, &bytes).await,
            (&Method::GET, path) => {
                files::file(path, &head).unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "no such file"))
            }
            _ => plain(StatusCode::NOT_FOUND, "no such page"),
        }
    }

    /// What there is to draw, and what is new in the log since `?since=`.
    async fn state(&self, head: &Parts) -> Response<Body> {
        if let Ok(stage) = self.0.stage.try_lock() {
            let view = stage.view().await;
            *self.0.shown.lock().unwrap_or_else(PoisonError::into_inner) = view;
        }
        let since = head.uri.query().and_then(|q| q.strip_prefix("since=")?.parse().ok()).unwrap_or(0);
        let (revision, gone, entries) = self.0.wire.since(since);
        let view = self.0.shown.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let now = self.0.clock.now().0;
        answer(&json!({ "now": now, "revision": revision, "gone": gone, "entries": entries, "view": view }))
    }

    /// Something was pressed. One at a time: the log shows one after the other.
    async fn act(&self, head: &Parts, bytes: &[u8]) -> Response<Body> {
        // A page of somebody else's could send a form here, but no JSON, unless we let it (Fetch, "CORS protocol").
        if head.headers.get(header::CONTENT_TYPE).is_none_or(|v| v != "application/json") {
            return plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send JSON");
        }
        let Ok(act) = serde_json::from_slice(bytes) else {
            return plain(StatusCode::BAD_REQUEST, "there is no such button");
        };
        let page = self.clone();
        // On a task of its own: a page that is reloaded must not leave a press half done.
        let done = tokio::spawn(async move { page.0.stage.lock().await.act(act).await }).await;
        match done {
            Ok(Ok(())) => self.state(head).await,
            Ok(Err(e)) => {
                tracing::warn!(error = %e, "the page is stuck");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "the demo is stuck; see the terminal")
            }
            Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "the demo broke; see the terminal"),
        }
    }
}

impl Answer for Page {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, _: Peer, request: Request<Incoming>) -> Self::Future {
        self.clone().serve(request).boxed()
    }
}

/// Is it asked for by a name of this machine's, and by our own page? Else a foreign page could reach it through a name that
/// it lets point here (DNS rebinding).
fn is_ours(head: &Parts) -> bool {
    let text = |name| head.headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let Some(host) = text(header::HOST) else { return false };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let local = ["127.0.0.1", "localhost"].contains(&name);
    local && text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"))
}

fn answer(body: &Value) -> Response<Body> {
    files::dressed(StatusCode::OK, "application/json", Body::from(body.to_string()))
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    files::dressed(status, "text/plain; charset=utf-8", Body::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_pages_and_names_are_refused() {
        let ours = |host: &str, origin: Option<&str>| {
            let mut request = Request::get("/state").header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            is_ours(&request.body(()).unwrap().into_parts().0)
        };
        assert!(ours("127.0.0.1:9802", None) && ours("localhost:9802", Some("http://localhost:9802")));
        assert!(!ours("evil.example:9802", None), "a name that points here");
        assert!(!ours("127.0.0.1.evil.example", None));
        assert!(!ours("127.0.0.1:9802", Some("https://evil.example")), "somebody else's page");
        assert!(!ours("127.0.0.1:9802", Some("http://127.0.0.1:3000")), "another server of this machine");
    }
}
