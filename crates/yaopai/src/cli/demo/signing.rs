//! How the demo's phones sign (docs/signatures.md), and what a copy of such a request is.

use anyhow::{Context as _, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, SIGNATURE, SIGNATURE_INPUT, sign};
use zeroize::Zeroizing;

/// What a login asks for.
pub fn wanted() -> Value {
    json!({ "alg": "hmac-sha256" })
}

/// A request on its way.
#[derive(Clone)]
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// A session's key, as its phone keeps it beside the token.
pub struct SessionKey {
    session: String,
    secret: Zeroizing<[u8; 32]>,
}

impl SessionKey {
    /// Out of a login's answer; `None` if that brought none.
    ///
    /// # Errors
    /// It brought one that is none.
    pub fn of(login: &Value) -> anyhow::Result<Option<Self>> {
        let Some(key) = login.get("key") else { return Ok(None) };
        // A client that asked for one kind must not go on with another.
        anyhow::ensure!(key["alg"] == "hmac-sha256", "a key of a kind that nobody asked for");
        let secret = key["secret"].as_str().and_then(|s| STANDARD.decode(s).ok()).map(Zeroizing::new);
        let secret = secret.and_then(|s| s.as_slice().try_into().ok()).context("the key is not 32 bytes")?;
        let session = login["session_id"].as_str().context("the answer has no session_id")?.to_owned();
        Ok(Some(Self { session, secret: Zeroizing::new(secret) }))
    }

    /// Signs a request to `host`, at this second of the phone's clock.
    pub fn sign(&self, request: &mut Sent, host: &str, created: i64, nonce: &str) -> anyhow::Result<()> {
        let Sent { method, path, headers, body } = request;
        if !matches!(*method, Method::GET | Method::HEAD) {
            set(headers, CONTENT_DIGEST, &ContentDigest::of(body).value())?;
        }
        let original = Original::new(method.as_str(), "http", host, path).map_err(|e| anyhow!("{path}: {e}"))?;
        let needs = Needs { authorization: true, unsigned_body: false };
        let params = Params { created, nonce, key_id: &self.session };
        let signed = sign(Key::HmacSha256(&self.secret), &original, headers, needs, params)?;
        set(headers, SIGNATURE_INPUT, &signed.input)?;
        set(headers, SIGNATURE, &signed.signature)
    }
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) -> anyhow::Result<()> {
    headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
    Ok(())
}
