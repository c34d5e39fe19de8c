//! A request as the WeChat client sends it: what the mini program wants, with what is the client's own.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use yaopai_sim::DEFAULT_APPID;

use super::protocol::{Body, Failure, Request};
use crate::cli::demo::signing::Sent;

/// Where the example mini program says that its server is. Here that is the front door; `Host` stays the app's.
pub const ORIGIN: &str = "http://127.0.0.1:8443";
const HOST: &str = "127.0.0.1:8443";
/// What a phone calls itself.
const AGENT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 \
     MicroMessenger/8.0.50(0x18003230) NetType/WIFI Language/zh_CN";
/// The mini program's version, which stands in the Referer.
pub const VERSION: &str = "1";
/// What an app can't set, or not by itself.
const NATIVE: [HeaderName; 7] = [
    header::HOST,
    header::REFERER,
    header::USER_AGENT,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::ACCEPT_ENCODING,
];
const METHODS: [Method; 6] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::POST, Method::PUT, Method::DELETE];
/// How many headers an app may send: the front door would take no more.
const HEADERS_MAX: usize = 64;

/// What is sent to the front door.
pub fn prepare(request: &Request) -> Result<Sent, Failure> {
    let method = Method::from_bytes(request.method.as_bytes()).ok().filter(|m| METHODS.contains(m));
    let method = method.ok_or_else(|| Failure::new(format!("no such method: {}", request.method)))?;
    let path = path(&request.url)?;
    if request.headers.len() > HEADERS_MAX {
        return Err(Failure::new("too many headers"));
    }
    let mut headers = HeaderMap::new();
    let broken = |name: &str| Failure::new(format!("invalid header {name}"));
    for (name, value) in &request.headers {
        let field = HeaderName::from_bytes(name.as_bytes()).map_err(|_| broken(name))?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| broken(name))?;
        if !NATIVE.contains(&field) {
            headers.append(field, value);
        }
    }
    let referer = format!("https://servicewechat.com/{DEFAULT_APPID}/{VERSION}/page-frame.html");
    headers.insert(header::HOST, HeaderValue::from_static(HOST));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(header::REFERER, HeaderValue::from_str(&referer).map_err(|_| broken("referer"))?);
    // Nobody behind the front door compresses, and nobody here would have to undo it.
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    let body = match &request.body {
        Some(body) => Body::bytes(body).ok_or_else(|| Failure::new("invalid body"))?,
        None => Bytes::new(),
    };
    Ok(Sent { method, path, headers, body })
}

/// Path and query, as they are written: what the app has signed must be what is sent.
fn path(url: &str) -> Result<String, Failure> {
    let Some(rest) = url.strip_prefix(ORIGIN).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    else {
        return Err(Failure { reason: "url not in domain list".to_owned(), errno: Some(600_002) });
    };
    let rest = rest.split('#').next().unwrap_or_default();
    let path = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    // The HTTP client would tidy it up.
    let tidied = reqwest::Url::parse(&format!("{ORIGIN}{path}")).ok();
    let same = tidied.is_some_and(|u| {
        let query = u.query().map(|q| format!("?{q}")).unwrap_or_default();
        path == format!("{}{query}", u.path())
    });
    if same { Ok(path) } else { Err(Failure::new("the demo sends plain paths only")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, url: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Request { url: url.into(), method: method.into(), headers, body: None }
    }

    /// Else the demo's phone would find no server.
    #[test]
    fn it_is_where_the_example_says() {
        let config = include_str!("../../../../../../../examples/miniprogram/config.js");
        assert!(config.contains(&format!("server: '{ORIGIN}'")), "{config}");
        assert_eq!(ORIGIN.strip_prefix("http://"), Some(HOST));
    }

    #[test]
    fn what_is_native_is_the_client_s_and_the_rest_is_the_app_s() {
        let headers = [
            ("Referer", "https://evil.example/"),
            ("X-Trace", "1"),
            ("user-agent", "phone"),
            ("host", "shop"),
            ("Content-Length", "9"),
        ];
        let sent = prepare(&request("GET", "http://127.0.0.1:8443/goods?a=%2f&b=1#top", &headers)).unwrap();
        assert_eq!((sent.method, sent.path.as_str()), (Method::GET, "/goods?a=%2f&b=1"));
        let field = |name| sent.headers[name].to_str().unwrap();
        assert_eq!((field("host"), field("x-trace")), ("127.0.0.1:8443", "1"));
        assert_eq!(field("referer"), "https://servicewechat.com/wx0123456789abcdef/1/page-frame.html");
        assert!(field("user-agent").contains("MicroMessenger"));
        assert_eq!(sent.headers.len(), 5);
    }

    #[test]
    fn other_hosts_odd_paths_and_broken_fields_are_refused() {
        for url in
            ["http://127.0.0.1:84430/", "http://127.0.0.1:8443@evil.example/", "https://127.0.0.1:8443/", "file:///"]
        {
            assert_eq!(prepare(&request("GET", url, &[])).err().unwrap().errno, Some(600_002), "{url}");
        }
        for path in ["/a/../goods", "/a b", "/\u{8336}", "/a\\b"] {
            assert!(prepare(&request("GET", &format!("{ORIGIN}{path}"), &[])).is_err(), "{path}");
        }
        assert!(prepare(&request("TRACE", ORIGIN, &[])).is_err());
        assert!(prepare(&request("GET", ORIGIN, &[("a\nb", "1")])).is_err());
        assert!(prepare(&request("GET", ORIGIN, &[("a", "1\r\nb: 2")])).is_err());
        assert_eq!(prepare(&request("GET", ORIGIN, &[])).unwrap().path, "/");
    }
}
