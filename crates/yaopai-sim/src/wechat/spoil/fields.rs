//! Faults that change the fields of an answer.

use serde_json::{Map, Value, json};

use super::super::{call::Call, refusal::Refusal};
use crate::{Fault, FaultKind};

/// What an id, a key or a name must not be allowed to do to headers, logs and tables.
const GARBLED: &str = "o\r\nX-Injected: 1\u{0}\"'<b>\\\u{202e}\u{1f3ae}";
const LONG: usize = 16 * 1024;
const OVERSIZED: usize = 2 * 1024 * 1024;
const WEEK_S: u64 = 7 * 24 * 3600;

/// Spoils a success.
pub(in super::super) fn spoil_fields(fields: &mut Map<String, Value>, fault: &Fault, call: &Call, rid: &str) {
    match fault.kind {
        FaultKind::EmptyObject => fields.clear(),
        FaultKind::BareOk => {
            fields.clear();
            fields.insert("errcode".to_owned(), json!(0));
            fields.insert("errmsg".to_owned(), json!("ok"));
        }
        FaultKind::ErrcodeBeside => {
            let refusal = Refusal::asked_for(fault.errcode, call.peer);
            fields.insert("errcode".to_owned(), json!(refusal.errcode));
            fields.insert("errmsg".to_owned(), json!(refusal.errmsg(rid)));
        }
        FaultKind::NoErrcode => {
            fields.shift_remove("errcode");
            fields.shift_remove("errmsg");
        }
        FaultKind::OversizedBody => {
            fields.insert("padding".to_owned(), json!("x".repeat(OVERSIZED)));
        }
        FaultKind::MissingField
        | FaultKind::EmptyField
        | FaultKind::NullField
        | FaultKind::NumberField
        | FaultKind::LongField
        | FaultKind::GarbledField => {
            let Some(path) = fault.field.as_deref().or(call.endpoint.chief_field()) else { return };
            spoil_field(fields, path, fault.kind);
        }
        FaultKind::WrongWatermark => {
            if let Some(watermark) = watermark(fields) {
                watermark.insert("appid".to_owned(), json!("wx00000000000000ff"));
            }
        }
        FaultKind::OldWatermark => {
            if let Some(watermark) = watermark(fields) {
                watermark.insert("timestamp".to_owned(), json!((call.now / 1000).saturating_sub(WEEK_S)));
            }
        }
        _ => spoil_refusal(fields, fault.kind),
    }
}

/// Spoils what a success and an error have in common.
pub(in super::super) fn spoil_refusal(fields: &mut Map<String, Value>, kind: FaultKind) {
    match kind {
        FaultKind::StringErrcode => {
            if let Some(errcode) = fields.get_mut("errcode") {
                *errcode = json!(errcode.to_string());
            }
        }
        FaultKind::NumericStrings => fields.values_mut().for_each(numbers_to_texts),
        _ => {}
    }
}

fn watermark(fields: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    fields.get_mut("phone_info")?.get_mut("watermark")?.as_object_mut()
}

/// An answer without that field stays as it is.
fn spoil_field(fields: &mut Map<String, Value>, path: &str, kind: FaultKind) {
    let Some((step, rest)) = path.split_once('.') else {
        if kind == FaultKind::MissingField {
            fields.shift_remove(path);
        } else if let Some(value) = fields.get_mut(path) {
            *value = spoilt_value(kind);
        }
        return;
    };
    match fields.get_mut(step) {
        Some(Value::Object(inner)) => spoil_field(inner, rest, kind),
        Some(Value::Array(list)) => {
            let (at, rest) = rest.split_once('.').unwrap_or((rest, ""));
            let item = at.parse::<usize>().ok().and_then(|at| list.get_mut(at)).and_then(Value::as_object_mut);
            if let Some(item) = item {
                spoil_field(item, rest, kind);
            }
        }
        _ => {}
    }
}

fn spoilt_value(kind: FaultKind) -> Value {
    match kind {
        FaultKind::EmptyField => json!(""),
        FaultKind::NumberField => json!(40029),
        FaultKind::LongField => json!("x".repeat(LONG)),
        FaultKind::GarbledField => json!(GARBLED),
        _ => Value::Null,
    }
}

fn numbers_to_texts(value: &mut Value) {
    match value {
        Value::Number(number) => *value = json!(number.to_string()),
        Value::Array(list) => list.iter_mut().for_each(numbers_to_texts),
        Value::Object(fields) => fields.values_mut().for_each(numbers_to_texts),
        _ => {}
    }
}
