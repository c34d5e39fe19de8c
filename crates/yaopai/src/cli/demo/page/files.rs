//! What the browser loads: embedded, so that the binary is all there is, and nothing is fetched from elsewhere.

use axum::body::Body;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};

const HTML: &str = include_str!("assets/index.html");
/// By path: the type, and the text.
const FILES: [(&str, &str, &str); 12] = [
    ("/page.css", CSS, include_str!("assets/page.css")),
    ("/phone.css", CSS, include_str!("assets/phone.css")),
    ("/page.js", JS, include_str!("assets/page.js")),
    ("/dom.js", JS, include_str!("assets/dom.js")),
    ("/phone.js", JS, include_str!("assets/phone.js")),
    ("/holder.js", JS, include_str!("assets/holder.js")),
    ("/session.js", JS, include_str!("assets/session.js")),
    ("/trouble.js", JS, include_str!("assets/trouble.js")),
    ("/wire.js", JS, include_str!("assets/wire.js")),
    ("/text.en.js", JS, include_str!("assets/text.en.js")),
    ("/text.zh.js", JS, include_str!("assets/text.zh.js")),
    ("/seal.svg", "image/svg+xml", include_str!("assets/seal.svg")),
];
/// The mini program and the runtime that it runs in, by name: made by scripts/demo-phone.
const PHONE: [(&str, &str, &[u8]); 5] = [
    ("index.html", HTML_TYPE, include_bytes!("phone/index.html")),
    ("phone.js", JS, include_bytes!("phone/phone.js")),
    ("phone.css", CSS, include_bytes!("phone/phone.css")),
    ("app.js", JS, include_bytes!("phone/app.js")),
    ("LICENSES.txt", "text/plain; charset=utf-8", include_bytes!("phone/LICENSES.txt")),
];
const HTML_TYPE: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
/// Nothing but our own files, no inline code, no frame around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The mini program's frame: its framework makes style sheets as it goes, and only our own page may hold it.
const POLICY_OF_PHONE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The file at a path, if there is one.
pub fn file(path: &str, head: &Parts) -> Option<Response<Body>> {
    if path == "/" {
        let html = HTML.replace("lang=\"en\"", &format!("lang=\"{}\"", language(head)));
        let mut response = dressed(StatusCode::OK, HTML_TYPE, Body::from(html));
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
        return Some(response);
    }
    let (_, kind, text) = FILES.iter().find(|(p, ..)| *p == path)?;
    Some(dressed(StatusCode::OK, kind, Body::from(*text)))
}

/// A file of the mini program's frame, by its name.
pub fn of_phone(name: &str) -> Option<Response<Body>> {
    let (_, kind, bytes) = PHONE.iter().find(|(n, ..)| *n == name)?;
    let mut response = dressed(StatusCode::OK, kind, Body::from(*bytes));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY_OF_PHONE));
    Some(response)
}

/// An answer with the headers that each of the page's has.
pub fn dressed(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// What the address asks for (`?lang=zh-CN`), else the one of our two languages that the browser likes best (RFC 9110,
/// section 12.5.4).
fn language(head: &Parts) -> &'static str {
    let asked = head.uri.query().and_then(|q| q.split('&').find_map(|pair| pair.strip_prefix("lang=")));
    if let Some(asked) = asked {
        return if asked.starts_with("zh") { "zh-CN" } else { "en" };
    }
    let accepted = head.headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut best = ("en", 0.0);
    for range in accepted.split(',') {
        let (tag, weight) = range.split_once(";q=").unwrap_or((range, "1"));
        let ours = match tag.trim().split('-').next() {
            Some("zh") => "zh-CN",
            Some("en") => "en",
            _ => continue,
        };
        let weight = weight.trim().parse().unwrap_or(0.0);
        if weight > best.1 {
            best = (ours, weight);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    #[test]
    fn the_language_is_the_address_s_else_the_browser_s() {
        let of = |uri: &str, accepted: &str| {
            let request = Request::get(uri).header(header::ACCEPT_LANGUAGE, accepted).body(()).unwrap();
            language(&request.into_parts().0)
        };
        assert_eq!(of("/", "zh-CN,zh;q=0.9,en;q=0.8"), "zh-CN");
        assert_eq!(of("/", "de, en;q=0.5, zh;q=0.4"), "en");
        assert_eq!(of("/", "fr"), "en");
        assert_eq!(of("/?lang=zh-CN", "en"), "zh-CN");
        assert_eq!(of("/?lang=en", "zh"), "en");
    }
}
