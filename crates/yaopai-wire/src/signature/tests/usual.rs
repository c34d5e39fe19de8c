//! The quick reader against the general one: what it reads, that reads alike.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::input::{Input, Value};
use super::super::usual;
use super::*;

/// What our clients write is read by the quick reader: it is not there in vain.
#[test]
fn the_usual_fields_are_read() {
    let request = Request::order().signed();
    let (_, input) = &request.fields[2];
    let (_, signature) = &request.fields[3];
    let read = usual::input(input.as_bytes()).expect("a usual field");
    assert_eq!(Ok(read), Input::parse(input.as_bytes()));
    let bytes = usual::signature(signature.as_bytes(), "yaopai");
    assert!(bytes.is_some());
    assert_eq!(Value::parse(signature.as_bytes()).map(|v| v.signature), Ok(bytes));
    assert_eq!(Component::ContentDigest.name(), CONTENT_DIGEST);
    for label in ["*", "a", "*a", "a*.-_9"] {
        assert!(usual::input(input.replacen("yaopai", label, 1).as_bytes()).is_some(), "{label}");
    }
}

fn like(input: &[u8]) -> Result<(), TestCaseError> {
    if let Some(read) = usual::input(input) {
        prop_assert_eq!(Input::parse(input), Ok(read), "{}", String::from_utf8_lossy(input));
    }
    Ok(())
}

fn like_signature(field: &[u8], label: &str) -> Result<(), TestCaseError> {
    if let Some(bytes) = usual::signature(field, label) {
        let value = Value::parse(field).map(|v| (v.label, v.signature));
        prop_assert_eq!(value, Ok((Some(label), Some(bytes))), "{}", String::from_utf8_lossy(field));
    }
    Ok(())
}

/// Pieces that mean something in these fields, and bytes that mean nothing anywhere.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let known = vec![
        "",
        " ",
        "  ",
        "\t",
        "\"",
        "(",
        ")",
        "()",
        ";",
        "=",
        ",",
        ":",
        "\\",
        "\\\"",
        "?",
        "?1",
        "@",
        "%",
        "-",
        ".",
        "0",
        "00",
        "9",
        "-1",
        "1.5",
        "A",
        "a",
        "*",
        "_",
        "=:",
        "AAAA",
        "\u{e9}",
        "\"@path\"",
        " \"@path\"",
        "\"@method\"",
        "\"cookie\"",
        ";sf",
        ";req",
        ";created=1",
        ";created=007",
        ";created=1234567890123456",
        ";tag=\"yaopai\"",
        ";alg=\"a b\"",
        ";alg=\"\"",
        ";alg=a",
        ";keyid=\"\"",
        ";nonce=\"aaaaaaaaaaaaaaaaaaaaaaaa\"",
        ";nonce=\"a\"",
        ";x=1",
        ";x",
        "sig1=",
        "yaopai=",
        "=(",
        "=(\"",
    ];
    prop_oneof![
        4 => select(known).prop_map(|known: &str| known.as_bytes().to_vec()),
        1 => any::<u8>().prop_map(|byte| vec![byte]),
    ]
}

/// A field with a few pieces written over it.
fn spoilt(field: String) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<Index>(), 0..12usize, piece());
    prop::collection::vec(edit, 0..4).prop_map(move |edits| {
        edits.into_iter().fold(field.clone().into_bytes(), |mut field, (at, length, piece)| {
            let start = at.index(field.len() + 1);
            let end = (start + length).min(field.len());
            field.splice(start..end, piece);
            field
        })
    })
}

/// Labels, and what is none.
const LABELS: [&str; 8] = ["yaopai", "sig1", "*", "a.b-c_d*", "A", "1a", "", "a b"];
/// Components, and one that is none of ours.
const COMPONENTS: [&str; 7] = ["@method", "@authority", "@path", "@query", "authorization", "content-digest", "@x"];
/// Parameters that are right, odd and wrong.
const PARAMS: [&str; 19] = [
    ";created=1764230400",
    ";created=0",
    ";created=-0",
    ";created=123456789012345",
    ";created=1234567890123456",
    ";created=00",
    ";created=1.0",
    "; created=1",
    ";nonce=\"bm9uY2UgbnVtYmVyIG9uZQ\"",
    ";nonce=\"bm9uY2UgbnVtYmVyIG9uZQ==\"",
    ";keyid=\"id.1\"",
    ";keyid=id",
    ";alg=\"hmac-sha256\"",
    ";alg=\"a/b\"",
    ";tag=\"yaopai\"",
    ";tag=\"other\"",
    ";created",
    ";nonce=:AAAA:",
    ";alg=?1",
];

/// Every two parameters and every two components beside each other, and every label.
#[test]
fn every_two_are_read_alike() {
    let try_it = |field: String| like(field.as_bytes()).unwrap();
    for first in PARAMS {
        PARAMS.iter().for_each(|second| try_it(format!("yaopai=(\"@path\"){first}{second}")));
    }
    for first in COMPONENTS {
        COMPONENTS.iter().for_each(|second| try_it(format!("yaopai=(\"{first}\" \"{second}\")")));
    }
    LABELS.iter().for_each(|label| try_it(format!("{label}=(\"@path\")")));
}

/// A field put together from pieces that are right, wrong, or there twice.
fn composed() -> impl Strategy<Value = Vec<u8>> {
    let (label, component, param) = (select(&LABELS[..]), select(&COMPONENTS[..]), select(&PARAMS[..]));
    let (components, params) = (prop::collection::vec(component, 0..7), prop::collection::vec(param, 0..7));
    (label, components, params).prop_map(|(label, components, params)| {
        let list = components.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(" ");
        format!("{label}=({list}){}", params.concat()).into_bytes()
    })
}

proptest! {
    #[test]
    fn what_is_read_is_read_alike(input in spoilt(Request::order().signed().fields[2].1.clone())) {
        like(&input)?;
    }

    #[test]
    fn what_is_composed_is_read_alike(input in composed()) {
        like(&input)?;
    }

    #[test]
    fn a_signature_is_read_alike(
        field in spoilt(Request::order().signed().fields[3].1.clone()),
        label in select(vec!["yaopai", "yaopa", "yaopaia", "sig1", "*"]),
    ) {
        like_signature(&field, label)?;
    }
}

/// Longer, shorter and odd ones: only what has one spelling is read quickly.
#[test]
fn signatures_of_any_length() {
    use base64::Engine as _;
    for length in 0..70 {
        let text = base64::engine::general_purpose::STANDARD.encode(vec![0xff; length]);
        for text in [text.clone(), text.trim_end_matches('=').into(), format!("{text}=")] {
            let field = format!("yaopai=:{text}:");
            like_signature(field.as_bytes(), "yaopai").unwrap();
        }
    }
    // Bits that are left over make a second spelling, which the general reader takes and this one leaves to it.
    let field = format!("yaopai=:{}B=:", "A".repeat(42));
    assert_eq!(usual::signature(field.as_bytes(), "yaopai"), None);
    assert!(Value::parse(field.as_bytes()).is_ok());
}
