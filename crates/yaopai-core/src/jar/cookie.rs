//! One cookie, and how it is kept.

use std::fmt;

use cookie_store::{CookieDomain, CookiePath};
use zeroize::Zeroizing;

use super::{From, To};
use crate::ports::Slot;
use crate::seal::Sealer;

/// A cookie: a secret as a whole, so that its `Debug` shows no more than its path.
#[derive(Clone, PartialEq, Eq)]
pub struct Cookie {
    name: Zeroizing<String>,
    value: Zeroizing<String>,
    domain: Domain,
    path: CookiePath,
    by: By,
}

/// Stands for the webhook where an upstream's name would: none is called so.
const WEBHOOK: &str = ":";

/// Who has set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum By {
    /// `opened`.
    Webhook,
    /// An answer of this upstream's.
    Upstream(Box<str>),
}

impl std::convert::From<From<'_>> for By {
    fn from(from: From<'_>) -> Self {
        match from {
            From::Answer(_, upstream) => Self::Upstream(upstream.into()),
            From::Webhook => Self::Webhook,
        }
    }
}

/// To which hosts it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Domain {
    /// To whichever the session's back end is asked at.
    Everywhere,
    /// As the RFC says: to one, or to those below it.
    Is(CookieDomain),
}

impl fmt::Debug for Cookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cookie").field("path", &&*self.path).finish_non_exhaustive()
    }
}

/// Where a cookie is kept, and what else is told apart in the clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    pub slot: Slot,
    pub twin: Slot,
    pub site: Slot,
    pub everywhere: bool,
}

impl Cookie {
    pub(super) fn new((name, value): (&str, &str), (domain, path): (Domain, CookiePath), by: By) -> Self {
        // Whether the path was named or is the default makes no other cookie; the crate's type remembers it.
        let path = CookiePath::parse(&path).unwrap_or(path);
        Self { name: Zeroizing::new(name.into()), value: Zeroizing::new(value.into()), domain, path, by }
    }

    /// Is it sent there? RFC 6265, section 5.4, step 1.
    pub fn goes_to(&self, to: To<'_>) -> bool {
        let (To::BackEnd(origin) | To::Webhook(origin, _)) = to;
        let there = match (to, &self.domain, &self.by) {
            (To::Webhook(..), _, By::Webhook) | (To::BackEnd(_), Domain::Everywhere, _) => true,
            (To::Webhook(_, of), _, By::Upstream(by)) => of.iter().any(|name| **name == **by),
            (To::BackEnd(_), Domain::Is(domain), _) => domain.matches(&origin.0),
        };
        there && self.path.matches(&origin.0)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn value(&self) -> &str {
        &self.value
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The domain as text; whether it is one host's alone tells no cookies apart (RFC 6265, section 5.3, step 11).
    fn domain(&self) -> (String, bool) {
        match &self.domain {
            Domain::Everywhere => (String::new(), false),
            Domain::Is(domain) => (String::from(domain), matches!(domain, CookieDomain::HostOnly(_))),
        }
    }

    pub(crate) fn slots(&self, sealer: &Sealer) -> Slots {
        let ((domain, _), path, name) = (self.domain(), self.path.as_bytes(), self.name.as_bytes());
        Slots {
            slot: sealer.slot(&[b"cookie", domain.as_bytes(), path, name]),
            twin: sealer.slot(&[b"twin", path, name]),
            site: sealer.slot(&[b"site", domain.as_bytes()]),
            everywhere: self.domain == Domain::Everywhere,
        }
    }

    /// As it is to be sealed: its parts between NULs, which none of them holds.
    pub(crate) fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        let (domain, alone) = self.domain();
        let by = match &self.by {
            By::Webhook => WEBHOOK,
            By::Upstream(name) => name,
        };
        let parts = [if alone { "host" } else { "domain" }, &domain, &self.path, &self.name, &self.value, by];
        let mut plain = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len() + 1).sum()));
        for part in parts {
            plain.extend_from_slice(part.as_bytes());
            plain.push(0);
        }
        plain
    }

    /// Reads that; `None` if it isn't that.
    pub(crate) fn from_plain(plain: &[u8]) -> Option<Self> {
        let mut parts = std::str::from_utf8(plain).ok()?.split('\0');
        let (kind, domain, path) = (parts.next()?, parts.next()?.to_owned(), CookiePath::parse(parts.next()?)?);
        let domain = match (domain.is_empty(), kind) {
            (true, _) => Domain::Everywhere,
            (false, "host") => Domain::Is(CookieDomain::HostOnly(domain)),
            (false, _) => Domain::Is(CookieDomain::Suffix(domain)),
        };
        let pair = (parts.next()?, parts.next()?);
        let by = match parts.next()? {
            WEBHOOK => By::Webhook,
            // Only the webhook's are for every host. What was kept before this was noted is of no upstream that has a name.
            _ if domain == Domain::Everywhere => By::Webhook,
            name => By::Upstream(name.into()),
        };
        Some(Self::new(pair, (domain, path), by))
    }
}
