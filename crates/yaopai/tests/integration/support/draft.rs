//! A request before it is sent: to be signed, altered, sent twice or sent elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, SIGNATURE, SIGNATURE_INPUT, sign};

use super::Reply;
use super::app::World;

/// What a client keeps of its session's key.
#[derive(Clone)]
pub struct ClientKey {
    pub session: String,
    /// The session's id, or that and a version.
    pub key_id: String,
    pub key: [u8; 32],
}

#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    pub method: String,
    pub scheme: String,
    pub host: String,
    pub uri: String,
    /// In their order; a name may come twice.
    pub fields: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// 128 bits that are unlike any others of this process.
pub fn fresh_nonce() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut nonce = [7; 16];
    nonce[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    URL_SAFE_NO_PAD.encode(nonce)
}

impl ClientKey {
    /// Out of a login's answer.
    #[track_caller]
    pub fn of(reply: &Reply) -> Self {
        let (session, answer) = (reply.field("session_id"), reply.json());
        assert_eq!(answer["key"]["alg"], "hmac-sha256", "{}", reply.text);
        let key = STANDARD.decode(answer["key"]["secret"].as_str().unwrap()).unwrap();
        Self { key_id: session.clone(), session, key: key.try_into().unwrap() }
    }
}

impl Draft {
    /// Without anything but what a client must send.
    pub fn new(method: &str, host: &str, uri: &str, body: Option<&serde_json::Value>) -> Self {
        let fields = body.map(|_| ("content-type".to_owned(), "application/json".to_owned()));
        Self {
            method: method.into(),
            scheme: "https".into(),
            host: host.into(),
            uri: uri.into(),
            fields: fields.into_iter().collect(),
            body: body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default(),
        }
    }

    pub fn bearing(mut self, token: &str) -> Self {
        self.set("authorization", &format!("Bearer {token}"));
        self
    }

    /// Signs it at this second of the client's clock. A digest is sent with all but GET and HEAD.
    pub fn signed(self, key: &ClientKey, created: i64) -> Self {
        self.signed_with(key, created, &fresh_nonce())
    }

    pub fn signed_with(mut self, key: &ClientKey, created: i64, nonce: &str) -> Self {
        if !matches!(&*self.method, "GET" | "HEAD") {
            self.set(CONTENT_DIGEST, &ContentDigest::of(&self.body).value());
        }
        let original = Original::new(&self.method, &self.scheme, &self.host, &self.uri).unwrap();
        let needs = Needs { authorization: self.get("authorization").is_some(), unsigned_body: false };
        let params = Params { created, nonce, key_id: &key.key_id };
        let signed = sign(Key::HmacSha256(&key.key), &original, &self.headers(), needs, params).unwrap();
        self.set(SIGNATURE_INPUT, &signed.input);
        self.set(SIGNATURE, &signed.signature);
        self
    }

    /// The same without a digest: of a body that can't be hashed where it is sent.
    pub fn signed_without_body(mut self, key: &ClientKey, created: i64) -> Self {
        self.remove(CONTENT_DIGEST);
        let original = Original::new(&self.method, &self.scheme, &self.host, &self.uri).unwrap();
        let needs = Needs { authorization: self.get("authorization").is_some(), unsigned_body: true };
        let params = Params { created, nonce: &fresh_nonce(), key_id: &key.key_id };
        let signed = sign(Key::HmacSha256(&key.key), &original, &self.headers(), needs, params).unwrap();
        self.set(SIGNATURE_INPUT, &signed.input);
        self.set(SIGNATURE, &signed.signature);
        self
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.fields.push((name.into(), value.into()));
    }

    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(n, _)| n != name);
    }

    fn headers(&self) -> HeaderMap {
        let field = |(name, value): &(String, String)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        self.fields.iter().map(field).collect()
    }

    /// Sends it to the public listener, whatever its host says.
    pub async fn send(&self, world: &World) -> Reply {
        self.send_to(world, &world.addresses().public).await
    }

    /// Sends it to whoever listens there.
    pub async fn send_to(&self, world: &World, base: &str) -> Reply {
        let url = format!("{base}{}", self.uri);
        let request = world.http.request(self.method.parse().unwrap(), url).header("host", &self.host);
        Reply::of(request.headers(self.headers()).body(self.body.clone()).send().await.unwrap()).await
    }

    /// nginx asks about it.
    pub async fn check(&self, world: &World, ask: &str) -> Reply {
        let Self { method, scheme, host, uri, .. } = self;
        let url = format!("{}/check/nginx/{ask}/{method}/{scheme}/{host}{uri}", world.addresses().check);
        Reply::of(world.http.get(url).headers(self.headers()).send().await.unwrap()).await
    }

    /// nginx asks in a way that only hyper answers: no exchange that is a POST is brief.
    pub async fn check_through_hyper(&self, world: &World, ask: &str) -> Reply {
        let Self { method, scheme, host, uri, .. } = self;
        let url = format!("{}/check/nginx/{ask}/{method}/{scheme}/{host}{uri}", world.addresses().check);
        Reply::of(world.http.post(url).headers(self.headers()).send().await.unwrap()).await
    }

    /// Caddy or Traefik asks about it.
    pub async fn check_forward(&self, world: &World, ask: &str) -> Reply {
        let url = format!("{}/check/forward?{ask}", world.addresses().check);
        let request = world.http.get(url).headers(self.headers());
        let request = request.header("x-forwarded-method", &self.method).header("x-forwarded-proto", &self.scheme);
        let request = request.header("x-forwarded-host", &self.host).header("x-forwarded-uri", &self.uri);
        Reply::of(request.send().await.unwrap()).await
    }
}
