//! While an app is being moved: requests of the old program's, which show its own session and nothing of ours. They go on unchecked, as
//! before, as nobody's; and what showed the old session never goes on with a checked request, where it could win over ours.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode;

use crate::config::{Cookies, Legacy};

use super::routes::Route;

impl Legacy {
    /// Does a request show one of them, whatever it holds? The old program's back end judges that, as before.
    pub fn is_shown(&self, headers: &HeaderMap) -> bool {
        let cookie = |name: &[u8]| self.cookies.iter().any(|ours| ours.as_bytes() == name);
        let names = headers.get_all(header::COOKIE).iter().flat_map(|field| field.as_bytes().split(|b| *b == b';'));
        self.headers.iter().any(|name| headers.contains_key(name))
            || names.filter_map(|pair| pair.split(|b| *b == b'=').next()).any(|name| cookie(name.trim_ascii()))
    }

    /// Takes them out of a checked request: in any spelling that some back end reads as the same.
    pub fn take_out(&self, headers: &mut HeaderMap) {
        let named = |name: &HeaderName| self.headers.iter().any(|ours| alike(name.as_str().as_bytes(), ours.as_str()));
        let gone: Vec<HeaderName> = headers.keys().filter(|name| named(name)).cloned().collect();
        for name in gone {
            headers.remove(name);
        }
        if self.cookies.is_empty() || !headers.contains_key(header::COOKIE) {
            return;
        }
        let fields = headers.get_all(header::COOKIE).iter().flat_map(|field| field.as_bytes().split(|b| *b == b';'));
        let kept: Vec<&[u8]> =
            fields.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty() && !self.holds(pair)).collect();
        let kept = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok().filter(|value| !value.is_empty());
        headers.remove(header::COOKIE);
        if let Some(kept) = kept {
            headers.insert(header::COOKIE, kept);
        }
    }

    /// Could some reader find one of the cookies in what stands between two semicolons? There are such that take a comma or a space for
    /// the end of a pair, too (RFC 2965, section 3.1; Python's `http.cookies`), and PHP a bracket for the end of a name or a letter of
    /// it. PHP decoded names, too, until 7.2.34, 7.3.23 and 7.4.11 (CVE-2020-7070).
    fn holds(&self, pair: &[u8]) -> bool {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
        let spaced: Vec<u8> = name.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
        let decoded: Vec<u8> = percent_decode(&spaced).collect();
        // A name that isn't ASCII is none by RFC 6265, and each reader's own business.
        !name.is_ascii() || [pair, &decoded].into_iter().any(|text| self.stands_in(text))
    }

    fn stands_in(&self, text: &[u8]) -> bool {
        // A control byte: PHP's own functions take a name to end at U+0000.
        let mut parts = text.split(|b| matches!(b, b',' | b'"' | b'=') || b.is_ascii_control());
        parts.any(|part| {
            self.reads_as_one(part) || part.split(|b| matches!(b, b' ' | b'+' | b'[')).any(|p| self.reads_as_one(p))
        })
    }

    /// Which letters the bytes are, what of them is a space to be trimmed, and which of them differ by case alone, each reader says for
    /// itself (Node reads Latin-1, and trims U+00A0).
    fn reads_as_one(&self, part: &[u8]) -> bool {
        let is_one = |name: &[u8]| self.cookies.iter().any(|ours| alike(name, ours));
        if part.is_ascii() {
            return is_one(part.trim_ascii());
        }
        let latin1: String = part.iter().map(|b| char::from(*b)).collect();
        let utf8 = String::from_utf8_lossy(part);
        // JavaScript trims a byte order mark as well.
        let trim = |text: &str| text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}').to_owned();
        [trim(&latin1), trim(&utf8)]
            .iter()
            .any(|text| is_one(text.to_uppercase().as_bytes()) || is_one(text.to_lowercase().as_bytes()))
            || part.split(|b| !b.is_ascii()).any(|p| is_one(p.trim_ascii()))
    }
}

impl Route {
    /// What becomes of cookies: the old program's go on as before.
    pub fn cookies_of(&self, legacy: bool) -> Cookies {
        if legacy { Cookies::Pass } else { self.cookies }
    }
}

/// Are they one name when everything but letters and digits is read as the same? CGI-like back ends fold it so.
fn alike(name: &[u8], ours: &str) -> bool {
    let fold = |b: u8| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' };
    name.iter().copied().map(fold).eq(ours.bytes().map(fold))
}

#[cfg(test)]
#[path = "legacy_tests.rs"]
mod tests;
