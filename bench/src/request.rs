//! The request that every measurement sends: what nginx's `auth_request` asks about a mini program's call. The headers are
//! few on purpose: more of them would cost both sides the same and flatter the ratio.

use http::Request;
use yaopai_wire::original::NginxTarget;
use yaopai_wire::signature::{Key, Needs, Params, sign};
use yaopai_wire::token::Token;

/// The check's target: everything about the original request is in it, as nginx writes it.
pub const TARGET: &str = "/check/nginx/-/GET/https/shop.example.com/api/v1/orders?page=2&size=20";
/// What every request has.
const HEADERS: [(&str, &str); 3] =
    [("Host", "127.0.0.1:9701"), ("User-Agent", "Mozilla/5.0 MicroMessenger/8.0.50"), ("Accept", "*/*")];
/// What its signature covers: the token, and no body.
const NEEDS: Needs = Needs { authorization: true, unsigned_body: false };

/// A request: the fields by which it differs from others.
pub struct Asked(Vec<(&'static str, String)>);

impl Asked {
    /// With a token.
    pub fn new(token: &Token) -> Self {
        Self(vec![("Authorization", format!("Bearer {}", token.reveal()))])
    }

    /// And signed, as a phone does.
    ///
    /// # Errors
    /// None: the request is written in the one way there is.
    pub fn signed(token: &Token, key: &[u8; 32], params: Params<'_>) -> anyhow::Result<Self> {
        let asked = Self::new(token);
        let original = NginxTarget::parse(TARGET)?.original;
        let signed = sign(Key::HmacSha256(key), &original, asked.parsed().headers(), NEEDS, params)?;
        let mut fields = asked.0;
        fields.extend([("Signature-Input", signed.input), ("Signature", signed.signature)]);
        Ok(Self(fields))
    }

    /// As bytes on the wire.
    pub fn bytes(&self) -> String {
        let line = |name: &str, value: &str| format!("{name}: {value}\r\n");
        let all: String = HEADERS.iter().map(|(k, v)| line(k, v)).collect();
        let own: String = self.0.iter().map(|(k, v)| line(k, v)).collect();
        format!("GET {TARGET} HTTP/1.1\r\n{all}{own}\r\n")
    }

    /// As hyper hands it over.
    pub fn parsed(&self) -> Request<()> {
        let request = HEADERS.iter().fold(Request::get(TARGET), |r, (k, v)| r.header(*k, *v));
        let request = self.0.iter().fold(request, |r, (k, v)| r.header(*k, v)).body(());
        request.expect("the request is well formed")
    }
}
