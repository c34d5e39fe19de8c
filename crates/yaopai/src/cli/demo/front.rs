//! The front door: what nginx with `auth_request` does, in a few lines. It asks the server about each request, hands the
//! principal on to the shop in headers, and relays refusals. It also prints what it sees, and writes it into the wire log.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};
use yaopai_wire::principal::{CODE, HEADERS, TIME, USER};
use yaopai_wire::signature::{SIGNATURE, SIGNATURE_INPUT};

use super::body;
use super::client::{Answer as Came, Client};
use super::tale::{self, Tale, short};
use super::wire::Wire;
use crate::listen::{Answer, Peer};

/// How old WeChat's word may be for who pays, in seconds.
pub const FRESH: u32 = 300;
/// What the front door demands of each path, in the check's own words. Any other is not there.
const ROUTES: [(&str, &str); 4] = [
    ("/goods", "require=open"),
    ("/orders", "require=bound"),
    // The number is FRESH.
    ("/pay", "require=bound&vouched=300"),
    ("/unlink", "require=bound"),
];
/// Headers that belong to one connection (RFC 9110, section 7.6.1) or are made anew.
const OWN: [HeaderName; 8] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];
/// What a refusal carries on to the client.
const OF_REFUSALS: [HeaderName; 6] =
    [CODE, TIME, header::RETRY_AFTER, header::WWW_AUTHENTICATE, header::CONTENT_TYPE, header::CACHE_CONTROL];

/// The front door.
#[derive(Clone)]
pub struct Front(Arc<Inner>);

struct Inner {
    client: Client,
    /// The server's public listener, its check listener, and the shop: `http://host:port` each.
    public: String,
    check: String,
    shop: String,
    tale: Arc<Tale>,
    wire: Arc<Wire>,
}

impl Front {
    /// In front of these three.
    pub fn new(
        client: Client,
        public: String,
        check: String,
        shop: String,
        (tale, wire): (Arc<Tale>, Arc<Wire>),
    ) -> Self {
        Self(Arc::new(Inner { client, public, check, shop, tale, wire }))
    }

    async fn pass(self, request: Request<Incoming>) -> Response<Body> {
        let (head, incoming) = request.into_parts();
        let Some(bytes) = body::read(incoming).await else {
            return own(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or came too slowly");
        };
        let path = head.uri.path();
        if path.starts_with("/yaopai/") {
            return self.to_server(&head, bytes).await;
        }
        match ROUTES.iter().find(|(p, _)| *p == path) {
            Some((_, demand)) => self.to_shop(&head, bytes, demand).await,
            None => {
                self.0.tale.wire(who(&head.headers), "front", &format!("{} → 404", seen(&head, &bytes)));
                own(StatusCode::NOT_FOUND, "the demo has /goods, /orders, /pay, /unlink and /yaopai/v1/…")
            }
        }
    }

    /// `location /yaopai/ { proxy_set_header Host $http_host; proxy_pass … }`
    async fn to_server(&self, head: &Parts, body: Bytes) -> Response<Body> {
        let (who, asked) = (who(&head.headers), seen(head, &body));
        self.0.tale.wire(who, "server", &asked);
        let n = self.written(who, "yaopai", head, &head.headers, &body);
        let mut headers = forwarded(&head.headers);
        // Whoever signs a request signs the host that it called.
        if let Some(host) = head.headers.get(header::HOST) {
            headers.insert(header::HOST, host.clone());
        }
        let answer = self.send(&self.0.public, head, headers, body).await;
        self.0.tale.wire("server", who, &told(&answer));
        self.came(n, &answer);
        relay(answer, None)
    }

    /// `auth_request`, then `proxy_pass` with the principal's headers.
    async fn to_shop(&self, head: &Parts, body: Bytes, demand: &str) -> Response<Body> {
        let (tale, who) = (&self.0.tale, who(&head.headers));
        tale.wire(who, "front", &seen(head, &body));
        let n = self.written(who, "proxy", head, &head.headers, &body);
        let check = self.check(head, demand).await;
        let passed = check.as_ref().is_ok_and(|c| c.status.is_success());
        let user = check.as_ref().ok().and_then(|c| c.headers.get(USER)).and_then(|u| u.to_str().ok());
        let verdict = match user {
            Some(user) if passed && !user.is_empty() => format!("200, user {user}"),
            _ if passed => "200, no user".to_owned(),
            _ => told(&check),
        };
        tale.wire("server", "front", &format!("/check/forward?{demand} → {verdict}"));
        let principal = match check {
            Ok(check) if passed => check.headers,
            refused => {
                tale.wire("front", who, &told(&refused));
                self.came(n, &refused);
                return relay(refused, Some(&OF_REFUSALS));
            }
        };
        let headers = for_shop(&head.headers, &principal);
        let inner = self.written("proxy", "shop", head, &headers, &body);
        let answer = self.send(&self.0.shop, head, headers, body).await;
        self.came(inner, &answer);
        self.came(n, &answer);
        tale.wire("shop", who, &told(&answer));
        relay(answer, None)
    }

    /// The check sees the client's headers as they came (a forged one is refused there) and no body.
    async fn check(&self, head: &Parts, demand: &str) -> anyhow::Result<Came> {
        let mut headers = forwarded(&head.headers);
        headers.remove(header::CONTENT_TYPE);
        let host = head.headers.get(header::HOST).cloned().unwrap_or(HeaderValue::from_static(""));
        let uri = head.uri.path_and_query().map_or("/", |p| p.as_str());
        // `insert` overwrites what the client may have sent under these names.
        headers.insert("x-forwarded-method", HeaderValue::from_str(head.method.as_str())?);
        headers.insert("x-forwarded-proto", HeaderValue::from_static("http"));
        headers.insert("x-forwarded-host", host);
        headers.insert("x-forwarded-uri", HeaderValue::from_str(uri)?);
        let target = format!("/check/forward?{demand}");
        let n = self.0.wire.asked("proxy", "yaopai", &Method::GET, &target, &headers, b"");
        let url = format!("{}{target}", self.0.check);
        let answer = self.0.client.send(Method::GET, &url, headers, Bytes::new()).await;
        self.came(n, &answer);
        answer
    }

    /// Into the wire log.
    fn written(&self, from: &'static str, to: &'static str, head: &Parts, headers: &HeaderMap, body: &[u8]) -> u64 {
        let target = head.uri.path_and_query().map_or("/", |p| p.as_str());
        self.0.wire.asked(from, to, &head.method, target, headers, body)
    }

    fn came(&self, n: u64, answer: &anyhow::Result<Came>) {
        match answer {
            Ok(a) => self.0.wire.answered(n, a.status, &a.headers, &a.body),
            Err(_) => self.0.wire.failed(n),
        }
    }

    async fn send(&self, to: &str, head: &Parts, headers: HeaderMap, body: Bytes) -> anyhow::Result<Came> {
        let uri = head.uri.path_and_query().map_or("/", |p| p.as_str());
        self.0.client.send(head.method.clone(), &format!("{to}{uri}"), headers, body).await
    }
}

impl Answer for Front {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, _: Peer, request: Request<Incoming>) -> Self::Future {
        self.clone().pass(request).boxed()
    }
}

/// The client's headers without the connection's own.
pub fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    OWN.iter().for_each(|name| drop(headers.remove(name)));
    headers
}

/// For the shop: nothing of the client's under our names, in any spelling; no token and no signature; and who the user is. What
/// stays is the digest: with it the shop sees that the body is the signed one, as no body comes to the check.
fn for_shop(headers: &HeaderMap, principal: &HeaderMap) -> HeaderMap {
    let mut headers = forwarded(headers);
    for done in [header::AUTHORIZATION.as_str(), SIGNATURE_INPUT, SIGNATURE] {
        headers.remove(done);
    }
    let ours = |name: &HeaderName| name.as_str().replace('_', "-").starts_with("yaopai-");
    let inbound: Vec<_> = headers.keys().filter(|name| ours(name)).cloned().collect();
    inbound.iter().for_each(|name| drop(headers.remove(name)));
    for name in &HEADERS {
        // All of them are in every answer of a check, empty if unset; a missing one must still overwrite.
        headers.insert(name, principal.get(name).cloned().unwrap_or(HeaderValue::from_static("")));
    }
    headers
}

/// An answer from behind, with all its headers or only these.
pub fn relay(answer: anyhow::Result<Came>, only: Option<&[HeaderName]>) -> Response<Body> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(e) => {
            tracing::warn!(error = %e, "nothing behind the front door");
            return own(StatusCode::BAD_GATEWAY, "there is no answer from behind the front door");
        }
    };
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = answer.status;
    for (name, value) in &answer.headers {
        if !OWN.contains(name) && only.is_none_or(|only| only.contains(name)) {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

fn own(status: StatusCode, error: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({ "error": error }).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The demo's own devices name themselves, and so does WeChat; any other is a client.
fn who(headers: &HeaderMap) -> &'static str {
    match headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default() {
        "phone" => "phone",
        "tablet" => "tablet",
        "thief" => "thief",
        agent if agent.contains("MicroMessenger/") => "phone",
        _ => "client",
    }
}

/// A request in a line. No query: it may hold what should not be printed.
fn seen(head: &Parts, body: &Bytes) -> String {
    let token = head.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    let signed = if head.headers.contains_key(SIGNATURE) { ", signed" } else { "" };
    let token = token.map(|t| format!(" [{}{signed}]", short(t))).unwrap_or_default();
    let forged = if yaopai_wire::principal::forged(&head.headers) { " with a Yaopai-* header" } else { "" };
    let body = match serde_json::from_slice::<Value>(body) {
        Ok(body) => format!(" {}", tale::brief(&body)),
        Err(_) => String::new(),
    };
    format!("{} {}{token}{forged}{body}", head.method, head.uri.path())
}

fn told(answer: &anyhow::Result<Came>) -> String {
    match answer {
        Ok(a) => tale::answer(a.status, a.headers.get(CODE).and_then(|c| c.to_str().ok()), &a.body),
        Err(_) => "502 (no answer from behind)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_pays_must_be_vouched_for_as_freshly_as_the_page_says() {
        assert!(ROUTES.contains(&("/pay", &format!("require=bound&vouched={FRESH}"))));
    }

    #[test]
    fn nothing_of_the_client_s_reaches_the_shop_under_our_names() {
        let mut client = HeaderMap::new();
        for name in [
            "yaopai-user",
            "yaopai_user",
            "Yaopai_Openid",
            "yaopai-background",
            "authorization",
            "signature",
            "signature-input",
            "connection",
        ] {
            client.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), "1001".parse().unwrap());
        }
        client.insert("accept", "x".parse().unwrap());
        let mut principal = HeaderMap::new();
        principal.insert(USER, "1002".parse().unwrap());
        let sent = for_shop(&client, &principal);
        assert_eq!(sent.len(), HEADERS.len() + 1);
        assert_eq!(
            (&sent[USER], &sent["accept"], &sent["yaopai-openid"]),
            (&"1002".parse().unwrap(), &"x".parse().unwrap(), &"".parse().unwrap())
        );
    }
}
