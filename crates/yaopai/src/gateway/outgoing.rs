//! What goes on, and what comes back: headers without what was between two ends only (RFC 9110, section 7.6.1), without anything of
//! ours, and with what we know.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use http::{Request, Uri};
use hyper::body::Incoming;
use yaopai_wire::principal::{is_ours, reads_as};
use yaopai_wire::signature::{SIGNATURE, SIGNATURE_INPUT};
use yaopai_wire::ticket::{VIEW_COOKIE, taken_out};

use super::asked::Asked;
use super::body::Upload;
use super::forward::Going;
use super::routes::Route;
use super::{Gateway, socket};
use crate::check::Passed;
use crate::config::Cookies;
use crate::listen::Peer;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Where a request came from, as a proxy in front says it: believed only of ours. `Forwarded` goes on from nobody.
const FROM_PROXIES: [&str; 8] = [
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-real-ip",
];
/// What some frameworks believe more than the request line: another path than the one that was checked.
const OTHER_PATH: [&str; 5] =
    ["x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-uri", "x-forwarded-path"];
/// The same for the method.
const OTHER_METHOD: [&str; 4] = ["x-http-method-override", "x-http-method", "x-method-override", "x-forwarded-method"];

/// How a request goes on.
pub struct Outgoing<'a> {
    pub gateway: &'a Gateway,
    pub route: &'a Route,
    pub peer: Peer,
    /// Does it ask for a WebSocket?
    pub upgrade: bool,
    /// Is it the old program's?
    pub legacy: bool,
}

impl Outgoing<'_> {
    /// The request as it goes on: its own headers, changed in place.
    pub fn of(
        &self,
        mut parts: Parts,
        target: Option<PathAndQuery>,
        upload: Upload<Incoming>,
        passed: Option<&mut Passed>,
        kept: Option<&HeaderValue>,
    ) -> Going {
        self.change(&mut parts.headers, passed, kept);
        let mut request = Request::new(upload);
        *request.method_mut() = parts.method;
        *request.uri_mut() = target.map_or(parts.uri, Uri::from);
        *request.headers_mut() = parts.headers;
        Box::new(request)
    }

    fn change(&self, headers: &mut HeaderMap, passed: Option<&mut Passed>, kept: Option<&HeaderValue>) {
        let (gateway, route) = (self.gateway, self.route);
        let trusted = gateway.trusts(self.peer);
        gateway.carriers.take_out(headers, &[VIEW_COOKIE]);
        // Before the jar's are added, among which the back end's own session may have the same name.
        if passed.is_some() {
            gateway.legacy.take_out(headers);
        }
        let cookies = route.cookies_of(self.legacy) == Cookies::Pass;
        // The upstream is told who it is by our JWT: whatever else stands there is nobody's word.
        let authorization = route.ask().jwt.is_none();
        without_hop_by_hop(headers, |name| {
            (!cookies && *name == header::COOKIE)
                || (!authorization && *name == header::AUTHORIZATION)
                || stops_here(name.as_str(), route, trusted)
        });
        self.forwarded(headers, trusted);
        if let Some(passed) = passed {
            // What covers our own carrier and authority tells an upstream nothing. The digest beside it does.
            headers.remove(SIGNATURE);
            headers.remove(SIGNATURE_INPUT);
            headers.reserve(passed.principal.len());
            for (name, value) in passed.principal.drain(..) {
                headers.insert(name, value);
            }
        }
        if let Some(cookie) = kept {
            headers.insert(header::COOKIE, cookie.clone());
        }
        if self.upgrade {
            socket::agree(headers);
        }
    }

    /// Where the request came from. What a proxy of ours says goes on, with the proxy itself at the end of the list.
    fn forwarded(&self, headers: &mut HeaderMap, trusted: bool) {
        let nearest = match self.peer {
            Peer::Ip(ip) => Some(written(ip)),
            Peer::Local => None,
        };
        let before: Vec<&[u8]> = headers.get_all(&FORWARDED_FOR).iter().map(HeaderValue::as_bytes).collect();
        let hops = match (before.is_empty(), nearest) {
            (true, nearest) => nearest,
            (false, nearest) => {
                let hops = [&before[..], nearest.as_ref().map(HeaderValue::as_bytes).as_slice()].concat();
                HeaderValue::from_bytes(&hops.join(&b", "[..])).ok().filter(|hops| !hops.is_empty())
            }
        };
        match hops {
            Some(hops) => _ = headers.insert(FORWARDED_FOR, hops),
            None => _ = headers.remove(&FORWARDED_FOR),
        }
        // Our own listener is plain HTTP: what was in front of the proxy, only the proxy knows.
        let proto = only(headers, &FORWARDED_PROTO).filter(|v| trusted && (*v == "https" || *v == "http")).cloned();
        headers.insert(FORWARDED_PROTO, proto.unwrap_or(HeaderValue::from_static("http")));
        if let Some(host) = only(headers, &FORWARDED_HOST).or_else(|| headers.get(header::HOST)).cloned() {
            headers.insert(FORWARDED_HOST, host);
        }
    }
}

/// An answer on its way back. Nobody but us speaks as Yaopai.
pub fn for_the_client(headers: &mut HeaderMap, cookies: Cookies) {
    let cookies = cookies == Cookies::Pass;
    without_hop_by_hop(headers, |name| is_ours(name.as_str()) || (!cookies && *name == header::SET_COOKIE));
}

/// The path and query without our ticket, where there may be one; `None`: they go on verbatim.
pub fn without_ticket(asked: &Asked<'_>) -> Option<PathAndQuery> {
    let original = &asked.original;
    let query = original.query.filter(|query| query.contains(yaopai_wire::ticket::PARAMETER))?;
    let text = match taken_out(query) {
        Some(left) => format!("{}?{left}", original.path),
        None => original.path.to_owned(),
    };
    // Parts of what was one: it is one.
    Some(PathAndQuery::try_from(text).unwrap_or_else(|_| PathAndQuery::from_static("/")))
}

/// Does a header of this name stop here, in any spelling that a CGI-like back end reads as the same?
fn stops_here(name: &str, route: &Route, trusted: bool) -> bool {
    // All of them begin with one of these letters, which no spelling changes.
    if !name.starts_with(['f', 'x', 'y']) {
        return false;
    }
    let is_one_of = |list: &[&str]| list.iter().any(|known| reads_as(name, known));
    is_ours(name)
        || reads_as(name, "forwarded")
        || is_one_of(&OTHER_PATH)
        || (route.by_method && is_one_of(&OTHER_METHOD))
        || FROM_PROXIES.iter().any(|known| reads_as(name, known) && !(trusted && name == *known))
}

/// Takes out what concerns one connection, what its `Connection` names, and what else goes. The host and the length are no
/// connection's, whoever says so: a request without them would be another one.
fn without_hop_by_hop(headers: &mut HeaderMap, goes: impl Fn(&HeaderName) -> bool) {
    let named = headers.get_all(header::CONNECTION).iter().flat_map(|list| list.as_bytes().split(|b| *b == b','));
    let named: Vec<HeaderName> = named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    let gone = |name: &&HeaderName| {
        let of_this_connection = is_hop_by_hop(name.as_str()) || named.contains(name);
        (of_this_connection && **name != header::HOST && **name != header::CONTENT_LENGTH) || goes(name)
    };
    // Nearly always none or two: to look at each once costs less than to look each of ours up.
    let gone: Vec<HeaderName> = headers.keys().filter(gone).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// Between two ends only. `Expect` is answered by hyper when the body is first read; `Trailer` goes because trailers do.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "keep-alive"
            | "proxy-connection"
            | "proxy-authorization"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
            | "expect"
    )
}

/// An address as a header has it. Nearly all are IPv4's, whose digits are written here: formatting takes ten times as long.
fn written(ip: IpAddr) -> HeaderValue {
    let IpAddr::V4(ip) = ip else {
        return HeaderValue::try_from(ip.to_string()).unwrap_or(HeaderValue::from_static("unknown"));
    };
    let mut text = Vec::with_capacity("255.255.255.255".len());
    for (n, octet) in ip.octets().into_iter().enumerate() {
        if n > 0 {
            text.push(b'.');
        }
        if octet >= 100 {
            text.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            text.push(b'0' + octet / 10 % 10);
        }
        text.push(b'0' + octet % 10);
    }
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).unwrap_or(HeaderValue::from_static("unknown"))
}

fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap())).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_a_connection_names_goes_but_not_what_makes_the_request() {
        let mut all = headers(&[
            ("connection", "close, X-Own ,host, content-length, yaopai-user"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("x-own", "1"),
            ("host", "shop.example"),
            ("content-length", "3"),
            ("x-kept", "1"),
        ]);
        without_hop_by_hop(&mut all, |_| false);
        assert_eq!(names(&all), ["content-length", "host", "x-kept"]);
    }

    #[test]
    fn an_address_is_written_as_everybody_does() {
        for ip in ["0.0.0.0", "127.0.0.1", "9.10.99.100", "255.205.250.19", "2001:db8::1", "::ffff:10.0.0.1"] {
            assert_eq!(written(ip.parse().unwrap()), ip);
        }
    }

    /// What is looked up by its first letter alone has to have one of those.
    #[test]
    fn what_stops_here_begins_as_it_is_looked_for() {
        let all = FROM_PROXIES.iter().chain(&OTHER_PATH).chain(&OTHER_METHOD);
        assert!(all.chain(&["yaopai-user"]).all(|name| name.starts_with(['x', 'y'])));
    }

    #[test]
    fn an_upstream_does_not_speak_for_us() {
        let answer = [("yaopai-code", "session_kicked"), ("yaopai_bound", "1"), ("set-cookie", "a=b"), ("etag", "x")];
        for (cookies, left) in
            [(Cookies::Keep, vec!["etag"]), (Cookies::Pass, vec!["etag", "set-cookie"]), (Cookies::Drop, vec!["etag"])]
        {
            let mut all = headers(&answer);
            for_the_client(&mut all, cookies);
            assert_eq!(names(&all), left);
        }
    }
}
