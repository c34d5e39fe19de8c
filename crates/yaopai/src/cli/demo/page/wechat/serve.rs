//! What the browser asks for under the phone's address: the mini program's files, and the protocol beside them.

use axum::body::Body;
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;

use super::super::{answer, files, plain};
use super::{Gone, WeChat};
use crate::cli::demo::body;

/// Where all of it is: `/phone/<page>/<language>/<file>`. Each start of the mini program has a page, so that one that was left open
/// elsewhere can be told from it.
pub const HOME: &str = "/phone/";
/// How long the name of a page may be.
const PAGE_MAX: usize = 32;

impl WeChat {
    /// Answers one request.
    pub async fn serve(&self, head: &Parts, incoming: Incoming) -> Response<Body> {
        let rest = head.uri.path().strip_prefix(HOME).unwrap_or_default();
        if let ("LICENSES.txt", &Method::GET) = (rest, &head.method) {
            return file(rest);
        }
        let mut parts = rest.splitn(3, '/');
        let (Some(page), Some(language), Some(name)) = (parts.next(), parts.next(), parts.next()) else {
            return missing();
        };
        let is_page = (1..=PAGE_MAX).contains(&page.len()) && page.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_page || !["en", "zh-CN"].contains(&language) {
            return missing();
        }
        let Some(call) = name.strip_prefix("client/") else {
            return if head.method == Method::GET { file(name) } else { missing() };
        };
        // A script of another page may be loaded from here, though not read; saying hello is no small thing.
        if head.headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return plain(StatusCode::FORBIDDEN, "this is for the phone's own page alone");
        }
        let told = match (&head.method, call) {
            (&Method::GET, "hello") => self.hello(page, language),
            (&Method::GET, "events") => {
                let after = head.uri.query().and_then(|q| q.strip_prefix("after=")?.parse().ok()).unwrap_or(0);
                self.events(page, after).await
            }
            (&Method::POST, "calls") => {
                let Some(bytes) = body::read(incoming).await else {
                    return plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large or came too slowly");
                };
                return match self.calls(page, &bytes) {
                    Ok(Some(())) => plain(StatusCode::NO_CONTENT, ""),
                    Ok(None) => plain(StatusCode::BAD_REQUEST, "that is no list of messages"),
                    Err(Gone) => gone(),
                };
            }
            _ => return missing(),
        };
        told.map_or_else(|Gone| gone(), |told| answer(&told))
    }
}

fn file(name: &str) -> Response<Body> {
    files::of_phone(name).unwrap_or_else(missing)
}

fn missing() -> Response<Body> {
    plain(StatusCode::NOT_FOUND, "the phone has no such file")
}

fn gone() -> Response<Body> {
    plain(StatusCode::GONE, "the mini program runs elsewhere by now")
}
