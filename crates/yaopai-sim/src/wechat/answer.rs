//! How an answer looks on the wire, the app's oddities included.

use axum::{
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{AnswerShape, Endpoint, dice::Dice};

/// Gives a success the fields that it has in this shape and takes those that it hasn't.
pub(crate) fn dress(fields: &mut Map<String, Value>, shape: &AnswerShape, endpoint: Endpoint) {
    if endpoint == Endpoint::Jscode2session {
        if shape.expires_in {
            fields.insert("expires_in".to_owned(), json!(7200));
        }
        if !shape.unionid {
            fields.shift_remove("unionid");
        }
    }
    if shape.numeric_country_code
        && let Some(info) = fields.get_mut("phone_info").and_then(Value::as_object_mut)
    {
        info.insert("countryCode".to_owned(), json!(86));
    }
    if shape.errcode_zero && !fields.contains_key("errcode") {
        fields.insert("errcode".to_owned(), json!(0));
        fields.insert("errmsg".to_owned(), json!("ok"));
    }
    if shape.extra_fields {
        fields.insert("is_limit".to_owned(), json!(false));
        fields.insert("ext_info".to_owned(), json!({"url": "https://example.com/a/b", "list": [1, null]}));
    }
}

/// The JSON of an answer.
pub(crate) fn render(mut fields: Map<String, Value>, shape: &AnswerShape, dice: &mut Dice) -> String {
    if shape.shuffle_keys {
        fields = shuffled(fields, dice);
    }
    let text = Value::Object(fields).to_string();
    // A slash can only stand inside a JSON string, so replacing in the text is exact.
    if shape.escape_slashes { text.replace('/', "\\/") } else { text }
}

fn shuffled(fields: Map<String, Value>, dice: &mut Dice) -> Map<String, Value> {
    let mut list: Vec<_> = fields.into_iter().collect();
    for at in (1..list.len()).rev() {
        list.swap(at, dice.below(at + 1));
    }
    list.into_iter().collect()
}

/// `/sns/*` is marked as text, though it is JSON (observed 2017–2022); the others as JSON (INF).
pub(crate) fn content_type(endpoint: Endpoint) -> &'static str {
    if endpoint.path().starts_with("/sns/") { "text/plain" } else { "application/json; encoding=utf-8" }
}

pub(crate) fn ok(endpoint: Endpoint, body: impl Into<Vec<u8>>) -> Response {
    ([(CONTENT_TYPE, content_type(endpoint))], body.into()).into_response()
}
