//! Signed requests as lines of JSON, so that another implementation of RFC 9421 can be asked about them: e2e/signatures.
//!
//! ```text
//! signatures make 5000    # signed requests
//! signatures check        # reads such lines; fails at the first that does not verify
//! ```
#![allow(clippy::print_stdout, reason = "what it is for")]

use std::io::{BufRead as _, Write as _};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};
use yaopai_wire::original::Original;
use yaopai_wire::signature::{Key, Needs, Params, Proof, SIGNATURE, SIGNATURE_INPUT, sign};

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const NEEDS: Needs = Needs { authorization: true, unsigned_body: false };

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", many] => make(many.parse()?),
        ["check"] => check(),
        _ => Err("say `make N` or `check`".into()),
    }
}

fn make(many: u64) -> Fallible<()> {
    let mut to = std::io::stdout().lock();
    for n in 0..many {
        writeln!(to, "{}", signed(n)?)?;
    }
    Ok(())
}

/// Number `n`'s request: all about it follows from `n`.
fn signed(n: u64) -> Fallible<Value> {
    let random: [u8; 32] = Sha256::digest(n.to_be_bytes()).into();
    let key: [u8; 32] = Sha256::digest(random).into();
    let pick = |at: usize, of: &[&'static str]| of[usize::from(random[at]) % of.len()];
    let method = pick(0, &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);
    let host = pick(1, &["api.example.com", "h:8443", "[2001:db8::1]", "xn--fiq228c.example", "a.b-c.example."]);
    let path = pick(2, &["/", "/orders", "/%E8%8C%B6/x", "/a//b", "/a;b=c", "/orders/1/", "/~x/!$&'()*+,=:@"]);
    let query = pick(3, &["", "?a=1", "?a=1&a=2", "?q=%E8%8C%B6+x", "?x", "??", "?a=b?c/d"]);
    let uri = format!("{path}{query}");
    let body = [&random[..usize::from(random[4]) % 32], b"body"].concat();
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_str(&format!("Bearer yp1_{}", hex(&random)))?);
    if !matches!(method, "GET" | "HEAD") || random[5].is_multiple_of(2) {
        headers.insert(CONTENT_DIGEST, HeaderValue::from_str(&ContentDigest::of(&body).value())?);
    }
    let original = Original::new(method, "https", host, &uri)?;
    let (nonce, key_id) = (hex(&random[..16]), hex(&random[16..]));
    let created = i64::from(u32::from_be_bytes(*random.first_chunk().ok_or("32 bytes")?));
    let params = Params { created, nonce: &nonce, key_id: &key_id };
    let signed = sign(Key::HmacSha256(&key), &original, &headers, NEEDS, params)?;
    headers.insert(SIGNATURE_INPUT, HeaderValue::from_str(&signed.input)?);
    headers.insert(SIGNATURE, HeaderValue::from_str(&signed.signature)?);
    let fields: Map<String, Value> =
        headers.iter().map(|(name, value)| Ok((name.to_string(), json!(value.to_str()?)))).collect::<Fallible<_>>()?;
    Ok(json!({ "method": method, "url": format!("https://{host}{uri}"), "headers": fields, "key": hex(&key) }))
}

fn check() -> Fallible<()> {
    let mut many = 0;
    for line in std::io::stdin().lock().lines() {
        let request: Value = serde_json::from_str(&line?)?;
        verify(&request).map_err(|e| format!("{e}: {request}"))?;
        many += 1;
    }
    println!("{many} verified");
    Ok(())
}

fn verify(request: &Value) -> Fallible<()> {
    let text = |name: &str| request[name].as_str().ok_or("no text");
    let rest = text("url")?.strip_prefix("https://").ok_or("no https")?;
    let (host, uri) = rest.split_at(rest.find('/').ok_or("no path")?);
    let original = Original::new(text("method")?, "https", host, uri)?;
    let mut headers = HeaderMap::new();
    for (name, value) in request["headers"].as_object().ok_or("no headers")? {
        let name = HeaderName::from_bytes(name.to_ascii_lowercase().as_bytes())?;
        headers.append(name, HeaderValue::from_str(value.as_str().ok_or("no text")?)?);
    }
    let digits = text("key")?.as_bytes();
    let mut key = [0; 32];
    for (byte, two) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(two)?, 16)?;
    }
    let proof = Proof::read(&headers)?.ok_or("no proof")?;
    proof.verify(Key::HmacSha256(&key), &original, &headers, NEEDS)?;
    // And nothing verifies anything: with a byte of the key changed it doesn't.
    key[0] ^= 1;
    if proof.verify(Key::HmacSha256(&key), &original, &headers, NEEDS).is_ok() {
        return Err("another key verifies it, too".into());
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
