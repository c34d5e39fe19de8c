//! A row as an object. The same for the export and for `GET /admin/v1/audit`.

use serde_json::{Map, Value, json};
use yaopai_core::audit::{Actor, Head, Scribe};
use yaopai_core::ports::AuditRow;
use yaopai_core::time::Timestamp;

use crate::rfc3339::rfc3339;

/// `{seq, at, kind, result, …}`. Fields that a row has not are left out. Where it had personal ones that can't be read any
/// more, `personal` says why: `erased`, or `unreadable` for what does not open.
pub fn row(scribe: &Scribe, AuditRow { row, salt }: &AuditRow) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            object.insert(name.to_owned(), value);
        }
    };
    put("seq", json!(row.seq));
    put("at", json!(rfc3339(row.at)));
    let Some((event, by)) = row.read() else {
        put("kind", json!("unknown"));
        put("realm", json!(row.realm));
        return Value::Object(object);
    };
    put("kind", json!(event.kind.as_str()));
    put("result", json!(event.outcome.as_str()));
    put("code", json!(Some(&event.code).filter(|code| !code.is_empty())));
    put("count", json!(Some(event.count).filter(|count| *count != 1)));
    put("realm", json!(event.realm));
    put("app", json!(event.app));
    put("session_id", json!(event.session.map(|id| id.to_string())));
    put("identity_id", json!(event.identity.map(|id| id.to_string())));
    let (actor, key) = match &by.actor {
        Actor::Server => ("server", None),
        Actor::Client => ("client", None),
        Actor::Key(name) => ("api_key", Some(&**name)),
        Actor::Platform => ("platform", None),
        Actor::Operator => ("operator", None),
    };
    put("by", json!(actor));
    put("key", json!(key));
    put("by_session_id", json!(by.session.map(|id| id.to_string())));
    match (&row.sealed, salt) {
        (None, _) => {}
        (Some(_), None) => put("personal", json!("erased")),
        (Some(_), Some(salt)) => match scribe.open(row, salt) {
            None => put("personal", json!("unreadable")),
            Some(personal) => {
                put("user", json!(personal.user));
                put("from", json!(personal.from));
                put("device", json!(personal.device));
            }
        },
    }
    Value::Object(object)
}

/// `{seq, mac, at}`: all that has to be kept elsewhere.
pub fn head(head: &Head, at: Timestamp) -> Value {
    json!({ "seq": head.seq, "mac": hex::encode(head.mac), "at": rfc3339(at) })
}
