//! A `Set-Cookie` line: RFC 6265, sections 5.2 and 5.3.

use cookie_store::{CookieDomain, CookiePath, RawCookie};

use super::cookie::{Cookie, Domain};
use super::{From, LIFE_MAX, LINE_MAX, Origin, date};
use crate::time::Timestamp;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    /// The cookie.
    pub cookie: Cookie,
    /// When it expires; `None`: with its session. Not after now if the line removes it.
    pub expires_at: Option<Timestamp>,
}

/// Reads one line. `None` if it sets nothing: it has no name, is too long, holds a control character, or names a domain that is not
/// the answer's.
pub fn read(line: &[u8], from: From<'_>, now: Timestamp) -> Option<Set> {
    // Nobody else's request or header must grow out of a value (RFC 6265bis, section 5.6).
    let line = std::str::from_utf8(line).ok().filter(|line| line.len() <= LINE_MAX)?;
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return None;
    }
    let raw = RawCookie::parse(line).ok()?;
    let attributes = Attributes::of(line);
    let domain = domain_of(&raw, from)?;
    let path = attributes.path.and_then(CookiePath::parse).unwrap_or_else(|| match from {
        From::Answer(Origin(url), _) => CookiePath::default_path(url),
        From::Webhook => CookiePath::parse("/").unwrap_or_else(|| unreachable!("it begins with a slash")),
    });
    let expires_at = attributes.expires_at(now);
    Some(Set { cookie: Cookie::new((raw.name(), raw.value()), (domain, path), from.into()), expires_at })
}

/// Section 5.3, steps 4 to 6.
fn domain_of(raw: &RawCookie<'_>, from: From<'_>) -> Option<Domain> {
    let named = match CookieDomain::try_from(raw).ok()? {
        CookieDomain::Suffix(named) if named != "." => named,
        // Not named, or empty.
        _ => {
            return match from {
                From::Answer(Origin(url), _) => CookieDomain::host_only(url).ok().map(Domain::Is),
                From::Webhook => Some(Domain::Everywhere),
            };
        }
    };
    let domain = CookieDomain::Suffix(named.clone());
    // Step 5: what has no dot is a registry's, or a host of a network without registries, and then that host's alone. Larger
    // suffixes need a list, and a jar that only ever meets the hosts of one team can do without.
    let suffix = !named.contains(['.', ':']);
    match from {
        From::Answer(Origin(url), _) if suffix => {
            domain.host_is_identical(url).then(|| CookieDomain::host_only(url).ok().map(Domain::Is)).flatten()
        }
        From::Answer(Origin(url), _) => domain.matches(url).then_some(Domain::Is(domain)),
        From::Webhook => (!suffix).then_some(Domain::Is(domain)),
    }
}

/// The attributes that the crates read otherwise than the RFC: section 5.2. Of each the last counts.
#[derive(Default)]
struct Attributes<'a> {
    expires: Option<Timestamp>,
    max_age: Option<i64>,
    path: Option<&'a str>,
}

impl<'a> Attributes<'a> {
    fn of(line: &'a str) -> Self {
        let mut all = Self::default();
        for attribute in line.split(';').skip(1) {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let (name, value) = (name.trim(), value.trim());
            if name.eq_ignore_ascii_case("expires") {
                all.expires = date::read(value).or(all.expires);
            } else if name.eq_ignore_ascii_case("max-age") {
                all.max_age = seconds(value).or(all.max_age);
            } else if name.eq_ignore_ascii_case("path") {
                all.path = Some(value);
            }
        }
        all
    }

    /// Section 5.3, step 3.
    fn expires_at(&self, now: Timestamp) -> Option<Timestamp> {
        let at = match self.max_age {
            Some(seconds) if seconds <= 0 => Some(Timestamp(i64::MIN)),
            Some(seconds) => Some(Timestamp(now.0.saturating_add(seconds.saturating_mul(1000)))),
            None => self.expires,
        };
        at.map(|at| at.min(now + LIFE_MAX))
    }
}

/// Section 5.2.2: digits, perhaps behind a minus. More of them than a number holds is for ever.
fn seconds(value: &str) -> Option<i64> {
    let digits = value.strip_prefix('-').unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(if digits.len() < value.len() { 0 } else { digits.parse().unwrap_or(i64::MAX) })
}
