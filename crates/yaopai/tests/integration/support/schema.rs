//! JSON against the schemas of an OpenAPI document: the part of JSON Schema that ours uses. A word that it doesn't know fails, so
//! that nothing passes because it was not looked at; and a field that the schema doesn't name fails, too.

use serde_json::Value;

/// What is wrong with the value; empty if nothing is.
pub fn faults(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    check(document, schema, value, "$", &mut faults);
    faults
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let Some(words) = schema.as_object() else { panic!("no schema at {at}: {schema}") };
    let mut wrong = |what: String| faults.push(format!("{at}: {what}: {value}"));
    for (word, said) in words {
        match word.as_str() {
            "$ref" => {
                let path = said.as_str().unwrap().strip_prefix('#').unwrap();
                let named = document.pointer(path).unwrap_or_else(|| panic!("{path} is nowhere"));
                check(document, named, value, at, faults);
                return;
            }
            "oneOf" => {
                let fits = |one: &&Value| self::faults(document, one, value).is_empty();
                match said.as_array().unwrap().iter().filter(fits).count() {
                    1 => {}
                    n => wrong(format!("{n} of oneOf fit")),
                }
            }
            "type" => {
                let types = said.as_array().cloned().unwrap_or_else(|| vec![said.clone()]);
                if !types.iter().any(|one| is(one.as_str().unwrap(), value)) {
                    wrong(format!("no {said}"));
                }
            }
            "enum" => {
                if !said.as_array().unwrap().contains(value) {
                    wrong(format!("none of {said}"));
                }
            }
            "format" if said == "date-time" => {
                if !value.is_null() && value.as_str().is_none_or(|text| text.parse::<jiff::Timestamp>().is_err()) {
                    wrong("no instant".into());
                }
            }
            "format" if ["int32", "int64", "double"].contains(&said.as_str().unwrap()) => {}
            "minimum" => {
                if value.as_f64().is_some_and(|n| n < said.as_f64().unwrap()) {
                    wrong(format!("below {said}"));
                }
            }
            "maximum" => {
                if value.as_f64().is_some_and(|n| n > said.as_f64().unwrap()) {
                    wrong(format!("above {said}"));
                }
            }
            "maxItems" => {
                if value.as_array().is_some_and(|items| items.len() as u64 > said.as_u64().unwrap()) {
                    wrong(format!("more than {said}"));
                }
            }
            "minLength" | "maxLength" | "description" | "title" => {}
            "additionalProperties" | "propertyNames" => assert!(said.is_object() || said.is_boolean()),
            "required" => {
                for name in said.as_array().unwrap() {
                    if value.is_object() && value.get(name.as_str().unwrap()).is_none() {
                        wrong(format!("{name} is missing"));
                    }
                }
            }
            "properties" => {
                let known = said.as_object().unwrap();
                for name in value.as_object().into_iter().flat_map(|fields| fields.keys()) {
                    if !known.contains_key(name) {
                        wrong(format!("{name} is in no schema"));
                    }
                }
            }
            "items" => {}
            other => panic!("the schema at {at} says {other:?}, which nobody looks at"),
        }
    }
    for (name, schema) in words.get("properties").and_then(Value::as_object).into_iter().flatten() {
        if let Some(value) = value.get(name) {
            check(document, schema, value, &format!("{at}.{name}"), faults);
        }
    }
    if let Some(items) = words.get("items") {
        for (n, value) in value.as_array().into_iter().flatten().enumerate() {
            check(document, items, value, &format!("{at}[{n}]"), faults);
        }
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("no type {other}"),
    }
}
