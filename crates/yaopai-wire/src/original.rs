//! The request that a proxy asks about. What is reconstructed here is what a route matches and, for keyed sessions, what
//! a signature covers, so nothing is normalised: the original is taken verbatim or refused.

use crate::fields::Fields;

/// The original request, as slices of what the proxy sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Original<'a> {
    /// Its method, case as sent.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The host and, where it was sent, the port.
    pub host: &'a str,
    /// What a proxy has taken off the front of the path that the client sent; nearly always nothing.
    pub prefix: &'a str,
    /// The path, still percent-encoded.
    pub path: &'a str,
    /// The query without its `?`; `None` differs from empty.
    pub query: Option<&'a str>,
}

/// Why an original request can't be reconstructed. The proxy's configuration is at fault, or somebody plays with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOriginal {
    /// A part is missing.
    #[error("the proxy's check lacks the original {0}")]
    Missing(&'static str),
    /// A part came twice.
    #[error("the proxy's check has the original {0} more than once")]
    Doubled(&'static str),
    /// A part is not what it should be.
    #[error("the proxy's check has an original {0} that can't be one")]
    Wrong(&'static str),
}

/// A check by nginx's `auth_request`, or by HAProxy: everything is in the check's own request target, verbatim:
/// `/check/nginx/{what is asked}/{method}/{scheme}/{host}{request_uri}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NginxTarget<'a> {
    /// What the check needs, in query syntax; `-` where it needs only the defaults.
    pub ask: &'a str,
    /// What it is about.
    pub original: Original<'a>,
}

/// Where nginx checks live.
pub const NGINX_PREFIX: &str = "/check/nginx/";
/// Where HAProxy's live: the same grammar.
pub const HAPROXY_PREFIX: &str = "/check/haproxy/";
/// Where the checks of Envoy's ext_authz live.
pub const ENVOY_PREFIX: &str = "/check/envoy/";

impl<'a> NginxTarget<'a> {
    /// Takes a check's request target apart.
    ///
    /// # Errors
    /// Whatever part is missing or wrong.
    pub fn parse(target: &'a str) -> Result<Self, NotOriginal> {
        let rest = target.strip_prefix(NGINX_PREFIX).or_else(|| target.strip_prefix(HAPROXY_PREFIX));
        let rest = rest.ok_or(NotOriginal::Missing("request"))?;
        // The first four parts are the proxy's own; from the fifth slash on all is the client's.
        let mut slashes = rest.bytes().enumerate().filter(|(_, b)| *b == b'/').map(|(at, _)| at);
        let mut slash = |missing| slashes.next().ok_or(NotOriginal::Missing(missing));
        let (a, b, c, d) = (slash("method")?, slash("scheme")?, slash("host")?, slash("URI")?);
        let (ask, method, scheme) = (&rest[..a], &rest[a + 1..b], &rest[b + 1..c]);
        let (host, uri) = (&rest[c + 1..d], &rest[d..]);
        Ok(Self { ask: asked(ask), original: Original::new(method, scheme, host, uri)? })
    }
}

/// What a check needs, where its place in a target can't be empty.
fn asked(ask: &str) -> &str {
    if ask == "-" { "" } else { ask }
}

impl<'a> Original<'a> {
    /// Checks the parts and splits the URI.
    ///
    /// # Errors
    /// The part that can't be one.
    pub fn new(method: &'a str, scheme: &'a str, host: &'a str, uri: &'a str) -> Result<Self, NotOriginal> {
        if method.is_empty() || any(method, |b| !METHOD[usize::from(b)]) {
            return Err(NotOriginal::Wrong("method"));
        }
        if scheme != "http" && scheme != "https" {
            return Err(NotOriginal::Wrong("scheme"));
        }
        // reg-name, IPv4, [IPv6], port (RFC 3986, section 3.2.2), without the characters that no real host has.
        if host.is_empty() || any(host, |b| !HOST[usize::from(b)]) {
            return Err(NotOriginal::Wrong("host"));
        }
        if !uri.starts_with('/') || any(uri, |b| b <= b' ' || b == 0x7f || b == b'#') {
            return Err(NotOriginal::Wrong("URI"));
        }
        let (path, query) = match cut(uri, b'?') {
            Some((path, query)) => (path, Some(query)),
            None => (uri, None),
        };
        Ok(Self { method, scheme, host, prefix: "", path, query })
    }

    /// The same request, of whose path a proxy has taken this off before it asked. What the client signed is the whole.
    pub fn stripped_of(self, prefix: &'a str) -> Self {
        Self { prefix, ..self }
    }

    /// Reads the `X-Forwarded-*` headers that Traefik's ForwardAuth and Caddy's `forward_auth` send. The caller has made sure
    /// that the peer is one of the configured proxies.
    ///
    /// # Errors
    /// A header that is missing, comes twice or holds a list.
    pub fn from_forwarded(fields: &'a impl Fields) -> Result<Self, NotOriginal> {
        Self::new(
            single(fields, b"x-forwarded-method", "method")?,
            single(fields, b"x-forwarded-proto", "scheme")?,
            single(fields, b"x-forwarded-host", "host")?,
            single(fields, b"x-forwarded-uri", "URI")?,
        )
    }

    /// Reads a check of Envoy's ext_authz over HTTP. Its `path_prefix`, `/check/envoy/{what is asked}`, stands in front of the
    /// original path and query; method and `Host` are the original's own, and `X-Forwarded-Proto` is passed on. Answers what is
    /// asked, too. The caller has made sure that the peer is one of the configured proxies.
    ///
    /// # Errors
    /// A part that is missing, comes twice or can't be one.
    pub fn from_envoy(
        target: &'a str,
        method: &'a str,
        fields: &'a impl Fields,
    ) -> Result<(&'a str, Self), NotOriginal> {
        let rest = target.strip_prefix(ENVOY_PREFIX).ok_or(NotOriginal::Missing("request"))?;
        let (ask, uri) = rest.split_at(rest.find('/').ok_or(NotOriginal::Missing("URI"))?);
        if ask.contains('?') {
            return Err(NotOriginal::Wrong("URI"));
        }
        let (scheme, host) = (single(fields, b"x-forwarded-proto", "scheme")?, single(fields, b"host", "host")?);
        Ok((asked(ask), Self::new(method, scheme, host, uri)?))
    }
}

/// An original request kept while something is waited for.
#[derive(Clone)]
pub struct KeptOriginal {
    method: Box<str>,
    scheme: Box<str>,
    host: Box<str>,
    prefix: Box<str>,
    path: Box<str>,
    query: Option<Box<str>>,
}

impl KeptOriginal {
    /// Copies it.
    pub fn of(original: &Original<'_>) -> Self {
        Self {
            method: original.method.into(),
            scheme: original.scheme.into(),
            host: original.host.into(),
            prefix: original.prefix.into(),
            path: original.path.into(),
            query: original.query.map(Into::into),
        }
    }

    /// The request again.
    pub fn borrow(&self) -> Original<'_> {
        Original {
            method: &self.method,
            scheme: &self.scheme,
            host: &self.host,
            prefix: &self.prefix,
            path: &self.path,
            query: self.query.as_deref(),
        }
    }
}

/// Nothing of what it holds: a ticket may be in the query.
impl std::fmt::Debug for KeptOriginal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeptOriginal(…)")
    }
}

/// Can a proxy have taken this off the front of a path? It begins with a slash, ends without one, and is clean: then prefix and path
/// together are one path again, in one way.
pub fn is_prefix(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'?' | b'#' | b'"' | b'<' | b'>');
    text.starts_with('/') && !text.ends_with('/') && text.bytes().all(plain) && !is_unclean(text)
}

/// Could two readers of this path disagree on what it names? Dot segments, an encoded `/`, `\`, `.`, `;` or NUL, `\`, `//`,
/// `;` and broken percent-encoding: a proxy's route and a back end's may then differ, and with them who may pass.
pub fn is_unclean(path: &str) -> bool {
    let bytes = path.as_bytes();
    // Nearly every path has none of what could make it so, and that is seen at a glance.
    let glance = bytes.iter().fold((0, 0), |(found, before), b| {
        let kind = DOUBT[usize::from(*b)];
        (found | (kind & ALWAYS) | (kind & before & AFTER_SLASH), if *b == b'/' { AFTER_SLASH } else { 0 })
    });
    glance.0 != 0 && is_unclean_byte_by_byte(bytes)
}

fn is_unclean_byte_by_byte(bytes: &[u8]) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b';' | b'\\' | 0 => return true,
            b'/' => {
                let rest = &bytes[at + 1..];
                let segment = &rest[..rest.iter().position(|b| *b == b'/').unwrap_or(rest.len())];
                let last = at + 1 + segment.len() == bytes.len();
                if matches!(segment, b"." | b"..") || (segment.is_empty() && !last) {
                    return true;
                }
            }
            b'%' => {
                let hex = bytes.get(at + 1).zip(bytes.get(at + 2));
                let Some(value) = hex.and_then(|(a, b)| Some(digit(*a)? << 4 | digit(*b)?)) else { return true };
                if matches!(value, b'/' | b'\\' | b'.' | b';' | 0) {
                    return true;
                }
                at += 2;
            }
            _ => {}
        }
        at += 1;
    }
    false
}

fn digit(b: u8) -> Option<u8> {
    (b as char).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

/// Is there such a byte? Looks at all of them even when the first is one, which lets the compiler take many at a time.
fn any(text: &str, is: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(false, |found, b| found | is(b))
}

/// What comes before the first such ASCII byte, and what after it. The parts are short: `split_once` prepares for long ones.
fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    let found = text.bytes().position(|b| b == at)?;
    Some((&text[..found], &text[found + 1..]))
}

/// What a byte may make of a path.
static DOUBT: [u8; 256] = {
    let mut table = [0u8; 256];
    (table[b';' as usize], table[b'\\' as usize], table[b'%' as usize], table[0]) = (ALWAYS, ALWAYS, ALWAYS, ALWAYS);
    (table[b'/' as usize], table[b'.' as usize]) = (AFTER_SLASH, AFTER_SLASH);
    table
};
/// It may be unclean wherever it stands.
const ALWAYS: u8 = 1;
/// It may be unclean after a slash.
const AFTER_SLASH: u8 = 2;

/// A token's bytes (RFC 9110, section 5.6.2).
static METHOD: [bool; 256] = letters_digits_and(b"!#$%&'*+-.^_`|~");
/// What a host and port are made of: see [`Original::new`].
static HOST: [bool; 256] = letters_digits_and(b".-_:[]");

const fn letters_digits_and(others: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut n = 0;
    while n < others.len() {
        table[others[n] as usize] = true;
        n += 1;
    }
    table
}

fn single<'a>(fields: &'a impl Fields, name: &'static [u8], part: &'static str) -> Result<&'a str, NotOriginal> {
    let mut values = fields.named(name);
    let value = values.next().ok_or(NotOriginal::Missing(part))?;
    if values.next().is_some() {
        return Err(NotOriginal::Doubled(part));
    }
    std::str::from_utf8(value).ok().filter(|text| text.is_ascii()).ok_or(NotOriginal::Wrong(part))
}

#[cfg(test)]
mod tests {
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
        for rest in
            ["require=open/POST/https/shop.example:8443/a%20b/c?x=/y/&z=?q", "-/GET/http/h/", "-/GET/http/h", ""]
        {
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
}
