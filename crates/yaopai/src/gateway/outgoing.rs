//! What goes on, and what comes back: headers without what was between two ends only (RFC 9110, section 7.6.1), without anything of
//! ours, and with what we know.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::PathAndQuery;
use yaopai_wire::principal::{is_ours, reads_as};
use yaopai_wire::signature::{SIGNATURE, SIGNATURE_INPUT};
use yaopai_wire::ticket::{VIEW_COOKIE, taken_out};

use super::asked::Asked;
use super::forward::Head;
use super::routes::Route;
use super::{Gateway, socket};
use crate::check::Passed;
use crate::config::Cookies;
use crate::listen::Peer;

/// Between two ends only. `Expect` is answered by hyper when the body is first read; `Trailer` goes because trailers do.
const HOP_BY_HOP: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::EXPECT,
];
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

/// A request about to go on.
pub struct Outgoing<'a> {
    pub parts: &'a Parts,
    pub asked: &'a Asked<'a>,
    pub peer: Peer,
    /// Does it ask for a WebSocket?
    pub upgrade: bool,
    /// Is it the old program's?
    pub legacy: bool,
}

impl Outgoing<'_> {
    /// What goes on of it, but for the body.
    pub fn head(&self, gateway: &Gateway, route: &Route, passed: Option<&Passed>, kept: Option<&HeaderValue>) -> Head {
        let trusted = gateway.trusts(self.peer);
        let mut headers = self.parts.headers.clone();
        without_hop_by_hop(&mut headers);
        headers.insert(header::HOST, self.asked.host.clone());
        gateway.carriers.take_out(&mut headers, &[VIEW_COOKIE]);
        if route.cookies_of(self.legacy) != Cookies::Pass {
            headers.remove(header::COOKIE);
        }
        // Before the jar's are added, among which the back end's own session may have the same name.
        if passed.is_some() {
            gateway.legacy.take_out(&mut headers);
        }
        if let Some(cookie) = kept {
            headers.insert(header::COOKIE, cookie.clone());
        }
        let known: Vec<HeaderName> =
            headers.keys().filter(|n| stops_here(n.as_str(), route, trusted)).cloned().collect();
        for name in known {
            headers.remove(name);
        }
        // The upstream is told who it is by our JWT: whatever else stands there is nobody's word.
        if route.ask().jwt.is_some() {
            headers.remove(header::AUTHORIZATION);
        }
        self.forwarded(&mut headers, trusted);
        if let Some(passed) = passed {
            // What covers our own carrier and authority tells an upstream nothing. The digest beside it does.
            headers.remove(SIGNATURE);
            headers.remove(SIGNATURE_INPUT);
            headers.extend(passed.principal.clone());
        }
        if self.upgrade {
            socket::agree(&mut headers);
        }
        Head { method: self.parts.method.clone(), target: self.target(), headers }
    }

    /// The path verbatim, and the query without our ticket.
    fn target(&self) -> PathAndQuery {
        let original = &self.asked.original;
        let Some(query) = original.query.filter(|query| query.contains(yaopai_wire::ticket::PARAMETER)) else {
            return self.asked.target.clone();
        };
        let text = match taken_out(query) {
            Some(left) => format!("{}?{left}", original.path),
            None => original.path.to_owned(),
        };
        // Parts of what was one: it is one.
        PathAndQuery::try_from(text).unwrap_or_else(|_| PathAndQuery::from_static("/"))
    }

    /// Where the request came from. What a proxy of ours says goes on, with the proxy itself at the end of the list.
    fn forwarded(&self, headers: &mut HeaderMap, trusted: bool) {
        let mut hops: Vec<Vec<u8>> = headers.get_all(&FORWARDED_FOR).iter().map(|v| v.as_bytes().to_vec()).collect();
        if let Peer::Ip(ip) = self.peer {
            hops.push(ip.to_string().into_bytes());
        }
        headers.remove(&FORWARDED_FOR);
        if let Some(value) = HeaderValue::from_bytes(&hops.join(&b", "[..])).ok().filter(|v| !v.is_empty()) {
            headers.insert(FORWARDED_FOR, value);
        }
        // Our own listener is plain HTTP: what was in front of the proxy, only the proxy knows.
        let proto = only(headers, &FORWARDED_PROTO).filter(|v| trusted && (*v == "https" || *v == "http")).cloned();
        headers.insert(FORWARDED_PROTO, proto.unwrap_or(HeaderValue::from_static("http")));
        let host = only(headers, &FORWARDED_HOST).cloned();
        headers.insert(FORWARDED_HOST, host.unwrap_or_else(|| self.asked.host.clone()));
    }
}

/// An answer on its way back. Nobody but us speaks as Yaopai.
pub fn for_the_client(headers: &mut HeaderMap, cookies: Cookies) {
    without_hop_by_hop(headers);
    let ours: Vec<HeaderName> = headers.keys().filter(|name| is_ours(name.as_str())).cloned().collect();
    for name in ours {
        headers.remove(name);
    }
    if cookies != Cookies::Pass {
        headers.remove(header::SET_COOKIE);
    }
}

/// Does a header of this name stop here, in any spelling that a CGI-like back end reads as the same?
fn stops_here(name: &str, route: &Route, trusted: bool) -> bool {
    let is_one_of = |list: &[&str]| list.iter().any(|known| reads_as(name, known));
    is_ours(name)
        || reads_as(name, "forwarded")
        || is_one_of(&OTHER_PATH)
        || (route.by_method && is_one_of(&OTHER_METHOD))
        || FROM_PROXIES.iter().any(|known| reads_as(name, known) && !(trusted && name == *known))
}

/// Takes out what concerns one connection, and what its `Connection` names. The host and the length are no connection's, whoever
/// says so: a request without them would be another one.
fn without_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter().flat_map(|list| list.as_bytes().split(|b| *b == b','));
    let named: Vec<HeaderName> = named.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok()).collect();
    for name in HOP_BY_HOP.into_iter().chain(named) {
        if name != header::HOST && name != header::CONTENT_LENGTH {
            headers.remove(name);
        }
    }
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
        without_hop_by_hop(&mut all);
        assert_eq!(names(&all), ["content-length", "host", "x-kept"]);
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
