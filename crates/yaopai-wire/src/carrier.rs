//! Where a request shows its token: `Authorization: Bearer`, a named cookie or a named header. Exactly one a request:
//! two carriers, or one carrier twice, is refused rather than guessed, because a proxy and we might guess differently.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::fields::Fields;
use crate::token::Token;

/// The carriers a server accepts.
#[derive(Debug, Clone, Default)]
pub struct Carriers {
    /// `Authorization: Bearer <token>` (RFC 6750, section 2.1).
    pub authorization: bool,
    /// The name of a cookie.
    pub cookie: Option<String>,
    /// The name of a header whose whole value is the token.
    pub header: Option<HeaderName>,
}

/// What a request showed.
#[derive(Debug)]
pub enum Shown {
    /// No carrier: a guest.
    Nothing,
    /// One carrier with a well-formed token.
    Token(Token, Carrier),
    /// One carrier, but what it holds is no token of ours.
    Junk,
    /// Two carriers, or one twice.
    Conflict,
}

/// Which one it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// `Authorization`, which a signature then covers.
    Authorization,
    /// The cookie or the header. A signature names the token's session in its `keyid`, whichever carries it.
    Other,
}

impl Carriers {
    /// Finds the token. Looks at every configured carrier, always: stopping at the first would let a second one pass by.
    pub fn read(&self, fields: &impl Fields) -> Shown {
        let mut found: Option<&[u8]> = None;
        let (mut count, mut authorizations, mut bearers) = (0usize, 0usize, 0usize);
        for (name, value) in fields.each() {
            if self.authorization && name.eq_ignore_ascii_case(b"authorization") {
                authorizations += 1;
                // Another scheme beside another carrier is the back end's own business.
                if let Some(text) = bearer(value) {
                    (count, bearers, found) = (count + 1, bearers + 1, Some(text));
                }
            }
            if self.header.as_ref().is_some_and(|ours| name.eq_ignore_ascii_case(ours.as_str().as_bytes())) {
                (count, found) = (count + 1, Some(value));
            }
            if let Some(ours) = &self.cookie
                && name.eq_ignore_ascii_case(b"cookie")
            {
                for text in cookies_named(value, ours) {
                    (count, found) = (count + 1, Some(text));
                }
            }
        }
        // RFC 9110 allows one Authorization field. Two of any scheme mean that somebody along the way may read the other.
        if bearers > 0 && authorizations > 1 {
            return Shown::Conflict;
        }
        match (count, found) {
            (0, _) | (_, None) => Shown::Nothing,
            (1, Some(text)) => {
                let carrier = if bearers > 0 { Carrier::Authorization } else { Carrier::Other };
                Token::parse(text).map_or(Shown::Junk, |token| Shown::Token(token, carrier))
            }
            _ => Shown::Conflict,
        }
    }
}

impl Carriers {
    /// Takes all that can carry our token out of a request that goes on to somebody else, and the cookies of these names. The
    /// other cookies are one field then, as HTTP/1.1 wants it (RFC 9113, section 8.2.3).
    pub fn take_out(&self, fields: &mut HeaderMap, cookies: &[&str]) {
        if self.authorization && fields.get_all(header::AUTHORIZATION).iter().any(|v| bearer(v.as_bytes()).is_some()) {
            fields.remove(header::AUTHORIZATION);
        }
        if let Some(name) = &self.header {
            fields.remove(name);
        }
        if !fields.contains_key(header::COOKIE) {
            return;
        }
        let ours = |pair: &&[u8]| {
            let key = pair.split(|b| *b == b'=').next().unwrap_or_default().trim_ascii();
            self.cookie.as_deref().into_iter().chain(cookies.iter().copied()).any(|name| key == name.as_bytes())
        };
        let mut kept: Vec<u8> = Vec::new();
        for field in fields.get_all(header::COOKIE) {
            let pairs = field.as_bytes().split(|b| *b == b';').map(<[u8]>::trim_ascii);
            for pair in pairs.filter(|pair| !pair.is_empty() && !ours(pair)) {
                if !kept.is_empty() {
                    kept.extend_from_slice(b"; ");
                }
                kept.extend_from_slice(pair);
            }
        }
        fields.remove(header::COOKIE);
        if let Some(value) = HeaderValue::from_bytes(&kept).ok().filter(|value| !value.is_empty()) {
            fields.insert(header::COOKIE, value);
        }
    }
}

/// Does this text hold one of our tokens? For refusing a token in a query string, where logs would keep it.
pub fn holds_token(query: &str) -> bool {
    // Most queries are shorter than a token: there is nothing to look for.
    query.len() >= crate::token::LENGTH
        && query.match_indices(crate::token::PREFIX).any(|(at, _)| query.len() - at >= crate::token::LENGTH)
}

/// The credentials of a `Bearer` scheme; the scheme's case does not matter (RFC 9110, section 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    match rest.first() {
        Some(b' ') => Some(rest.trim_ascii()),
        // "Bearer" alone shows an empty token rather than another scheme.
        None => Some(rest),
        Some(_) => None,
    }
}

/// Every value of the cookie `name` in one `Cookie` header (RFC 6265, section 4.2.1).
fn cookies_named<'a>(header: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    header.split(|b| *b == b';').filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let eq = pair.iter().position(|b| *b == b'=')?;
        let (key, value) = (pair[..eq].trim_ascii(), pair[eq + 1..].trim_ascii());
        (key == name.as_bytes()).then(|| value.strip_prefix(b"\"").and_then(|v| v.strip_suffix(b"\"")).unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Secret;
    use http::HeaderMap;
    use proptest::prelude::*;

    fn text() -> String {
        Token { id: [7; 16], secret: Secret::new([9; 32]) }.reveal()
    }

    fn all() -> Carriers {
        Carriers {
            authorization: true,
            cookie: Some("yaopai".into()),
            header: Some(HeaderName::from_static("x-session")),
        }
    }

    fn read(pairs: &[(&str, String)]) -> Shown {
        let mut headers = HeaderMap::new();
        for (k, v) in pairs {
            headers.append(HeaderName::from_bytes(k.as_bytes()).unwrap(), v.parse().unwrap());
        }
        all().read(&headers)
    }

    #[test]
    fn one_carrier_is_read() {
        for pair in [
            ("authorization", format!("Bearer {}", text())),
            ("authorization", format!("bEARER   {}", text())),
            ("cookie", format!("a=b; yaopai={}; c=d", text())),
            ("cookie", format!("yaopai=\"{}\"", text())),
            ("x-session", text()),
        ] {
            assert!(
                matches!(read(std::slice::from_ref(&pair)), Shown::Token(t, by)
                if t.id == [7; 16] && (by == Carrier::Authorization) == (pair.0 == "authorization")),
                "{pair:?}"
            );
        }
    }

    #[test]
    fn two_carriers_conflict_even_when_equal() {
        let bearer = ("authorization", format!("Bearer {}", text()));
        let cookie = ("cookie", format!("yaopai={}", text()));
        for pairs in [
            vec![bearer.clone(), cookie.clone()],
            vec![bearer.clone(), bearer.clone()],
            vec![bearer.clone(), ("authorization", "Basic eDp5".into())],
            vec![cookie.clone(), cookie.clone()],
            vec![("cookie", format!("yaopai={0}; yaopai={0}", text()))],
            vec![cookie, ("x-session", "junk".into())],
            vec![("x-session", text()), ("x-session", text())],
        ] {
            assert!(matches!(read(&pairs), Shown::Conflict), "{pairs:?}");
        }
    }

    #[test]
    fn junk_is_junk_and_other_schemes_are_nothing() {
        assert!(matches!(read(&[("authorization", "Bearer".into())]), Shown::Junk));
        assert!(matches!(read(&[("authorization", "Bearer eyJhbGciOi".into())]), Shown::Junk));
        assert!(matches!(read(&[("cookie", "yaopai=".into())]), Shown::Junk));
        assert!(matches!(read(&[("authorization", "Basic eDp5".into())]), Shown::Nothing));
        assert!(matches!(read(&[("cookie", "xyaopai=1".into())]), Shown::Nothing));
        assert!(matches!(read(&[]), Shown::Nothing));
    }

    #[test]
    fn a_token_in_a_query_is_found() {
        assert!(holds_token(&format!("a=1&token={}", text())));
        assert!(!holds_token("a=yp1_short"));
        let long = "x".repeat(200);
        assert!(!holds_token(&long), "long, and no token");
        assert!(!holds_token(&format!("{long}&token=yp1_{}", &text()[5..])), "one letter too short at its end");
    }
    #[test]
    fn nothing_of_ours_goes_on() {
        let mut headers = HeaderMap::new();
        let cookies =
            [format!("a=b;yaopai={0}; yaopai =\"{0}\"", text()), "yaopai_view=x; c=\"d\"".into(), "yaopai".into()];
        for cookie in &cookies {
            headers.append("cookie", cookie.parse().unwrap());
        }
        headers.insert("authorization", format!("bearer {}", text()).parse().unwrap());
        headers.append("x-session", text().parse().unwrap());
        headers.append("x-session", "x".parse().unwrap());
        headers.insert("x-other", "kept".parse().unwrap());
        all().take_out(&mut headers, &["yaopai_view"]);
        let left: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.to_str().unwrap())).collect();
        assert_eq!(left, [("x-other", "kept"), ("cookie", "a=b; c=\"d\"")]);
        headers.insert("authorization", "Basic eDp5".parse().unwrap());
        all().take_out(&mut headers, &["a", "c"]);
        assert!(
            headers.contains_key("authorization") && !headers.contains_key("cookie"),
            "another scheme is the back end's"
        );
    }

    fn told(shown: &Shown) -> String {
        match shown {
            Shown::Token(token, _) => token.reveal(),
            other => format!("{other:?}"),
        }
    }

    fn any_field() -> impl Strategy<Value = (&'static str, String)> {
        let names = ["authorization", "cookie", "x-session", "x-other"];
        let value = prop_oneof![
            Just(text()),
            Just(format!("Bearer {}", text())),
            Just("Basic eDp5".to_owned()),
            Just("Bearer x".to_owned()),
            Just(format!("yaopai={}", text())),
            Just(format!("yaopai=1; a=b; yaopai=\"{}\"", text())),
            "[ -~]{0,20}",
        ];
        (prop::sample::select(names.to_vec()), value)
    }

    proptest! {
        /// Whatever the order and whatever stands beside it: one carrier is read as it is alone, two conflict.
        #[test]
        fn together_they_show_what_each_shows_alone(mut pairs in prop::collection::vec(any_field(), 0..5)) {
            let shown = read(&pairs);
            let alone: Vec<_> = pairs.iter().map(|pair| read(std::slice::from_ref(pair))).collect();
            let showing: Vec<_> = alone.iter().filter(|s| !matches!(s, Shown::Nothing)).collect();
            let authorizations = pairs.iter().filter(|(name, _)| *name == "authorization").count();
            let is_bearer = |(name, shown): (&str, &Shown)| name == "authorization" && !matches!(shown, Shown::Nothing);
            let bearer = pairs.iter().map(|(name, _)| *name).zip(&alone).any(is_bearer);
            let expected = match showing[..] {
                [] => "Nothing".to_owned(),
                [one] if !(bearer && authorizations > 1) => told(one),
                _ => "Conflict".to_owned(),
            };
            prop_assert_eq!(told(&shown), expected.clone());
            pairs.reverse();
            prop_assert_eq!(told(&read(&pairs)), expected);
        }

        #[test]
        fn a_token_anywhere_in_a_query_is_found(before in "[ -~]{0,40}", after in "[ -~]{0,40}") {
            let query = format!("{before}{}{after}", text());
            prop_assert!(holds_token(&query));
        }
    }
}
