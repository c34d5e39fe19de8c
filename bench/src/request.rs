//! The request that every measurement sends: what nginx's `auth_request` asks about a mini program's call. The headers are
//! few on purpose: more of them would cost both sides the same and flatter the ratio.

use http::Request;
use yaopai_wire::token::Token;

/// The check's target: everything about the original request is in it, as nginx writes it.
pub const TARGET: &str = "/check/nginx/-/GET/https/shop.example.com/api/v1/orders?page=2&size=20";
/// The others.
const HEADERS: [(&str, &str); 3] =
    [("Host", "127.0.0.1:9701"), ("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50"), ("Accept", "*/*")];

/// As bytes on the wire.
pub fn bytes(token: &Token) -> String {
    let headers: String = HEADERS.iter().map(|(k, v)| format!("{k}: {v}\r\n")).collect();
    format!("GET {TARGET} HTTP/1.1\r\n{headers}Authorization: Bearer {}\r\n\r\n", token.reveal())
}

/// As hyper hands it over.
pub fn parsed(token: &Token) -> Request<()> {
    let request = HEADERS.iter().fold(Request::get(TARGET), |r, (k, v)| r.header(*k, *v));
    let request = request.header("Authorization", format!("Bearer {}", token.reveal())).body(());
    request.expect("the request is well formed")
}
