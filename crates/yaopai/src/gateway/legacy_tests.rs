use percent_encoding::percent_decode;
use proptest::prelude::*;

use super::*;

fn legacy() -> Legacy {
    Legacy {
        cookies: vec!["JSESSIONID".into(), "my_sess".into()],
        headers: vec![HeaderName::from_static("x-session-id")],
    }
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(n, v): &(&str, &str)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap());
    let mut all = HeaderMap::new();
    for (name, value) in pairs.iter().map(pair) {
        all.append(name, value);
    }
    all
}

#[test]
fn what_shows_the_old_session() {
    for shown in [
        ("cookie", "JSESSIONID=1"),
        ("cookie", "a=b;JSESSIONID=1"),
        ("cookie", "JSESSIONID"),
        ("cookie", "JSESSIONID="),
        ("cookie", " my_sess =1"),
        ("x-session-id", ""),
    ] {
        assert!(legacy().is_shown(&headers(&[shown])), "{shown:?}");
    }
    assert!(legacy().is_shown(&headers(&[("cookie", "a=b"), ("cookie", "JSESSIONID=1")])));
    for other in
        [("cookie", "XJSESSIONID=1"), ("cookie", "a=JSESSIONID"), ("cookie", "jsessionid=1"), ("x-session", "1")]
    {
        assert!(!legacy().is_shown(&headers(&[other])), "{other:?}");
    }
    assert!(!Legacy::default().is_shown(&headers(&[("cookie", "JSESSIONID=1")])));
}

#[test]
fn nothing_of_it_is_left_in_any_spelling() {
    for (cookie, left) in [
        ("JSESSIONID=1", None),
        ("a=b; JSESSIONID=1; c=d", Some("a=b; c=d")),
        ("a=b;jsessionid=1", Some("a=b")),
        ("a=b, JSESSIONID=1; c=d", Some("c=d")),
        ("a=b JSESSIONID=1", None),
        ("a=\"b\"JSESSIONID=1", None),
        ("JSESSIONID", None),
        ("my.sess=1; my_sess = 2; my_session=3", Some("my_session=3")),
        ("XJSESSIONID=1; a=1", Some("XJSESSIONID=1; a=1")),
        ("JSESSIONID%00x=1; a=1", Some("a=1")),
        ("JSESSIONID%0Bx=1; a=1", Some("a=1")),
    ] {
        let mut all = headers(&[("cookie", cookie), ("x-session-id", "1"), ("x_session.id", "1"), ("x-kept", "1")]);
        legacy().take_out(&mut all);
        assert_eq!(all.get("cookie").map(|v| v.to_str().unwrap()), left, "{cookie}");
        assert_eq!(all.keys().filter(|n| *n != "cookie").map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
    }
    let mut two = headers(&[("cookie", "a=b"), ("cookie", "JSESSIONID=1; c=d")]);
    legacy().take_out(&mut two);
    assert_eq!(two.get_all("cookie").iter().collect::<Vec<_>>(), ["a=b; c=d"]);
}

/// What the upstream would see of a client's cookies.
fn taken_out(cookie: &[u8]) -> Option<Vec<u8>> {
    let mut all = HeaderMap::new();
    all.insert(header::COOKIE, HeaderValue::from_bytes(cookie).unwrap());
    legacy().take_out(&mut all);
    all.get(header::COOKIE).map(|value| value.as_bytes().to_vec())
}

#[test]
fn nothing_of_it_is_left_in_bytes_that_are_no_ascii() {
    for cookie in [
        // Trimmed by who reads Latin-1 (Node) or UTF-8, as a space that doesn't break.
        &b"\xa0JSESSIONID=1"[..],
        b"JSESSIONID\xa0=1",
        b"\xc2\xa0JSESSIONID=1",
        b"\xef\xbb\xbfJSESSIONID=1",
        b"\x85JSESSIONID=1",
        b"a=\xff JSESSIONID=1",
        b"a=b,\xa0JSESSIONID=1",
        // Letters that some folding of case makes ours of.
        "J\u{17f}ESSIONID=1".as_bytes(),
        "=,J\u{17f}ESSIONID=".as_bytes(),
        "a=b,J\u{17f}ESSIONID".as_bytes(),
        b"a=b,JSE\xdfIONID=1",
        // Decoded by old versions of PHP, and cut at a bracket.
        b"JS%45SSIONID=1",
        b"%4a%53ESSIONID=1",
        b"%20JSESSIONID=1",
        b"%a0JSESSIONID=1",
        b"+JSESSIONID=1",
        b"my%5fsess=1",
        b"my[sess=1",
        b"JSESSIONID[a]=1",
    ] {
        assert_eq!(taken_out(cookie), None, "{}", cookie.escape_ascii());
    }
    // Others stay, whatever they hold.
    for cookie in [
        "a=\u{5f20}\u{4e09}; b=%7B%22JSESSIONID%22%3A1%7D",
        "JSESSIONIDSSO=1",
        "__Host-JSESSIONID=1",
        "a=1; connect.JSESSIONID=2",
        "a%20b=1",
    ] {
        assert_eq!(taken_out(cookie.as_bytes()), Some(cookie.as_bytes().to_vec()), "{cookie}");
    }
}

/// The names that readers of very different kinds find in a cookie field, as they would write them.
fn names_read(field: &[u8]) -> Vec<String> {
    let latin1 = |bytes: &[u8]| bytes.iter().map(|b| char::from(*b)).collect::<String>();
    let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut names = Vec::new();
    for text in [latin1(field), utf8(field)] {
        for separators in [&[';'][..], &[';', ','], &[';', ',', ' ']] {
            for pair in text.split(separators) {
                let name = pair.split('=').next().unwrap_or_default();
                names.push(name.trim_matches(|c: char| c.is_whitespace() || c == '"' || c == '\u{feff}').to_owned());
            }
        }
    }
    // PHP before 7.2.34, 7.3.23 and 7.4.11: the name is decoded, spaces before it are skipped, and dots, spaces and brackets become `_`.
    for pair in field.split(|b| *b == b';') {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        let plus: Vec<u8> = name.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
        let decoded: Vec<u8> = percent_decode(&plus).collect();
        let name = utf8(&decoded);
        let name = name.trim_start();
        names.push(name.replace([' ', '.', '['], "_"));
        names.push(name.split('[').next().unwrap_or_default().to_owned());
    }
    names
}

fn is_legacy(name: &str) -> bool {
    let folded = name.to_uppercase().replace(['.', '-', ' '], "_");
    legacy().cookies.iter().any(|ours| ours.to_uppercase() == folded)
}

proptest! {
    /// Whatever is between, before and behind: no reader finds one of the names in what is left.
    #[test]
    fn no_reader_finds_a_name_in_what_is_left(pieces in prop::collection::vec(prop_oneof![
        6 => prop::sample::select(vec!["JSESSIONID", "jSessionId", "my_sess", "my.sess", "JS%45SSIONID", "J\u{17f}ESSIONID"])
            .prop_map(|name| name.as_bytes().to_vec()),
        8 => prop::sample::select(vec!["=", "=", "=", ";", "; ", ",", " ", "\t", "\"", "%20", "+", "[", "\u{a0}", "\u{2003}"])
            .prop_map(|between| between.as_bytes().to_vec()),
        3 => prop::collection::vec(0x80u8..=0xff, 1..3),
        3 => "[!-~]{1,3}".prop_map(String::into_bytes),
    ], 0..12)) {
        let cookie = pieces.concat();
        let left = taken_out(&cookie).unwrap_or_default();
        let found: Vec<String> = names_read(&left).into_iter().filter(|name| is_legacy(name)).collect();
        prop_assert!(found.is_empty(), "{} leaves {}, read as {found:?}", cookie.escape_ascii(), left.escape_ascii());
    }

    /// What is plainly another's stays as it is.
    #[test]
    fn plain_cookies_of_others_stay(pairs in prop::collection::vec(("[a-z]{1,8}", "[a-zA-Z0-9./_-]{0,8}"), 1..6)) {
        let field = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        prop_assert_eq!(taken_out(field.as_bytes()), Some(field.clone().into_bytes()));
    }
}
