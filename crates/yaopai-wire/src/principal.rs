//! The headers by which a back end learns who the user is, and how a forged one is spotted.

use http::HeaderName;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_encode};

use crate::fields::Fields;

/// Every principal header. All of them are in every answer, empty if unset, so that a proxy that copies always overwrites.
pub static HEADERS: [HeaderName; 10] =
    [USER, APP, SESSION_ID, IDENTITY_ID, OPENID, UNIONID, VOUCHED_AT, ENV_VERSION, CLAIMS, BODY_SIGNED];

/// The business system's own user id, percent-encoded; empty while the session is unbound.
pub const USER: HeaderName = HeaderName::from_static("yaopai-user");
/// The app's name in our configuration.
pub const APP: HeaderName = HeaderName::from_static("yaopai-app");
/// The session's id (a UUID): safe to log, worth nothing by itself.
pub const SESSION_ID: HeaderName = HeaderName::from_static("yaopai-session-id");
/// Our id of the (app, openid) that the platform vouched for.
pub const IDENTITY_ID: HeaderName = HeaderName::from_static("yaopai-identity-id");
/// The platform's openid.
pub const OPENID: HeaderName = HeaderName::from_static("yaopai-openid");
/// The platform's unionid, where there is one.
pub const UNIONID: HeaderName = HeaderName::from_static("yaopai-unionid");
/// When the platform last vouched for the identity (RFC 3339, UTC).
pub const VOUCHED_AT: HeaderName = HeaderName::from_static("yaopai-vouched-at");
/// `develop`, `trial` or `release`, as the client said: advisory.
pub const ENV_VERSION: HeaderName = HeaderName::from_static("yaopai-env-version");
/// The user's claims as JSON in ASCII (`\u` escapes).
pub const CLAIMS: HeaderName = HeaderName::from_static("yaopai-claims");
/// `1` if a signature covered the body's digest.
pub const BODY_SIGNED: HeaderName = HeaderName::from_static("yaopai-body-signed");

/// On refusals: the stable code, because proxies drop bodies.
pub const CODE: HeaderName = HeaderName::from_static("yaopai-code");
/// On refusals: our clock (RFC 3339, UTC), because phone clocks lie.
pub const TIME: HeaderName = HeaderName::from_static("yaopai-time");
/// On refusals at the nginx check: the status we would have answered, which nginx would have turned into 500.
pub const STATUS: HeaderName = HeaderName::from_static("yaopai-status");
/// On a client's request: `1` marks a call that does not slide the idle time-out.
pub const BACKGROUND: HeaderName = HeaderName::from_static("yaopai-background");
/// On answers: `1` while a session was bound by the back end and the client hasn't read it yet.
pub const BOUND: HeaderName = HeaderName::from_static("yaopai-bound");

/// RFC 3986 unreserved characters stay; all else is percent-encoded.
const USER_SET: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Calls that a client marks as background don't slide the idle time-out.
pub fn slides(fields: &impl Fields) -> bool {
    fields.named(BACKGROUND.as_str().as_bytes()).next().is_none_or(|value| value != b"1")
}

/// A user id as it stands in headers and paths.
pub fn encode_user(user: &str) -> PercentEncode<'_> {
    percent_encode(user.as_bytes(), USER_SET)
}

/// Does any header's name begin as ours do? In nearly every request none does, and then neither a forgery nor a mark has to
/// be looked for.
pub fn any_of_ours(fields: &impl Fields) -> bool {
    fields.each().any(|(name, _)| begins_as_ours(name))
}

fn begins_as_ours(name: &[u8]) -> bool {
    name.split_at_checked(6).is_some_and(|(begin, _)| begin.eq_ignore_ascii_case(b"yaopai"))
}

/// Is this name one of ours, known or not, however it is spelt? Between two programs of ours or none: a gateway lets none through.
pub fn is_ours(name: &str) -> bool {
    begins_as_ours(name.as_bytes())
}

/// Is this header's name the other one, which is in lower case, when everything but letters and digits is read as `-`?
pub fn reads_as(name: &str, other: &str) -> bool {
    folds_to(name.as_bytes(), other.as_bytes())
}

fn folds_to(name: &[u8], other: &[u8]) -> bool {
    let fold = |b: &u8| if b.is_ascii_alphanumeric() { b.to_ascii_lowercase() } else { b'-' };
    name.len() == other.len() && name.iter().map(fold).eq(other.iter().copied())
}

/// Does the request carry a header whose name is a principal header's when everything but letters and digits is read as
/// `-`? CGI-like back ends fold `_`, and some of them `.` and the rest too, into one variable, so any spelling is a forgery.
pub fn forged(fields: &impl Fields) -> bool {
    fields
        .each()
        .any(|(name, _)| begins_as_ours(name) && HEADERS.iter().any(|ours| folds_to(name, ours.as_str().as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_every_header_is_a_forgery() {
        for ours in &HEADERS {
            let underscored = ours.as_str().replace('-', "_");
            let mixed = ours.as_str().replacen('-', "_", 1);
            let (dotted, starred) = (ours.as_str().replace('-', "."), ours.as_str().replace('-', "*"));
            for name in [ours.as_str(), &underscored, &mixed, &dotted, &starred, &ours.as_str().to_uppercase()] {
                let mut headers = HeaderMap::new();
                headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), "x".parse().unwrap());
                assert!(forged(&headers) && any_of_ours(&headers), "{name}");
            }
        }
    }

    #[test]
    fn other_headers_are_not() {
        for name in ["yaopai-background", "yaopai-users", "x-yaopai-user", "yaopai", "user-agent-long-name"] {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), "x".parse().unwrap());
            assert!(!forged(&headers), "{name}");
            assert_eq!(any_of_ours(&headers), name.starts_with("yaopai"), "{name}");
        }
    }

    #[test]
    fn a_name_is_ours_by_how_it_begins() {
        for name in ["yaopai", "Yaopai-User", "YAOPAI_USER", "yaopai-of-tomorrow"] {
            assert!(is_ours(name), "{name}");
        }
        for name in ["", "yaopa", "x-yaopai-user", "yaop-ai"] {
            assert!(!is_ours(name), "{name}");
        }
    }

    #[test]
    fn a_name_reads_as_another_but_for_its_dashes() {
        for name in ["content-length", "Content_Length", "CONTENT.LENGTH", "content*length"] {
            assert!(reads_as(name, "content-length"), "{name}");
        }
        for name in ["content-lengt", "content-length-", "contentxlength", "content-kength", ""] {
            assert!(!reads_as(name, "content-length"), "{name}");
        }
    }

    #[test]
    fn only_background_calls_do_not_slide() {
        for (value, expected) in [(None, true), (Some("0"), true), (Some("true"), true), (Some("1"), false)] {
            let mut headers = HeaderMap::new();
            headers.insert("x-background", "1".parse().unwrap());
            if let Some(value) = value {
                headers.insert(BACKGROUND, value.parse().unwrap());
            }
            assert_eq!(slides(&headers), expected, "{value:?}");
        }
    }

    #[test]
    fn a_user_id_survives_a_header() {
        assert_eq!(encode_user("张 三/1").to_string(), "%E5%BC%A0%20%E4%B8%89%2F1");
        assert_eq!(encode_user("u-1_2.3~4").to_string(), "u-1_2.3~4");
    }
    proptest! {
        /// Whatever a user id is made of, a back end that decodes it has it back, and nothing in it can end a header or a
        /// path's segment.
        #[test]
        fn any_user_id_survives(user: String) {
            let text = encode_user(&user).to_string();
            prop_assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert_eq!(percent_decode_str(&text).decode_utf8().unwrap(), user);
        }

        /// In any case, with any of a name's characters in place of the dashes.
        #[test]
        fn any_spelling_is_a_forgery(ours in 0..HEADERS.len(), signs in "[-!#$%&'*+.^_`|~]{3}", upper: [bool; 24]) {
            let mut signs = signs.chars();
            let respell = |(c, upper): (char, &bool)| match c {
                '-' => signs.next().unwrap(),
                c if *upper => c.to_ascii_uppercase(),
                c => c,
            };
            let name: String = HEADERS[ours].as_str().chars().zip(&upper).map(respell).collect();
            prop_assert_eq!(name.len(), HEADERS[ours].as_str().len());
            let mut headers = HeaderMap::new();
            headers.insert("host", "h".parse().unwrap());
            headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), "x".parse().unwrap());
            prop_assert!(forged(&headers) && any_of_ours(&headers), "{}", name);
        }
    }
}
