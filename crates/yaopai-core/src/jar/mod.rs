//! The cookies of the back end, kept on our side for clients that keep none: the rules (RFC 6265), pure.
//!
//! What the RFC says of a `Set-Cookie` line's first pair and of domains and paths is done by the crates `cookie` and
//! `cookie_store`; lifetimes, order and bounds are done here, because theirs know no clock but the machine's
//! (docs/decisions/0054). Who keeps what is in [`crate::ports`], who asks in [`crate::service`].

mod cookie;
mod date;
mod header;
mod keep;
mod line;
#[cfg(test)]
mod tests;

use std::time::Duration;

use url::Url;

pub use cookie::Cookie;
pub use header::header;
pub use keep::keep;
pub use line::{Set, read};

/// The longest `Set-Cookie` line in bytes: one that is longer is not kept (RFC 6265, section 6.1, asks for 4096 at least).
pub const LINE_MAX: usize = 4096;
/// How many lines of one answer are read.
pub const LINES_MAX: usize = 50;
/// Nothing is kept for longer (RFC 6265bis, section 5.5, recommends it).
pub const LIFE_MAX: Duration = Duration::from_secs(400 * 24 * 3600);

/// How much one jar may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Cookies.
    pub cookies: usize,
    /// Bytes of them, sealed.
    pub bytes: usize,
}

/// A session's (RFC 6265, section 6.1, asks for 50 cookies of a domain).
pub const BOUNDS: Bounds = Bounds { cookies: 50, bytes: 64 * 1024 };

/// Where a request goes, or an answer comes from.
#[derive(Debug, Clone)]
pub struct Origin(Url);

impl Origin {
    /// `host` as in the `Host` field, in any case and with a port or without; `path` as in the request target, a query may stand
    /// behind it. `None` if that is no host.
    pub fn new(host: &str, path: &str) -> Option<Self> {
        // Who writes more than a host and a port there means something else by it.
        if host.contains(['/', '\\', '?', '#', '@']) {
            return None;
        }
        // As https: the jar's whole way is on our side, so it counts as secure, and Secure cookies are sent.
        let mut url = Url::parse(&format!("https://{host}/")).ok()?;
        url.set_path(path.split(['?', '#']).next().unwrap_or_default());
        Some(Self(url))
    }
}

/// Who is sent cookies.
#[derive(Debug, Clone, Copy)]
pub enum To<'a> {
    /// The back end, at this host and path.
    BackEnd(&'a Origin),
    /// The webhook, at this host and path: what it has set itself, and what these upstreams have, of which it is a part. Of those
    /// only paths tell what goes there, since its own host says nothing (docs/decisions/0055).
    Webhook(&'a Origin, &'a [String]),
}

/// Who sets a cookie.
#[derive(Debug, Clone, Copy)]
pub enum From<'a> {
    /// The answer to a request that went there, and to which upstream, by its name in the configuration.
    Answer(&'a Origin, &'a str),
    /// The webhook, whose own host says nothing about where its back end is asked (docs/decisions/0055).
    Webhook,
}
