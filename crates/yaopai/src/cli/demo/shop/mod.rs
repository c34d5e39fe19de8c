//! A small shop, which knows nothing of WeChat's logins and keeps no sessions: its own table of accounts, the webhook by
//! which Yaopai asks it who somebody is, and pages that read who the user is from the `Yaopai-*` headers alone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use yaopai_core::ports::Clock;
use yaopai_wire::digest::ContentDigest;
use yaopai_wire::principal::{BODY_SIGNED, CLAIMS, OPENID, USER};
use zeroize::Zeroizing;

use super::body;
use super::tale::{Tale, short};
use super::wire::Wire;
use crate::listen::{Answer, Peer};

mod evidence;
mod hook;
mod website;

pub use evidence::WRONG;
pub use website::{BindCode, Website};

/// Where Yaopai's webhook calls arrive.
pub const HOOK: &str = "/yaopai-webhook";
/// What there is to buy, and what it costs in fen.
const PRICES: [(&str, u32); 3] = [("tea", 6800), ("rice", 4200), ("ink", 12_800)];
/// How many orders the demo's shop remembers.
const ORDERS_MAX: usize = 1000;

/// A row of the shop's own table of accounts.
pub struct Account {
    pub id: u64,
    pub account: &'static str,
    /// For a demo, in clear; a real shop keeps a slow hash of it.
    pub password: &'static str,
    pub name: &'static str,
    /// Without the country's code; the shop's customers are all in China.
    pub phone: Option<&'static str>,
    /// The WeChat account it is bound to: many teams have such a column before they meet Yaopai.
    pub openid: Option<String>,
}

/// The shop.
#[derive(Clone)]
pub struct Shop(Arc<Inner>);

struct Inner {
    hook_secret: Zeroizing<Vec<u8>>,
    clock: Arc<dyn Clock>,
    tale: Arc<Tale>,
    wire: Arc<Wire>,
    state: Mutex<State>,
}

/// What the shop remembers.
struct State {
    accounts: Vec<Account>,
    orders: Vec<Order>,
    /// Which webhook calls came, for the walk to look at.
    hooks: Vec<String>,
}

struct Order {
    user: u64,
    item: String,
    paid: bool,
}

impl Shop {
    /// A shop with these accounts. `hook_secret` is the webhook's, decoded.
    pub fn new(
        accounts: Vec<Account>,
        hook_secret: Zeroizing<Vec<u8>>,
        clock: Arc<dyn Clock>,
        (tale, wire): (Arc<Tale>, Arc<Wire>),
    ) -> Self {
        let state = Mutex::new(State { accounts, orders: Vec::new(), hooks: Vec::new() });
        Self(Arc::new(Inner { hook_secret, clock, tale, wire, state }))
    }

    /// The password of an account: the page tells the person at the phone.
    pub fn password(&self, account: &str) -> Option<&'static str> {
        self.state().accounts.iter().find(|a| a.account == account).map(|a| a.password)
    }

    /// The phone number of an account.
    pub fn phone(&self, account: &str) -> Option<&'static str> {
        self.state().accounts.iter().find(|a| a.account == account)?.phone
    }

    /// The user id of an account.
    pub fn user_of(&self, account: &str) -> Option<u64> {
        self.state().accounts.iter().find(|a| a.account == account).map(|a| a.id)
    }

    /// How many webhook calls of a kind came.
    pub fn hooks(&self, kind: &str) -> usize {
        self.state().hooks.iter().filter(|h| *h == kind).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn page(self, request: Request<Incoming>) -> Response<Bytes> {
        let (head, incoming) = request.into_parts();
        let Some(bytes) = body::read(incoming).await else {
            return answer(
                StatusCode::PAYLOAD_TOO_LARGE,
                &json!({ "error": "the body is too large or came too slowly" }),
            );
        };
        if !is_signed_one(&head.headers, &bytes) {
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": "the body is not the one that was signed" }));
        }
        match (head.method, head.uri.path()) {
            (Method::POST, HOOK) => {
                let n = self.0.wire.asked("yaopai", "shop", &Method::POST, HOOK, &head.headers, &bytes);
                let said = self.hook(&head.headers, &bytes);
                self.0.wire.answered(n, said.status(), said.headers(), said.body());
                said
            }
            (Method::GET, "/goods") => self.goods(&head.headers),
            (Method::GET, "/orders") => self.orders(&head.headers),
            (Method::POST, "/orders") => self.order(&head.headers, &bytes),
            (Method::POST, "/pay") => self.pay(&head.headers),
            (Method::POST, "/unlink") => self.unlink(&head.headers),
            _ => answer(StatusCode::NOT_FOUND, &json!({ "error": "no such page" })),
        }
    }

    /// For everybody; who has no account is a guest.
    fn goods(&self, headers: &HeaderMap) -> Response<Bytes> {
        let user = self.user(headers);
        let guest = match text(headers, &OPENID).as_str() {
            "" => "nobody".to_owned(),
            openid => format!("a guest, openid {:?}", short(openid)),
        };
        self.0.tale.act("shop", &format!("sees {}", user.as_ref().map_or(guest, Seen::to_string)));
        let (goods, prices): (Vec<_>, Map<_, _>) =
            PRICES.map(|(item, fen)| (item, (item.to_owned(), json!(fen)))).into_iter().unzip();
        answer(StatusCode::OK, &json!({ "goods": goods, "prices": prices, "user": user.map(|u| u.id) }))
    }

    /// The user's orders.
    fn orders(&self, headers: &HeaderMap) -> Response<Bytes> {
        let Some(user) = self.user(headers) else { return nobody() };
        self.0.tale.act("shop", &format!("sees {user}"));
        let state = self.state();
        let own = || state.orders.iter().filter(|o| o.user == user.id);
        let orders: Vec<_> = own().map(|o| o.item.as_str()).collect();
        let mut said = json!({ "user": user.id, "name": user.name, "orders": orders });
        // One pays for all that is open, so it is the oldest so many. Who never pays needn't read of it.
        match own().filter(|o| o.paid).count() {
            0 => {}
            paid => said["paid"] = json!(paid),
        }
        answer(StatusCode::OK, &said)
    }

    /// Another order.
    fn order(&self, headers: &HeaderMap, body: &Bytes) -> Response<Bytes> {
        let Some(user) = self.user(headers) else { return nobody() };
        self.0.tale.act("shop", &format!("sees {user}"));
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(item) = body.get("item").and_then(Value::as_str).filter(|i| (1..=100).contains(&i.len())) else {
            return answer(StatusCode::BAD_REQUEST, &json!({ "error": "an order needs an item" }));
        };
        let mut state = self.state();
        if state.orders.len() >= ORDERS_MAX {
            return answer(StatusCode::INSUFFICIENT_STORAGE, &json!({ "error": "the shop is full" }));
        }
        state.orders.push(Order { user: user.id, item: item.into(), paid: false });
        answer(StatusCode::CREATED, &json!({ "user": user.id, "ordered": item }))
    }

    /// Pays for all that is open. That WeChat has vouched for the user lately, the front door has made sure of.
    fn pay(&self, headers: &HeaderMap) -> Response<Bytes> {
        let Some(user) = self.user(headers) else { return nobody() };
        self.0.tale.act("shop", &format!("sees {user}"));
        let mut state = self.state();
        let open = state.orders.iter_mut().filter(|o| o.user == user.id && !o.paid);
        let paid = open.map(|order| order.paid = true).count();
        answer(StatusCode::OK, &json!({ "user": user.id, "paid": paid }))
    }

    /// The user wants the shop to forget their WeChat account. Yaopai is told by the mini program: its `DELETE /binding`
    /// alone would be undone at the next login, by this shop's own table.
    fn unlink(&self, headers: &HeaderMap) -> Response<Bytes> {
        let Some(user) = self.user(headers) else { return nobody() };
        self.0.tale.act("shop", &format!("sees {user}"));
        if let Some(account) = self.state().accounts.iter_mut().find(|a| a.id == user.id) {
            account.openid = None;
        }
        answer(StatusCode::OK, &json!({ "user": user.id, "linked": false }))
    }

    /// Who asks. The front door overwrites these headers, so nobody else can have set them.
    fn user(&self, headers: &HeaderMap) -> Option<Seen> {
        let id = text(headers, &USER).parse().ok()?;
        let claims: Value = serde_json::from_str(&text(headers, &CLAIMS)).unwrap_or_default();
        let known = self.state().accounts.iter().any(|a| a.id == id);
        known.then(|| Seen { id, name: claims.get("name").and_then(Value::as_str).unwrap_or_default().into() })
    }
}

impl Answer for Shop {
    type Future = BoxFuture<'static, Response<Body>>;

    fn answer(&self, _: Peer, request: Request<Incoming>) -> Self::Future {
        self.clone().page(request).map(|response| response.map(Body::from)).boxed()
    }
}

/// A user as the headers tell of them.
struct Seen {
    id: u64,
    name: String,
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "user {} {:?} in the Yaopai-* headers", self.id, self.name)
    }
}

/// Is the body the one whose digest the phone has signed, where it has signed one? The front door shows the check no body.
fn is_signed_one(headers: &HeaderMap, body: &[u8]) -> bool {
    let signed = headers.get(BODY_SIGNED).is_some_and(|v| v == "1");
    let named = || ContentDigest::read(headers).ok().flatten();
    !signed || named().is_some_and(|digest| digest.matches(&Sha256::digest(body).into()))
}

/// A header's value, percent-decoded as ids are; empty if it isn't there.
fn text(headers: &HeaderMap, name: &HeaderName) -> String {
    let value = headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if name == CLAIMS {
        return value.to_owned();
    }
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// The front door lets nobody without a user through to here.
fn nobody() -> Response<Bytes> {
    answer(StatusCode::FORBIDDEN, &json!({ "error": "the front door named no user" }))
}

fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_nobody_signed_is_seen() {
        let mut headers = HeaderMap::new();
        assert!(is_signed_one(&headers, b"anything"));
        headers.insert(BODY_SIGNED, HeaderValue::from_static("1"));
        assert!(!is_signed_one(&headers, b"tea"));
        headers.insert("content-digest", ContentDigest::of(b"tea").value().parse().unwrap());
        assert!(is_signed_one(&headers, b"tea") && !is_signed_one(&headers, b"gold"));
    }
}
