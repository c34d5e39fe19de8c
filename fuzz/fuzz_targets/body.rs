//! A call's JSON body: what we read is what any other reader of JSON reads, or it is refused, and the refusal repeats nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use yaopai::api::body::Fields;

fuzz_target!(|bytes: &[u8]| {
    let other = serde_json::from_slice::<Value>(bytes);
    let fields = match Fields::parse(bytes) {
        Ok(fields) => fields,
        Err(refused) => {
            // Refused though it is an object: only for a name that stands twice.
            assert!(!matches!(other, Ok(Value::Object(_))) || refused.detail.contains("same name twice"));
            // A digit is a line's or a column's: all else is ours.
            let ours = |c: char| c.is_ascii() && !c.is_control();
            assert!(refused.detail.len() < 120 && refused.detail.chars().all(ours));
            return;
        }
    };
    for name in ["app", "code", "request_id"] {
        if let Ok(text) = fields.text(name, 1..=64) {
            assert!((1..=64).contains(&text.len()) && fields.has(name));
            assert_eq!(fields.value(name).and_then(Value::as_str), Some(text.as_str()));
        }
        let _ = fields.optional_object(name);
    }
    if let Ok(id) = fields.request_id() {
        assert!((22..=128).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_graphic()));
    }
    assert_eq!(Value::Object(fields.into_map()), other.expect("another reader reads it too"));
});
