//! WeChat's answers, read by content: their Content-Type says `text/plain`, their HTTP status says 200, and a missing
//! errcode means success.

use std::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// An answer without an error.
pub(super) struct Answer(Map<String, Value>);

/// WeChat said no.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it is about: the only part of a refusal that is stable.
    pub errcode: i64,
    /// WeChat's id of the request, for their support.
    pub rid: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "errcode {}", self.errcode)?;
        if let Some(rid) = &self.rid {
            write!(f, ", rid {rid}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

/// What can be read from a body.
pub(super) enum Reading {
    Success(Answer),
    Refusal(Refusal),
    /// Nothing that makes sense. The text says where, never what: serde_json's own messages quote the value they dislike.
    Junk(String),
}

impl Reading {
    pub fn of(body: &[u8]) -> Self {
        let object = match serde_json::from_slice(body) {
            Ok(Value::Object(object)) => object,
            Ok(_) => return Self::Junk("the answer is not a JSON object".into()),
            Err(_) if body.is_empty() => return Self::Junk("the answer is empty".into()),
            Err(e) => return Self::Junk(format!("the answer is not JSON (line {}, column {})", e.line(), e.column())),
        };
        match errcode(object.get("errcode")) {
            Some(0) => Self::Success(Answer(object)),
            Some(errcode) => {
                let rid = object.get("errmsg").and_then(Value::as_str).and_then(rid);
                Self::Refusal(Refusal { errcode, rid })
            }
            None => Self::Junk("the answer's errcode is not a number".into()),
        }
    }
}

/// Absent and null are 0; a numeric string is a number (so in the example of the third-party platform's page).
fn errcode(value: Option<&Value>) -> Option<i64> {
    match value {
        None | Some(Value::Null) => Some(0),
        Some(Value::Number(n)) => n.as_i64(),
        Some(Value::String(s)) => s.trim().parse().ok(),
        Some(_) => None,
    }
}

/// The id in `…, rid: 613033ae-4a5a9224-3a2b9999`. Two to four groups of at most 8 hex digits and nothing else: an AppSecret
/// (32 hex digits without a dash) that stands there would not pass.
fn rid(errmsg: &str) -> Option<String> {
    let (_, rest) = errmsg.rsplit_once("rid:")?;
    let rest = rest.trim_start();
    let end = rest.find(|c: char| !matches!(c, '0'..='9' | 'a'..='f' | '-')).unwrap_or(rest.len());
    let text = &rest[..end];
    let groups = text.split('-');
    let fits = (2..=4).contains(&groups.clone().count()) && groups.clone().all(|g| (1..=8).contains(&g.len()));
    fits.then(|| text.to_owned())
}

impl Answer {
    /// Takes a text out; `None` if it is absent, empty or no text.
    pub fn text(&mut self, field: &str) -> Option<Zeroizing<String>> {
        match self.0.get_mut(field).map(Value::take) {
            Some(Value::String(s)) if !s.is_empty() => Some(Zeroizing::new(s)),
            _ => None,
        }
    }

    /// A number, as such or as a text.
    pub fn number(&self, field: &str) -> Option<i64> {
        self.0.get(field).and_then(|v| errcode(Some(v)))
    }

    /// Takes an object out.
    pub fn object(&mut self, field: &str) -> Option<Self> {
        self.0.get_mut(field).map(Value::take).and_then(Self::of)
    }

    /// Takes a list of objects out; `None` if anything in it is something else.
    pub fn objects(&mut self, field: &str) -> Option<Vec<Self>> {
        match self.0.get_mut(field).map(Value::take) {
            Some(Value::Array(values)) => values.into_iter().map(Self::of).collect(),
            _ => None,
        }
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(object) => Some(Self(object)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn refusal(body: &str) -> Option<(i64, Option<String>)> {
        match Reading::of(body.as_bytes()) {
            Reading::Refusal(r) => Some((r.errcode, r.rid)),
            _ => None,
        }
    }

    #[test]
    fn errcodes() {
        assert_eq!(refusal(r#"{"errcode":40029,"errmsg":"invalid code"}"#), Some((40029, None)));
        assert_eq!(refusal(r#"{"errcode":"40029","errmsg":"invalid code"}"#), Some((40029, None)));
        assert_eq!(refusal(r#"{"errcode":-1,"errmsg":"system error"}"#), Some((-1, None)));
        for body in [r#"{"errcode":0}"#, r#"{"errcode":"0"}"#, r#"{"errcode":null}"#, "{}", " \r\n{\"x\":[]}\n"] {
            assert!(matches!(Reading::of(body.as_bytes()), Reading::Success(_)), "{body}");
        }
        for body in
            ["", " ", "[]", "1", "<html>", "{\"openid\":\"o", r#"{"errcode":"x"}"#, r#"{"errcode":1.5}"#, "{} {}"]
        {
            assert!(matches!(Reading::of(body.as_bytes()), Reading::Junk(_)), "{body}");
        }
        assert!(matches!(Reading::of(&[0x1f, 0x8b, 8, 0]), Reading::Junk(_)));
        assert!(matches!(Reading::of("[".repeat(60_000).as_bytes()), Reading::Junk(_)));
    }

    #[test]
    fn rids() {
        for (errmsg, expected) in [
            ("code been used, rid: 613033ae-4a5a9224-3a2b9999", Some("613033ae-4a5a9224-3a2b9999")),
            ("invalid appsecret rid: 6305aafd-5a6dbc88-1da22e34", Some("6305aafd-5a6dbc88-1da22e34")),
            ("x rid: 6305aafd-5a6dbc88\u{1b}[31mforged", Some("6305aafd-5a6dbc88")),
            ("code been used, hints: [ req_id: YAeYoA0707th21 ]", None),
            ("rid: 0123456789abcdef0123456789abcdef", None),
            ("rid: 0123456789abcdef-0123456789abcdef", None),
            ("rid: 0123456789abcdef0123456789abcdef, rid: ", None),
            ("rid: ----", None),
            ("rid:", None),
        ] {
            assert_eq!(rid(errmsg).as_deref(), expected, "{errmsg}");
        }
    }

    /// An answer, whole or cut off anywhere, whose texts are all the same secret.
    fn near_answer() -> impl Strategy<Value = Vec<u8>> {
        let value =
            prop::sample::select(vec![r#""hunter2""#, "0", "-1", "1e99", "null", "[{}]", r#"{"errcode":1}"#, "{"]);
        let name =
            prop::sample::select(vec!["errcode", "errmsg", "access_token", "expires_in", "key_info_list", "hunter2"]);
        (prop::collection::vec((name, value), 0..5), 0..200usize).prop_map(|(fields, cut)| {
            let fields: Vec<_> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let mut body = format!("{{{}}}", fields.join(",")).into_bytes();
            body.truncate(cut);
            body
        })
    }

    proptest! {
        /// Whatever comes is read as something, and what goes into a log repeats none of it.
        #[test]
        fn any_answer_is_read_and_none_repeated(body in prop_oneof![near_answer(), any::<Vec<u8>>()]) {
            match Reading::of(&body) {
                Reading::Junk(what) => prop_assert!(!what.contains("hunter2") && what.len() < 100),
                Reading::Refusal(refusal) => {
                    prop_assert!(refusal.errcode != 0 && !refusal.to_string().contains("hunter2"));
                }
                Reading::Success(mut answer) => {
                    prop_assert!(answer.text("access_token").is_none_or(|text| !text.is_empty()));
                    prop_assert!(answer.text("access_token").is_none(), "taken, and there again");
                    let _ = (answer.number("expires_in"), answer.objects("key_info_list"), answer.object("errmsg"));
                }
            }
        }

        /// An AppSecret in an errmsg is no rid, wherever it stands.
        #[test]
        fn no_secret_is_a_rid(before in "([a-z ]|rid: ){0,12}", secret in "[0-9a-f]{32}", after in "[0-9a-f-]{0,12}") {
            let rid = rid(&format!("{before}rid: {secret}{after}")).unwrap_or_default();
            prop_assert!(!rid.contains(&secret));
        }
    }
}
