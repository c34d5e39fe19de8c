//! The tap: stands between the server and the simulated WeChat, so that the page can show what the two really say. It passes
//! everything on as it is, bad days included.

use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;

use super::body;
use super::client::Client;
use super::front::{forwarded, relay};
use super::wire::Wire;
use crate::listen::{Answer, Peer};

/// Between the server and the simulator.
#[derive(Clone)]
pub struct Tap(Arc<Inner>);

struct Inner {
    client: Client,
    /// `http://host:port` of the simulator.
    sim: String,
    wire: Arc<Wire>,
}

impl Tap {
    /// In front of this simulator.
    pub fn new(client: Client, sim: String, wire: Arc<Wire>) -> Self {
        Self(Arc::new(Inner { client, sim, wire }))
    }

    async fn pass(self, request: Request<Incoming>) -> Response<Body> {
        let Inner { client, sim, wire } = &*self.0;
        let (head, incoming) = request.into_parts();
        let Some(body) = body::read(incoming).await else { return broken() };
        let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
        let n = wire.asked("yaopai", "wechat", &head.method, target, &head.headers, &body);
        let url = format!("{sim}{target}");
        match client.send(head.method.clone(), &url, forwarded(&head.headers), body).await {
            Ok(answer) => {
                wire.answered(n, answer.status, &answer.headers, &answer.body);
                relay(Ok(answer), None)
            }
            Err(_) => {
                wire.failed(n);
                broken()
            }
        }
    }
}

impl Answer for Tap {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, _: Peer, request: Request<Incoming>) -> Self::Future {
        self.clone().pass(request).boxed()
    }
}

/// A connection that broke over there breaks here too: an answer of our own would be a lie about WeChat.
fn broken() -> Response<Body> {
    let error = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let mut response = Response::new(Body::from_stream(futures_util::stream::iter([Err::<bytes::Bytes, _>(error)])));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
