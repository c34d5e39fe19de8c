//! The message of a push, and how it is written.

use serde_json::{Map, Value, json};

use super::Push;
use crate::PushFormat;

/// Whose message it is.
pub(crate) struct Parties<'a> {
    /// The app's "original id", `gh_…`.
    pub(crate) original_id: &'a str,
    pub(crate) openid: &'a str,
    pub(crate) appid: &'a str,
}

/// The fields, in the order of the vendor's sample. That FromUserName is the openid, too, is INF.
pub(crate) fn message(push: &Push, parties: &Parties<'_>, now: u64) -> Map<String, Value> {
    let mut fields = Map::new();
    let usual = [
        ("ToUserName", json!(parties.original_id)),
        ("FromUserName", json!(parties.openid)),
        ("CreateTime", json!(now / 1000)),
        ("MsgType", json!("event")),
        ("Event", json!(push.event)),
        ("OpenID", json!(parties.openid)),
        ("AppID", json!(parties.appid)),
    ];
    fields.extend(usual.map(|(name, value)| (name.to_owned(), value)));
    for (name, value) in &push.fields {
        if value.is_null() {
            fields.shift_remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    fields
}

pub(super) fn write(fields: &Map<String, Value>, format: PushFormat, leading_spaces: bool) -> String {
    match format {
        PushFormat::Json if leading_spaces => json!(with_leading_spaces(fields)).to_string(),
        PushFormat::Json => json!(fields).to_string(),
        PushFormat::Xml => {
            let mut out = String::new();
            elements(fields, &mut out);
            format!("<xml>{out}</xml>")
        }
    }
}

/// The envelope's keys have none; the event's own do.
fn with_leading_spaces(fields: &Map<String, Value>) -> Map<String, Value> {
    const ENVELOPE: [&str; 6] = ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "Encrypt"];
    let spaced = |name: &String| if ENVELOPE.contains(&name.as_str()) { name.clone() } else { format!(" {name}") };
    fields.iter().map(|(name, value)| (spaced(name), value.clone())).collect()
}

fn elements(fields: &Map<String, Value>, out: &mut String) {
    for (name, value) in fields {
        match value {
            Value::Array(list) => list.iter().for_each(|value| element(name, value, out)),
            value => element(name, value, out),
        }
    }
}

fn element(name: &str, value: &Value, out: &mut String) {
    out.push_str(&format!("<{name}>"));
    match value {
        // The only thing that CDATA can't hold is its own end.
        Value::String(text) => out.push_str(&format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))),
        Value::Object(fields) => elements(fields, out),
        Value::Array(list) => list.iter().for_each(|value| element("item", value, out)),
        value => out.push_str(&value.to_string()),
    }
    out.push_str(&format!("</{name}>"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_written_as_the_vendor_does() {
        let fields = json!({"Event": "a]]>b", "CreateTime": 7, "List": [{"x": 1}, "two"]});
        let xml = "<xml><Event><![CDATA[a]]]]><![CDATA[>b]]></Event><CreateTime>7</CreateTime>\
            <List><x>1</x></List><List><![CDATA[two]]></List></xml>";
        assert_eq!(write(fields.as_object().unwrap(), PushFormat::Xml, true), xml);
    }

    #[test]
    fn json_can_have_the_samples_spaces() {
        let fields = json!({"Event": "e", "OpenID": "o", "RevokeInfo": "1"});
        let spaced = r#"{"Event":"e"," OpenID":"o"," RevokeInfo":"1"}"#;
        assert_eq!(write(fields.as_object().unwrap(), PushFormat::Json, true), spaced);
    }
}
