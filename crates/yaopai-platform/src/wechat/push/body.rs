//! A body's fields: XML or JSON, as it was chosen in WeChat's console.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{PushError, xml};

/// All texts and numbers at the top, as texts.
pub(super) fn fields(body: &[u8]) -> Result<BTreeMap<String, String>, PushError> {
    let text = std::str::from_utf8(body).map_err(|_| PushError::Malformed("the body is not UTF-8"))?;
    if text.trim_start().starts_with('<') { xml::fields(text) } else { json(text) }
}

fn json(text: &str) -> Result<BTreeMap<String, String>, PushError> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| PushError::Malformed("the body is neither XML nor a JSON object"))?;
    let mut fields = BTreeMap::new();
    for (name, value) in object {
        let value = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        // The page's own example has `" OpenID"`.
        fields.entry(name.trim().to_owned()).or_insert(value);
    }
    Ok(fields)
}
