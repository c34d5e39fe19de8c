//! What the wire log keeps of a message: enough to tell one secret from another, too little to use it. Masked when it is
//! written down, so that no reader of the log can be handed more.

use http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value};
use yaopai_wire::signature::SIGNATURE;

use crate::cli::demo::tale::short;

/// Text beyond this is cut, in bytes: the log is for reading.
const TEXT_MAX: usize = 2048;
/// Bodies beyond this are not taken apart, in bytes: three hundred of them are kept, and anybody may send them.
const BODY_MAX: usize = 4096;
/// Fields of which nothing is shown.
const SECRET: [&str; 5] = ["password", "passwd", "pwd", "x-api-key", "api_key"];
/// Fields of which nobody needs to see more than the beginning, as they are never handed out.
const HIDDEN: [&str; 6] = ["secret", "session_key", "access_token", "webhook-signature", "signature", "encrypted_data"];
/// Fields of which the two ends are shown, so that a reader can follow them from message to message.
const SHORTENED: [&str; 6] = ["token", "code", "js_code", "request_id", "bind_code", "openid"];

/// Phone numbers, in our words and in WeChat's.
const NUMBERS: [&str; 5] = ["number", "pure", "phone", "phoneNumber", "purePhoneNumber"];

/// The headers, in the order in which they were sent.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    headers.iter().map(|(name, value)| (name.to_string(), header(name, value.as_bytes()))).collect()
}

fn header(name: &HeaderName, value: &[u8]) -> String {
    let value = String::from_utf8_lossy(value);
    if name == header::AUTHORIZATION {
        return value.split(' ').map(short).collect::<Vec<_>>().join(" ");
    }
    if name == header::COOKIE {
        return value.split(';').map(cookie).collect::<Vec<_>>().join(";");
    }
    if name == header::SET_COOKIE {
        let (pair, attributes) = value.split_once(';').unwrap_or((&value, ""));
        let semicolon = if attributes.is_empty() { "" } else { ";" };
        return format!("{}{semicolon}{attributes}", cookie(pair));
    }
    if name.as_str() == SIGNATURE {
        // Behind the label.
        let (label, signature) = value.split_once('=').unwrap_or(("", &value));
        return format!("{label}={}", field(SIGNATURE, signature));
    }
    field(name.as_str(), &value)
}

fn cookie(pair: &str) -> String {
    format!("{}=…", pair.split_once('=').map_or(pair, |(name, _)| name))
}

/// A request's target. WeChat takes secrets in its query.
pub fn target(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) => format!("{name}={}", field(name, value)),
        None => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

/// A body: JSON if it is, markup as text; of others only the length, as nobody knows what in them is secret. Null if there is
/// none.
pub fn body(bytes: &[u8]) -> Value {
    match serde_json::from_slice(bytes) {
        _ if bytes.is_empty() => Value::Null,
        Ok(value) if bytes.len() <= BODY_MAX => json("", value),
        Err(_) if bytes.starts_with(b"<") => Value::String(cut(&String::from_utf8_lossy(bytes))),
        _ => Value::String(format!("({} bytes)", bytes.len())),
    }
}

/// `name` is the nearest field's around the value: what stands in a list under it is masked as it would be alone.
fn json(name: &str, value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| {
                let masked = json(&name, value);
                (name, masked)
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(|item| json(name, item)).collect()),
        Value::String(text) => Value::String(field(name, &text)),
        Value::Number(_) if is_one_of(name, &SECRET) => Value::String("•••".to_owned()),
        other => other,
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| n.eq_ignore_ascii_case(name))
}

/// A named value.
fn field(name: &str, value: &str) -> String {
    if is_one_of(name, &SECRET) {
        return "•••".to_owned();
    }
    if is_one_of(name, &HIDDEN) {
        return format!("{}…", value.chars().take(4).collect::<String>());
    }
    if NUMBERS.contains(&name) && value.is_ascii() && value.len() > 7 {
        return format!("{}****{}", &value[..3], &value[value.len() - 4..]);
    }
    // A refusal has a `code` as well, and that one is what a reader looks for.
    let word = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if value.starts_with("yp1_") || (is_one_of(name, &SHORTENED) && !word) {
        return short(value);
    }
    cut(value)
}

/// Text of no name: tokens in it are masked, and its end is left out.
fn cut(text: &str) -> String {
    let text = &tokens(text);
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}

/// Shortens every token of ours in a text.
fn tokens(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("yp1_") {
        shown.push_str(&rest[..at]);
        let token = &rest[at..];
        let end = token.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-').unwrap_or(token.len());
        shown.push_str(&short(&token[..end]));
        rest = &token[end..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_wherever_they_stand() {
        let token = format!("yp1_{}", "AaIDbcdefghijk".repeat(5));
        let mut sent = HeaderMap::new();
        sent.insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        sent.insert("webhook-signature", "v1,abcdefghijklmnop".parse().unwrap());
        sent.insert(header::SET_COOKIE, "SHOPSESSION=of-01a2; Path=/; HttpOnly".parse().unwrap());
        sent.insert(header::COOKIE, format!("a=1; yaopai={token}; SHOPSESSION=of-01a2").parse().unwrap());
        sent.insert("x-api-key", "key-of-the-shop".parse().unwrap());
        sent.insert("signature", "yaopai=:abcdefghijklmnop=:".parse().unwrap());
        let shown: Vec<String> = headers(&sent).into_iter().map(|(_, v)| v).collect();
        assert_eq!(
            shown,
            [
                "Bearer yp1_AaID…hijk",
                "v1,a…",
                "SHOPSESSION=…; Path=/; HttpOnly",
                "a=…; yaopai=…; SHOPSESSION=…",
                "•••",
                "yaopai=:abc…"
            ]
        );
        let odd =
            json!({ "Password": ["peach-27", 27], "note": format!("mine is {token}, keep it"), "tokens": [token] });
        assert_eq!(
            body(odd.to_string().as_bytes()),
            json!({ "Password": ["•••", "•••"], "note": "mine is yp1_AaID…hijk, keep it", "tokens": ["yp1_AaID…hijk"] })
        );
        assert_eq!(body(format!("token={token}&password=peach-27").as_bytes()), json!("(98 bytes)"));
        assert_eq!(
            target("/sns/jscode2session?appid=wx1&secret=0123456789abcdef&js_code=0a1b2c3d4e5f6g7h8i9j0k&x"),
            "/sns/jscode2session?appid=wx1&secret=0123…&js_code=0a1b2c3d…9j0k&x"
        );
        let whole = json!({ "token": token, "form": { "password": "peach-27" }, "session_key": "c2Vzc2lvbg==",
            "list": [{ "token": token }], "code": "content_type_unsupported",
            "key": { "alg": "hmac-sha256", "secret": "c2VjcmV0IG9mIGEgc2Vzc2lvbg==" },
            "phone": { "number": "13800138004", "country": "86" } });
        assert_eq!(
            body(whole.to_string().as_bytes()),
            json!({ "token": "yp1_AaID…hijk", "form": { "password": "•••" }, "session_key": "c2Vz…",
                "list": [{ "token": "yp1_AaID…hijk" }], "code": "content_type_unsupported",
                "key": { "alg": "hmac-sha256", "secret": "c2Vj…" },
                "phone": { "number": "138****8004", "country": "86" } })
        );
    }

    #[test]
    fn other_bodies_are_text_and_bounded() {
        assert_eq!(body(b""), Value::Null);
        assert_eq!(body(b"<html>"), json!("<html>"));
        assert!(body(format!("<{}", "店".repeat(2000)).as_bytes()).as_str().unwrap().len() <= TEXT_MAX + 3);
        let many = format!("[{}1]", "{},".repeat(2000));
        assert_eq!(body(many.as_bytes()), json!(format!("({} bytes)", many.len())));
    }
}
