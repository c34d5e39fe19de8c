//! What a request asks for, in one form: HTTP/2's authority is a `Host`, and what two readers could read in two ways is refused.

use http::request::Parts;
use http::{HeaderValue, Method, Request, Uri, Version, header};
use yaopai_core::Error;
use yaopai_wire::original::Original;
use yaopai_wire::principal::reads_as;
use yaopai_wire::problem::Code;

/// A request to be passed on.
pub struct Asked<'a> {
    /// What a check is asked about, and what a signature covers.
    pub original: Original<'a>,
}

/// Names that say where a request ends or what it is. Another spelling of one is nobody's who means well: CGI-like back ends read
/// `content_length` as the same variable.
const FRAMING: [&str; 4] = ["content-length", "transfer-encoding", "content-type", "proxy-connection"];

/// HTTP/2's `:authority` as HTTP/1.1 has it: then all that follows knows one form. Where it and a `Host` differ, or HTTP/1.1 names a
/// whole URL, the request is left as it is, and `Asked::read` refuses it.
pub fn in_one_form<B>(mut request: Request<B>) -> Request<B> {
    if request.version() != Version::HTTP_2 {
        return request;
    }
    let Some(authority) = request.uri().authority() else { return request };
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let same = |host: Option<&HeaderValue>| host.is_none_or(|host| host.as_bytes() == authority.as_str().as_bytes());
    let known_scheme = matches!(request.uri().scheme_str(), Some("http" | "https"));
    if !known_scheme || !same(hosts.next()) || hosts.next().is_some() {
        return request;
    }
    let (Ok(host), Some(target)) = (HeaderValue::from_str(authority.as_str()), request.uri().path_and_query().cloned())
    else {
        return request;
    };
    request.headers_mut().insert(header::HOST, host);
    *request.uri_mut() = Uri::from(target);
    request
}

impl<'a> Asked<'a> {
    /// Reads it.
    ///
    /// # Errors
    /// It could be read in two ways, or is none that a gateway passes on.
    pub fn read(parts: &'a Parts) -> Result<Self, Error> {
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Error::new(Code::MethodNotAllowed, "This method is not passed on."));
        }
        let mut hosts = parts.headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(malformed("Send exactly one Host."));
        };
        // An absolute URL beside a Host (RFC 9112, section 3.2.2) is a second host; only proxies are sent one.
        if parts.uri.authority().is_some() {
            return Err(malformed("Send the path alone in the request line, and one host."));
        }
        let codings = parts.headers.get_all(header::TRANSFER_ENCODING);
        if codings.iter().count() > 1 || codings.iter().any(|c| !c.as_bytes().eq_ignore_ascii_case(b"chunked")) {
            return Err(malformed("Send no Transfer-Encoding but chunked, once."));
        }
        let respelt = |name: &str| FRAMING.iter().any(|ours| name != *ours && reads_as(name, ours));
        if parts.headers.keys().any(|name| respelt(name.as_str())) {
            return Err(malformed("A header's name is that of another one, but for its dashes."));
        }
        let target = parts.uri.path_and_query().ok_or_else(|| malformed("Send a path."))?;
        let host_text = host.to_str().map_err(|_| malformed("The Host can't be one."))?;
        // The scheme is not signed. Which one it was matters for a port that a client needn't write: it must not.
        let original = Original::new(parts.method.as_str(), "https", host_text, target.as_str())
            .map_err(|_| malformed("Send a path that begins with a slash, and a host."))?;
        Ok(Self { original })
    }
}

fn malformed(detail: &'static str) -> Error {
    Error::new(Code::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn h2(uri: &str, host: Option<&str>) -> Result<(String, String), &'static str> {
        let mut request = Request::get(uri).version(Version::HTTP_2);
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let (parts, ()) = in_one_form(request.body(()).unwrap()).into_parts();
        let asked = Asked::read(&parts).map_err(|e| e.code.as_str())?;
        Ok((asked.original.host.to_owned(), parts.uri.to_string()))
    }

    #[test]
    fn an_authority_is_a_host() {
        let same = Ok(("shop.example".to_owned(), "/a?b".to_owned()));
        assert_eq!(h2("https://shop.example/a?b", None), same);
        assert_eq!(h2("https://shop.example/a?b", Some("shop.example")), same);
        assert_eq!(h2("/a?b", Some("shop.example")), same);
    }

    #[test]
    fn two_hosts_are_none() {
        for (uri, host) in [
            ("https://shop.example/a", Some("evil.example")),
            ("https://shop.example/a", Some("shop.example:443")),
            ("https://u@shop.example/a", None),
            ("ftp://shop.example/a", None),
            ("/a", None),
        ] {
            assert_eq!(h2(uri, host), Err("malformed"), "{uri} {host:?}");
        }
    }
}
