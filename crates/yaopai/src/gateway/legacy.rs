//! While an app is being moved: requests of the old program's, which show its own session and nothing of ours. They go on unchecked, as
//! before, as nobody's; and what showed the old session never goes on with a checked request, where it could win over ours.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use yaopai_wire::principal::reads_as;

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
        let named = |name: &HeaderName| self.headers.iter().any(|ours| alike(name.as_str(), ours.as_str()));
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

    /// Could some reader find one of the cookies in what stands between two semicolons? There are such that take a comma or a space
    /// for the end of a pair, too (RFC 2965, section 3.1; Python's `http.cookies`).
    fn holds(&self, pair: &[u8]) -> bool {
        let names = pair.split(|b| matches!(b, b',' | b'"' | b'=' | b' ' | b'\t'));
        let mut names = names.filter_map(|name| std::str::from_utf8(name).ok()).filter(|name| !name.is_empty());
        names.any(|name| self.cookies.iter().any(|ours| alike(name, ours)))
    }
}

impl Route {
    /// What becomes of cookies: the old program's go on as before.
    pub fn cookies_of(&self, legacy: bool) -> Cookies {
        if legacy { Cookies::Pass } else { self.cookies }
    }
}

fn alike(name: &str, ours: &str) -> bool {
    // The other name has only letters and digits left as they are.
    let folded: String =
        ours.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    reads_as(name, &folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legacy() -> Legacy {
        Legacy {
            cookies: vec!["JSESSIONID".into(), "my_sess".into()],
            headers: vec![HeaderName::from_static("x-session-id")],
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(n, v): &(&str, &str)| (n.parse::<HeaderName>().unwrap(), v.parse::<HeaderValue>().unwrap());
        let mut all = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            all.append(name, value);
        }
        all
    }

    #[test]
    fn what_shows_the_old_session() {
        for shown in [
            ("cookie", "JSESSIONID=1"),
            ("cookie", "a=b;JSESSIONID=1"),
            ("cookie", "JSESSIONID"),
            ("cookie", "JSESSIONID="),
            ("cookie", " my_sess =1"),
            ("x-session-id", ""),
        ] {
            assert!(legacy().is_shown(&headers(&[shown])), "{shown:?}");
        }
        assert!(legacy().is_shown(&headers(&[("cookie", "a=b"), ("cookie", "JSESSIONID=1")])));
        for other in
            [("cookie", "XJSESSIONID=1"), ("cookie", "a=JSESSIONID"), ("cookie", "jsessionid=1"), ("x-session", "1")]
        {
            assert!(!legacy().is_shown(&headers(&[other])), "{other:?}");
        }
        assert!(!Legacy::default().is_shown(&headers(&[("cookie", "JSESSIONID=1")])));
    }

    #[test]
    fn nothing_of_it_is_left_in_any_spelling() {
        for (cookie, left) in [
            ("JSESSIONID=1", None),
            ("a=b; JSESSIONID=1; c=d", Some("a=b; c=d")),
            ("a=b;jsessionid=1", Some("a=b")),
            ("a=b, JSESSIONID=1; c=d", Some("c=d")),
            ("a=b JSESSIONID=1", None),
            ("a=\"b\"JSESSIONID=1", None),
            ("JSESSIONID", None),
            ("my.sess=1; my_sess = 2; my_session=3", Some("my_session=3")),
            ("XJSESSIONID=1; a=1", Some("XJSESSIONID=1; a=1")),
        ] {
            let mut all = headers(&[("cookie", cookie), ("x-session-id", "1"), ("x_session.id", "1"), ("x-kept", "1")]);
            legacy().take_out(&mut all);
            assert_eq!(all.get("cookie").map(|v| v.to_str().unwrap()), left, "{cookie}");
            assert_eq!(all.keys().filter(|n| *n != "cookie").map(HeaderName::as_str).collect::<Vec<_>>(), ["x-kept"]);
        }
        let mut two = headers(&[("cookie", "a=b"), ("cookie", "JSESSIONID=1; c=d")]);
        legacy().take_out(&mut two);
        assert_eq!(two.get_all("cookie").iter().collect::<Vec<_>>(), ["a=b; c=d"]);
    }
}
