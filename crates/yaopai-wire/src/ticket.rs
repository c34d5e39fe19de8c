//! Tickets: how a request shows who it is where no header can be set (sockets, images, pages in a web-view). One stands in the
//! URL, which ends up in logs; so it is good once, for one place, for some seconds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The query parameter that holds one.
pub const PARAMETER: &str = "yaopai_ticket";
/// The cookie that a page in a web-view gets for its ticket.
pub const VIEW_COOKIE: &str = "yaopai_view";
/// What one begins with that its node remembers.
pub const PREFIX: &str = "yt1_";
/// What one begins with that says itself what it is good for, at any node that has the key.
pub const PREFIX_TOLD: &str = "yt2_";
/// Random bytes of one that is remembered.
const BYTES: usize = 24;
/// Bytes of one that says what it is good for.
pub const TOLD_BYTES: usize = 96;
/// The length of the first as text: the prefix and 32 characters of base64url.
pub const LENGTH: usize = PREFIX.len() + BYTES / 3 * 4;
/// The length of the second.
pub const LENGTH_TOLD: usize = PREFIX_TOLD.len() + TOLD_BYTES / 3 * 4;

/// A ticket, or the cookie that came of one.
#[derive(Clone)]
pub enum Ticket {
    /// 192 random bits; what they are good for is remembered where they were made.
    Kept(Zeroizing<[u8; BYTES]>),
    /// It says so itself, under a MAC.
    Told(Zeroizing<[u8; TOLD_BYTES]>),
}

/// What is kept of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TicketHash([u8; 32]);

impl Ticket {
    /// Of fresh random bytes, which `fill` writes.
    pub fn new(fill: impl FnOnce(&mut [u8])) -> Self {
        let mut bytes = Zeroizing::new([0; BYTES]);
        fill(&mut bytes[..]);
        Self::Kept(bytes)
    }

    /// Reads one. `None`: it is none of ours.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(PREFIX_TOLD) {
            return decode(rest).map(Self::Told);
        }
        decode(text.strip_prefix(PREFIX)?).map(Self::Kept)
    }

    /// The text, for the one answer that needs it.
    pub fn reveal(&self) -> String {
        match self {
            Self::Kept(bytes) => format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(&bytes[..])),
            Self::Told(bytes) => format!("{PREFIX_TOLD}{}", URL_SAFE_NO_PAD.encode(&bytes[..])),
        }
    }

    /// By this it is known: who sees what is kept can't make the ticket.
    pub fn hash(&self) -> TicketHash {
        TicketHash(match self {
            Self::Kept(bytes) => Sha256::digest(&bytes[..]).into(),
            Self::Told(bytes) => Sha256::digest(&bytes[..]).into(),
        })
    }
}

/// Exactly so many bytes, in their one spelling.
fn decode<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    let fits = text.len() == N / 3 * 4;
    let read = fits.then(|| URL_SAFE_NO_PAD.decode_slice(text, &mut bytes[..]).ok())??;
    (read == N).then_some(bytes)
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ticket(…)")
    }
}

/// What a request shows.
#[derive(Debug)]
pub enum Shown {
    /// Nothing of the kind.
    Nothing,
    /// One.
    Ticket(Ticket),
    /// Something in a ticket's place that is none, or more than one.
    Junk,
}

/// The ticket in a query (without its `?`).
pub fn in_query(query: &str) -> Shown {
    // Nearly every query has none, and that is seen at a glance.
    if !query.contains(PARAMETER) {
        return Shown::Nothing;
    }
    only(query.split('&').filter_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('=')))
}

/// The query without tickets; `None` if nothing is left of it.
pub fn taken_out(query: &str) -> Option<String> {
    let is_ticket =
        |pair: &&str| pair.strip_prefix(PARAMETER).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    let left: Vec<&str> = query.split('&').filter(|pair| !is_ticket(pair)).collect();
    (!left.is_empty()).then(|| left.join("&"))
}

/// How many cookies of pages are looked at.
const VIEWS_MAX: usize = 4;

/// The cookies of pages in `Cookie` fields (RFC 6265, section 4.2.1), in their order. A browser sends one for each folder that the
/// request lies in, the innermost first (section 5.4). `None`: something in such a cookie's place is none, or there are too many.
pub fn in_cookies<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Option<Vec<Ticket>> {
    let pairs = fields.flat_map(|field| field.split(|b| *b == b';'));
    let views = pairs
        .filter_map(|pair| std::str::from_utf8(pair.trim_ascii()).ok()?.strip_prefix(VIEW_COOKIE)?.strip_prefix('='));
    let views: Option<Vec<Ticket>> = views.take(VIEWS_MAX + 1).map(Ticket::parse).collect();
    views.filter(|views| views.len() <= VIEWS_MAX)
}

fn only<'a>(mut found: impl Iterator<Item = &'a str>) -> Shown {
    match (found.next(), found.next()) {
        (None, _) => Shown::Nothing,
        (Some(text), None) => Ticket::parse(text).map_or(Shown::Junk, Shown::Ticket),
        (Some(_), Some(_)) => Shown::Junk,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ticket() -> Ticket {
        Ticket::new(|bytes| bytes.fill(0xa5))
    }

    #[test]
    fn one_is_found() {
        let text = ticket().reveal();
        assert_eq!(text.len(), LENGTH);
        assert_eq!(format!("{:?}", ticket()), "Ticket(…)");
        for query in [format!("{PARAMETER}={text}"), format!("a=1&{PARAMETER}={text}&b")] {
            assert!(matches!(in_query(&query), Shown::Ticket(t) if t.hash() == ticket().hash()), "{query}");
        }
        let cookie = format!("a=b; {VIEW_COOKIE}={text}");
        let views = in_cookies([cookie.as_bytes()].into_iter()).unwrap();
        assert!(views.len() == 1 && views[0].hash() == ticket().hash());
    }

    #[test]
    fn a_query_without_its_ticket() {
        for (query, left) in [
            ("yaopai_ticket=yt1_x", None),
            ("a=1&yaopai_ticket=yt1_x&b=2&&yaopai_ticket", Some("a=1&b=2&")),
            ("a=yaopai_ticket=1&yaopai_tickets=2", Some("a=yaopai_ticket=1&yaopai_tickets=2")),
        ] {
            assert_eq!(taken_out(query).as_deref(), left, "{query}");
        }
    }

    #[test]
    fn two_or_none() {
        let text = ticket().reveal();
        for junk in [
            format!("{PARAMETER}={text}&{PARAMETER}={text}"),
            format!("{PARAMETER}="),
            format!("{PARAMETER}={text}x"),
            format!("{PARAMETER}={}", text.replace("yt1_", "yt2_")),
            format!("{PARAMETER}={}=", &text[..LENGTH - 1]),
        ] {
            assert!(matches!(in_query(&junk), Shown::Junk), "{junk}");
        }
        for none in [format!("x{PARAMETER}={text}"), PARAMETER.to_owned(), format!("a={PARAMETER}"), String::new()] {
            assert!(matches!(in_query(&none), Shown::Nothing), "{none}");
        }
        let cookie = format!("{VIEW_COOKIE}={text}; a=b");
        let cookies = |many| in_cookies(std::iter::repeat_n(cookie.as_bytes(), many)).map(|views| views.len());
        assert_eq!([0, 1, 4, 5].map(cookies), [Some(0), Some(1), Some(4), None]);
        let told = Ticket::Told(Zeroizing::new([0xa5; TOLD_BYTES])).reveal();
        assert_eq!(told.len(), LENGTH_TOLD);
        assert!(
            matches!(in_query(&format!("{PARAMETER}={told}")), Shown::Ticket(Ticket::Told(b)) if b[..] == [0xa5; TOLD_BYTES])
        );
        for junk in [told.replace("yt2_", "yt1_"), text.replace("yt1_", "yt2_"), format!("{told}A")] {
            assert!(Ticket::parse(&junk).is_none(), "{junk}");
        }
        let junk = format!("{VIEW_COOKIE}={text}; {VIEW_COOKIE}=\"{text}\"");
        assert!(in_cookies([junk.as_bytes()].into_iter()).is_none());
    }

    proptest! {
        /// Of one spelling each: no two texts are the same ticket.
        #[test]
        fn what_is_read_is_what_is_written(text in "yt1_[A-Za-z0-9_=-]{30,34}|yt2_[A-Za-z0-9_=-]{127,129}") {
            if let Some(ticket) = Ticket::parse(&text) {
                prop_assert_eq!(ticket.reveal(), text);
            }
        }

        #[test]
        fn never_panics(text: String, bytes: Vec<u8>) {
            let _ = (in_query(&text), in_cookies([&*bytes].into_iter()));
        }
    }
}
