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
#[path = "original_tests.rs"]
mod tests;
