use super::*;
use crate::time::Timestamp;

const NOW: Timestamp = Timestamp(1_800_000_000_000);

fn at(host: &str, path: &str) -> Origin {
    Origin::new(host, path).unwrap()
}

fn read_at(line: &str, origin: &Origin) -> Option<Set> {
    read(line.as_bytes(), From::Answer(origin, "shop"), NOW)
}

fn life(line: &str) -> Option<i64> {
    let set = read_at(line, &at("shop.example", "/")).unwrap();
    set.expires_at.map(|at| at.0.saturating_sub(NOW.0) / 1000)
}

/// What is sent to a place of what was set at another.
fn sent(lines: &[&str], from: (&str, &str), to: (&str, &str)) -> String {
    let from = at(from.0, from.1);
    let cookies: Vec<Cookie> = lines.iter().filter_map(|line| read_at(line, &from)).map(|set| set.cookie).collect();
    header(&cookies, To::BackEnd(&at(to.0, to.1)), |_| {}).map_or_else(|| "-".into(), |field| field.to_string())
}

#[test]
fn which_lives_it_has() {
    assert_eq!(life("a=1"), None);
    assert_eq!(life("a=1; Max-Age=60"), Some(60));
    assert_eq!(life("a=1; max-age = 60 ; Expires=Sun, 06 Nov 1994 08:49:37 GMT"), Some(60), "Max-Age goes first");
    assert_eq!(
        life("a=1; Max-Age=60; Max-Age=x; Max-Age=; Max-Age=-; Max-Age=+5; Max-Age=5.5"),
        Some(60),
        "what is no number"
    );
    assert_eq!(life("a=1; Max-Age=60; Max-Age=70"), Some(70), "of two the last");
    assert!(life("a=1; Max-Age=0") < Some(0) && life("a=1; Max-Age=-1") < Some(0));
    assert_eq!(life("a=1; Expires=Sun, 06 Nov 1994 08:49:37 GMT").map(|s| s < 0), Some(true));
    assert_eq!(life("a=1; Expires=soon"), None);
    let longest = i64::try_from(LIFE_MAX.as_secs()).unwrap();
    for long in ["Max-Age=99999999999999999999999", "Max-Age=34560001", "Expires=Fri, 31 Dec 9999 23:59:59 GMT"] {
        assert_eq!(life(&format!("a=1; {long}")), Some(longest), "{long}");
    }
}

#[test]
fn what_is_no_cookie() {
    let here = at("shop.example", "/");
    for line in ["", "a", "=1", " =1", ";a=1", "a\0=1", "a=1\r\nSet-Cookie: b=2", "a=1;\u{7f}", "a=1; Path=/\u{85}"] {
        assert_eq!(read_at(line, &here), None, "{line:?}");
    }
    assert_eq!(read(b"a=\xff", From::Answer(&here, "shop"), NOW), None);
    let long = |len: usize| format!("a={}", "x".repeat(len - 2));
    assert!(read_at(&long(LINE_MAX), &here).is_some());
    assert_eq!(read_at(&long(LINE_MAX + 1), &here), None);
    assert_eq!(sent(&["a=\t 店 ;x", "b=\"q\"=,"], ("h.example", "/"), ("h.example", "/")), "a=店; b=\"q\"=,");
}

#[test]
fn to_which_hosts_it_goes() {
    let shop = ("api.shop.example", "/");
    for (line, host, goes) in [
        ("a=1", "api.shop.example", true),
        ("a=1", "API.Shop.example:8443", true),
        ("a=1", "shop.example", false),
        ("a=1", "x.api.shop.example", false),
        ("a=1; Domain=api.shop.example", "x.api.shop.example", true),
        ("a=1; Domain=.Shop.Example", "shop.example", true),
        ("a=1; Domain=shop.example", "www.shop.example", true),
        ("a=1; Domain=shop.example", "myshop.example", false),
        ("a=1; Domain=", "api.shop.example", true),
        ("a=1; Domain=", "x.api.shop.example", false),
        ("a=1; Domain=.", "api.shop.example", true),
    ] {
        assert_eq!(sent(&[line], shop, (host, "/")) != "-", goes, "{line} to {host}");
    }
    for domain in [
        "example",
        ".example",
        "op.example",
        "bank.example",
        "x.api.shop.example",
        "shop.example.",
        "..shop.example",
        "127.0.0.1",
    ] {
        assert_eq!(read_at(&format!("a=1; Domain={domain}"), &at(shop.0, "/")), None, "{domain}");
    }
    // Addresses, and hosts of a network without registries, are nobody's suffix.
    for (host, domain, set) in [
        ("10.0.0.7", "10.0.0.7", true),
        ("10.0.0.7", "0.0.7", false),
        ("10.0.0.7", "7", false),
        ("[::1]:80", "[::1]", true),
        ("backend", "backend", true),
        ("a.backend", "backend", false),
    ] {
        let set_there = read_at(&format!("a=1; Domain={domain}"), &at(host, "/"));
        assert_eq!(set_there.is_some(), set, "{domain} at {host}");
    }
    assert!(sent(&["a=1; Domain=backend"], ("backend", "/"), ("backend", "/")) == "a=1");
    assert_eq!(sent(&["a=1; Domain=backend"], ("backend", "/"), ("x.backend", "/")), "-");
}

#[test]
fn hosts_that_are_none() {
    for host in ["", "a/b", "a?b", "a#b", "u@h", "u:p@h", "a b", "h:99999", "[::1", "a\\b", "a..b/../"] {
        assert!(Origin::new(host, "/").is_none(), "{host}");
    }
    for host in ["h", "my_host:80", "例え.jp", "10.0.0.7", "[2001:db8::1]:443"] {
        assert!(Origin::new(host, "/").is_some(), "{host}");
    }
}

#[test]
fn to_which_paths_it_goes() {
    let host = "h.example";
    for (line, from, to, goes) in [
        ("a=1; Path=/shop", "/", "/shop", true),
        ("a=1; Path=/shop", "/", "/shop/", true),
        ("a=1; Path=/shop", "/", "/shop/x?y", true),
        ("a=1; Path=/shop", "/", "/shopping", false),
        ("a=1; Path=/shop/", "/", "/shop", false),
        ("a=1; Path=/shop", "/", "/SHOP", false),
        ("a=1", "/shop/cart?x=/y", "/shop/z", true),
        ("a=1", "/shop/cart", "/shop", true),
        ("a=1", "/shop/cart", "/x", false),
        ("a=1", "/shop", "/x", true),
        ("a=1; Path=shop", "/a/b", "/a/c", true),
        ("a=1; Path=/x; Path", "/a/b", "/a/c", true),
        ("a=1; Path=/x; Path=", "/a/b", "/x", false),
    ] {
        assert_eq!(sent(&[line], (host, from), (host, to)) != "-", goes, "{line} of {from} to {to}");
    }
}

#[test]
fn longer_paths_go_first_then_older_ones() {
    let lines = ["a=1; Path=/", "b=2; Path=/a/b", "c=3; Path=/a", "d=4; Path=/a/b", "e=5; Path=/x"];
    assert_eq!(sent(&lines, ("h.example", "/"), ("h.example", "/a/b/c")), "b=2; d=4; c=3; a=1");
}

#[test]
fn what_the_webhook_sets_is_for_every_host_unless_it_names_one() {
    let set = |line: &str| read(line.as_bytes(), From::Webhook, NOW).map(|set| set.cookie);
    let everywhere = set("sid=1; HttpOnly; Secure").unwrap();
    assert!(
        everywhere.goes_to(To::BackEnd(&at("shop.example", "/a/b")))
            && everywhere.goes_to(To::BackEnd(&at("10.0.0.7", "/")))
    );
    let named = set("sid=1; Domain=shop.example; Path=/api").unwrap();
    assert!(
        named.goes_to(To::BackEnd(&at("www.shop.example", "/api/x")))
            && !named.goes_to(To::BackEnd(&at("bank.example", "/api/x")))
    );
    assert!(!named.goes_to(To::BackEnd(&at("www.shop.example", "/"))));
    assert!(set("sid=1; Domain=example").is_none());
}

/// Least privilege: another upstream's cookie is nothing to the webhook, and its own host says nothing.
#[test]
fn the_webhook_is_shown_its_own_and_those_of_its_upstreams() {
    let (there, hook) = (at("shop.example", "/"), at("10.0.0.7:9000", "/hook"));
    let by = |upstream, line: &str| read(line.as_bytes(), From::Answer(&there, upstream), NOW).unwrap().cookie;
    let opened = |line: &str| read(line.as_bytes(), From::Webhook, NOW).unwrap().cookie;
    let shop = ["shop".to_owned()];
    let both = ["pay".to_owned(), "shop".to_owned()];
    for (cookie, none, of_shop, of_both) in [
        (opened("a=1"), true, true, true),
        (opened("a=1; Domain=shop.example"), true, true, true),
        (opened("a=1; Path=/elsewhere"), false, false, false),
        (by("shop", "a=1"), false, true, true),
        (by("shop", "a=1; Domain=shop.example"), false, true, true),
        (by("shop", "a=1; Path=/cart"), false, false, false),
        (by("pay", "a=1"), false, false, true),
        (by("pay", "a=1; Domain=shop.example"), false, false, true),
        (by("", "a=1"), false, false, false),
    ] {
        // As it is when it comes back from the store, too.
        for cookie in [Cookie::from_plain(&cookie.to_plain()).unwrap(), cookie] {
            let goes = [&[][..], &shop, &both].map(|of| cookie.goes_to(To::Webhook(&hook, of)));
            assert_eq!(goes, [none, of_shop, of_both], "{cookie:?}");
        }
    }
    // As rows were before it was noted who has set them.
    let kept = |domain: &str| Cookie::from_plain(format!("host\0{domain}\0/\0a\x001\0").as_bytes()).unwrap();
    assert!(!kept("shop.example").goes_to(To::Webhook(&hook, &both)));
    assert!(kept("").goes_to(To::Webhook(&hook, &[])));
}

#[test]
fn a_cookie_shows_nothing_and_comes_back() {
    let cookie = |line| read_at(line, &at("shop.example", "/a/b")).unwrap().cookie;
    for line in ["JSESSIONID=node0-secret", "a=\"店\"; Domain=shop.example; Path=/x", "a="] {
        let cookie = cookie(line);
        assert_eq!(Cookie::from_plain(&cookie.to_plain()).as_ref(), Some(&cookie));
        let shown = format!("{cookie:?}");
        assert!(!shown.contains("node0") && !shown.contains("JSESSIONID"), "{shown}");
    }
    let everywhere = read(b"a=1", From::Webhook, NOW).unwrap().cookie;
    assert_eq!(Cookie::from_plain(&everywhere.to_plain()), Some(everywhere));
    for broken in [&b""[..], b"host", b"host\0h\0/\0n", b"host\0h\0no path\0n\0v", b"\xff"] {
        assert_eq!(Cookie::from_plain(broken), None, "{broken:?}");
    }
}

proptest::proptest! {
    /// Whatever a back end sends: a field that is made of it is one field, bounded, and what was sealed comes back.
    #[test]
    fn any_line_makes_one_field_at_most(line in "\\PC*|[a-z=; \t\r\n\0/.,-]{0,80}", path in "/[a-z/.%?#]{0,20}") {
        let here = at("shop.example", &path);
        if let Some(set) = read_at(&line, &here) {
            let cookies = [set.cookie.clone()];
            if let Some(field) = header(&cookies, To::BackEnd(&here), |_| {}) {
                proptest::prop_assert!(!field.chars().any(|c| c.is_control() && c != '\t'));
                proptest::prop_assert!(field.len() <= line.len() && !field.contains(';'));
            }
            proptest::prop_assert!(set.expires_at.is_none_or(|at| at <= NOW + LIFE_MAX));
            proptest::prop_assert_eq!(Cookie::from_plain(&set.cookie.to_plain()), Some(set.cookie));
        }
    }
}
