use super::*;
use http::HeaderMap;
use proptest::prelude::*;

#[test]
fn nginx_target_is_taken_verbatim() {
    let target = "/check/nginx/require=open&apps=a,b/POST/https/shop.example:8443/a%20b/c?x=/y/&z=?q";
    let got = NginxTarget::parse(target).unwrap();
    assert_eq!(got.ask, "require=open&apps=a,b");
    assert_eq!(
        got.original,
        Original {
            method: "POST",
            scheme: "https",
            host: "shop.example:8443",
            prefix: "",
            path: "/a%20b/c",
            query: Some("x=/y/&z=?q")
        }
    );
    assert_eq!(NginxTarget::parse("/check/nginx/-/GET/http/h/").unwrap().ask, "");
    assert_eq!(NginxTarget::parse("/check/nginx/-/GET/http/h/?").unwrap().original.query, Some(""));
    assert_eq!(NginxTarget::parse("/check/nginx/-/GET/http/h/").unwrap().original.query, None);
}

#[test]
fn nginx_target_with_missing_parts_is_refused() {
    use NotOriginal::*;
    for (target, why) in [
        ("/check/nginx/-", Missing("method")),
        ("/check/nginx/-/GET", Missing("scheme")),
        ("/check/nginx/-/GET/https", Missing("host")),
        ("/check/nginx/-/GET/https/h", Missing("URI")),
        ("/check/nginx/-//https/h/", Wrong("method")),
        ("/check/nginx/-/GET//h/", Wrong("scheme")),
        ("/check/nginx/-/GET/ftp/h/", Wrong("scheme")),
        ("/check/nginx/-/GET/https//x", Wrong("host")),
        ("/check/nginx/-/GET/https/a?b/x", Wrong("host")),
        ("/check/nginx/-/GET/https/u@h/x", Wrong("host")),
    ] {
        assert_eq!(NginxTarget::parse(target).unwrap_err(), why, "{target}");
    }
}

#[test]
fn haproxy_says_it_as_nginx_does() {
    for rest in ["require=open/POST/https/shop.example:8443/a%20b/c?x=/y/&z=?q", "-/GET/http/h/", "-/GET/http/h", ""] {
        let nginx = format!("{NGINX_PREFIX}{rest}");
        assert_eq!(NginxTarget::parse(&format!("{HAPROXY_PREFIX}{rest}")), NginxTarget::parse(&nginx));
    }
}

#[test]
fn envoy_s_check_is_the_request_behind_a_prefix() {
    let headers = |of: &[(&'static str, &str)]| {
        let mut h = HeaderMap::new();
        of.iter().for_each(|(name, value)| _ = h.append(*name, value.parse().unwrap()));
        h
    };
    let usual = headers(&[("x-forwarded-proto", "https"), ("host", "shop.example")]);
    let target = "/check/envoy/require=open&apps=a/a%20b//c?x=/y";
    let (ask, original) = Original::from_envoy(target, "PUT", &usual).unwrap();
    assert_eq!(ask, "require=open&apps=a");
    assert_eq!((original.method, original.scheme, original.host), ("PUT", "https", "shop.example"));
    assert_eq!((original.path, original.query), ("/a%20b//c", Some("x=/y")));
    assert_eq!(Original::from_envoy("/check/envoy/-/", "GET", &usual).unwrap().0, "");
    use NotOriginal::*;
    for (target, of, why) in [
        ("/check/envoy/-", &usual, Missing("URI")),
        ("/check/envoy/require=open?x=/orders", &usual, Wrong("URI")),
        ("/check/envoy/-/x", &headers(&[("host", "h")]), Missing("scheme")),
        ("/check/envoy/-/x", &headers(&[("x-forwarded-proto", "https,http"), ("host", "h")]), Wrong("scheme")),
        ("/check/envoy/-/x", &headers(&[("x-forwarded-proto", "https")]), Missing("host")),
        (
            "/check/envoy/-/x",
            &headers(&[("x-forwarded-proto", "http"), ("host", "h"), ("host", "evil")]),
            Doubled("host"),
        ),
    ] {
        assert_eq!(Original::from_envoy(target, "GET", of).unwrap_err(), why, "{target}");
    }
}

#[test]
fn forwarded_headers_must_come_once() {
    let mut h = HeaderMap::new();
    assert_eq!(Original::from_forwarded(&h).unwrap_err(), NotOriginal::Missing("method"));
    h.insert("x-forwarded-method", "GET".parse().unwrap());
    h.insert("x-forwarded-proto", "https".parse().unwrap());
    h.insert("x-forwarded-host", "h".parse().unwrap());
    h.insert("x-forwarded-uri", "/a?b".parse().unwrap());
    assert_eq!(Original::from_forwarded(&h).unwrap().path, "/a");
    h.append("x-forwarded-host", "evil".parse().unwrap());
    assert_eq!(Original::from_forwarded(&h).unwrap_err(), NotOriginal::Doubled("host"));
    h.insert("x-forwarded-host", "h, evil".parse().unwrap());
    assert_eq!(Original::from_forwarded(&h).unwrap_err(), NotOriginal::Wrong("host"));
}

#[test]
fn unclean_paths() {
    for path in [
        "/a/../b",
        "/..",
        "/.",
        "/a/.",
        "/./a",
        "/a//b",
        "//a",
        "/a/%2e%2e/b",
        "/a%2Fb",
        "/a%5cb",
        "/a\\b",
        "/a;x=1",
        "/a%3b",
        "/a%00",
        "/%",
        "/%2",
        "/%zz",
        "/a%2e",
        // Twice, which is no less.
        "/a///b",
        "/a//b//c",
        "/a;b;c",
        "/./a/./b",
        // Right behind an escape, far from the start.
        "/aaaaaaaaaa%41;b",
        "/aaaaaaaaaa%41//b",
    ] {
        assert!(is_unclean(path), "{path}");
    }
    for path in ["/", "/a", "/a/", "/a/b.c", "/.well-known/x", "/a..b", "/...", "/%E5%BC%A0", "/a%20b", "/a+b"] {
        assert!(!is_unclean(path), "{path}");
    }
}

#[test]
fn what_is_kept_is_the_request_itself() {
    let original = Original::new("POST", "https", "shop.example:8443", "/orders?x=1").unwrap().stripped_of("/api");
    assert_eq!((original.prefix, original.path), ("/api", "/orders"));
    let kept = KeptOriginal::of(&original);
    assert_eq!(kept.borrow(), original);
    assert_eq!(format!("{kept:?}"), "KeptOriginal(…)");
}

#[test]
fn prefixes() {
    assert!(["/api", "/a/b", "/%E5%BC%A0"].into_iter().all(is_prefix));
    let none = ["", "/", "api", "/api/", "//a", "/a/../b", "/a?b", "/a#b", "/a b", "/a;b", "/%2f", "/张"];
    assert_eq!(none.into_iter().find(|text| is_prefix(text)), None);
}

proptest! {
    /// The quick look never disagrees with the thorough one.
    #[test]
    fn a_quick_look_misses_nothing(path in "/[a/.%;\\\\0-2\\x00é]{0,40}") {
        prop_assert_eq!(is_unclean(&path), is_unclean_byte_by_byte(path.as_bytes()));
    }

    /// Two different originals never look alike: the parts can be put together again to the same target.
    #[test]
    fn a_target_says_one_thing(target in "/check/nginx/[-=a]{1,3}/[A-Z]{0,3}/https?/[a-z.:/?]{0,5}/[ -~]{0,12}") {
        if let Ok(NginxTarget { ask, original: o }) = NginxTarget::parse(&target) {
            let query = o.query.map(|q| format!("?{q}")).unwrap_or_default();
            let ask = if ask.is_empty() { "-" } else { ask };
            let again = format!("/check/nginx/{ask}/{}/{}/{}{}{query}", o.method, o.scheme, o.host, o.path);
            prop_assert_eq!(again, target);
        }
    }

    /// From headers nothing is changed either, and nothing is taken that the parts alone would be refused for.
    #[test]
    fn headers_say_what_they_hold(
        method in "[A-Za-z ]{0,4}",
        scheme in "https?|ftp",
        host in "[a-z.:\\[\\]@/,]{0,6}",
        uri in "[/a?#% é]{0,8}",
    ) {
        let mut h = HeaderMap::new();
        for (name, value) in [("method", &method), ("proto", &scheme), ("host", &host), ("uri", &uri)] {
            let name = http::HeaderName::try_from(format!("x-forwarded-{name}")).unwrap();
            h.insert(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match Original::from_forwarded(&h) {
            Ok(o) => {
                let query = o.query.map(|q| format!("?{q}")).unwrap_or_default();
                let said = [o.method, o.scheme, o.host, &format!("{}{query}", o.path)];
                prop_assert_eq!(said, [&*method, &scheme, &host, &uri]);
            }
            Err(_) => prop_assert!(!uri.is_ascii() || Original::new(&method, &scheme, &host, &uri).is_err()),
        }
    }

    #[test]
    fn never_panics(text: String) {
        let _ = NginxTarget::parse(&format!("/check/nginx/{text}"));
        let _ = is_unclean(&text);
    }
}
