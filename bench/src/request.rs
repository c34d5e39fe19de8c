//! The request that every measurement sends: a mini program's call, or what nginx's `auth_request` asks about it. The headers
//! are few on purpose: more of them would cost both sides the same and flatter the ratio.

use http::Request;
use yaopai_wire::original::NginxTarget;
use yaopai_wire::signature::{Key, Needs, Params, sign};
use yaopai_wire::token::Token;

/// The check's target: everything about the original request is in it, as nginx writes it.
pub const TARGET: &str = "/check/nginx/-/GET/https/shop.example.com/api/v1/orders?page=2&size=20";
/// The same with a JWT in the answer.
pub const JWT_TARGET: &str = "/check/nginx/jwt=orders/GET/https/shop.example.com/api/v1/orders?page=2&size=20";
/// The call itself, as a gateway gets it.
pub const CALL: &str = "/api/v1/orders?page=2&size=20";
/// What every request has, but for its host.
const HEADERS: [(&str, &str); 2] = [("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50"), ("Accept", "*/*")];
/// Where checks are asked, and the host of a call.
const HOSTS: [&str; 2] = ["127.0.0.1:9701", "shop.example.com"];
/// What its signature covers: the token, and no body.
const NEEDS: Needs = Needs { authorization: true, unsigned_body: false };

/// A request: its target, and the fields by which it differs from others.
#[derive(Clone)]
pub struct Asked {
    target: &'static str,
    own: Vec<(&'static str, String)>,
}

impl Asked {
    /// A guest's check.
    pub fn guest() -> Self {
        Self { target: TARGET, own: Vec::new() }
    }

    /// A check with a token.
    pub fn new(token: &Token) -> Self {
        Self::guest().with("Authorization", format!("Bearer {}", token.reveal()))
    }

    /// And signed, as a phone does.
    ///
    /// # Errors
    /// None: the request is written in the one way there is.
    pub fn signed(token: &Token, key: &[u8; 32], params: Params<'_>) -> anyhow::Result<Self> {
        let asked = Self::new(token);
        let original = NginxTarget::parse(TARGET)?.original;
        let signed = sign(Key::HmacSha256(key), &original, asked.parsed().headers(), NEEDS, params)?;
        Ok(asked.with("Signature-Input", signed.input).with("Signature", signed.signature))
    }

    /// The same to another target. A signature is good for [`TARGET`], [`JWT_TARGET`] and [`CALL`], which are about one call.
    #[must_use]
    pub fn to(self, target: &'static str) -> Self {
        Self { target, ..self }
    }

    /// The same with one field more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: String) -> Self {
        self.own.push((name, value));
        self
    }

    fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let host = HOSTS[usize::from(!self.target.starts_with("/check/"))];
        let own = self.own.iter().map(|(name, value)| (*name, value.as_str()));
        std::iter::once(("Host", host)).chain(HEADERS).chain(own)
    }

    /// As bytes on the wire.
    pub fn bytes(&self) -> String {
        let all: String = self.fields().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        format!("GET {} HTTP/1.1\r\n{all}\r\n", self.target)
    }

    /// As hyper hands it over.
    pub fn parsed(&self) -> Request<()> {
        let request = self.fields().fold(Request::get(self.target), |r, (k, v)| r.header(k, v)).body(());
        request.expect("the request is well formed")
    }
}
