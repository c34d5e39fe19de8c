//! Reading a JSON body: bounded, with an error for each thing that can be wrong, and never echoing what was sent.

use std::ops::RangeInclusive;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Map, Value};
use yaopai_core::Error;
use yaopai_wire::problem::Code;

use super::answer::Refusal;
use super::json;

/// The largest body of a call, but for those that say otherwise.
pub(crate) const BODY_MAX: usize = 32 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);

/// The fields of a JSON object. Unknown ones are ignored: the client library may be newer than the server.
pub struct Fields(Map<String, Value>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        must_be_json(request.headers())?;
        let bytes = whole(request.into_body()).await?;
        Self::parse(&bytes).map_err(Refusal)
    }
}

impl Fields {
    /// Reads a whole body.
    ///
    /// # Errors
    /// [`Code::Malformed`]: no JSON, no object, or a name twice in one object. It says where, never what stood there.
    pub fn parse(body: &[u8]) -> Result<Self, Error> {
        let wrong = |detail: String| Error::new(Code::Malformed, detail);
        match json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(_) => Err(wrong("The body must be a JSON object.".into())),
            Err(e) if e.is_data() => Err(wrong(format!(
                "An object of the body has the same name twice (line {}, column {}).",
                e.line(),
                e.column()
            ))),
            Err(e) => Err(wrong(format!("The body is no valid JSON (line {}, column {}).", e.line(), e.column()))),
        }
    }

    /// A text of so many bytes.
    pub fn text(&self, field: &'static str, bytes: RangeInclusive<usize>) -> Result<String, Error> {
        self.optional_text(field, bytes)?.ok_or_else(|| Error::field(field, "This field is required."))
    }

    /// A text, or nothing.
    pub fn optional_text(&self, field: &'static str, bytes: RangeInclusive<usize>) -> Result<Option<String>, Error> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) if bytes.contains(&s.len()) => Ok(Some(s.clone())),
            Some(Value::String(_)) => {
                Err(Error::field(field, format!("This field takes {} to {} bytes.", bytes.start(), bytes.end())))
            }
            Some(_) => Err(Error::field(field, "This field takes a string.")),
        }
    }

    /// An object, or nothing.
    pub fn optional_object(&self, field: &'static str) -> Result<Option<Self>, Error> {
        match self.0.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields.clone()))),
            Some(_) => Err(Error::field(field, "This field takes an object.")),
        }
    }

    /// Is the field there, and not null?
    pub fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|v| !v.is_null())
    }

    /// A field as it came.
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The fields themselves.
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// The client's id of this request: at least 128 random bits, so 22 characters of base64 or more.
    pub fn request_id(&self) -> Result<String, Error> {
        const NAME: &str = "request_id";
        let id = self.optional_text(NAME, 22..=128).ok().flatten();
        id.filter(|id| id.bytes().all(|b| b.is_ascii_graphic())).ok_or_else(|| {
            Error::field(
                NAME,
                "Send at least 128 random bits as 22 to 128 printable characters; the same ones when the request is sent again.",
            )
        })
    }
}

/// A body is JSON and says so.
pub(crate) fn must_be_json(headers: &HeaderMap) -> Result<(), Refusal> {
    if is_json(headers) {
        return Ok(());
    }
    Err(refuse(Code::ContentTypeUnsupported, "Send the body as JSON with `Content-Type: application/json`."))
}

/// A body, within its bounds.
pub(crate) async fn whole(body: Body) -> Result<Bytes, Refusal> {
    within(body, BODY_MAX).await
}

/// The same with so many bytes at most.
pub(crate) async fn within(body: Body, most: usize) -> Result<Bytes, Refusal> {
    let body = Limited::new(body, most).collect();
    match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => {
            Err(Refusal(Error::new(Code::TooLarge, format!("The body may have {} KB at most.", most >> 10))))
        }
        Ok(Err(_)) => Err(refuse(Code::Malformed, "The body broke off; send the request again.")),
        Err(_) => Err(refuse(Code::Malformed, "The body took too long to arrive; send the request again.")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()) else { return false };
    let media = value.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
        || (media.len() > 17 && media[..12].eq_ignore_ascii_case("application/") && media.ends_with("+json"))
}

fn refuse(code: Code, detail: &'static str) -> Refusal {
    Refusal(Error::new(code, detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Near JSON: names that repeat, escapes that spell them otherwise, brackets that don't match.
    fn near_json() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            r#""a""#,
            r#""\u0061""#,
            r#""a":1"#,
            r#""b":{"a":"#,
            "null",
            "-0",
            "1e9",
            "1e999",
            " ",
            "é",
            r#""\ud800""#,
            "\"",
        ]);
        prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// What is read is what any other reader of JSON reads, and a refusal repeats nothing of the body.
        #[test]
        fn one_reading_or_a_refusal(body in prop_oneof![
            near_json().prop_map(String::into_bytes),
            near_json().prop_map(|inner| format!("{{{inner}}}").into_bytes()),
            any::<Vec<u8>>(),
        ]) {
            let other = serde_json::from_slice::<Value>(&body);
            match Fields::parse(&body) {
                Ok(fields) => prop_assert_eq!(Value::Object(fields.into_map()), other.unwrap()),
                Err(refused) => {
                    prop_assert_eq!(refused.code, Code::Malformed);
                    prop_assert!(!matches!(other, Ok(Value::Object(_))) || refused.detail.contains("same name twice"));
                    let repeated = !refused.detail.is_ascii() || refused.detail.contains(['{', '"', '\\']);
                    prop_assert!(!repeated, "{}", refused.detail);
                }
            }
        }

        /// However its letters are written.
        #[test]
        fn a_name_stands_once(
            names in prop::collection::vec((prop::sample::select(vec!["a", "b", "c"]), any::<bool>()), 1..4),
        ) {
            let spelt = |(name, escaped): &(&str, bool)| match escaped {
                true => format!("\"\\u{:04x}\":1", name.as_bytes()[0]),
                false => format!("\"{name}\":1"),
            };
            let inner: Vec<_> = names.iter().map(spelt).collect();
            let mut distinct: Vec<_> = names.iter().map(|(name, _)| *name).collect();
            distinct.sort_unstable();
            distinct.dedup();
            for body in [format!("{{{}}}", inner.join(",")), format!("{{\"x\":[{{{}}}]}}", inner.join(","))] {
                prop_assert_eq!(Fields::parse(body.as_bytes()).is_ok(), distinct.len() == names.len(), "{}", body);
            }
        }

        #[test]
        fn a_text_is_as_long_as_it_may_be(text: String, from in 0usize..8, more in 0usize..16) {
            let body = serde_json::json!({"code": text}).to_string();
            let taken = Fields::parse(body.as_bytes()).unwrap().text("code", from..=from + more);
            prop_assert_eq!(taken.ok(), Some(text).filter(|t| (from..=from + more).contains(&t.len())));
        }
    }
}
