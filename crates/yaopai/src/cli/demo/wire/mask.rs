//! What the wire log keeps of a message: enough to tell one secret from another, too little to use it. Masked when it is
//! written down, so that no reader of the log can be handed more.

use http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value};

use crate::cli::demo::tale::short;

/// Text beyond this is cut, in bytes: the log is for reading.
const TEXT_MAX: usize = 2048;
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
    if name == header::SET_COOKIE || name == header::COOKIE {
        let (name, rest) = value.split_once('=').unwrap_or((&value, ""));
        let attributes = rest.split_once(';').map(|(_, a)| format!(";{a}")).unwrap_or_default();
        return format!("{name}=…{attributes}");
    }
    field(name.as_str(), &value)
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

/// A body: JSON if it is, else text; null if there is none.
pub fn body(bytes: &[u8]) -> Value {
    match serde_json::from_slice(bytes) {
        Ok(value) => json(value),
        Err(_) if bytes.is_empty() => Value::Null,
        Err(_) => Value::String(cut(&String::from_utf8_lossy(bytes))),
    }
}

fn json(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| match value {
                Value::String(text) => {
                    let masked = field(&name, &text);
                    (name, Value::String(masked))
                }
                other => (name, json(other)),
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(json).collect()),
        Value::String(text) => Value::String(cut(&text)),
        other => other,
    }
}

/// A named value.
fn field(name: &str, value: &str) -> String {
    if name == "password" {
        return "•••".to_owned();
    }
    if HIDDEN.contains(&name) {
        return format!("{}…", value.chars().take(4).collect::<String>());
    }
    if NUMBERS.contains(&name) && value.is_ascii() && value.len() > 7 {
        return format!("{}****{}", &value[..3], &value[value.len() - 4..]);
    }
    // A refusal has a `code` as well, and that one is what a reader looks for.
    let word = value.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if value.starts_with("yp1_") || (SHORTENED.contains(&name) && !word) {
        return short(value);
    }
    cut(value)
}

fn cut(text: &str) -> String {
    let end = (0..=TEXT_MAX.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
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
        let shown: Vec<String> = headers(&sent).into_iter().map(|(_, v)| v).collect();
        assert_eq!(shown, ["Bearer yp1_AaID…hijk", "v1,a…", "SHOPSESSION=…; Path=/; HttpOnly"]);
        assert_eq!(
            target("/sns/jscode2session?appid=wx1&secret=0123456789abcdef&js_code=0a1b2c3d4e5f6g7h8i9j0k&x"),
            "/sns/jscode2session?appid=wx1&secret=0123…&js_code=0a1b2c3d…9j0k&x"
        );
        let whole = json!({ "token": token, "form": { "password": "peach-27" }, "session_key": "c2Vzc2lvbg==",
            "list": [{ "token": token }], "code": "content_type_unsupported",
            "phone": { "number": "13800138004", "country": "86" } });
        assert_eq!(
            body(whole.to_string().as_bytes()),
            json!({ "token": "yp1_AaID…hijk", "form": { "password": "•••" }, "session_key": "c2Vz…",
                "list": [{ "token": "yp1_AaID…hijk" }], "code": "content_type_unsupported",
                "phone": { "number": "138****8004", "country": "86" } })
        );
    }

    #[test]
    fn other_bodies_are_text_and_bounded() {
        assert_eq!(body(b""), Value::Null);
        assert_eq!(body(b"<html>"), json!("<html>"));
        assert!(body("店".repeat(2000).as_bytes()).as_str().unwrap().len() <= TEXT_MAX + 3);
    }
}
