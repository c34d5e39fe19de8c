//! `examples/body-digest`: what back ends are told to do with a `Content-Digest` (`docs/body-digest.md`) against what the
//! check does with it. Were one of them to read another digest than the check, a signature would cover one body and the back
//! end take another.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests too")]

mod cases;
mod readers;

use cases::{BODY, Case, cases, digest, others};
use proptest::prelude::*;
use readers::Reader;
use yaopai_wire::digest::{CONTENT_DIGEST, ContentDigest};

// The example itself, as the docs show it.
#[path = "../../../../examples/body-digest/rust/body_digest.rs"]
#[allow(dead_code, reason = "its main is for the command line")]
mod example;

/// What the check, and then our own gateway, make of it.
fn ours(value: Option<&str>, body: &[u8]) -> bool {
    let fields = value.map(|v| (CONTENT_DIGEST.parse().unwrap(), v.parse().unwrap()));
    let read = ContentDigest::read(&fields.into_iter().collect::<http::HeaderMap>());
    matches!(read, Ok(Some(digest)) if digest.matches(&ContentDigest::of(body).0))
}

#[test]
fn ours_judges_the_cases_so() {
    for Case { name, value, body, right, stricter } in cases() {
        assert_eq!(ours(value.as_deref(), &body), right || stricter, "{name}");
    }
}

fn judges_the_cases_so(reader: &Reader) {
    for Case { name, value, body, right, .. } in cases() {
        assert_eq!(reader.judge(value.as_deref(), &body), right, "{}: {name}", reader.name);
    }
}

#[test]
fn rust_judges_them_so() {
    judges_the_cases_so(&Reader::rust());
    for Case { name, value, body, right, .. } in cases() {
        assert_eq!(example::body_is_as_signed(value.as_deref(), &body), right, "{name}");
    }
}

#[test]
fn java_judges_them_so() {
    judges_the_cases_so(&Reader::java());
}

#[test]
fn node_judges_them_so() {
    judges_the_cases_so(&Reader::new("node", &["node", "node/body-digest.mjs"]));
}

#[test]
fn php_judges_them_so() {
    judges_the_cases_so(&Reader::new("php", &["php", "php/body_digest.php"]));
}

#[test]
fn python_judges_them_so() {
    judges_the_cases_so(&Reader::new("python", &["python3", "python/body_digest.py"]));
}

/// Dictionaries, well made or badly: whole members, among them often the right one, and rubbish.
fn value() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        3 => Just(digest(BODY)),
        1 => Just(digest(b"another")),
        1 => Just(others().to_owned()),
        1 => "(sha-256|SHA-256|[a-z*-]{0,2})=?:?[A-Za-z0-9/+=]{0,5}:?",
    ];
    let around = || prop_oneof![6 => Just(String::new()), 1 => "[ \t;,:=()\"?@a-cA1é\\\\%]{0,4}"];
    let members = (around(), member, around()).prop_map(|(before, member, after)| format!("{before}{member}{after}"));
    let between = prop::sample::select(vec![",", ", ", "\t,"]);
    (prop::collection::vec(members, 1..4), between)
        // A field's value comes without the white space around it.
        .prop_map(|(members, between)| members.join(between).trim_matches([' ', '\t']).to_owned())
}

proptest! {
    /// The rule that the docs state: what a reader takes, the check takes, and as the same digest.
    #[test]
    fn a_reader_takes_nothing_that_the_check_refuses(value in value()) {
        let (theirs, checks) = (example::body_is_as_signed(Some(&value), BODY), ours(Some(&value), BODY));
        prop_assert!(!theirs || checks, "{value}");
    }
}
