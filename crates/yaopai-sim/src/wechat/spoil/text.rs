//! Faults that change the text of an answer, not what it says (or not only).

use serde_json::Value;

use crate::{Fault, FaultKind};

/// The bytes of the body.
pub(in super::super) fn spoil_text(text: String, fault: &Fault) -> Vec<u8> {
    match fault.kind {
        FaultKind::EmptyBody => Vec::new(),
        FaultKind::TruncatedBody => {
            let mut bytes = text.into_bytes();
            bytes.truncate(bytes.len() / 2);
            bytes
        }
        FaultKind::NotJson => pairs(&text).into_bytes(),
        FaultKind::ArrayBody => format!("[{text}]").into_bytes(),
        FaultKind::InvalidUtf8 => {
            // Before the last brace, in a text of its own: nothing else about the JSON is wrong.
            let mut bytes = text.into_bytes();
            bytes.pop();
            bytes.extend_from_slice(b",\"nickname\":\"\xe8\xae\"}");
            bytes
        }
        FaultKind::UnicodeEscapes => escaped(&text).into_bytes(),
        FaultKind::PrettyBody => {
            let value: Value = serde_json::from_str(&text).unwrap_or_default();
            format!("\r\n\t{value:#}\n\n").into_bytes()
        }
        _ => text.into_bytes(),
    }
}

/// `key=value&…`, as some platforms' older interfaces answer.
fn pairs(json: &str) -> String {
    let value: Value = serde_json::from_str(json).unwrap_or_default();
    let pair = |(key, value): (&String, &Value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    };
    value.as_object().into_iter().flatten().map(pair).collect::<Vec<_>>().join("&")
}

/// Every letter inside the JSON's texts as `\u…`, but for those that are part of an escape already.
fn escaped(json: &str) -> String {
    let (mut out, mut inside) = (String::with_capacity(json.len() * 4), false);
    let mut chars = json.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let kind = chars.next().unwrap_or_default();
                out.extend([c, kind]);
                out.extend(chars.by_ref().take(if kind == 'u' { 4 } else { 0 }));
            }
            'a'..='z' | 'A'..='Z' if inside => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => {
                inside ^= c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_text_says_the_same() {
        let value = serde_json::json!({"a/b": "x\n\"\\u0041\u{1}\\", "n": [1, {"腰牌": "牌"}]});
        for json in [value.to_string(), value.to_string().replace('/', "\\/")] {
            let escaped = escaped(&json);
            assert_ne!(escaped, json);
            assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), value, "{escaped}");
        }
    }
}
